"""What follows of a fact for the member's tier, and for when points end. Pure.

`crediting` posts it; a replay in memory asks the same functions.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple, Protocol

from loyalty_service.domain import expiry, ledger, program
from loyalty_service.domain.earning import NO_CREDIT, TierCredit, Use
from loyalty_service.domain.ledger.entries import Standing
from loyalty_service.domain.program.document import Activity
from loyalty_service.domain.tiers import holding
from loyalty_service.domain.tiers.counting import Credit


class Rules(Protocol):
    """The versions of the rules, as whoever decides knows them."""

    @property
    def newest(self) -> program.InForce:
        """The rules in force from now on."""

    def as_of(self, at: datetime) -> program.InForce:
        """The rules at `at`."""

    def number(self, version: int) -> program.Program:
        """The rules of a version that something pinned."""

    def numbered(self, numbers: Iterable[int]) -> dict[int, program.Program]:
        """The rules of some versions and of the newest one, by number."""


@dataclass(frozen=True, slots=True)
class Change:
    """What a fact does: the entry for the points, and what goes with it.

    `version` decided; `day` is the local date for which it counts, `used_at` the moment. `activity`
    is what the member did, None where it was somebody else.
    """

    cause: str
    entry: ledger.Entry
    version: int
    day: date
    used_at: datetime
    tier_credit: TierCredit
    uses: Mapping[str, Use]
    activity: Activity | None = None

    @property
    def credit(self) -> Credit | None:
        """What it adds to the tier credits; None where that is nothing."""
        if self.tier_credit == NO_CREDIT:
            return None
        counted = self.tier_credit
        return Credit(
            self.day,
            self.version,
            counted.spend_minor,
            counted.base_points,
            counted.points,
            counted.orders,
        )


class Followed(NamedTuple):
    """The standing that goes with the entry itself, and the one that a change of tier brings right
    behind it; None where the tier stays."""

    first: Standing
    then: Standing | None


def followed(
    change: Change,
    before: Standing,
    credits: Sequence[Credit],
    rules: Rules,
    enrolled_at: datetime,
    now: datetime,
) -> Followed:
    """What stands after a fact; `credits` are those before it."""
    moved = before
    if change.activity:
        decided = rules.number(change.version)
        moved = expiry.after_activity(moved, decided, change.activity, change.entry.occurred_at)
    after = _tier_after(change, moved, credits, rules, enrolled_at, now)
    if after.tier == (moved.tier or lowest(rules.newest.rules)):
        return Followed(after, None)
    return Followed(moved, after)


def tier_change(
    change: Change, before: Standing, after: Standing, newest: program.InForce, now: datetime
) -> ledger.Entry:
    """The transaction that says a tier was reached or lost by a fact."""
    context = {
        "cause": change.cause,
        "from": before.tier or lowest(newest.rules),
        "to": after.tier,
        "by": change.entry.id,
        "program_version": newest.version,
    }
    return ledger.Entry("tier_change", [], min(after.since or now, now), context, standing=after)


def held_at(
    standing: Standing, at: datetime, rules: Rules, changed: Callable[[datetime], str | None]
) -> str | None:
    """The tier that was held at a moment; `changed` names the one of the last change until then.

    None without tiers.
    """
    held = standing.tier
    if standing.since is not None and at < standing.since:
        held = changed(at)
    return held or lowest(rules.as_of(at).rules)


def lowest(rules: program.Program) -> str | None:
    """The tier where everybody begins; None without tiers."""
    return rules.tiers.levels[0].id if rules.tiers else None


def _tier_after(
    change: Change,
    before: Standing,
    credits: Sequence[Credit],
    rules: Rules,
    enrolled_at: datetime,
    now: datetime,
) -> Standing:
    newest, credit = rules.newest.rules, change.credit
    if newest.tiers is None or (credit is None and before.tier is not None):
        return before
    known = [*credits, *([credit] if credit else [])]
    versions = rules.numbered(one.program_version for one in known)
    held = holding.hold(known, versions, enrolled_at, now)
    # Told late, a fact changes the tier from now on at the earliest moment that has no other yet.
    at = max(change.entry.occurred_at, before.since or change.entry.occurred_at)
    return holding.standing(before, held, newest, at)
