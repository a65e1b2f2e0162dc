"""Pure arithmetic over lots: which to spend, and what falls due as time passes.

`advance` is the only place where time changes points and tiers. A write posts its result before it
acts, a read applies it without writing: so nothing depends on a sweeper, and the forecast for a
moment equals the balance read at that moment.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from loyalty_service import canonical
from loyalty_service.domain.ledger.moves import DEBT, EXPIRED, Move, available, pending
from loyalty_service.domain.ledger.standing import Standing

NEVER = datetime.max.replace(tzinfo=UTC)
_NAME_DIGITS = 26


@dataclass(slots=True)
class LotState:
    """Points earned together: one maturity, one expiry (None: never)."""

    id: str
    number: int
    earned_at: datetime
    matures_at: datetime
    expires_at: datetime | None
    pending: int = 0
    available: int = 0
    held: int = 0

    @property
    def spend_order(self) -> tuple[datetime, datetime, int]:
        """Soonest to expire first, ties oldest first."""
        return (self.expires_at or NEVER, self.earned_at, self.number)


@dataclass(frozen=True, slots=True)
class NewLot:
    """A lot to be opened by the entry that moves points into it."""

    id: str
    earned_at: datetime
    matures_at: datetime
    expires_at: datetime | None
    restores_lot_id: str | None = None


@dataclass(frozen=True, slots=True)
class WhenExpired:
    """What becomes of points whose lot is past its date: they expire with it, or open a new lot.

    `earned_anew` makes that lot as old as the day on which they came back, not as the old one.
    """

    new_expiry: datetime | None = None
    opens_a_lot: bool = False
    earned_anew: bool = False


@dataclass(frozen=True, slots=True)
class Held:
    """A hold that stands: what it reserves (moves from lots to the hold) until it ends by itself.

    `past` was decided when it was placed: for points whose lot is past its date at `ends_at`.
    """

    id: str
    order_id: str
    ends_at: datetime
    moves: tuple[Move, ...]
    past: WhenExpired = WhenExpired()


@dataclass(frozen=True, slots=True)
class Due:
    """One thing that fell due: a transaction to be posted, dated at its moment.

    A tier change moves no points; `standing` is what is in force after it. `hold` is the one that
    ended, and `new_lots` are those into which its points went.
    """

    kind: str
    at: datetime
    moves: tuple[Move, ...]
    standing: Standing | None = None
    hold: Held | None = None
    new_lots: tuple[NewLot, ...] = ()


def ends_at(lot: LotState, standing: Standing) -> datetime | None:
    """When what is left in a lot ends as things stand; None for never."""
    return standing.end_of(lot.expires_at)


def due_at(lot: LotState, standing: Standing) -> datetime:
    """When time next changes a lot as things stand; `NEVER` when it won't."""
    if lot.pending:
        return lot.matures_at
    return (ends_at(lot, standing) or NEVER) if lot.available else NEVER


def may_end_by(to: datetime, standing: Standing) -> bool:
    """False where no lot at all can end until `to`, whatever its date."""
    if not standing.expiry_paused and (standing.expires_not_before or to) <= to:
        return True
    is_step_due = (standing.next_step_at or NEVER) <= to
    return is_step_due and may_end_by(to, standing.after_step())


def spend(lots: Iterable[LotState], points: int) -> list[tuple[LotState, int]]:
    """Which lots give how much, soonest to expire first; gives less where the lots hold less."""
    taken: list[tuple[LotState, int]] = []
    for lot in sorted(lots, key=lambda lot: lot.spend_order):
        if points <= 0:
            break
        part = min(lot.available, points)
        if part > 0:
            taken.append((lot, part))
            points -= part
    return taken


def advance(
    lots: Iterable[LotState],
    debt: int,
    standing: Standing,
    to: datetime,
    holds: Iterable[Held] = (),
) -> tuple[list[LotState], int, Standing, list[Due]]:
    """What time does up to and including `to`: lots, debt and standing after it; what fell due.

    `holds` are those that stand. At one instant: tier change, then the end of holds, maturity,
    expiry, and repayment of debt. Works on copies.
    """
    after = [replace(lot) for lot in lots]
    standing_holds = sorted(holds, key=lambda hold: (hold.ends_at, hold.id))
    happened: list[Due] = []
    while (at := _next_at(after, standing_holds, standing)) <= to:
        if standing.next_step_at == at:
            standing = standing.after_step()
            happened.append(Due("tier_change", at, (), standing))
            continue
        back: list[LotState] = []
        while standing_holds and standing_holds[0].ends_at == at:
            happened.append(_end(standing_holds.pop(0), after, back, standing))
        # A lot that a hold protected past its date is due since then.
        due = [lot for lot in after if due_at(lot, standing) <= at]
        happened += _mature(due, at)
        happened += _expire([lot for lot in after if due_at(lot, standing) <= at], at)
        repaid = repay([*due, *(lot for lot in back if lot not in due)], debt, at)
        debt -= sum(move.points for one in repaid for move in one.moves)
        happened += repaid
    return after, debt, standing, happened


