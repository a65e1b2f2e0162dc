"""Points by hand that a second person has to approve: the first kind of approval."""

from sqlalchemy.orm import Session

from loyalty_service.domain import adjustments, program
from loyalty_service.domain.access import APPROVERS, Principal
from loyalty_service.domain.adjustments import Gesture, Given, Ready, Signature
from loyalty_service.domain.approvals.asking import Pool, Request, ask
from loyalty_service.domain.approvals.table import ADJUSTMENT, Approval
from loyalty_service.errors import LimitExceeded


def give_or_ask(session: Session, by: Principal, gesture: Gesture) -> Given | Approval:
    """Credit or debit a member by hand; where that is above the person's limits, ask for it.

    Raises MemberNotFound, MemberClosed, ReasonNotKnown, InsufficientPoints, and LimitExceeded where
    nobody may approve so much.
    """
    ready = adjustments.prepare(session, by.program_id, gesture)
    try:
        return adjustments.post(ready, Signature(by.actor_id, by.role), by)
    except LimitExceeded:
        pool = _pool(ready.rules.rules)
        if pool is None:
            raise
        return ask(session, by, _request(ready), pool, ready.book.now)


def carry_out(session: Session, by: Principal, row: Approval) -> tuple[str, str]:
    """Give what was asked, from the limits of whoever approves; the adjustment and transaction ids.

    Raises as `adjustments.give`.
    """
    gesture = Gesture(
        member=row.member_id, note=row.note, customer_note=row.customer_note, **row.wish
    )
    ready = adjustments.prepare(session, row.program_id, gesture)
    signature = Signature(row.requested_by, row.requested_role, row.id, by.actor_id)
    made = adjustments.post(ready, signature, by).adjustment
    return made["id"], made["transaction_id"]


def size(row: Approval) -> int:
    """How much of the pool an approval takes, in points: limits bind both ways."""
    return abs(int(row.wish["points"]))


def _request(ready: Ready) -> Request:
    gesture = ready.gesture
    return Request(
        member_id=ready.book.member_id,
        kind=ADJUSTMENT,
        asked={"points": gesture.points, "reason": gesture.reason},
        size=abs(gesture.points),
        note=gesture.note,
        customer_note=gesture.customer_note,
    )


def _pool(rules: program.Program) -> Pool | None:
    """What the most generous of the roles that approve may give; None where none may."""
    limits = [limit for role in APPROVERS if (limit := rules.goodwill.limit(role))]
    if not limits:
        return None
    at_once = max(limit.per_grant for limit in limits)
    return Pool(at_once, max(limit.per_month for limit in limits), rules.zone)
