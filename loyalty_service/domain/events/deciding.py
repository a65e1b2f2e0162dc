"""What an event earns, decided: pure, from the rules and what was pinned."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from loyalty_service.domain import calendar, earning, expiry, ledger, program
from loyalty_service.domain.earning import Earned, EventFacts, Pins
from loyalty_service.domain.earning.explained import RuleShare
from loyalty_service.domain.earning.lots import points_in
from loyalty_service.domain.following import Change
from loyalty_service.domain.program.document import Activity, EarningRule
from loyalty_service.errors import PointsTooMany


@dataclass(frozen=True, slots=True)
class Decided:
    """What an event earns, by which rules, and what was known then."""

    type: str
    occurred_at: datetime
    earned_at: datetime
    rules: program.InForce
    pins: Pins
    earned: Earned

    @property
    def matures_at(self) -> datetime:
        """When its points become available."""
        rules = self.rules.rules
        return calendar.matures_at(self.earned_at, rules.pending_days_of(self.type), rules.zone)

    @property
    def other_sides(self) -> list[EarningRule]:
        """The rules that gave something and give to the other member, too."""
        return sides(self.rules.rules, self.type, self.earned.explanation["rules"])


def decide(
    rules: program.InForce,
    facts: EventFacts,
    pins: Pins,
    occurred_at: datetime,
    now: datetime,
    *,
    order_id: str | None = None,
    paid_minor: int = 0,
) -> Decided:
    """Decide what an event earns; nothing by rules that wait for a first order of more than came.

    `order_id` is the first order that it waited for, `paid_minor` that order's merchandise. Pure;
    raises PointsTooMany.
    """
    if minimums(rules.rules, facts.type):
        pins = pins.with_stopped(_not_reached(rules.rules, facts.type, order_id, paid_minor))
    day = calendar.local_date(occurred_at, rules.rules.zone)
    try:
        earned = earning.earn_event(rules.rules, facts, pins, on=day)
    except earning.PointsOutOfRange as error:
        raise PointsTooMany(str(error), param="data") from error
    # What waited is earned by the order that it waited for.
    earned_at = now if order_id else min(occurred_at, now)
    return Decided(facts.type, occurred_at, earned_at, rules, pins, earned)


def change(
    decided: Decided, event_id: str, transaction_id: str, *, order_id: str | None = None
) -> Change:
    """The earning as it is posted; `order_id` is the first order that it waited for."""
    rules, earned, earned_at = decided.rules.rules, decided.earned, decided.earned_at
    context = {
        "cause": "event",
        "event": event_id,
        "event_type": decided.type,
        "program_version": decided.rules.version,
        "currency": rules.currency,
        "explanation": earned.explanation,
        "pinned": decided.pins.as_json(),
        **({"order": order_id} if order_id else {}),
    }
    moves, lots = points_in(
        earned.points,
        earned_at=earned_at,
        matures_at=decided.matures_at,
        expires_at=expiry.lot_end(rules, decided.pins.tier, earned_at),
        at=earned_at,
    )
    return Change(
        cause="event",
        entry=ledger.Entry("earn", moves, earned_at, context, new_lots=lots, id=transaction_id),
        version=decided.rules.version,
        day=calendar.local_date(decided.occurred_at, rules.zone),
        used_at=decided.occurred_at,
        tier_credit=earned.tier_credit,
        uses=earned.uses,
        activity=Activity.EVENT,
    )


def minimums(rules: program.Program, on: str) -> list[int]:
    """How large a first order must be, for each rule that waits for one."""
    return [
        rule.first_order_minimum_minor
        for rule in rules.rules_on(on)
        if rule.first_order_minimum_minor is not None
    ]


def sides(rules: program.Program, on: str, shares: Iterable[RuleShare]) -> list[EarningRule]:
    """The rules that gave something and give to the other member, too."""
    points = {share["rule"]: share["points"] for share in shares}
    # A rule that gives nothing to spend gives by applying; any other, unless its caps left nothing.
    return [
        rule
        for rule in rules.rules_on(on)
        if rule.other_side and rule.id in points and (points[rule.id] or not rule.points_numerator)
    ]


def _not_reached(
    rules: program.Program, on: str, order_id: str | None, paid_minor: int
) -> set[str]:
    """What gives nothing: rules that ask for a larger first order; all where there is none."""
    if order_id is None:
        campaigns = {one.id for one in rules.campaigns if on in one.on}
        return campaigns | {rule.id for rule in rules.rules_on(on)}
    return {
        rule.id for rule in rules.rules_on(on) if (rule.first_order_minimum_minor or 0) > paid_minor
    }
