"""Entries into rows: inserted, or changed relatively, in as few statements as there are tables."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Table

from loyalty_service import canonical
from loyalty_service.domain.ledger import chain, moments, sending, standing
from loyalty_service.domain.ledger.entries import FIGURES, Book, Entry, Expiring
from loyalty_service.domain.ledger.moves import LOT_SIDES, Move, Side, change, earned, require_legal
from loyalty_service.domain.ledger.state import NewLot
from loyalty_service.statements import Values


def write(book: Book, entries: list[Entry], beside: Sequence[tuple[Table, Values]] = ()) -> None:
    """Insert transactions, lots and postings, and change lots and account relatively."""
    before = book.standing
    moves = [move for entry in entries for move in entry.moves]
    changes = _lot_changes(moves)
    made = [(_transaction_row(book, entry), entry) for entry in entries]
    lots = [_lot_row(book, row, new, changes) for row, entry in made for new in entry.new_lots]
    inserts = [(sending.TRANSACTIONS, row) for row, _ in made]
    inserts += [(sending.LOTS, lot) for lot in lots]
    inserts += [(sending.POSTINGS, line) for row, entry in made for line in _postings(row, entry)]
    inserts += beside
    for new in lots:
        del changes[new["id"]]
    lot_changes = [
        {"lot": lot, **{f"{place}_by": points for place, points in by.items()}}
        for lot, by in changes.items()
    ]
    _keep_what_is_true(book, lots, lot_changes)
    ends = [entry.ends_at for entry in entries if entry.ends_at]
    moments.expect(book, before, lots, ends)
    account = _account_change(book, moves)
    first_sequence = book.sequence - len(made) + 1
    rows = sending.Rows(
        book.program_id, book.member_id, inserts, lot_changes, account, first_sequence
    )
    sending.send(book.session, rows)
    # Points came back to a lot that was spent: its date counts again.
    is_back = any(by["available"] > 0 and not by["pending"] for by in changes.values())
    if is_back or moments.come_sooner(book.standing, before):
        moments.set_next_due(book, warns_again=is_back)


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
        "context": _pinned(book, entry),
        "previous_hash": book.head_hash,
        "program_id": book.program_id,
        "member_id": book.member_id,
    }
    book.head_hash = chain.hash_of(
        **content, transaction_id=entry.id, moves=entry.moves, lots=entry.new_lots
    )
    after_it = {f"{figure}_after": getattr(book, figure) for figure in FIGURES}
    return {**content, **after_it, "id": entry.id, "hash": book.head_hash}


def _pinned(book: Book, entry: Entry) -> str:
    """The context's text, with the standing in it where the entry brings another."""
    if entry.standing is None:
        return canonical.dumps(entry.context)
    book.standing = entry.standing
    return canonical.dumps({**entry.context, standing.PINNED: standing.as_plain(entry.standing)})


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


def _keep_what_is_true(
    book: Book, lots: list[dict[str, Any]], lot_changes: list[dict[str, Any]]
) -> None:
    """What was read ahead stays known where nothing but new lots came."""
    book.first_lots = None
    book.is_expiring_known = book.is_expiring_known and not lot_changes
    for lot in lots:
        if lot["available"] and lot["expires_at"]:
            book.expiring = _sooner(book.expiring, Expiring(lot["available"], lot["expires_at"]))


def _sooner(one: Expiring | None, other: Expiring) -> Expiring:
    if one is None or other.expires_at < one.expires_at:
        return other
    if other.expires_at == one.expires_at:
        return Expiring(one.points + other.points, one.expires_at)
    return one


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


def _account_change(book: Book, moves: list[Move]) -> dict[str, Any]:
    return {
        **{f"{figure}_by": change(moves, figure) for figure in FIGURES},
        "lifetime_earned_by": earned(moves),
        **{f"new_{name}": getattr(book, name) for name in sending.SET},
        **{f"new_{name}": value for name, value in standing.columns(book.standing).items()},
    }
