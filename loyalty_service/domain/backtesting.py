"""What a draft would have cost: the past lived again under it, beside the rules that decided.

Member by member, in memory: only sums and the members with the largest differences are kept.
"""

import heapq
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from loyalty_service.domain import replaying
from loyalty_service.domain.liability import worth_minor
from loyalty_service.domain.program import Program
from loyalty_service.domain.program.document import PointValue
from loyalty_service.domain.replaying import (
    Fact,
    Gave,
    Life,
    OtherSide,
    OtherSideGiven,
    Past,
    Versions,
)


@dataclass(slots=True)
class Side:
    """What some rules made of the past: points since it began, and what stands at its end.

    `short` are points that were spent in truth and would not have been there; `tiers` counts
    members by tier. `value` is what points are worth: by the program's word or its cheapest amount
    off; None where there is neither.
    """

    currency: str
    value: PointValue | None
    issued: int = 0
    taken_back: int = 0
    expired: int = 0
    available: int = 0
    pending: int = 0
    debt: int = 0
    short: int = 0
    tiers: Counter[str | None] = field(default_factory=Counter)

    @property
    def outstanding(self) -> int:
        """Points that members have at the end: available and pending."""
        return self.available + self.pending

    @property
    def liability_minor(self) -> int | None:
        """What these are worth, in minor units; None where nothing says so."""
        return worth_minor(self.outstanding, self.value) if self.value else None

    def add(self, life: Life) -> None:
        """Count one member's life in."""
        purse = life.account.purse
        self.issued += purse.issued
        self.taken_back += purse.taken_back
        self.expired += purse.expired
        self.available += purse.available
        self.pending += purse.pending
        self.debt += purse.debt
        self.short += life.account.short
        self.tiers[life.account.tier] += 1


@dataclass(frozen=True, order=True, slots=True)
class Difference:
    """By how many points a member has more under the draft; less where it is below zero."""

    points: int
    member: str
    external_id: str


@dataclass(frozen=True, slots=True)
class Unplayed:
    """Facts that were not lived again: why (a refusal's code, or a reason), and of which currency
    or type of event, empty where that says nothing."""

    reason: str
    about: str
    count: int


@dataclass(frozen=True, slots=True)
class Report:
    """The draft beside the rules that decided, from `since` until `until`.

    `refused` are facts that the draft would have refused; `unreadable` those that no replay can
    live again, under any rules.
    """

    since: datetime
    until: datetime
    members: int
    facts: int
    draft: Side
    today: Side
    gainers: Sequence[Difference]
    losers: Sequence[Difference]
    refused: Sequence[Unplayed]
    unreadable: Sequence[Unplayed]


def run(
    session: Session,
    program_id: str,
    draft: Program,
    *,
    since: datetime,
    until: datetime,
    top: int = 10,
    progress: Callable[[], None] = lambda: None,
) -> Report:
    """Live the past again as if the draft had been applied at `since`; writes nothing.

    `progress` is called for each member. Raises ProgramNotApplied.
    """
    today = replaying.decided(session, program_id)
    versions = {"draft": today.drafted(draft, since), "today": today}
    kept = _Kept(draft, today.at(until).newest.rules, top)
    for past in replaying.pasts(session, program_id, until):
        known = other_sides(session, program_id, past, versions, since, until)
        lives = {}
        for name, rules in versions.items():
            lives[name] = Life(past.member, rules)
            lives[name].live(together(past.facts, known[name]), since, until)
        kept.add(past, lives["draft"], lives["today"], since)
        progress()
    return kept.report(since, until)


class _Kept:
    """Sums, and the members with the largest differences."""

    def __init__(self, draft: Program, today: Program, top: int) -> None:
        self.draft = Side(draft.currency, draft.point_value)
        self.today = Side(today.currency, today.point_value)
        self._top = top
        self._members = self._facts = 0
        self._gainers: list[Difference] = []
        self._losers: list[tuple[int, Difference]] = []
        self._refused: Counter[tuple[str, str]] = Counter()
        self._unreadable: Counter[str] = Counter()

    def add(self, past: Past, draft: Life, today: Life, since: datetime) -> None:
        """Count one member in."""
        self._members += 1
        self._facts += sum(1 for fact in past.facts if fact.at >= since)
        self.draft.add(draft)
        self.today.add(today)
        self._refused.update(draft.refused)
        self._unreadable.update(past.unreadable)
        points = _has(draft) - _has(today)
        one = Difference(points, past.member.id, past.external_id)
        if points > 0:
            _keep(self._gainers, one, self._top)
        elif points < 0:
            _keep(self._losers, (-points, one), self._top)

    def report(self, since: datetime, until: datetime) -> Report:
        """All of it."""
        refused = [
            Unplayed(reason, about, count)
            for (reason, about), count in sorted(self._refused.items())
            if count
        ]
        return Report(
            since,
            until,
            self._members,
            self._facts,
            self.draft,
            self.today,
            sorted(self._gainers, reverse=True),
            [one for _, one in sorted(self._losers, reverse=True)],
            refused,
            [Unplayed(reason, "", count) for reason, count in sorted(self._unreadable.items())],
        )


def _has(life: Life) -> int:
    """What a member has at the end, had all been paid for that was spent."""
    purse = life.account.purse
    return purse.available + purse.pending - purse.debt - life.account.short


def _keep(heap: list[Any], one: Any, at_most: int) -> None:
    heapq.heappush(heap, one)
    if len(heap) > at_most:
        heapq.heappop(heap)


def other_sides(
    session: Session,
    program_id: str,
    past: Past,
    versions: dict[str, Versions],
    since: datetime,
    until: datetime,
) -> dict[str, list[Fact]]:
    """What other members' events gave this one, under each of the versions.

    Whether they gave depends on the other member alone, whose life is lived for it.
    """
    found: dict[str, list[Fact]] = {name: [] for name in versions}
    for other in past.others:
        owner = replaying.past_of(session, program_id, other.owner, until)
        for name, rules in versions.items():
            life = Life(owner.member, rules)
            life.live(owner.facts, since, until)
            # What was taken back before its job was done has never reached the other member.
            never = other.recorded_as is None and other.event_id in life.undone
            if (gave := life.gave.get(other.event_id)) and not never:
                found[name].append(_other_side(other, gave, found[name]))
    return found


def _other_side(other: OtherSide, gave: Gave, before: Sequence[Fact]) -> OtherSideGiven:
    return OtherSideGiven(
        # Where a balance cap left nothing it came to nothing; its turn was after the one before.
        other.at or max([gave.at, *(fact.at for fact in before[-1:])]),
        other.event_id,
        other.type,
        gave.rules,
        gave.points,
        gave.pending_days,
        other.recorded_as,
    )


def together(facts: Sequence[Fact], more: Sequence[Fact]) -> Sequence[Fact]:
    """Facts in the order in which they were taken in."""
    return sorted([*facts, *more], key=lambda fact: fact.at) if more else facts
