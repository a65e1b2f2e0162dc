"""What approvals say of the ledger and of counters, against what stands there."""

import json
from collections.abc import Callable, Iterator

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from loyalty_service.domain.adjustments import Adjustment
from loyalty_service.domain.approvals import adjusting
from loyalty_service.domain.approvals.table import ADJUSTMENT, APPROVED, PENDING, PREFIX, Approval
from loyalty_service.domain.counters import Allotment
from loyalty_service.domain.ledger.tables import Transaction
from loyalty_service.domain.ledger.verify import Difference
from loyalty_service.statements import OF_PROGRAM

SIZE: dict[str, Callable[[Approval], int]] = {ADJUSTMENT: adjusting.size}

# Made once: to build them costs more than to run them.
_ALL = select(Approval).where(Approval.program_id == OF_PROGRAM)
_RESERVED = (
    select(Allotment.cause_id, func.sum(Allotment.amount))
    .where(Allotment.program_id == OF_PROGRAM)
    .where(Allotment.cause_id.startswith(f"{PREFIX}_", autoescape=True))
    .group_by(Allotment.cause_id)
)
_APPROVED = (
    select(Approval, Adjustment)
    .outerjoin(
        Adjustment,
        (Adjustment.program_id == Approval.program_id) & (Adjustment.id == Approval.made_id),
    )
    .where(Approval.program_id == OF_PROGRAM, Approval.status == APPROVED)
    .where(Approval.kind == ADJUSTMENT)
)
_CLAIMING = select(Transaction.id, Transaction.context).where(
    Transaction.program_id == OF_PROGRAM, Transaction.context.contains('"approval":')
)
_MADE = select(Approval.id, Approval.transaction_id).where(Approval.program_id == OF_PROGRAM)


def differences(session: Session, program_id: str) -> Iterator[Difference]:
    """Every reservation that is not a pending approval's, and every yes without its points."""
    yield from _reservations(session, program_id)
    yield from _done(session, program_id)
    yield from _claimed(session, program_id)


def _reservations(session: Session, program_id: str) -> Iterator[Difference]:
    """A pending approval has reserved its size; any other, and one that is not there, nothing."""
    reserved = _reserved(session, program_id)
    for row in session.scalars(_ALL, {"of_program": program_id}):
        due, has = (SIZE[row.kind](row) if row.status == PENDING else 0), reserved.pop(row.id, 0)
        if due != has:
            yield Difference(
                f"approval {row.id}", f"is {row.status} and has reserved {has}, not {due}"
            )
    for cause_id, points in reserved.items():
        yield Difference(f"approval {cause_id}", f"is not there and has reserved {points}")


def _reserved(session: Session, program_id: str) -> dict[str, int]:
    rows = session.execute(_RESERVED, {"of_program": program_id})
    return {cause_id: int(points) for cause_id, points in rows}


def _done(session: Session, program_id: str) -> Iterator[Difference]:
    """What was approved was done: for this member, as it was asked."""
    for row, made in session.execute(_APPROVED, {"of_program": program_id}):
        asked = (row.member_id, row.transaction_id, row.wish["points"], row.wish["reason"])
        done = made and (made.member_id, made.transaction_id, made.points, made.reason)
        if done != asked:
            yield Difference(f"approval {row.id}", f"asked for {asked}, its adjustment is {done}")


def _claimed(session: Session, program_id: str) -> Iterator[Difference]:
    """A transaction that says it was approved is the one that its approval made."""
    mine = {"of_program": program_id}
    made = {
        approval_id: transaction_id for approval_id, transaction_id in session.execute(_MADE, mine)
    }
    for transaction_id, context in session.execute(_CLAIMING, mine):
        approval_id = json.loads(context).get("approval")
        if approval_id and made.get(approval_id) != transaction_id:
            yield Difference(f"transaction {transaction_id}", f"was not made by {approval_id}")
