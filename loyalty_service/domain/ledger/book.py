"""An account under lock, and the one way to write to it.

Lock, read, plan, write: the account row is locked in one statement and its lots are read in the
NEXT (a joined lock returns the lots as they were before the wait, and two tills overspend); `now`
is taken after the lock; lots and account are changed relatively.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import Table, and_, bindparam, func, insert, or_, select, union_all, update
from sqlalchemy.orm import Session

from loyalty_service import canonical, clock, ids
from loyalty_service.domain.ledger import chain, state
from loyalty_service.domain.ledger.moves import (
    LOT_SIDES,
    Move,
    Side,
    change,
    earned,
    require_legal,
)
from loyalty_service.domain.ledger.state import Due, LotState
from loyalty_service.domain.ledger.tables import Account, Lot, Posting, Transaction
from loyalty_service.errors import MemberNotFound

ACCOUNTS = cast(Table, Account.__table__)
TRANSACTIONS = cast(Table, Transaction.__table__)
LOTS = cast(Table, Lot.__table__)
POSTINGS = cast(Table, Posting.__table__)

LOTS_READ_FIRST = 32
FIGURES = ("available", "pending", "held", "debt")
_LOT_COLUMNS = (
    Lot.id,
    Lot.number,
    Lot.earned_at,
    Lot.matures_at,
    Lot.expires_at,
    Lot.pending,
    Lot.available,
    Lot.held,
)


@dataclass(slots=True)
class Book:
    """A locked account: its figures as they stand after what was posted, and the moment `now`."""

    session: Session
    program_id: str
    member_id: str
    now: datetime
    available: int
    pending: int
    held: int
    debt: int
    lifetime_earned: int
    sequence: int
    lots_opened: int
    head_hash: str
    recorded_at: datetime
    next_due_at: datetime | None


@dataclass(frozen=True, slots=True)
class NewLot:
    """A lot to be opened by the entry that moves points into it."""

    id: str
    earned_at: datetime
    matures_at: datetime
    expires_at: datetime | None
    restores_lot_id: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A transaction to be posted. `context` pins what decided: ids, integers and words."""

    kind: str
    moves: list[Move]
    occurred_at: datetime
    context: dict[str, Any] = field(default_factory=dict)
    corrects_id: str | None = None
    new_lots: list[NewLot] = field(default_factory=list)
    id: str = field(default_factory=lambda: ids.new("ltx"))


@dataclass(frozen=True, slots=True)
class Posted:
    """What was written: the transaction's id and sequence, and the account's figures after it."""

    id: str
    sequence: int
    kind: str
    recorded_at: datetime


def open_account(session: Session, program_id: str, member_id: str) -> None:
    """Insert a new member's account: no points, an empty chain."""
    session.execute(
        insert(ACCOUNTS).values(
            program_id=program_id,
            member_id=member_id,
            head_hash=chain.GENESIS,
            recorded_at=clock.now(),
        )
    )


def open_book(session: Session, program_id: str, member_id: str) -> Book:
    """Lock the member's account, post what fell due until now, and hand the book over.

    Raises MemberNotFound.
    """
    # Lock before reading anything else: two tills may redeem at once.
    row = session.execute(
        select(ACCOUNTS)
        .where(Account.program_id == program_id, Account.member_id == member_id)
        .with_for_update()
    ).one_or_none()
    if row is None:
        raise MemberNotFound(f"There is no account for member {member_id}.", param="member")
    book = Book(session=session, now=clock.now(), **row._mapping)
    _post_due(book)
    return book


def post(book: Book, entry: Entry) -> Posted:
    """Write one transaction (and the repayment of debt that it brings about); returns it.

    A lot that was due before it was recorded (an order sent late) is advanced at once.
    """
    entries = [entry, *_repayments(book, entry)]
    posted = _write(book, entries)
    _post_due(book)
    return posted[0]


def lots_to_spend(book: Book, points: int) -> list[LotState]:
    """Open lots in spending order, enough for `points`: the first 32, the rest only if needed."""
    lots = _read_lots(book, Lot.available > 0, limit=LOTS_READ_FIRST)
    if len(lots) == LOTS_READ_FIRST and sum(lot.available for lot in lots) < points:
        lots = _read_lots(book, Lot.available > 0)
    return lots


def lot_states(rows: Iterable[Any]) -> list[LotState]:
    """Rows of lots as plain values."""
    return [LotState(*row) for row in rows]


