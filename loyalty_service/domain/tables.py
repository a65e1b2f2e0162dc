"""Every table, imported once, so that migrations and tests see the whole schema."""

from loyalty_service.db import Base, ClockSetting
from loyalty_service.domain import (
    access,
    adjustments,
    approvals,
    counters,
    discounts,
    holds,
    idempotency,
    jobs,
    ledger,
    members,
    notices,
    orders,
    program,
    redemptions,
)
from loyalty_service.domain.earning import uses
from loyalty_service.domain.events import table as events
from loyalty_service.domain.tiers import tables as tiers
from loyalty_service.domain.webhooks import tables as webhooks

__all__ = [
    "Base",
    "ClockSetting",
    "access",
    "adjustments",
    "approvals",
    "counters",
    "discounts",
    "events",
    "holds",
    "idempotency",
    "jobs",
    "ledger",
    "members",
    "notices",
    "orders",
    "program",
    "redemptions",
    "tiers",
    "uses",
    "webhooks",
]
