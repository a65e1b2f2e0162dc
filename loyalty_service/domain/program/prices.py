"""Reading what a reward costs: one price, slabs, or any number of points at a rate."""

import functools
import itertools
from fractions import Fraction

from loyalty_service.domain.limits import INTEGER_MAX, POINTS_MAX
from loyalty_service.domain.program import values
from loyalty_service.domain.program.document import PayWithPoints, RewardType, Settlement, Slab
from loyalty_service.domain.program.places import Place, Section, entries

DISCOUNTS = (RewardType.AMOUNT_OFF, RewardType.PERCENT_OFF)
"""The types whose price says how much they take off; all others cost points and no more."""

PRICE_KEYS = ("points", *DISCOUNTS)

_MAX_SLABS = 100


def slabs(
    section: Section, kind: RewardType, settlement: Settlement, currency: str
) -> tuple[Slab, ...]:
    """Bring the two ways to write a price to one: slabs, cheapest first."""
    read = functools.partial(_slab, kind=kind, settlement=settlement, currency=currency)
    if "slabs" not in section:
        if not any(key in section for key in PRICE_KEYS):
            how = f"slabs, or points and {kind}" if kind in DISCOUNTS else "points"
            section.place.fault(f"has no price; give {how}")
            return ()
        return (_price(section, kind, settlement, currency),)
    for key in PRICE_KEYS:
        if section.optional(key, lambda place: place, None):
            section.at(key).fault("stands beside slabs; move it into a slab")
    listed = section.required("slabs", lambda place: entries(place, read, _MAX_SLABS))
    if not section.at("slabs").node.value:
        section.at("slabs").fault("is empty; give at least one slab", value="")
    if kind not in DISCOUNTS:
        section.at("slabs").fault(f"does not belong to a reward of type {kind}; give points")
        return ()
    _compare(listed)
    return tuple(sorted((slab for _, slab in listed), key=lambda slab: slab.points))


def pay_with_points(place: Place, *, currency: str) -> PayWithPoints:
    """Read a rate, the fewest and the most points, and the steps between them."""
    section = Section(place)
    points = section.required("points", values.points)
    step = section.optional("step", values.points, points)
    rate = PayWithPoints(
        points=points,
        amount_minor=section.required("worth", values.amount(currency)),
        minimum=section.optional("minimum", values.points, step),
        step=step,
        maximum=section.optional("maximum", values.points, None),
    )
    section.refuse_others()
    if section.clean:
        _check_steps(section, rate)
    return rate


def _check_steps(section: Section, rate: PayWithPoints) -> None:
    """Refuse steps whose worth is no whole amount, and bounds that are no steps."""
    if rate.step * rate.amount_minor % rate.points:
        section.at("step").fault(
            f"is worth a fraction of the smallest coin; give a multiple of {_whole_step(rate)}"
        )
    if rate.minimum % rate.step:
        section.at("minimum").fault(f"is no whole number of steps; give a multiple of {rate.step}")
    if rate.maximum is None:
        return
    if rate.maximum % rate.step:
        section.at("maximum").fault(f"is no whole number of steps; give a multiple of {rate.step}")
    elif rate.maximum < rate.minimum:
        section.at("maximum").fault(f"is less than minimum; give {rate.minimum} or more")
    elif rate.maximum * rate.amount_minor // rate.points > INTEGER_MAX:
        section.at("maximum").fault("is worth more than can be recorded; give fewer points")


def _whole_step(rate: PayWithPoints) -> int:
    return Fraction(rate.amount_minor, rate.points).denominator


def _slab(place: Place, *, kind: RewardType, settlement: Settlement, currency: str) -> Slab:
    section = Section(place)
    slab = _price(section, kind, settlement, currency)
    section.refuse_others()
    return slab


def _price(section: Section, kind: RewardType, settlement: Settlement, currency: str) -> Slab:
    # A code of Stripe's is only made for points that left; a gift is settled by the shop.
    is_free_allowed = settlement is Settlement.APP_APPLIED
    slab = Slab(
        points=section.required("points", values.whole(0 if is_free_allowed else 1, POINTS_MAX)),
        amount_off_minor=section.optional("amount_off", values.amount(currency), None),
        percent_off=section.optional("percent_off", values.percent, None),
    )
    for other in DISCOUNTS:
        if other is not kind and other in section:
            section.at(other).fault(f"does not belong to a reward of type {kind}; remove it")
    if section.readable and kind in DISCOUNTS and kind not in section:
        section.at(kind).fault("is missing; say what these points give", value="")
    return slab


def _compare(listed: list[tuple[Place, Slab]]) -> None:
    """Refuse two slabs of equal points, and one that gives less than a cheaper one."""
    points_seen: set[int] = set()
    for place, slab in listed:
        if slab.points in points_seen:
            place.at("points").fault("stands twice; give each slab its own number of points")
        points_seen.add(slab.points)
    ascending = sorted(listed, key=lambda entry: entry[1].points)
    for (_, smaller), (place, larger) in itertools.pairwise(ascending):
        if smaller.points < larger.points and _gives(larger) < _gives(smaller):
            key = "percent_off" if larger.amount_off_minor is None else "amount_off"
            place.at(key).fault(
                f"is less than {smaller.points} points give; let more points give at least as much"
            )


def _gives(slab: Slab) -> Fraction:
    return slab.percent_off or Fraction(slab.amount_off_minor or 0)
