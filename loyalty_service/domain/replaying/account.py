"""A member's account in memory: points, tier credits and what limits remember.

The functions that decide are those that decided when it happened; only what they read and write is
a plain value here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from loyalty_service.domain import adjustments, expiry, following, restoring
from loyalty_service.domain.earning import NO_CREDIT, NO_USE, Pins, limiting, pinning
from loyalty_service.domain.earning.limiting import Made
from loyalty_service.domain.events import other_side
from loyalty_service.domain.following import Change
from loyalty_service.domain.ledger import (
    ADJUSTED,
    ISSUED,
    REDEEMED,
    Entry,
    LotState,
    Move,
    Side,
    available,
    spend,
)
from loyalty_service.domain.ledger.entries import Standing
from loyalty_service.domain.ledger.returning import Returned, giving_back, taking_back, without_last
from loyalty_service.domain.members import Known
from loyalty_service.domain.program import InForce, Program
from loyalty_service.domain.program.document import Activity
from loyalty_service.domain.replaying.facts import (
    OtherSideGiven,
    PointsGiven,
    PointsRestored,
    PointsReversed,
    PointsSpent,
    PointsTakenAgain,
)
from loyalty_service.domain.replaying.purse import Purse
from loyalty_service.domain.replaying.rules import Versions
from loyalty_service.domain.tiers import entry as tier_entry
from loyalty_service.domain.tiers.counting import Credit
from loyalty_service.domain.tiers.entry import Given


@dataclass(frozen=True, slots=True)
class Spent:
    """What left for a reward, the rules under which it did, and how much of it is back."""

    moves: list[Move]
    rules: Program
    back: int = 0


class Account:
    """A member's points, tier credits and uses of limited rules, and what changes them.

    `short` counts points that left in truth and would not have been there.
    """

    def __init__(self, member: Known, versions: Versions) -> None:
        self.member, self.versions = member, versions
        self.purse = Purse(member.enrolled_at)
        self.short = 0
        self._credits: dict[tuple[date, int], Credit] = {}
        self._uses: list[Made] = []
        self._spent: dict[str, Spent] = {}
        self._given: dict[str, int] = {}
        self._earned: dict[str, Change] = {}
        self._grants: dict[str, Given] = {}
        self._granted_by: dict[str, list[str]] = {}

    @property
    def rules(self) -> Versions:
        """The versions as they are known now."""
        return self.versions.at(self.purse.now)

    @property
    def tier(self) -> str | None:
        """The tier that is held; None without tiers."""
        return self.purse.standing.tier or following.lowest(self.rules.newest.rules)

    def pins(self, rules: Program, on: str, at: datetime) -> Pins:
        """What is pinned with a fact at `at`, which is taken in now."""
        purse = self.purse
        limited = limiting.limited_on(rules, on)
        return limiting.pins(
            rules,
            limited,
            limiting.seen_in(self._uses, limited, rules, at),
            tier=self.tier_at(at),
            enrolled_at=self.member.enrolled_at,
            birthday=self.member.birthday,
            balance=purse.available + purse.pending,
            at=at,
        )

    def tier_at(self, at: datetime) -> str | None:
        """The tier that was held at a moment, as known now."""
        return following.held_at(self.purse.standing, at, self.rules, self.purse.tier_at)

    def post(self, change: Change) -> None:
        """Post a fact, then the change of tier that it brings and what a new tier gives."""
        purse, newest = self.purse, self.rules.newest
        before = purse.standing
        first, then = self._followed(change)
        purse.post(replace(change.entry, standing=first if first != before else None))
        self._note(change)
        if then:
            purse.post(following.tier_change(change, before, then, newest, purse.now))
            self._settle_grants(before, then, newest)

    def withdraw_ahead(self, change: Change) -> None:
        """Take back what a tier gave that a change is about to take, before it takes any points."""
        newest = self.rules.newest
        if not tier_entry.gives(newest.rules):
            return
        _, then = self._followed(change)
        if then:
            self._withdraw(self.purse.standing, then, newest, dict(self._grants))

    def give_other_side(self, fact: OtherSideGiven) -> None:
        """Post what another member's event gives this one."""
        event = {"event": fact.id, "event_type": fact.type, "program_version": fact.rules.version}
        change = other_side.change(
            fact.rules.rules,
            event,
            fact.points,
            fact.pending_days,
            balance=self.purse.available + self.purse.pending,
            tier=self.tier_at(self.purse.now),
            now=self.purse.now,
        )
        if change:
            self.earn(change, fact.recorded_as)

    def earn(self, change: Change, recorded_as: str | None) -> None:
        """Post what an event gives; by its transaction in the books it may be undone."""
        self.post(change)
        if recorded_as:
            self._earned[recorded_as] = change

    def give(self, fact: PointsGiven) -> None:
        """Post what staff gave."""
        purse = self.purse
        made = adjustments.credited(fact.points, self._in_force, purse.standing, purse.now, {})
        purse.post(replace(made, id=fact.id))
        self._given[fact.id] = fact.points

    def spend(self, fact: PointsSpent) -> None:
        """Post what left: as much of it as is there."""
        kind, to = ("redemption", REDEEMED) if fact.is_redemption else ("debit", ADJUSTED)
        parts = spend(self.purse.to_spend(), fact.points)
        self.short += fact.points - sum(part for _, part in parts)
        moves = [Move(available(lot.id), to, part) for lot, part in parts]
        self.purse.post(Entry(kind, moves, self.purse.now, standing=self._alive(fact), id=fact.id))
        self._spent[fact.id] = Spent(moves, self._in_force)

    def restore(self, fact: PointsRestored) -> None:
        """Post what came back of a reward, or of what paid for an order: no more than left."""
        if spent := self._spent.get(fact.of):
            left = without_last(spent.moves, spent.back)
            there = sum(move.points for move in left)
            points = there if fact.points is None else min(there, fact.points)
            self._give_back("restoration", left, spent.rules, points)
            self._spent[fact.of] = replace(spent, back=spent.back + points)

    def take_again(self, fact: PointsTakenAgain) -> None:
        """Post what was spent after all: at most what came back, first from where it went."""
        if spent := self._spent.get(fact.of):
            lot_ids = dict.fromkeys(str(move.debit.lot_id) for move in spent.moves)
            own = [self.purse.lots[lot_id] for lot_id in lot_ids]
            wanted = min(spent.back, fact.points)
            taken = self.take_back(own, wanted, REDEEMED, spent.rules)
            self.short += taken.short
            self.purse.post(Entry("claw_back", taken.moves, self.purse.now))
            self._spent[fact.of] = replace(spent, back=spent.back - wanted + taken.short)

    def reverse(self, fact: PointsReversed) -> None:
        """Post what staff's undoing gives back, or takes back."""
        if spent := self._spent.get(fact.of):
            points = sum(move.points for move in spent.moves)
            self._give_back("reversal", spent.moves, self._in_force, points)
        elif fact.of in self._given:
            self.purse.post(self._undoing(fact.of, self._given[fact.of], ADJUSTED, self._in_force))
        elif earned := self._earned.get(fact.of):
            points = sum(move.points for move in earned.entry.moves)
            version = earned.entry.context["program_version"]
            rules = self.rules.number(version) if fact.with_order else self.rules.newest.rules
            self.post(_undone(earned, self._undoing(earned.entry.id, points, ISSUED, rules)))

    def take_back(self, own: Sequence[LotState], points: int, to: Side, rules: Program) -> Returned:
        """The moves that take points back, and what they fall short of: from their own lots
        first."""
        return taking_back(
            own,
            lambda needed: self.purse.to_spend(),
            points,
            to,
            allow_debt=rules.refunds.allow_debt,
        )

    def _undoing(self, transaction_id: str, points: int, to: Side, rules: Program) -> Entry:
        own = self.purse.own_lots([transaction_id])
        points = max(0, points - self.purse.expired_from(own))
        return Entry("reversal", self.take_back(own, points, to, rules).moves, self.purse.now)

    def _alive(self, fact: PointsSpent) -> Standing | None:
        """What a redemption does to the end of points; None where it does nothing."""
        if not fact.is_redemption:
            return None
        purse = self.purse
        return expiry.moved_by(purse.standing, self._in_force, Activity.REDEMPTION, purse.now)

    @property
    def _in_force(self) -> Program:
        return self.rules.as_of(self.purse.now).rules

    def _give_back(self, kind: str, spent: Sequence[Move], rules: Program, points: int) -> None:
        purse = self.purse
        back = giving_back(
            spent,
            purse.lots,
            points,
            restoring.when_expired(purse.now, rules, purse.standing.tier),
            standing=purse.standing,
            now=purse.now,
        )
        purse.post(Entry(kind, back.moves, purse.now, new_lots=back.new_lots))

    def _note(self, change: Change) -> None:
        for rule_id, use in pinning.given(change.uses).items():
            self._uses.append(Made(rule_id, change.used_at, use.points, use.times, use.carried))
        if credit := change.credit:
            key = credit.day, credit.program_version
            self._credits[key] = _sum(self._credits.get(key), credit)

    def _followed(self, change: Change) -> following.Followed:
        return following.followed(
            change,
            self.purse.standing,
            list(self._credits.values()),
            self.rules,
            self.member.enrolled_at,
            self.purse.now,
        )

    def _settle_grants(self, before: Standing, after: Standing, now: InForce) -> None:
        """Give what a tier gives on reaching it; take back what is left where it is lost."""
        rules, purse = now.rules, self.purse
        if not tier_entry.gives(rules):
            return
        known, enrolled_at = dict(self._grants), self.member.enrolled_at
        at = after.since or purse.now
        for gift in tier_entry.planned(before.tier, after.tier, rules, enrolled_at, at, known):
            entry = tier_entry.gift_entry(gift, now, after.tier, purse.now)
            purse.post(entry)
            self._grant(gift, entry.id)
        self._withdraw(before, after, now, known)

    def _withdraw(
        self, before: Standing, after: Standing, now: InForce, known: Mapping[str, Given]
    ) -> None:
        purse, rules = self.purse, now.rules
        for lost in tier_entry.withdrawals(before.tier, after.tier, rules, known):
            own = purse.own_lots(self._granted_by[lost.cause])
            asked = max(0, lost.points - purse.used_up_of(own))
            taken = self.take_back(own, asked, ISSUED, rules)
            if taken.moves:
                purse.post(tier_entry.withdrawal_entry(lost, taken, now, purse.now))
                by = taken.asked - taken.short
                grant = self._grants[lost.cause]
                self._grants[lost.cause] = grant._replace(withdrawn=grant.withdrawn + by)

    def _grant(self, gift: tier_entry.Gift, transaction_id: str) -> None:
        grant = self._grants.get(gift.cause)
        self._granted_by.setdefault(gift.cause, []).append(transaction_id)
        if grant is None:
            grant = Given(gift.cause, transaction_id, gift.points, gift.points)
        self._grants[gift.cause] = grant._replace(withdrawn=grant.withdrawn - gift.points)


def _undone(earned: Change, entry: Entry) -> Change:
    """What takes back all that an event gave and counted for."""
    return replace(
        earned,
        cause="reversal",
        entry=entry,
        tier_credit=NO_CREDIT.less(earned.tier_credit),
        uses={rule: NO_USE.less(use) for rule, use in earned.uses.items()},
        activity=None,
    )


def _sum(one: Credit | None, other: Credit) -> Credit:
    """Two credits of a day and a version as one."""
    if one is None:
        return other
    figures = (mine + more for mine, more in zip(one[2:], other[2:], strict=True))
    return Credit(one.day, one.program_version, *figures)