def lots_of(program_id: str, member_id: str) -> Any:
    """The SELECT for a member's lots, as `lot_states` takes them."""
    return select(*_LOT_COLUMNS).where(Lot.program_id == program_id, Lot.member_id == member_id)


def _read_lots(book: Book, condition: Any, limit: int | None = None) -> list[LotState]:
    statement = (
        lots_of(book.program_id, book.member_id)
        .where(condition)
        .order_by(Lot.expires_at.asc().nulls_last(), Lot.earned_at, Lot.number)
        .limit(limit)
    )
    return lot_states(book.session.execute(statement))


def _post_due(book: Book) -> None:
    """Post what time has brought about until the book's now; costs nothing when nothing is due."""
    if book.next_due_at is None or book.next_due_at > book.now:
        return
    matured = and_(Lot.pending > 0, Lot.matures_at <= book.now)
    expired = and_(Lot.available > 0, Lot.expires_at <= book.now)
    lots = _read_lots(book, or_(matured, expired))
    _, _, happened = state.advance(lots, book.debt, book.now)
    book.next_due_at = None
    if happened:
        _write(book, [_entry_of(due) for due in happened])
    _set_next_due(book)


def _entry_of(due: Due) -> Entry:
    return Entry(due.kind, list(due.moves), due.at, {"cause": "time"})


def _set_next_due(book: Book) -> None:
    mine = (Lot.program_id == book.program_id, Lot.member_id == book.member_id)
    maturities = select(func.min(Lot.matures_at).label("at")).where(*mine, Lot.pending > 0)
    expiries = select(func.min(Lot.expires_at).label("at")).where(*mine, Lot.available > 0)
    moments = union_all(maturities, expiries).subquery()
    book.next_due_at = book.session.execute(select(func.min(moments.c.at))).scalar_one()
    _update_account(book, {"next_due_at": book.next_due_at})


def _repayments(book: Book, entry: Entry) -> list[Entry]:
    """The repayment of debt by points that an entry makes available."""
    debt = book.debt + change(entry.moves, "debt")
    if debt <= 0 or change(entry.moves, "available") <= 0:
        return []
    gained: dict[str, int] = defaultdict(int)
    for move in entry.moves:
        if move.credit.kind == "available" and move.credit.lot_id:
            gained[move.credit.lot_id] += move.points
    # With debt nothing else is available, so these lots are all there is.
    lots = _read_lots(book, Lot.id.in_(list(gained)))
    lots += [
        LotState(new.id, book.lots_opened + place, new.earned_at, new.matures_at, new.expires_at)
        for place, new in enumerate(entry.new_lots, start=1)
    ]
    for lot in lots:
        lot.available = gained.get(lot.id, 0)
    return [
        Entry(due.kind, list(due.moves), due.at, {"cause": "debt"})
        for due in state.repay(lots, debt, book.now)
    ]


def _write(book: Book, entries: list[Entry]) -> list[Posted]:
    """Insert transactions, lots and postings, and change lots and account relatively."""
    moves = [move for entry in entries for move in entry.moves]
    changes = _lot_changes(moves)
    rows = [_transaction_row(book, entry) for entry in entries]
    _insert(book, TRANSACTIONS, rows)
    made = list(zip(rows, entries, strict=True))
    lots = [_lot_row(book, row, new, changes) for row, entry in made for new in entry.new_lots]
    _insert(book, LOTS, lots)
    _insert(book, POSTINGS, [line for row, entry in made for line in _postings(row, entry)])
    for new in lots:
        del changes[new["id"]]
    _change_lots(book, changes)
    _change_account(book, moves, lots)
    if any(by["available"] > 0 and not by["pending"] for by in changes.values()):
        # Points came back to a lot that was spent: its date counts again.
        _set_next_due(book)
    return [Posted(row["id"], row["sequence"], row["kind"], row["recorded_at"]) for row in rows]


