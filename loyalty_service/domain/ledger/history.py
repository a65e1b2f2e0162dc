"""Reading what was posted: one transaction, a page of them, and lots folded from postings."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, bindparam, select
from sqlalchemy.orm import Session

from loyalty_service.domain.ledger.lots import lot_states, lots_of
from loyalty_service.domain.ledger.moves import Move, Side, change, earned
from loyalty_service.domain.ledger.standing import PINNED, Standing, pinned
from loyalty_service.domain.ledger.state import LotState, NewLot
from loyalty_service.domain.ledger.tables import Lot, Posting, Transaction
from loyalty_service.domain.lists import Page, newest_first
from loyalty_service.errors import TransactionNotFound
from loyalty_service.statements import OF_PROGRAM

_MEMBER: BindParameter[str] = bindparam("of_member")

# Made once: `ledger verify` asks them of every account, and to build them costs more.
_POSTINGS = (
    select(Posting)
    .join(
        Transaction,
        (Transaction.program_id == Posting.program_id) & (Transaction.id == Posting.transaction_id),
    )
    .where(Transaction.program_id == OF_PROGRAM, Transaction.member_id == _MEMBER)
    .order_by(Transaction.sequence, Posting.line)
)
_LOTS = (
    select(Lot).where(Lot.program_id == OF_PROGRAM, Lot.member_id == _MEMBER).order_by(Lot.number)
)


def require_transaction(session: Session, program_id: str, transaction_id: str) -> Transaction:
    """One transaction of this program; raises TransactionNotFound."""
    found = session.get(Transaction, (program_id, transaction_id))
    if found is None:
        raise TransactionNotFound(f"There is no transaction {transaction_id}.", param="id")
    return found


def find_reversal(session: Session, program_id: str, transaction_id: str) -> str | None:
    """The transaction that took another back, where one did."""
    return session.scalar(
        select(Transaction.id).where(
            Transaction.program_id == program_id,
            Transaction.corrects_id == transaction_id,
            Transaction.kind == "reversal",
        )
    )


def corrections(
    session: Session, program_id: str, transaction_id: str
) -> list[tuple[Transaction, list[Move]]]:
    """The transactions that correct another one, in their order, with their postings."""
    found = session.scalars(
        select(Transaction)
        .where(
            Transaction.program_id == program_id,
            # Found by the index of a member's transactions: there is none over corrections.
            Transaction.member_id == _member_of(program_id, transaction_id),
            Transaction.corrects_id == transaction_id,
        )
        .order_by(Transaction.sequence)
    ).all()
    moves = moves_of(session, program_id, [one.id for one in found])
    return [(one, moves[one.id]) for one in found]


def _member_of(program_id: str, transaction_id: str) -> Any:
    mine = (Transaction.program_id == program_id, Transaction.id == transaction_id)
    return select(Transaction.member_id).where(*mine).scalar_subquery()


def page(session: Session, program_id: str, member_id: str, wanted: Page) -> list[Transaction]:
    """A member's transactions, newest first; raises CursorNotFound."""
    mine = select(Transaction).where(
        Transaction.program_id == program_id, Transaction.member_id == member_id
    )
    return newest_first(session, mine, wanted, id_column=Transaction.id, order=Transaction.sequence)


def moves_of(
    session: Session, program_id: str, transaction_ids: list[str]
) -> dict[str, list[Move]]:
    """The postings of some transactions, in their order."""
    rows = session.scalars(
        select(Posting)
        .where(Posting.program_id == program_id, Posting.transaction_id.in_(transaction_ids))
        .order_by(Posting.transaction_id, Posting.line)
    )
    found: dict[str, list[Move]] = {id_: [] for id_ in transaction_ids}
    for row in rows:
        found[row.transaction_id].append(move_of(row))
    return found


def move_of(row: Any) -> Move:
    """A posting's row as a plain move."""
    return Move(
        Side(row.debit_kind, row.debit_lot_id, row.debit_hold_id),
        Side(row.credit_kind, row.credit_lot_id, row.credit_hold_id),
        row.points,
    )


def fold(lots: Iterable[LotState], moves: Iterable[Move]) -> int:
    """Apply moves to lots that start empty, in place; returns the debt. Pure."""
    by_id = {lot.id: lot for lot in lots}
    debt = 0
    for move in moves:
        for side, points in ((move.debit, -move.points), (move.credit, move.points)):
            if side.lot_id:
                lot = by_id[side.lot_id]
                setattr(lot, side.kind, getattr(lot, side.kind) + points)
        debt += change([move], "debt")
    return debt


def as_of(
    session: Session, program_id: str, member_id: str, at: datetime
) -> tuple[list[LotState], int, int, list[Move]]:
    """Lots, debt and lifetime earnings from the postings recorded until `at` alone, and those."""
    lots = lot_states(session.execute(lots_of(program_id, member_id)))
    for lot in lots:
        lot.pending = lot.available = lot.held = 0
    mine = {"of_program": program_id, "of_member": member_id}
    rows = session.scalars(_POSTINGS.where(Transaction.recorded_at <= at), mine)
    moves = [move_of(row) for row in rows]
    return lots, fold(lots, moves), earned(moves), moves


def standing_as_of(session: Session, program_id: str, member_id: str, at: datetime) -> Standing:
    """The standing that was last pinned until `at`; nothing special before the first."""
    newest_first = (
        select(Transaction.sequence, Transaction.context)
        .where(Transaction.program_id == program_id, Transaction.member_id == member_id)
        .where(Transaction.recorded_at <= at, Transaction.context.contains(f'"{PINNED}":'))
        .order_by(Transaction.sequence.desc())
        .limit(1)
    )
    row = session.execute(newest_first).first()
    while row:
        if (found := pinned(row.context)) is not None:
            return found
        # Only the word was there, somewhere deeper.
        earlier = newest_first.where(Transaction.sequence < row.sequence)
        row = session.execute(earlier).first()
    return Standing()


def moves_by_transaction(
    session: Session, program_id: str, member_id: str
) -> dict[str, list[Move]]:
    """All of a member's postings, by transaction, in their order."""
    found: dict[str, list[Move]] = defaultdict(list)
    mine = {"of_program": program_id, "of_member": member_id}
    for row in session.scalars(_POSTINGS, mine):
        found[row.transaction_id].append(move_of(row))
    return found


def lots_by_transaction(
    session: Session, program_id: str, member_id: str
) -> dict[str, list[NewLot]]:
    """The lots that each of a member's transactions opened, in their order."""
    found: dict[str, list[NewLot]] = defaultdict(list)
    for row in session.scalars(_LOTS, {"of_program": program_id, "of_member": member_id}):
        found[row.opened_by].append(
            NewLot(row.id, row.earned_at, row.matures_at, row.expires_at, row.restores_lot_id)
        )
    return found
