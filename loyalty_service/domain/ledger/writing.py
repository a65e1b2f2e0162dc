"""Entries into rows: inserted, or changed relatively, in as few statements as there are tables."""

from collections import defaultdict
from datetime import timedelta
from typing import Any, cast

from sqlalchemy import Table, bindparam, func, select, union_all, update

from loyalty_service import canonical
from loyalty_service.domain.ledger import chain
from loyalty_service.domain.ledger.entries import FIGURES, Book, Entry
from loyalty_service.domain.ledger.moves import LOT_SIDES, Move, Side, change, earned, require_legal
from loyalty_service.domain.ledger.state import NewLot
from loyalty_service.domain.ledger.tables import Account, Lot, Posting, Transaction

ACCOUNTS = cast(Table, Account.__table__)
TRANSACTIONS = cast(Table, Transaction.__table__)
LOTS = cast(Table, Lot.__table__)
POSTINGS = cast(Table, Posting.__table__)


def write(book: Book, entries: list[Entry]) -> None:
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
        set_next_due(book)


def set_next_due(book: Book) -> None:
    """Find the first moment at which time changes one of the lots, and note it."""
    mine = (Lot.program_id == book.program_id, Lot.member_id == book.member_id)
    maturities = select(func.min(Lot.matures_at).label("at")).where(*mine, Lot.pending > 0)
    expiries = select(func.min(Lot.expires_at).label("at")).where(*mine, Lot.available > 0)
    moments = union_all(maturities, expiries).subquery()
    book.next_due_at = book.session.execute(select(func.min(moments.c.at))).scalar_one()
    _update_account(book, {"next_due_at": book.next_due_at})


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
    book.head_hash = chain.hash_of(
        **content, transaction_id=entry.id, moves=entry.moves, lots=entry.new_lots
    )
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
