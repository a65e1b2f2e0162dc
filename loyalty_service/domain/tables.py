"""Every table, imported once, so that migrations and tests see the whole schema."""

from loyalty_service.db import Base, ClockSetting
from loyalty_service.domain import (
    access,
    adjustments,
    counters,
    idempotency,
    jobs,
    ledger,
    members,
    orders,
    program,
    redemptions,
)

__all__ = [
    "Base",
    "ClockSetting",
    "access",
    "adjustments",
    "counters",
    "idempotency",
    "jobs",
    "ledger",
    "members",
    "orders",
    "program",
    "redemptions",
]
