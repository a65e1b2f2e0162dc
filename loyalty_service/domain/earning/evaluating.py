"""What an order or an event earns: pure, exact arithmetic in whole numbers."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction

from loyalty_service.domain.earning.basis import Basis, EventBasis, OrderBasis, Piece, holds
from loyalty_service.domain.earning.campaigns import (
    Factor,
    by_campaigns,
    factor,
    meant_for,
    running,
)
from loyalty_service.domain.earning.explained import (
    Bonus,
    Earned,
    Explanation,
    Part,
    RuleShare,
    TierCredit,
    Use,
    exact,
)
from loyalty_service.domain.earning.facts import EventFacts, OrderFacts
from loyalty_service.domain.earning.left import Left, left_of
from loyalty_service.domain.earning.pins import Pins
from loyalty_service.domain.limits import POINTS_MAX
from loyalty_service.domain.program.document import (
    Campaign,
    Counted,
    EarningRule,
    Program,
    Rounding,
    Span,
)
from loyalty_service.domain.program.document.earning import ALL_ITEMS
from loyalty_service.errors import CurrencyNotPriced

NO_PINS = Pins()
_MERCHANDISE = (Counted.MERCHANDISE,)


class PointsOutOfRange(ValueError):
    """An order would earn more points than can be kept."""


@dataclass(frozen=True, slots=True)
class _Given:
    """What one rule gave, and how much of it qualifies for a tier: as by the rule alone, and with
    what multiplies it."""

    share: RuleShare
    base_points: int
    tier_points: int
    carried: Fraction


def earn(
    program: Program, facts: OrderFacts, pins: Pins = NO_PINS, *, on: date | None = None
) -> Earned:
    """Return what a whole order earns on a local date.

    Raises CurrencyNotPriced for another currency than the program's, PointsOutOfRange above 10**12.
    """
    if facts.currency != program.currency:
        raise CurrencyNotPriced(
            f"The program prices {program.currency}, not {facts.currency}.", param="currency"
        )
    return earn_left(program, left_of(facts), pins, on=on)


def earn_left(program: Program, left: Left, pins: Pins, *, on: date | None) -> Earned:
    """Return what is due for what is left of an order; raises PointsOutOfRange."""
    basis = OrderBasis(left, on)
    earned = _evaluate(program, basis, pins)
    if left.is_nothing:
        # Shipping and discounts stay when all items came back; they count for nothing either.
        return earned
    tiers = program.tiers
    counts, items = (tiers.counts, tiers.items) if tiers else (_MERCHANDISE, ALL_ITEMS)
    spend_minor = sum(piece.amount for piece in basis.money(counts, items))
    # An order for nothing is no order.
    enough = spend_minor >= max(1, tiers.minimum_order_minor if tiers else 0)
    credit = replace(earned.tier_credit, spend_minor=spend_minor, orders=int(enough))
    return replace(earned, tier_credit=credit)


def earn_event(
    program: Program, facts: EventFacts, pins: Pins = NO_PINS, *, on: date | None = None
) -> Earned:
    """Return what an event of a declared type earns on a local date; raises PointsOutOfRange."""
    kind = program.event_type(facts.type)
    assert kind is not None, f"an event of the unknown type {facts.type}"
    return _evaluate(program, EventBasis(facts, kind, on), pins)


def rounded(numerator: int, denominator: int, rounding: Rounding) -> int:
    """Round an exact number, not below zero, to a whole one; nearest takes a half up."""
    if rounding is Rounding.CEILING:
        return -(-numerator // denominator)
    if rounding is Rounding.NEAREST:
        # Not round(), which takes a half to the even neighbour.
        return (2 * numerator + denominator) // (2 * denominator)
    return numerator // denominator


def _evaluate(program: Program, basis: Basis, pins: Pins) -> Earned:
    campaigns = running(program, basis, pins) if program.campaigns else []
    given = [
        one
        for rule in program.rules_on(basis.name)
        if (one := _give(program, rule, basis, campaigns, pins))
    ]
    bonuses: list[Bonus] = [
        {"campaign": one.id, "points": one.bonus_points}
        for one in campaigns
        if one.bonus_points and basis.has_items(one.items)
    ]
    uncapped = sum(one.share["points"] for one in given)
    uncapped += sum(bonus["points"] for bonus in bonuses)
    headroom = pins.balance_headroom
    points = uncapped if headroom is None else min(uncapped, headroom)
    if points > POINTS_MAX:
        raise PointsOutOfRange(f"the order earns {points} points; at most {POINTS_MAX} can be kept")
    explanation: Explanation = {
        "rules": [one.share for one in given],
        "pending_days": program.pending_days_of(basis.name),
    }
    if bonuses:
        explanation["bonuses"] = bonuses
    if points < uncapped:
        explanation["uncapped"] = uncapped
    _name(explanation, program, pins)
    credit = TierCredit(
        base_points=sum(one.base_points for one in given),
        points=sum(one.tier_points for one in given) + sum(one["points"] for one in bonuses),
    )
    if max(credit.base_points, credit.points) > POINTS_MAX:
        raise PointsOutOfRange(f"more than {POINTS_MAX} points would count towards a tier")
    return Earned(
        points, explanation, credit, _uses(program, given, campaigns, explanation, points)
    )


def _give(
    program: Program,
    rule: EarningRule,
    basis: Basis,
    campaigns: Sequence[Campaign],
    pins: Pins,
) -> _Given | None:
    """What a rule gives; None where it does not apply."""
    if rule.id in pins.stopped:
        return None
    is_fixed = rule.per_minor is None and not rule.per_item
    if is_fixed and not basis.has_items(rule.items):
        return None
    pieces = [Piece(1)] if is_fixed else basis.pieces(rule)
    counted = 0 if is_fixed else sum(piece.amount for piece in pieces)
    money_minor = _money(basis, rule, counted)
    if not holds(basis, rule.conditions, pins, counted_minor=money_minor):
        return None
    per = rule.per_minor or 1
    rate = Fraction(rule.points_numerator, rule.points_denominator * per)
    parts = _parts(program, rule, pieces, campaigns, pins)
    weighted = sum((one.factor * amount for one, amount in parts), start=Fraction(0))
    carried = pins.carry.get(rule.id, Fraction(0)) if rule.carry else Fraction(0)
    whole = rate * weighted + carried
    uncapped = rounded(whole.numerator, whole.denominator, rule.rounding) if whole > 0 else 0
    points = min([uncapped, *_caps(rule, pins)])
    share: RuleShare = {
        "rule": rule.id,
        "points_per": exact(Fraction(rule.points_numerator, rule.points_denominator)),
        "exact": exact(whole),
        "rounding": rule.rounding.value,
        "points": points,
    }
    if rule.per_minor is not None:
        share |= {"counted_minor": counted, "per_minor": per}
    elif rule.per_item:
        share["items"] = counted
    if carried:
        share["carried_in"] = exact(carried)
    if points < uncapped:
        share["uncapped"] = uncapped
    if any(one.factor != 1 for one, _ in parts):
        share["parts"] = [_part(one, amount) for one, amount in parts]
    base, qualifying = _qualifying(rule, sum(piece.amount for piece in pieces), weighted, points)
    # Less than nothing where an order that was carried from came back: the next one makes it good.
    rest = whole - uncapped - carried if rule.carry else Fraction(0)
    return _Given(share, base, qualifying, rest)


def _money(basis: Basis, rule: EarningRule, counted: int) -> int:
    """The money that counts, whatever a rule gives points for: its minimum asks for so much."""
    if rule.per_minor is not None or not isinstance(basis, OrderBasis):
        return counted
    return sum(piece.amount for piece in basis.money(rule.counts or _MERCHANDISE, rule.items))


def _parts(
    program: Program,
    rule: EarningRule,
    pieces: Iterable[Piece],
    campaigns: Sequence[Campaign],
    pins: Pins,
) -> list[tuple[Factor, int]]:
    """What counts, put together by what it is multiplied with."""
    tier = program.multiplier_of(pins.tier) if rule.tier_multiplier else Fraction(1)
    meant = meant_for(rule, campaigns) if rule.campaigns else []
    if not meant:
        return [(Factor(tier), sum(piece.amount for piece in pieces))]
    found: dict[Factor, int] = defaultdict(int)
    for places, amount in by_campaigns(pieces, meant).items():
        chosen = [meant[place] for place in places]
        found[factor(program.stacking, tier, chosen, pins)] += amount
    return list(found.items())


def _part(one: Factor, amount: int) -> Part:
    part: Part = {"counted": amount, "multiplier": exact(one.factor)}
    if one.campaigns:
        part["campaigns"] = list(one.campaigns)
    return part


def _caps(rule: EarningRule, pins: Pins) -> list[int]:
    once = [limit.at_most for limit in rule.caps if limit.span is Span.ONCE]
    return once + ([pins.headroom[rule.id]] if rule.id in pins.headroom else [])


def _qualifying(rule: EarningRule, amount: int, weighted: Fraction, points: int) -> tuple[int, int]:
    """How many points qualify for a tier: by the rule alone, and multiplied as the points are."""
    per = rule.per_minor or 1
    if rule.tier_points is None:
        base = Fraction(rule.points_numerator * amount, rule.points_denominator * per)
        alone = rounded(base.numerator, base.denominator, rule.rounding)
        return min(alone, points), points
    by_rule, multiplied = rule.tier_points * amount / per, rule.tier_points * weighted / per
    return (
        rounded(by_rule.numerator, by_rule.denominator, rule.rounding),
        rounded(multiplied.numerator, multiplied.denominator, rule.rounding),
    )


def _name(explanation: Explanation, program: Program, pins: Pins) -> None:
    """Note the tier, and the names of what is mentioned: they may be others one day."""
    names: dict[str, str] = {}
    parts = [part for share in explanation["rules"] for part in share.get("parts", ())]
    mentioned = {one for part in parts for one in part.get("campaigns", ())}
    mentioned |= {bonus["campaign"] for bonus in explanation.get("bonuses", ())}
    names |= {one.id: one.name for one in program.campaigns if one.id in mentioned}
    tier = program.tiers.level(pins.tier) if program.tiers and parts else None
    if tier:
        explanation["tier"] = tier.id
        names[tier.id] = tier.name
    if names:
        explanation["names"] = names


def _uses(
    program: Program,
    given: Iterable[_Given],
    campaigns: Iterable[Campaign],
    explanation: Explanation,
    points: int,
) -> dict[str, Use]:
    """What limited rules and campaigns gave; where a balance cap cut it, the first rules did."""
    limited = {rule.id: rule for rule in program.earning if is_limited(rule)}
    uses: dict[str, Use] = {}
    used: set[str] = set()
    for one in given:
        gave = min(one.share["points"], points)
        points -= gave
        if rule := limited.get(one.share["rule"]):
            # A rule that only qualifies for a tier gives that.
            qualifies = rule.points_numerator == 0 and one.tier_points > 0
            uses[rule.id] = Use(gave, int(gave > 0 or qualifies), one.carried)
        if gave:
            used |= _multiplied(one.share)
    if points:
        used |= {bonus["campaign"] for bonus in explanation.get("bonuses", ())}
    return uses | {one.id: Use(0, 1) for one in campaigns if one.times and one.id in used}


def _multiplied(share: RuleShare) -> set[str]:
    """The campaigns that multiplied some of what a rule counted."""
    parts = (part for part in share.get("parts", ()) if part["counted"])
    return {campaign for part in parts for campaign in part.get("campaigns", ())}


def is_limited(rule: EarningRule) -> bool:
    """Say whether what a rule gives depends on what it gave before."""
    spans = any(limit.span is not Span.ONCE for limit in rule.caps)
    return spans or bool(rule.times) or rule.cooldown_seconds is not None or rule.carry
