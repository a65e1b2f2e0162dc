"""A member's life lived again under some versions of the rules: orders, events and the rest.

Each fact is decided by the functions that decided when it was recorded.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime

from loyalty_service import ids
from loyalty_service.domain.earning import Left, OrderFacts, RefundFacts
from loyalty_service.domain.events import data, deciding
from loyalty_service.domain.ledger import ISSUED, Entry
from loyalty_service.domain.members import Known
from loyalty_service.domain.orders import earned, settling
from loyalty_service.domain.orders.earned import Pinned
from loyalty_service.domain.orders.table import earns_at
from loyalty_service.domain.program import InForce
from loyalty_service.domain.program.document import ORDER
from loyalty_service.domain.replaying.account import Account
from loyalty_service.domain.replaying.facts import (
    EventHappened,
    Fact,
    OrderAmended,
    OrderCancelled,
    OrderRecorded,
    OrderRefunded,
    OrderTold,
    OtherSideGiven,
    PointsGiven,
    PointsRestored,
    PointsReversed,
    PointsSpent,
    PointsTakenAgain,
)
from loyalty_service.domain.replaying.rules import Versions
from loyalty_service.errors import LoyaltyError


@dataclass(slots=True)
class Order:
    """An order as it stands, and by what it earned; `known` is None until it does."""

    id: str
    placed_at: datetime
    facts: OrderFacts
    paid_at: datetime | None
    fulfilled_at: datetime | None
    refunds: list[RefundFacts] = field(default_factory=list)
    is_cancelled: bool = False
    known: Pinned | None = None
    earned_by: list[str] = field(default_factory=list)
    points_issued: int = 0
    points_taken: int = 0
    points_short: int = 0

    @property
    def left(self) -> Left:
        """What is left of it."""
        return earned.left(self.facts, self.refunds, is_cancelled=self.is_cancelled)

    def set_off(self, points: int) -> int:
        """Of points to be issued, those that were forgiven before: they are still there."""
        there = min(points, self.points_short)
        self.points_short -= there
        self.points_taken -= there
        return there


@dataclass(frozen=True, slots=True)
class Gave:
    """What an event gave to the other member, when, and by which rules."""

    at: datetime
    rules: InForce
    points: int
    pending_days: int


class Life:
    """One member's life under some versions of the rules.

    `refused` counts facts that these rules would have refused, by the refusal's code and the
    currency or the type of the event; `gave` is what events gave to other members, by event, and
    `undone` are the events that were taken back.
    """

    def __init__(self, member: Known, versions: Versions) -> None:
        self.account = Account(member, versions)
        self.refused: Counter[tuple[str, str]] = Counter()
        self.gave: dict[str, Gave] = {}
        self.undone: set[str] = set()
        self._recorded_as: dict[str, str] = {}
        self._orders: dict[str, Order] = {}
        self._waiting: list[EventHappened] = []

    def live(self, facts: Iterable[Fact], since: datetime, until: datetime) -> None:
        """Live through some facts and the time until `until`; points count from `since` on."""
        counting = False
        for fact in facts:
            if not counting and fact.at >= since:
                counting = True
                self._count_from(since)
            self.account.purse.advance(fact.at)
            try:
                self._take_in(fact)
            except LoyaltyError as refusal:
                self.refused[refusal.code, _about(fact)] += fact.at >= since
        if not counting:
            self._count_from(since)
        self.account.purse.advance(until)

    def _count_from(self, since: datetime) -> None:
        self.account.purse.advance(since)
        self.account.purse.begin_counting()
        self.account.short = 0

    def _take_in(self, fact: Fact) -> None:
        match fact:
            case OrderRecorded():
                self._record(fact)
            case EventHappened():
                self._happen(fact)
            case OtherSideGiven():
                self.account.give_other_side(fact)
            case PointsGiven():
                self.account.give(fact)
            case PointsSpent():
                self.account.spend(fact)
            case PointsRestored():
                self.account.restore(fact)
            case PointsTakenAgain():
                self.account.take_again(fact)
            case PointsReversed():
                self.account.reverse(fact)
                if event_id := self._recorded_as.get(fact.of):
                    self.undone.add(event_id)
            case _:
                self._change(fact)

    def _change(self, fact: OrderTold | OrderAmended | OrderCancelled | OrderRefunded) -> None:
        order = self._orders.get(fact.id)
        if order is None:
            # The order itself was refused, and told so.
            return
        match fact:
            case OrderTold():
                self._tell(order, fact)
            case OrderAmended():
                self._settle("amendment", order, replace(order, facts=fact.facts))
                order.facts = fact.facts
            case OrderRefunded():
                refunds = [*order.refunds, fact.refund]
                self._settle("refund", order, replace(order, refunds=refunds))
                order.refunds = refunds
            case OrderCancelled():
                self._settle("cancellation", order, replace(order, is_cancelled=True))
                order.is_cancelled = True

    def _record(self, fact: OrderRecorded) -> None:
        rules = self.account.rules.as_of(fact.placed_at).rules
        earned.require_priced(rules, fact.facts.currency)
        order = Order(fact.id, fact.placed_at, fact.facts, fact.paid_at, fact.fulfilled_at)
        self._orders[fact.id] = order
        self._earn_if_due(order)

    def _tell(self, order: Order, fact: OrderTold) -> None:
        order.paid_at = order.paid_at or fact.paid_at
        order.fulfilled_at = order.fulfilled_at or fact.fulfilled_at
        if order.known is None and not order.is_cancelled:
            self._earn_if_due(order)

    def _earn_if_due(self, order: Order) -> None:
        account = self.account
        rules = account.rules.as_of(order.placed_at)
        when = rules.rules.earn_when
        moment = earns_at(when, order.placed_at, order.paid_at, order.fulfilled_at)
        if moment is None:
            return
        pins = account.pins(rules.rules, ORDER, moment)
        decided = earned.decided_by(rules, pins, order.left, moment)
        change = earned.change(order.id, decided, ids.new("ltx"), account.purse.now)
        account.post(change)
        order.known = Pinned(moment, rules.version, rules.rules, pins)
        order.earned_by = [change.entry.id]
        order.points_issued = decided.earned.points
        self._settle_waiting(order)

    def _settle(self, cause: str, order: Order, changed: Order) -> None:
        """Post what changes between what was left of an order and what is left now."""
        before, after, known = order.left, changed.left, order.known
        if known is None:
            return
        was, due = earned.due(known, before), earned.due(known, after)
        more = due.points - was.points
        if more > 0:
            entry = self._issue(order, known, more - order.set_off(more))
        else:
            nothing = Entry("claw_back", [], self.account.purse.now)
            self.account.withdraw_ahead(settling.change_of(cause, nothing, known, was, due))
            entry = self._take(order, known, due.points)
        self.account.post(settling.change_of(cause, entry, known, was, due))

    def _issue(self, order: Order, known: Pinned, points: int) -> Entry:
        now = self.account.purse.now
        entry = settling.issue(known, points, order.earned_by[0], {}, now)
        order.earned_by.append(entry.id)
        order.points_issued += points
        return entry

    def _take(self, order: Order, known: Pinned, due_points: int) -> Entry:
        purse = self.account.purse
        own = purse.own_lots(order.earned_by)
        returned = purse.expired_from(own) + order.points_taken
        asked = max(0, order.points_issued - due_points - returned)
        back = self.account.take_back(own, asked, ISSUED, known.rules)
        order.points_taken += asked
        order.points_short += back.short
        return Entry("claw_back", back.moves, purse.now)

    def _happen(self, fact: EventHappened) -> None:
        if fact.recorded_as:
            self._recorded_as[fact.recorded_as] = fact.id
        rules = self.account.rules.as_of(fact.occurred_at)
        data.require_data(data.require_type(rules.rules, fact.facts.type), fact.facts.data)
        waits = deciding.minimums(rules.rules, fact.facts.type)
        if waits and not self._ordered_before(fact.occurred_at):
            self._waiting.append(fact)
        else:
            self._give(fact, rules)

    def _ordered_before(self, at: datetime) -> bool:
        return any(
            order.placed_at < at and not order.is_cancelled for order in self._orders.values()
        )

    def _settle_waiting(self, order: Order) -> None:
        """Give what waited for a first order, where this one is large enough."""
        paid_minor = order.left.paid_minor
        for fact in sorted(self._waiting, key=lambda fact: (fact.occurred_at, fact.id)):
            rules = self.account.rules.as_of(fact.occurred_at)
            wanted = deciding.minimums(rules.rules, fact.facts.type)
            if order.placed_at >= fact.occurred_at and wanted and paid_minor >= min(wanted):
                self._waiting.remove(fact)
                self._give(fact, rules, settled_by=order)

    def _give(
        self, fact: EventHappened, rules: InForce, *, settled_by: Order | None = None
    ) -> None:
        account = self.account
        pins = account.pins(rules.rules, fact.facts.type, fact.occurred_at)
        decided = deciding.decide(
            rules,
            fact.facts,
            pins,
            fact.occurred_at,
            account.purse.now,
            order_id=settled_by.id if settled_by else None,
            paid_minor=settled_by.left.paid_minor if settled_by else 0,
        )
        account.earn(deciding.change(decided, fact.id, ids.new("ltx")), fact.recorded_as)
        if sides := decided.other_sides:
            points = sum(rule.other_side.points for rule in sides if rule.other_side)
            pending_days = max(rule.pending_days for rule in sides)
            self.gave[fact.id] = Gave(account.purse.now, rules, points, pending_days)


def _about(fact: Fact) -> str:
    if isinstance(fact, OrderRecorded):
        return fact.facts.currency
    return fact.facts.type if isinstance(fact, EventHappened) else ""
