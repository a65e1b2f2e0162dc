"""Pure arithmetic over lots: which to spend, and what falls due as time passes.

`advance` is the only place where time changes points and tiers. A write posts its result before it
acts, a read applies it without writing: so nothing depends on a sweeper, and the forecast for a
moment equals the balance read at that moment.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from loyalty_service.domain.ledger.moves import DEBT, EXPIRED, Move, available, pending
from loyalty_service.domain.ledger.standing import Standing

NEVER = datetime.max.replace(tzinfo=UTC)


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
class Due:
    """One thing that fell due: a transaction to be posted, dated at its moment.

    A tier change moves no points; `standing` is what is in force after it.
    """

    kind: str
    at: datetime
    moves: tuple[Move, ...]
    standing: Standing | None = None


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
    lots: Iterable[LotState], debt: int, standing: Standing, to: datetime
) -> tuple[list[LotState], int, Standing, list[Due]]:
    """What time does up to and including `to`: lots, debt and standing after it; what fell due.

    At one instant: tier change, then maturity, expiry, and repayment of debt. Works on copies.
    """
    after = [replace(lot) for lot in lots]
    happened: list[Due] = []
    while (at := _next_at(after, standing)) <= to:
        if standing.next_step_at == at:
            standing = standing.after_step()
            happened.append(Due("tier_change", at, (), standing))
            continue
        due = [lot for lot in after if due_at(lot, standing) == at]
        happened += _mature(due, at)
        happened += _expire([lot for lot in after if due_at(lot, standing) == at], at)
        repaid = repay(due, debt, at)
        debt -= sum(move.points for one in repaid for move in one.moves)
        happened += repaid
    return after, debt, standing, happened


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


def _next_at(lots: list[LotState], standing: Standing) -> datetime:
    first = min((due_at(lot, standing) for lot in lots), default=NEVER)
    return min(first, standing.next_step_at or NEVER)


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
