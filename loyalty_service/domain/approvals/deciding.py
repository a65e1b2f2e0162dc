"""A second person says yes or no: once, and under the approval's lock.

What can't be done now (points that are not there, a month that is full, a reason that the program
dropped) is refused, and the approval waits for better times or its end. What can never be done (the
membership was closed) makes it `failed`.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.orm import Session

from loyalty_service import clock
from loyalty_service.domain import counters, people
from loyalty_service.domain.access import APPROVERS, Principal
from loyalty_service.domain.approvals import adjusting
from loyalty_service.domain.approvals.table import (
    ADJUSTMENT,
    APPROVED,
    EXPIRED,
    FAILED,
    PENDING,
    REJECTED,
    Approval,
    become,
    locked,
)
from loyalty_service.errors import (
    ApprovalDecided,
    ApprovalExpired,
    ApproverNotAPerson,
    LoyaltyError,
    MemberClosed,
    OwnApproval,
    RoleMayNotApprove,
)

CarryOut = Callable[[Session, Principal, Approval], tuple[str, str]]
CARRY_OUT: dict[str, CarryOut] = {ADJUSTMENT: adjusting.carry_out}
HOPELESS = MemberClosed


@dataclass(frozen=True, slots=True)
class Decided:
    """An approval as it stands; `refusal` is what made it fail just now."""

    approval: Approval
    refusal: LoyaltyError | None = None


def approve(session: Session, by: Principal, approval_id: str) -> Decided:
    """Do what is asked, from the limits of whoever approves; nothing more where it is approved.

    Raises ApprovalNotFound, ApproverNotAPerson, OwnApproval, RoleMayNotApprove, ApprovalDecided,
    ApprovalExpired, and what its kind refuses; a refusal in `Decided` is to be told, and kept.
    """
    row = _for_decision(session, by, approval_id, APPROVED)
    if row.status == APPROVED:
        return Decided(row)
    try:
        made_id, transaction_id = CARRY_OUT[row.kind](session, by, row)
    except HOPELESS as refusal:
        row.failure = refusal.code
        _release(session, by, row, FAILED)
        return Decided(row, refusal)
    row.made_id, row.transaction_id = made_id, transaction_id
    _decide(by, row, APPROVED)
    session.flush()
    # From here on the transaction owns what was reserved: an undo gives it back.
    counters.hand_over(session, row.program_id, row.id, transaction_id)
    return Decided(row)


def reject(session: Session, by: Principal, approval_id: str, reason: str) -> Approval:
    """Say no, and why; what was reserved is free again. Nothing more where it is rejected.

    Raises as `approve`, but for what its kind refuses.
    """
    row = _for_decision(session, by, approval_id, REJECTED)
    if row.status != REJECTED:
        row.decision_reason = reason
        _release(session, by, row, REJECTED)
    return row


def _for_decision(session: Session, by: Principal, approval_id: str, wanted: str) -> Approval:
    """The approval under its lock, pending or as it is wanted already."""
    row = locked(session, by.program_id, approval_id)
    _require_second_person(session, by, row)
    status = row.status_at(clock.now())
    if status == EXPIRED:
        raise ApprovalExpired(
            f"{row.id} could be decided until {row.expires_at:%Y-%m-%dT%H:%M:%SZ}; ask again.",
            param="id",
        )
    if status not in (PENDING, wanted):
        raise ApprovalDecided(f"{row.id} is {status}; ask again where that was wrong.", param="id")
    return row


def _require_second_person(session: Session, by: Principal, row: Approval) -> None:
    if by.staff_id is None:
        raise ApproverNotAPerson("This key stands for no person; use the key of a manager.")
    if people.are_one(session, by.program_id, by.staff_id, row.requested_by):
        raise OwnApproval(f"You asked for {row.id} yourself; somebody else has to decide it.")
    if by.role not in APPROVERS:
        raise RoleMayNotApprove(
            f"A person with role {by.role} decides nothing for others; "
            f"the roles that do are {' and '.join(APPROVERS)}."
        )


def _release(session: Session, by: Principal, row: Approval, status: str) -> None:
    _decide(by, row, status)
    session.flush()
    counters.give_back(session, row.program_id, row.id)


def _decide(by: Principal, row: Approval, status: str) -> None:
    become(row, status)
    row.decided_by, row.decided_at = by.staff_id, clock.now()
