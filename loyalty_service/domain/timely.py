"""Whether a fact may be told now: not before it happened, and not too long after."""

from datetime import UTC, datetime, timedelta

from loyalty_service import clock
from loyalty_service.errors import LoyaltyError

# Two machines' clocks differ: a fact a breath ahead of ours is one that happened just now.
CLOCK_SKEW_SECONDS = 60


def require_not_ahead(at: datetime, param: str, *, send: str, refusal: type[LoyaltyError]) -> None:
    """Refuse a moment that has not come, with a refusal that says which one to `send`."""
    now = clock.now()
    if at > now + timedelta(seconds=CLOCK_SKEW_SECONDS):
        raise refusal(
            f"{param} {_told(at)} is later than now ({_told(now)}); send the time at which {send}.",
            param=param,
        )


def require_not_late(
    at: datetime, param: str, late_days: int, *, what: str, refusal: type[LoyaltyError]
) -> None:
    """Refuse a moment that is older than the program's `late_days`; `what` is named."""
    now = clock.now()
    if at < now - timedelta(days=late_days):
        raise refusal(
            f"{param} {_told(at)} is more than {late_days} days before now "
            f"({_told(now)}); the program's late_days says how old {what} may be.",
            param=param,
        )


def _told(at: datetime) -> str:
    """A moment for people, to the second."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