def _transaction_row(book: Book, entry: Entry) -> dict[str, Any]:
    require_legal(entry.kind, entry.moves)
    assert entry.occurred_at <= book.now, "a transaction dated in the future"
    for figure in FIGURES:
        after = getattr(book, figure) + change(entry.moves, figure)
        assert after >= 0, f"{entry.kind} would make {figure} {after}"
        setattr(book, figure, after)
    book.lifetime_earned += earned(entry.moves)
    book.sequence += 1
    # Strictly increasing per account, also when two writes share a microsecond.
    book.recorded_at = max(book.now, book.recorded_at + timedelta(microseconds=1))
    content: dict[str, Any] = {
        "kind": entry.kind,
        "sequence": book.sequence,
        "occurred_at": entry.occurred_at,
        "recorded_at": book.recorded_at,
        "corrects_id": entry.corrects_id,
        "context": canonical.dumps(entry.context),
        "previous_hash": book.head_hash,
        "program_id": book.program_id,
        "member_id": book.member_id,
    }
    book.head_hash = chain.hash_of(**content, transaction_id=entry.id, moves=entry.moves)
    after_it = {f"{figure}_after": getattr(book, figure) for figure in FIGURES}
    return {**content, **after_it, "id": entry.id, "hash": book.head_hash}


def _lot_row(
    book: Book, opened_by: dict[str, Any], new: NewLot, changes: dict[str, dict[str, int]]
) -> dict[str, Any]:
    """A new lot, holding what all entries together put into it."""
    book.lots_opened += 1
    return {
        "program_id": book.program_id,
        "id": new.id,
        "member_id": book.member_id,
        "number": book.lots_opened,
        "opened_by": opened_by["id"],
        "restores_lot_id": new.restores_lot_id,
        "earned_at": new.earned_at,
        "matures_at": new.matures_at,
        "expires_at": new.expires_at,
        **changes[new.id],
    }


def _insert(book: Book, table: Table, rows: list[dict[str, Any]]) -> None:
    if rows:
        book.session.connection().execute(table.insert(), rows)


def _postings(transaction: dict[str, Any], entry: Entry) -> list[dict[str, Any]]:
    return [
        {
            "program_id": transaction["program_id"],
            "transaction_id": transaction["id"],
            "line": line,
            **_side_columns("debit", move.debit),
            **_side_columns("credit", move.credit),
            "points": move.points,
        }
        for line, move in enumerate(entry.moves, start=1)
    ]


def _side_columns(name: str, side: Side) -> dict[str, str | None]:
    return {
        f"{name}_kind": side.kind,
        f"{name}_lot_id": side.lot_id,
        f"{name}_hold_id": side.hold_id,
    }


def _lot_changes(moves: list[Move]) -> dict[str, dict[str, int]]:
    changes: dict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(LOT_SIDES, 0))
    for move in moves:
        if move.debit.lot_id:
            changes[move.debit.lot_id][move.debit.kind] -= move.points
        if move.credit.lot_id:
            changes[move.credit.lot_id][move.credit.kind] += move.points
    return changes


def _change_lots(book: Book, changes: dict[str, dict[str, int]]) -> None:
    if not changes:
        return
    rows = [
        {"lot": lot, **{f"{place}_by": points for place, points in by.items()}}
        for lot, by in changes.items()
    ]
    statement = (
        update(LOTS)
        .where(LOTS.c.program_id == book.program_id, LOTS.c.member_id == book.member_id)
        .where(LOTS.c.id == bindparam("lot"))
        .values({place: LOTS.c[place] + bindparam(f"{place}_by") for place in LOT_SIDES})
    )
    result = book.session.connection().execute(statement, rows)
    assert result.rowcount == len(rows), "a lot vanished under the account's lock"


def _change_account(book: Book, moves: list[Move], lots: list[dict[str, Any]]) -> None:
    moments = [lot["matures_at"] if lot["pending"] else lot["expires_at"] for lot in lots]
    book.next_due_at = min((at for at in [book.next_due_at, *moments] if at), default=None)
    by = {figure: change(moves, figure) for figure in FIGURES}
    by["lifetime_earned"] = earned(moves)
    _update_account(
        book,
        {
            **{figure: ACCOUNTS.c[figure] + points for figure, points in by.items() if points},
            "sequence": book.sequence,
            "lots_opened": book.lots_opened,
            "head_hash": book.head_hash,
            "recorded_at": book.recorded_at,
            "next_due_at": book.next_due_at,
        },
    )


def _update_account(book: Book, values: dict[str, Any]) -> None:
    book.session.connection().execute(
        update(ACCOUNTS)
        .where(ACCOUNTS.c.program_id == book.program_id, ACCOUNTS.c.member_id == book.member_id)
        .values(values)
    )
