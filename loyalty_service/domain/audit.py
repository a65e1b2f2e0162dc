"""`loyalty ledger verify`: the whole of a program's books, rebuilt and compared.

The ledger checks itself; here stands what orders, redemptions, adjustments and counters claim
of it.
"""

import json
from collections.abc import Iterator

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from loyalty_service.domain.adjustments import Adjustment
from loyalty_service.domain.counters import Allotment, Counter
from loyalty_service.domain.ledger import Move, history
from loyalty_service.domain.ledger.tables import Posting, Transaction
from loyalty_service.domain.ledger.verify import Difference, verify_accounts
from loyalty_service.domain.orders import Order
from loyalty_service.domain.redemptions import CANCELLED, FAILED, Redemption


def verify(session: Session, program_id: str) -> Iterator[Difference]:
    """Every difference in a program's books; nothing when they are right."""
    yield from verify_accounts(session, program_id)
    yield from _orders(session, program_id)
    yield from _adjustments(session, program_id)
    yield from _redemptions(session, program_id)
    yield from _counters(session, program_id)
    yield from _without_cause(session, program_id)


def _orders(session: Session, program_id: str) -> Iterator[Difference]:
    for order in session.scalars(select(Order).where(Order.program_id == program_id)):
        issued = _moved(session, program_id, order.transaction_id, debit="issued")
        if issued != order.points_earned:
            yield Difference(
                f"order {order.id}",
                f"points_earned is {order.points_earned}, postings give {issued}",
            )


def _adjustments(session: Session, program_id: str) -> Iterator[Difference]:
    for row in session.scalars(select(Adjustment).where(Adjustment.program_id == program_id)):
        given = _moved(session, program_id, row.transaction_id, debit="adjusted")
        taken = _moved(session, program_id, row.transaction_id, credit="adjusted")
        if given - taken != row.points:
            yield Difference(
                f"adjustment {row.id}", f"points is {row.points}, postings give {given - taken}"
            )


def _redemptions(session: Session, program_id: str) -> Iterator[Difference]:
    for row in session.scalars(select(Redemption).where(Redemption.program_id == program_id)):
        spent = _moved(session, program_id, row.transaction_id, credit="redeemed")
        if spent != row.points:
            yield Difference(
                f"redemption {row.id}", f"points is {row.points}, postings give {spent}"
            )
        back = _moved(session, program_id, row.restored_by, debit="redeemed")
        due = row.points if row.status in (FAILED, CANCELLED) else 0
        if row.status != "used" and back != due:
            yield Difference(
                f"redemption {row.id}", f"is {row.status} and {back} of {due} points came back"
            )


def _counters(session: Session, program_id: str) -> Iterator[Difference]:
    total = func.coalesce(func.sum(Allotment.amount), 0)
    rows = session.execute(
        select(Counter.name, Counter.used, total)
        .outerjoin(
            Allotment,
            (Allotment.program_id == Counter.program_id) & (Allotment.counter == Counter.name),
        )
        .where(Counter.program_id == program_id)
        .group_by(Counter.name, Counter.used)
    )
    for name, used, allotted in rows:
        if used != allotted:
            yield Difference(f"counter {name}", f"used is {used}, allotments give {allotted}")


def _without_cause(session: Session, program_id: str) -> Iterator[Difference]:
    """Transactions that claim a cause which is not there, or is somebody else's."""
    causes: dict[str, Select[tuple[str]]] = {
        "earn": select(Order.transaction_id).where(Order.program_id == program_id),
        "redemption": select(Redemption.transaction_id).where(Redemption.program_id == program_id),
    }
    for kind, known in causes.items():
        rows = session.execute(
            select(Transaction.id, Transaction.context).where(
                Transaction.program_id == program_id,
                Transaction.kind == kind,
                Transaction.id.not_in(known),
            )
        )
        for transaction_id, context in rows:
            cause = json.loads(context).get("cause")
            yield Difference(f"transaction {transaction_id}", f"its {cause} is not there")


def _moved(
    session: Session,
    program_id: str,
    transaction_id: str | None,
    *,
    debit: str | None = None,
    credit: str | None = None,
) -> int:
    """How many points a transaction moved from, or to, a system account."""
    if transaction_id is None:
        return 0
    rows = session.scalars(
        select(Posting).where(
            Posting.program_id == program_id, Posting.transaction_id == transaction_id
        )
    )
    moves: list[Move] = [history.move_of(row) for row in rows]
    return sum(
        move.points
        for move in moves
        if (debit is None or move.debit.kind == debit)
        and (credit is None or move.credit.kind == credit)
    )
