"""Reading the rewards: what can be had, by whom, and under which limits."""

import functools
from datetime import date

import yaml

from loyalty_service.domain.limits import INTEGER_MAX, POINTS_MAX
from loyalty_service.domain.program import conditions, prices, terms, values
from loyalty_service.domain.program.declared import Declared
from loyalty_service.domain.program.document import (
    BirthdayWindow,
    Eligibility,
    Reward,
    RewardType,
    Settlement,
    Span,
)
from loyalty_service.domain.program.document.rewards import EVERYBODY
from loyalty_service.domain.program.places import (
    Place,
    Section,
    entries,
    refuse_twice,
    suggestion,
    text_of,
)

MEMBER_SPANS = tuple(span for span in Span if span is not Span.ONCE)
"""The spans in which a member can have so many of a reward."""

_MAX_REWARDS = 200
_GIVES = (RewardType.FREE_PRODUCT, RewardType.CUSTOM)

_days = values.whole(1, values.MAX_DAYS)
_birthday_days = values.whole(1, 366)
_count = values.whole(1, POINTS_MAX)


def rewards(place: Place, *, declared: Declared) -> tuple[Reward, ...]:
    """Read the list of rewards, each with its own id."""
    right = entries(place, functools.partial(_reward, declared=declared), _MAX_REWARDS)
    refuse_twice((entry.at("id"), reward.id) for entry, reward in right)
    return tuple(reward for _, reward in right)


def settlement_of(section: Section, kind: RewardType) -> Settlement:
    """Read who settles; what Stripe has no coupon for is settled by the shop."""
    read = values.choice(Settlement)
    if kind in prices.DISCOUNTS:
        return section.optional("settlement", read, Settlement.STRIPE_PROMOTION_CODE)
    settlement = section.optional("settlement", read, Settlement.APP_APPLIED)
    if settlement is not Settlement.APP_APPLIED:
        section.at("settlement").fault(f"can't settle a {kind}; write app_applied")
    return Settlement.APP_APPLIED


def check_gives(section: Section, kind: RewardType) -> None:
    """Refuse words about what is given where the type says it all, and a product without a name."""
    if kind not in _GIVES:
        section.refuse_here(["gives"], f"does not belong to a reward of type {kind}; remove it")
    elif kind is RewardType.FREE_PRODUCT and "gives" not in section:
        section.at("gives").fault("is missing; say which product, such as its sku", value="")


def _reward(place: Place, *, declared: Declared) -> Reward:
    section = Section(place)
    currency = declared.currency
    kind = section.required("type", values.choice(RewardType))
    settlement = settlement_of(section, kind)
    usable = section.at("type").node.value == kind
    first, last = section.optional("available", _window, (None, None))
    per_member, span = section.optional("per_member", _per_member, (None, Span.EVER))
    rate = section.optional(
        "pay_with_points", functools.partial(prices.pay_with_points, currency=currency), None
    )
    is_priced = usable and rate is None
    eligible = functools.partial(_eligible, declared=declared)
    reward = Reward(
        id=section.required("id", values.entry_id),
        name=section.required("name", values.name),
        type=kind,
        slabs=prices.slabs(section, kind, settlement, currency) if is_priced else (),
        max_share_of_order=section.optional("max_share_of_order", values.share, None),
        minimum_order_minor=section.optional("minimum_order", values.amount(currency), None),
        code_lifetime_days=section.optional("code_lifetime_days", _days, None),
        stock=section.optional("stock", _count, None),
        per_member=per_member,
        available_from=first,
        available_until=last,
        settlement=settlement,
        pay_with_points=rate,
        per_member_span=span,
        eligibility=section.optional("eligible", eligible, EVERYBODY),
        gives=section.optional("gives", values.name, None),
    )
    if usable:
        _check_type(section, reward)
        section.refuse_others()
    if section.clean:
        _check_share(section, reward)
    return reward


def _check_type(section: Section, reward: Reward) -> None:
    """Refuse what does not belong to the reward's type."""
    kind = reward.type
    if reward.pay_with_points is not None:
        for key in ("slabs", *prices.PRICE_KEYS):
            section.optional(key, lambda place: place, None)
        section.refuse_beside("pay_with_points", ("slabs", *prices.PRICE_KEYS))
        if kind is not RewardType.AMOUNT_OFF:
            section.at("pay_with_points").fault("belongs to amount_off", value="")
    check_gives(section, kind)


def _check_share(section: Section, reward: Reward) -> None:
    share = reward.max_share_of_order
    if share is None:
        return
    where = section.at("max_share_of_order")
    largest_minor = max((slab.amount_off_minor or 0 for slab in reward.slabs), default=0)
    if reward.type is RewardType.PERCENT_OFF:
        where.fault("belongs to amount_off; a percentage is a share of the order by itself")
    elif reward.type is not RewardType.AMOUNT_OFF:
        where.fault("belongs to amount_off; remove it")
    elif largest_minor / share > INTEGER_MAX:
        where.fault("asks for an order larger than can be recorded; give a larger share")


def _window(place: Place) -> tuple[date | None, date | None]:
    section = Section(place)
    first = section.optional("from", values.day, None)
    last = section.optional("until", values.day, None)
    section.refuse_others()
    terms.check_days(section, first, last)
    if section.readable and first is None and last is None:
        place.fault("names no day; give from, until or both")
    return first, last


def _per_member(place: Place) -> tuple[int, Span]:
    """Read how many a member can have, ever or in each span."""
    if not isinstance(place.node, yaml.MappingNode):
        return _count(place), Span.EVER
    section = Section(place)
    count = section.required("count", _count)
    span = section.required("per", _member_span)
    section.refuse_others()
    return count, span


def _member_span(place: Place) -> Span:
    text = text_of(place)
    if text is not None and text not in MEMBER_SPANS:
        place.fault(f"is not known here; {suggestion(text, MEMBER_SPANS)}")
    return Span(text) if text in MEMBER_SPANS else Span.EVER


def _eligible(place: Place, *, declared: Declared) -> Eligibility:
    section = Section(place)
    birthday = functools.partial(_birthday, declared=declared)
    eligibility = Eligibility(
        tiers=section.optional("tiers", lambda place: terms.tiers(place, declared), ()),
        birthday=section.optional("birthday", birthday, ()),
        when=section.optional("when", terms.condition(conditions.Kind.MEMBER), None),
    )
    section.refuse_others()
    if section.clean and eligibility == EVERYBODY:
        place.fault("names no condition; give some of tiers, birthday, when")
    return eligibility


def _birthday(place: Place, *, declared: Declared) -> tuple[BirthdayWindow, ...]:
    """Read one window for everybody, or one for each of some tiers."""
    if not isinstance(place.node, yaml.MappingNode):
        return (BirthdayWindow(None, _birthday_days(place)),)
    named = Section(place).names()
    if not named:
        place.fault("is empty; give days, or days for each tier, such as {gold: 7}")
    return tuple(
        BirthdayWindow(declared.tier(key), _birthday_days(value)) for _, key, value in named
    )
