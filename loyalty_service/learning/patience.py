"""How long an event waits for another that explains it: both are told of within moments."""

from datetime import timedelta

from loyalty_service import clock
from loyalty_service.gateways.payments import Event

PATIENCE = timedelta(minutes=10)


def is_young(event: Event) -> bool:
    """Say whether what explains an event may still be on its way."""
    return clock.wall() < event.created_at + PATIENCE
