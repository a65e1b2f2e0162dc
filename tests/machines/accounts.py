"""A member's points in plain Python: lots in a list, nothing kept twice."""

from dataclasses import dataclass, field
from datetime import datetime

Figures = tuple[int, int, int, int, int, tuple[int, datetime] | None, str | None]


@dataclass(frozen=True)
class Tier:
    """A tier that is held from a moment on; points end not at all, or not before `floor`."""

    begins: datetime
    name: str | None
    holds_back: bool
    floor: datetime | None


@dataclass(eq=False)
class Lot:
    """Points earned together; `source` is the order or gift that they go back to."""

    number: int
    source: object
    earned_at: datetime
    matures_at: datetime
    expires_at: datetime | None
    points: int = 0
    waiting: bool = False
    expired: int = 0
    # How often its points were spent and came back into another lot.
    restored: int = 0

    def turn(self) -> tuple[bool, datetime, datetime, int]:
        """Soonest to expire first, what never does last; ties oldest first."""
        ends = self.expires_at or self.earned_at
        return (self.expires_at is None, ends, self.earned_at, self.number)

    def row(self) -> tuple[int, int, datetime | None]:
        """As the database has it: available, pending, its end."""
        available, pending = (0, self.points) if self.waiting else (self.points, 0)
        return (available, pending, self.expires_at)


Parts = list[tuple[Lot, int]]


@dataclass(eq=False)
class Reserved:
    """Points that a hold took aside until it ends. `past`: where their day is over by then, they
    live on until so long after it, as young ones or not; None where they end with it."""

    parts: Parts
    ends_at: datetime
    past: tuple[bool, datetime | None] | None


@dataclass(eq=False)
class Account:
    """A member's points."""

    status: str = "active"
    lots: list[Lot] = field(default_factory=list)
    debt: int = 0
    lifetime: int = 0
    tier: str | None = None
    holds_back: bool = False
    floors: list[datetime] = field(default_factory=list)
    ahead: list[Tier] = field(default_factory=list)
    # Where the program has tiers: each that was held, and since when.
    held: list[tuple[datetime, str]] = field(default_factory=list)
    reserved: list[Reserved] = field(default_factory=list)

    def end(self, lot: Lot) -> datetime | None:
        """When what is in a lot ends, as things stand."""
        if lot.expires_at is None or self.holds_back:
            return None
        return max([lot.expires_at, *self.floors])

    def hold(self, tier: str, at: datetime) -> None:
        """Another tier from a moment on, never from before the last one began; the first one was
        always there."""
        if tier != (self.tier or "member"):
            self.held.append((max(at, self.held[-1][0]) if self.held else at, tier))
        self.tier = tier

    def tier_at(self, at: datetime) -> str | None:
        """The last that had begun by then."""
        begun = [tier for since, tier in self.held if since <= at]
        return begun[-1] if begun else None

    def begin(self, tier: Tier) -> None:
        """Another tier; what was held back by the last one ends now at the earliest."""
        if self.holds_back and not tier.holds_back:
            self.floors.append(tier.begins)
        self.tier, self.holds_back = tier.name, tier.holds_back
        self.floors += [tier.floor] if tier.floor else []

    def stand(self, tiers: list[Tier]) -> None:
        """The first tier now and the others when they begin; earlier floors are forgotten."""
        self.floors = []
        self.begin(tiers[0])
        self.ahead = tiers[1:]
        self.pass_time(tiers[0].begins)

    def spendable(self) -> list[Lot]:
        return sorted((lot for lot in self.lots if lot.points and not lot.waiting), key=Lot.turn)

    def available(self) -> int:
        return sum(lot.points for lot in self.spendable())

    def figures(self) -> Figures:
        """Available, pending, held, debt, ever earned; how many points end next, and when."""
        pending = sum(lot.points for lot in self.lots if lot.waiting)
        ends = [(self.end(lot), lot.points) for lot in self.spendable()]
        soonest = min((end for end, _ in ends if end), default=None)
        together = sum(points for end, points in ends if end == soonest)
        expiring = (together, soonest) if soonest else None
        held = sum(points for one in self.reserved for _, points in one.parts)
        return (self.available(), pending, held, self.debt, self.lifetime, expiring, self.tier)

    def take(self, points: int) -> list[tuple[Lot, int]]:
        """Take up to `points`, soonest to expire first; what each lot gave."""
        taken = []
        for lot in self.spendable():
            if part := min(lot.points, points):
                lot.points -= part
                points -= part
                taken.append((lot, part))
        return taken

    def take_back(self, source: object, points: int, asked_before: int = 0) -> tuple[int, int]:
        """Of all that a source gave, this much is not due: take it, less what ended by itself and
        what was asked before. Its own lots come first. Returns what was asked, what was missing."""
        own = sorted(
            (lot for lot in self.lots if lot.source is source),
            key=lambda lot: (lot.restored, lot.number),
        )
        asked = missing = max(0, points - sum(lot.expired for lot in own) - asked_before)
        for lot in own:
            part = min(lot.points, missing)
            lot.points -= part
            missing -= part
        missing -= sum(part for _, part in self.take(missing))
        return asked, missing

    def put(self, lot: Lot, points: int) -> None:
        if lot not in self.lots:
            self.lots.append(lot)
        lot.points += points

    def next_due(self) -> datetime | None:
        """When time next changes something by itself."""
        full = [lot for lot in self.lots if lot.points]
        moments = [lot.matures_at if lot.waiting else self.end(lot) for lot in full]
        moments += [tier.begins for tier in self.ahead]
        moments += [one.ends_at for one in self.reserved]
        return min((at for at in moments if at), default=None)

    def pass_time(self, to: datetime) -> None:
        """At one instant: a tier begins, holds end, points mature, points end, what is available
        pays debt."""
        while (at := self.next_due()) and at <= to:
            while self.ahead and self.ahead[0].begins <= at:
                self.begin(self.ahead.pop(0))
            for one in [one for one in self.reserved if one.ends_at <= at]:
                self.end_hold(one)
            for lot in self.lots:
                if lot.waiting and lot.matures_at <= at:
                    lot.waiting = False
            self.expire(at)
            self.pay_debt()

    def end_hold(self, one: Reserved) -> None:
        """Back to where they came from; what is past its date as was said when it was placed."""
        self.reserved.remove(one)
        for lot, points in reversed(one.parts):
            if one.past and self.is_past(lot, one.ends_at):
                is_young, ends = one.past
                lot = self.anew(lot, one.ends_at, ends, is_young=is_young)
            self.put(lot, points)

    def is_past(self, lot: Lot, at: datetime) -> bool:
        end = self.end(lot)
        return end is not None and end <= at

    def anew(self, lot: Lot, at: datetime, ends: datetime | None, *, is_young: bool) -> Lot:
        """A lot for points of another that come back after its day."""
        earned_at = at if is_young else lot.earned_at
        return Lot(len(self.lots), lot.source, earned_at, at, ends, restored=lot.restored + 1)

    def expire(self, at: datetime) -> None:
        for lot in self.lots:
            end = self.end(lot)
            if not lot.waiting and end and end <= at:
                lot.expired += lot.points
                lot.points = 0

    def pay_debt(self) -> None:
        self.debt -= sum(part for _, part in self.take(self.debt))
