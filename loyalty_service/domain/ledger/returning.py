"""Points on their way back: restored to the lots they came from, or clawed back from the member.

Both plan moves only; the caller posts them. Restoring goes last spent first. A claw-back takes the
transaction's own lots first, then what expires soonest, then makes debt or stops, as the
program says. The plans are pure (`giving_back`, `taking_back`); the lots are read around them.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from sqlalchemy import and_, case, func, or_, select

from loyalty_service import ids
from loyalty_service.domain.ledger import history, state
from loyalty_service.domain.ledger.book import lots_to_spend
from loyalty_service.domain.ledger.entries import Book
from loyalty_service.domain.ledger.lots import lot_states, lots_of
from loyalty_service.domain.ledger.moves import (
    DEBT,
    REDEEMED,
    USED_UP,
    Move,
    Side,
    available,
    pending,
)
from loyalty_service.domain.ledger.standing import Standing
from loyalty_service.domain.ledger.state import LotState, NewLot, WhenExpired
from loyalty_service.domain.ledger.tables import Lot, Posting, Transaction


@dataclass(frozen=True, slots=True)
class Returned:
    """Planned moves and the lots they open.

    `short` is by how much they fall short of what was asked, `owed` what became debt, `asked` what
    was to be taken now.
    """

    moves: list[Move]
    new_lots: list[NewLot]
    short: int = 0
    owed: int = 0
    asked: int = 0


def restore(
    book: Book,
    transaction_id: str,
    points: int,
    past: WhenExpired,
    *,
    already: int = 0,
    standing: Standing | None = None,
) -> Returned:
    """Give `points` of a spend back to the lots it took them from, last spent first.

    `already` are back from before. `standing` is in force by then, where it is not the book's.
    """
    spent = history.moves_of(book.session, book.program_id, [transaction_id])[transaction_id]
    lots = _lots(book, [str(move.debit.lot_id) for move in _taken(spent)])
    by_id = {lot.id: lot for lot in lots}
    rest = without_last(spent, already)
    return giving_back(rest, by_id, points, past, standing=standing or book.standing, now=book.now)


def giving_back(
    spent: Iterable[Move],
    lots: Mapping[str, LotState],
    points: int,
    past: WhenExpired,
    *,
    standing: Standing,
    now: datetime,
) -> Returned:
    """Plan to give back `points` of what some moves took out of these lots, last spent first."""
    moves, new_lots = state.put_back(
        _taken(spent), lots, points, past, standing, now, lambda _move: ids.new("lot")
    )
    return Returned(moves, new_lots, points - sum(move.points for move in moves))


def without_last(moves: Sequence[Move], points: int) -> list[Move]:
    """Some moves without the last `points` of them: those are back already."""
    left = sum(move.points for move in moves) - points
    kept = []
    for move in moves:
        if part := min(left, move.points):
            kept.append(replace(move, points=part))
            left -= part
    return kept


def claw_back(
    book: Book,
    transaction_ids: Sequence[str],
    points: int,
    to: Side,
    *,
    allow_debt: bool,
    asked_before: int = 0,
) -> Returned:
    """Take back `points` of all that some transactions gave, less what was `asked_before`.

    Points of their own lots that expired unspent count as returned.
    """
    own = _own_lots(book, transaction_ids)
    asked = points - _expired(book, own) - asked_before
    return _take(book, own, asked, to, allow_debt=allow_debt)


def take_unspent(
    book: Book, transaction_ids: Sequence[str], points: int, to: Side, *, allow_debt: bool
) -> Returned:
    """Take back what some transactions gave, at most `points`, less what was spent or expired.

    What others have taken back meanwhile out of the same lots was not spent.
    """
    own = _own_lots(book, transaction_ids)
    return _take(book, own, points - _used_up(book, own), to, allow_debt=allow_debt)


def take_again(book: Book, restored_by: str, *, allow_debt: bool) -> Returned:
    """Take again what a restoration gave back: what it was for happened after all.

    Points of it that have expired since were no use to anybody, and are not asked for.
    """
    back = history.moves_of(book.session, book.program_id, [restored_by])[restored_by]
    lots = _lots(book, [str(move.credit.lot_id) for move in back])
    asked = sum(move.points for move in back) - _expired(book, lots, after=restored_by)
    return _take(book, lots, asked, REDEEMED, allow_debt=allow_debt)


def take_back_again(book: Book, transaction_id: str, points: int, *, allow_debt: bool) -> Returned:
    """Take again `points` of what restorations gave back of a spend and nobody took again since,
    the last ones first.

    Points of it that have expired since were no use to anybody, and are not asked for.
    """
    back = _still_back(book, transaction_id)
    lot_ids = [str(move.credit.lot_id) for _, move in reversed(back)]
    by_id = {lot.id: lot for lot in _lots(book, lot_ids)}
    own = [by_id[lot_id] for lot_id in dict.fromkeys(lot_ids)]
    asked = points - _expired(book, own, after=back[0][0])
    return _take(book, own, asked, REDEEMED, allow_debt=allow_debt)


def taking_back(
    own: Sequence[LotState],
    to_spend: Callable[[int], Iterable[LotState]],
    points: int,
    to: Side,
    *,
    allow_debt: bool,
) -> Returned:
    """Plan to take `points` from their own lots, then from others that can be spent.

    `to_spend` gives open lots, the own ones among them, that hold as much as it is asked for.
    """
    asked = points
    moves: list[Move] = []
    for lot in own:
        for side, there in ((available(lot.id), lot.available), (pending(lot.id), lot.pending)):
            if part := min(there, points):
                moves.append(Move(side, to, part))
                points -= part
    mine = {lot.id for lot in own}
    needed = points + sum(lot.available for lot in own)
    others = [lot for lot in to_spend(needed) if lot.id not in mine]
    for lot, part in state.spend(others, points):
        moves.append(Move(available(lot.id), to, part))
        points -= part
    if points and allow_debt:
        moves.append(Move(DEBT, to, points))
        return Returned(moves, [], owed=points, asked=asked)
    return Returned(moves, [], short=points, asked=asked)


def _take(
    book: Book, own: Sequence[LotState], points: int, to: Side, *, allow_debt: bool
) -> Returned:
    """Plan to take `points`, if any, from their own lots, then from the others of the book."""
    asked = max(0, points)
    return taking_back(own, partial(lots_to_spend, book), asked, to, allow_debt=allow_debt)


def _still_back(book: Book, transaction_id: str) -> list[tuple[str, Move]]:
    """What is back of a spend, each with the restoration that gave it: what was taken again since
    was the last of it."""
    back: list[tuple[str, Move]] = []
    for one, moves in history.corrections(book.session, book.program_id, transaction_id):
        if one.kind == "restoration":
            back += [(one.id, move) for move in moves]
        elif one.kind == "claw_back":
            kept = without_last([move for _, move in back], sum(move.points for move in moves))
            back = [(id_, move) for (id_, _), move in zip(back, kept, strict=False)]
    return back


def _taken(spent: Iterable[Move]) -> list[Move]:
    return [move for move in spent if move.debit.kind in ("available", "held")]


def _lots(book: Book, lot_ids: list[str]) -> list[LotState]:
    rows = book.session.execute(lots_of(book.program_id, book.member_id).where(Lot.id.in_(lot_ids)))
    return lot_states(rows)


def _own_lots(book: Book, transaction_ids: Sequence[str]) -> list[LotState]:
    """The lots that some transactions opened, then those to which points of theirs came back."""
    mine = lots_of(book.program_id, book.member_id).order_by(Lot.number)
    found: list[LotState] = []
    next_ones = lot_states(book.session.execute(mine.where(Lot.opened_by.in_(transaction_ids))))
    while next_ones:
        found += next_ones
        restored = Lot.restores_lot_id.in_([lot.id for lot in next_ones])
        next_ones = lot_states(book.session.execute(mine.where(restored)))
    return found


def _expired(book: Book, lots: Sequence[LotState], *, after: str | None = None) -> int:
    """How many points of these lots expired; `after` leaves out what did before a transaction."""
    expired = (
        select(func.coalesce(func.sum(Posting.points), 0))
        .where(Posting.program_id == book.program_id)
        .where(Posting.debit_lot_id.in_([lot.id for lot in lots]))
        .where(Posting.credit_kind == "expired")
    )
    if after:
        its = (Transaction.program_id == book.program_id, Transaction.id == after)
        then = select(Transaction.sequence).where(*its).scalar_subquery()
        mine = (Transaction.program_id == Posting.program_id) & (
            Transaction.id == Posting.transaction_id
        )
        expired = expired.join(Transaction, mine).where(Transaction.sequence > then)
    return int(book.session.execute(expired).scalar_one())


def _used_up(book: Book, lots: Sequence[LotState]) -> int:
    """How many points of these lots were spent or expired, less those that came back to them."""
    lot_ids = [lot.id for lot in lots]
    out = and_(
        Posting.debit_lot_id.in_(lot_ids),
        Posting.debit_kind == "available",
        Posting.credit_kind.in_(USED_UP),
    )
    back = and_(
        Posting.credit_lot_id.in_(lot_ids),
        Posting.credit_kind == "available",
        Posting.debit_kind.in_(USED_UP),
    )
    net = case((out, Posting.points), else_=-Posting.points)
    used = select(func.coalesce(func.sum(net), 0)).where(
        Posting.program_id == book.program_id, or_(out, back)
    )
    return int(book.session.execute(used).scalar_one())
