"""Approvals: above one person's limits, a second person says yes or no.

Pending approvals reserve from the month's pool what they ask for; approved ones take from the
limits of whoever approved. Invariant: an approval that is not pending has reserved nothing.
"""

from loyalty_service.domain.approvals.adjusting import give_or_ask
from loyalty_service.domain.approvals.asking import Pool, Request, ask
from loyalty_service.domain.approvals.deciding import Decided, approve, reject
from loyalty_service.domain.approvals.table import (
    APPROVED,
    EXPIRED,
    FAILED,
    KINDS,
    PENDING,
    PREFIX,
    REJECTED,
    TRANSITIONS,
    Approval,
    listed,
    require,
)

__all__ = [
    "APPROVED",
    "EXPIRED",
    "FAILED",
    "KINDS",
    "PENDING",
    "PREFIX",
    "REJECTED",
    "TRANSITIONS",
    "Approval",
    "Decided",
    "Pool",
    "Request",
    "approve",
    "ask",
    "give_or_ask",
    "listed",
    "reject",
    "require",
]
