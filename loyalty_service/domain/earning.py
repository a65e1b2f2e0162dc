"""What an order earns: pure, exact arithmetic in whole numbers.

The explanation holds every figure that decided, as plain JSON values, so that it can be kept with
the points and said again in words for ever.
"""

from dataclasses import dataclass
from math import gcd
from typing import TypedDict

from loyalty_service.domain import money
from loyalty_service.domain.limits import POINTS_MAX
from loyalty_service.domain.program.document import (
    ORDER,
    Counted,
    EarningRule,
    Program,
    Rounding,
)
from loyalty_service.errors import CurrencyNotPriced

_ROUNDED = {
    Rounding.FLOOR: "rounded down",
    Rounding.NEAREST: "rounded to the nearest",
    Rounding.CEILING: "rounded up",
}


class PointsOutOfRange(ValueError):
    """An order would earn more points than can be kept."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an order; `unit_amount_minor` is net of tax."""

    sku: str
    category: str | None
    quantity: int
    unit_amount_minor: int


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """What of an order decides what it earns, in minor units of one currency."""

    currency: str
    lines: tuple[Line, ...]
    discount_minor: int
    tax_minor: int
    shipping_minor: int


class RuleShare(TypedDict):
    """What one rule gave; `points_per` and `exact` are exact numbers written as text."""

    rule: str
    counted_minor: int
    points_per: str
    per_minor: int
    exact: str
    rounding: str
    points: int


class Explanation(TypedDict):
    """Why an order earned what it did, in plain JSON values."""

    rules: list[RuleShare]
    pending_days: int


@dataclass(frozen=True, slots=True)
class Earned:
    """The points of all rules together.

    `rule_id` and `counted_minor` are those of the rule that gave most (the first of equals); None
    and 0 where the program has no rule for orders.
    """

    points: int
    rule_id: str | None
    counted_minor: int
    explanation: Explanation


def earn(program: Program, facts: OrderFacts) -> Earned:
    """Return what an order earns.

    Raises CurrencyNotPriced for another currency than the program's, PointsOutOfRange above 10**12.
    """
    if facts.currency != program.currency:
        raise CurrencyNotPriced(
            f"The program prices {program.currency}, not {facts.currency}.", param="currency"
        )
    shares = [_share(rule, facts) for rule in program.rules_on(ORDER)]
    points = sum(share["points"] for share in shares)
    if points > POINTS_MAX:
        raise PointsOutOfRange(f"the order earns {points} points; at most {POINTS_MAX} can be kept")
    most = max(shares, key=lambda share: share["points"], default=None)
    return Earned(
        points=points,
        rule_id=most["rule"] if most else None,
        counted_minor=most["counted_minor"] if most else 0,
        explanation={"rules": shares, "pending_days": program.pending_days},
    )


def sentence(explanation: Explanation, currency: str) -> str:
    """Say an explanation in one English sentence, amounts in major units."""
    shares = explanation["rules"]
    if not shares:
        return "No earning rule applies: 0 points."
    points = sum(share["points"] for share in shares)
    words = "; ".join(_words(share, currency) for share in shares)
    if len(shares) > 1:
        words = f"{words}; {_count(points)} in all"
    return f"{words}; {_available(explanation['pending_days'])}." if points else f"{words}."


def counted_minor(facts: OrderFacts, counts: tuple[Counted, ...]) -> int:
    """Add up the parts of an order that count; discounts never take merchandise below zero."""
    merchandise_minor = sum(line.quantity * line.unit_amount_minor for line in facts.lines)
    parts_minor = {
        Counted.MERCHANDISE: max(0, merchandise_minor - facts.discount_minor),
        Counted.TAX: facts.tax_minor,
        Counted.SHIPPING: facts.shipping_minor,
    }
    return sum(parts_minor[part] for part in counts)


def rounded(numerator: int, denominator: int, rounding: Rounding) -> int:
    """Round an exact number, not below zero, to a whole one; nearest takes a half up."""
    if rounding is Rounding.CEILING:
        return -(-numerator // denominator)
    if rounding is Rounding.NEAREST:
        # Not round(), which takes a half to the even neighbour.
        return (2 * numerator + denominator) // (2 * denominator)
    return numerator // denominator


def _share(rule: EarningRule, facts: OrderFacts) -> RuleShare:
    counted = counted_minor(facts, rule.counts)
    numerator = counted * rule.points_numerator
    denominator = (rule.per_minor or 1) * rule.points_denominator
    return {
        "rule": rule.id,
        "counted_minor": counted,
        "points_per": _exact(rule.points_numerator, rule.points_denominator),
        "per_minor": rule.per_minor or 1,
        "exact": _exact(numerator, denominator),
        "rounding": rule.rounding.value,
        "points": rounded(numerator, denominator, rule.rounding),
    }


def _exact(numerator: int, denominator: int) -> str:
    common = gcd(numerator, denominator)
    return f"{numerator // common}/{denominator // common}"


def _words(share: RuleShare, currency: str) -> str:
    counted = money.format_major(share["counted_minor"], currency)
    per = money.format_major(share["per_minor"], currency)
    rate = share["points_per"].removesuffix("/1")
    unit = "point" if rate == "1" or rate.startswith("1/") else "points"
    how = _ROUNDED[Rounding(share["rounding"])]
    return (
        f"{counted} {currency.upper()} counted, {rate} {unit} per {per}, {how}: "
        f"{_count(share['points'])}"
    )


def _count(points: int) -> str:
    return "1 point" if points == 1 else f"{points} points"


def _available(pending_days: int) -> str:
    if pending_days == 0:
        return "available at once"
    return "available after 1 day" if pending_days == 1 else f"available after {pending_days} days"
