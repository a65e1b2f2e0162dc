"""A member's points in memory: what the ledger does to lots, debt and standing, and no rows."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

from loyalty_service.domain.ledger import state
from loyalty_service.domain.ledger.book import gained
from loyalty_service.domain.ledger.entries import Entry
from loyalty_service.domain.ledger.moves import USED_UP, Move, change, require_legal
from loyalty_service.domain.ledger.standing import Standing
from loyalty_service.domain.ledger.state import Due, LotState, NewLot


class Purse:
    """Points as they stand at `now`; posting an entry and the passing of time change them.

    `issued`, `taken_back` and `expired` count points since the counting began.
    """

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.standing = Standing()
        self.lots: dict[str, LotState] = {}
        self.debt = 0
        self.issued = self.taken_back = self.expired = 0
        self._open: dict[str, LotState] = {}
        self._opened_by: dict[str, list[LotState]] = defaultdict(list)
        self._restored_as: dict[str, list[LotState]] = defaultdict(list)
        self._expired_of: Counter[str] = Counter()
        self._used_up_of: Counter[str] = Counter()
        self._tiers: list[tuple[datetime, str | None]] = []

    @property
    def available(self) -> int:
        """Points that can be spent."""
        return sum(lot.available for lot in self._open.values())

    @property
    def pending(self) -> int:
        """Points that wait."""
        return sum(lot.pending for lot in self._open.values())

    def begin_counting(self) -> None:
        """Forget what was issued, taken back and expired so far."""
        self.issued = self.taken_back = self.expired = 0

    def advance(self, now: datetime) -> None:
        """Let time pass until `now`."""
        self.now = max(self.now, now)
        lots: Iterable[LotState] = self._open.values()
        if (self.standing.next_step_at or state.NEVER) > self.now:
            # No step changes when lots end: only those that are due by now are looked at.
            lots = [lot for lot in lots if state.due_at(lot, self.standing) <= self.now]
            if not lots:
                return
        *_, happened = state.advance(lots, self.debt, self.standing, self.now)
        self._happen(happened)

    def post(self, entry: Entry) -> None:
        """Do what the ledger does with an entry, and with what it brings about at once."""
        require_legal(entry.kind, entry.moves)
        standing = entry.standing or self.standing
        brought = self._brought_about(entry, standing)
        for new in entry.new_lots:
            self._open_lot(new, entry.id)
        self._apply(entry.moves)
        self.standing = standing
        if entry.kind == "tier_change":
            self._tiers.append((entry.occurred_at, standing.tier))
        self._happen(brought)
        self.advance(self.now)

    def to_spend(self) -> list[LotState]:
        """Lots with points that can be spent."""
        return [lot for lot in self._open.values() if lot.available]

    def opened_by(self, transaction_ids: Iterable[str]) -> list[LotState]:
        """The lots that some transactions opened, oldest first."""
        found = [lot for one in transaction_ids for lot in self._opened_by.get(one, ())]
        return sorted(found, key=lambda lot: lot.number)

    def own_lots(self, transaction_ids: Iterable[str]) -> list[LotState]:
        """The lots that some transactions opened, then those to which points of theirs came
        back."""
        found: list[LotState] = []
        next_ones = self.opened_by(transaction_ids)
        while next_ones:
            found += next_ones
            restored = [new for lot in next_ones for new in self._restored_as.get(lot.id, ())]
            next_ones = sorted(restored, key=lambda lot: lot.number)
        return found

    def expired_from(self, lots: Iterable[LotState]) -> int:
        """How many points of these lots expired unspent."""
        return sum(self._expired_of[lot.id] for lot in lots)

    def used_up_of(self, lots: Iterable[LotState]) -> int:
        """How many points of these lots were spent or expired, less those that came back."""
        return sum(self._used_up_of[lot.id] for lot in lots)

    def tier_at(self, at: datetime) -> str | None:
        """The tier of the last change until a moment; None before the first."""
        found = [place for place, (when, _) in enumerate(self._tiers) if when <= at]
        last = max(found, key=lambda place: (self._tiers[place][0], place), default=None)
        return None if last is None else self._tiers[last][1]

    def _brought_about(self, entry: Entry, standing: Standing) -> Sequence[Due]:
        debt = self.debt + change(entry.moves, "debt")
        if debt <= 0:
            return ()
        filled = {move.credit.lot_id for move in entry.moves if move.credit.lot_id}
        known = [self.lots[lot_id] for lot_id in filled if lot_id in self.lots]
        return state.gain(gained(entry, known, len(self.lots)), debt, standing, self.now)

    def _open_lot(self, new: NewLot, transaction_id: str) -> None:
        number = len(self.lots) + 1
        lot = LotState(new.id, number, new.earned_at, new.matures_at, new.expires_at)
        self.lots[lot.id] = lot
        self._opened_by[transaction_id].append(lot)
        if new.restores_lot_id:
            self._restored_as[new.restores_lot_id].append(lot)

    def _happen(self, happened: Iterable[Due]) -> None:
        for due in happened:
            self._apply(due.moves)
            if due.standing:
                self.standing = due.standing
                self._tiers.append((due.at, due.standing.tier))

    def _apply(self, moves: Iterable[Move]) -> None:
        for move in moves:
            self._put(move.debit.lot_id, move.debit.kind, -move.points)
            self._put(move.credit.lot_id, move.credit.kind, move.points)
            self._count(move)

    def _put(self, lot_id: str | None, kind: str, points: int) -> None:
        if lot_id is None:
            return
        lot = self.lots[lot_id]
        setattr(lot, kind, getattr(lot, kind) + points)
        assert getattr(lot, kind) >= 0, f"lot {lot_id} would hold {kind} below zero"
        if lot.available or lot.pending or lot.held:
            self._open[lot_id] = lot
        else:
            self._open.pop(lot_id, None)

    def _count(self, move: Move) -> None:
        if move.debit.kind == "available" and move.credit.kind in USED_UP:
            self._used_up_of[str(move.debit.lot_id)] += move.points
        if move.credit.kind == "available" and move.debit.kind in USED_UP:
            self._used_up_of[str(move.credit.lot_id)] -= move.points
        self.debt += change([move], "debt")
        if move.debit.kind == "issued":
            self.issued += move.points
        if move.credit.kind == "issued":
            self.taken_back += move.points
        if move.credit.kind == "expired":
            self.expired += move.points
            self._expired_of[str(move.debit.lot_id)] += move.points
