"""Reading the rewards: what can be had, for how many points, and under which limits."""

import functools
import itertools
from datetime import date
from fractions import Fraction

from loyalty_service.domain.limits import INTEGER_MAX, POINTS_MAX
from loyalty_service.domain.program import values
from loyalty_service.domain.program.document import (
    Reward,
    RewardType,
    Settlement,
    Slab,
)
from loyalty_service.domain.program.places import Place, Section, entries, refuse_twice

_MAX_REWARDS = 200
_MAX_SLABS = 100
_ISSUED = (RewardType.AMOUNT_OFF, RewardType.PERCENT_OFF)
_PRICE_KEYS = ("points", "amount_off", "percent_off")

_days = values.whole(1, values.MAX_DAYS)
_count = values.whole(1, POINTS_MAX)


def rewards(place: Place, *, currency: str) -> tuple[Reward, ...]:
    """Read the list of rewards, each with its own id."""
    right = entries(place, functools.partial(_reward, currency=currency), _MAX_REWARDS)
    refuse_twice((entry.at("id"), reward.id) for entry, reward in right)
    return tuple(reward for _, reward in right)


def _reward(place: Place, *, currency: str) -> Reward:
    section = Section(place)
    kind = section.required("type", values.choice(RewardType))
    usable = _is_issued(section, kind)
    first, last = section.optional("available", _window, (None, None))
    reward = Reward(
        id=section.required("id", values.entry_id),
        name=section.required("name", values.name),
        type=kind,
        slabs=_slabs_of(section, kind, currency) if usable else (),
        max_share_of_order=section.optional("max_share_of_order", values.share, None),
        minimum_order_minor=section.optional("minimum_order", values.amount(currency), None),
        code_lifetime_days=section.optional("code_lifetime_days", _days, None),
        stock=section.optional("stock", _count, None),
        per_member=section.optional("per_member", _count, None),
        available_from=first,
        available_until=last,
        settlement=section.optional("settlement", _settlement, Settlement.STRIPE_PROMOTION_CODE),
    )
    if usable:
        # A type of a later version has keys of its own: one fault about the type is enough.
        section.refuse_others()
    if section.clean:
        _check_share(section, reward)
    return reward


def _is_issued(section: Section, kind: RewardType) -> bool:
    written = section.at("type")
    if written.node.value != kind:
        return False
    if kind not in _ISSUED:
        written.fault(f"is not issued by this version; use {' or '.join(_ISSUED)}")
    return kind in _ISSUED


def _settlement(place: Place) -> Settlement:
    settlement = values.choice(Settlement)(place)
    if place.node.value == Settlement.APP_APPLIED:
        place.fault("is not settled by this version; use stripe_promotion_code")
    return settlement


def _window(place: Place) -> tuple[date | None, date | None]:
    section = Section(place)
    first = section.optional("from", values.day, None)
    last = section.optional("until", values.day, None)
    section.refuse_others()
    if section.clean and first and last and first > last:
        section.at("from").fault(f"is after until; give {last} or an earlier day")
    if section.readable and first is None and last is None:
        place.fault("names no day; give from, until or both")
    return first, last


def _slabs_of(section: Section, kind: RewardType, currency: str) -> tuple[Slab, ...]:
    """Bring the two ways to write a price to one: slabs, cheapest first."""
    read = functools.partial(_slab, kind=kind, currency=currency)
    if "slabs" not in section:
        if not any(key in section for key in _PRICE_KEYS):
            section.place.fault(f"has no price; give slabs, or points and {kind}")
            return ()
        return (_price(section, kind, currency),)
    for key in _PRICE_KEYS:
        if section.optional(key, lambda place: place, None):
            section.at(key).fault("stands beside slabs; move it into a slab")
    listed = section.required("slabs", lambda place: entries(place, read, _MAX_SLABS))
    if not section.at("slabs").node.value:
        section.at("slabs").fault("is empty; give at least one slab", value="")
    _compare(listed)
    return tuple(sorted((slab for _, slab in listed), key=lambda slab: slab.points))


def _slab(place: Place, *, kind: RewardType, currency: str) -> Slab:
    section = Section(place)
    slab = _price(section, kind, currency)
    section.refuse_others()
    return slab


def _price(section: Section, kind: RewardType, currency: str) -> Slab:
    slab = Slab(
        points=section.required("points", values.points),
        amount_off_minor=section.optional("amount_off", values.amount(currency), None),
        percent_off=section.optional("percent_off", values.percent, None),
    )
    other = _ISSUED[1 - _ISSUED.index(kind)]
    if other in section:
        section.at(other).fault(f"does not belong to a reward of type {kind}; remove it")
    if section.readable and kind not in section:
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


def _check_share(section: Section, reward: Reward) -> None:
    share = reward.max_share_of_order
    if share is None:
        return
    where = section.at("max_share_of_order")
    largest_minor = max((slab.amount_off_minor or 0 for slab in reward.slabs), default=0)
    if reward.type is RewardType.PERCENT_OFF:
        where.fault("belongs to amount_off; a percentage is a share of the order by itself")
    elif largest_minor / share > INTEGER_MAX:
        where.fault("asks for an order larger than can be recorded; give a larger share")