def put_back(
    taken: Iterable[Move],
    lots: Mapping[str, LotState],
    points: int,
    past: WhenExpired,
    standing: Standing,
    at: datetime,
    name: Callable[[Move], str],
) -> tuple[list[Move], list[NewLot]]:
    """Plan to put `points` of what some moves took out of these lots back, the last first.

    `name` gives the id of a lot that is opened for points of one of the moves.
    """
    moves: list[Move] = []
    new_lots: list[NewLot] = []
    for move in reversed(list(taken)):
        part = min(points, move.points)
        if part > 0:
            lot = lots[str(move.debit.lot_id)]
            target = lot.id
            if _opens_a_lot(lot, past, standing, at):
                new_lots.append(_new_lot(lot, past, at, name(move)))
                target = new_lots[-1].id
            moves.append(Move(move.credit, available(target), part))
            points -= part
    return moves, new_lots


def repay(lots: Iterable[LotState], debt: int, at: datetime) -> list[Due]:
    """What becomes available repays debt first; takes it from the lots in place."""
    moves = []
    for lot, points in spend(lots, debt):
        lot.available -= points
        moves.append(Move(available(lot.id), DEBT, points))
    return [Due("repayment", at, tuple(moves))] if moves else []


def gain(gained: Sequence[LotState], debt: int, standing: Standing, now: datetime) -> list[Due]:
    """What comes at once of points that an account with debt gains: those that ended before now
    expire, the rest repays."""
    if debt <= 0 or not gained:
        return []
    # Told late, points may have matured and ended before there was a debt: without it until now.
    after, _, _, happened = advance(gained, 0, standing, now)
    return [*happened, *repay(after, debt, now)]


def _next_at(lots: list[LotState], holds: list[Held], standing: Standing) -> datetime:
    first = min((due_at(lot, standing) for lot in lots), default=NEVER)
    end = holds[0].ends_at if holds else NEVER
    return min(first, end, standing.next_step_at or NEVER)


def _end(hold: Held, lots: list[LotState], back: list[LotState], standing: Standing) -> Due:
    """End a hold: its points are in their lots again, or in new ones; `back` learns which."""
    at = hold.ends_at
    by_id = {lot.id: lot for lot in lots}
    points = sum(move.points for move in hold.moves)
    moves, new_lots = put_back(
        hold.moves, by_id, points, hold.past, standing, at, lambda move: _name(hold, move)
    )
    for new in new_lots:
        number = max(lot.number for lot in lots) + 1
        lots.append(LotState(new.id, number, new.earned_at, new.matures_at, new.expires_at))
        by_id[new.id] = lots[-1]
    for move in moves:
        by_id[str(move.debit.lot_id)].held -= move.points
        target = by_id[str(move.credit.lot_id)]
        target.available += move.points
        back += [] if target in back else [target]
    return Due("release", at, tuple(moves), hold=hold, new_lots=tuple(new_lots))


def _name(hold: Held, move: Move) -> str:
    """The id of the lot for points of one lot: a hold ends once, and always the same way."""
    return f"lot_{canonical.sha256(f'{hold.id} {move.debit.lot_id}')[:_NAME_DIGITS]}"


def _opens_a_lot(lot: LotState, past: WhenExpired, standing: Standing, at: datetime) -> bool:
    end = ends_at(lot, standing)
    return past.opens_a_lot and end is not None and end <= at


def _new_lot(lot: LotState, past: WhenExpired, at: datetime, lot_id: str) -> NewLot:
    return NewLot(
        id=lot_id,
        earned_at=at if past.earned_anew else lot.earned_at,
        matures_at=at,
        expires_at=past.new_expiry,
        restores_lot_id=lot.id,
    )


def _mature(due: list[LotState], at: datetime) -> list[Due]:
    moves = []
    for lot in due:
        if lot.pending:
            moves.append(Move(pending(lot.id), available(lot.id), lot.pending))
            lot.available += lot.pending
            lot.pending = 0
    return [Due("maturity", at, tuple(moves))] if moves else []


def _expire(due: list[LotState], at: datetime) -> list[Due]:
    # A hold protects its points past the lot's date: only what is available goes.
    moves = []
    for lot in due:
        moves.append(Move(available(lot.id), EXPIRED, lot.available))
        lot.available = 0
    return [Due("expiry", at, tuple(moves))] if moves else []
