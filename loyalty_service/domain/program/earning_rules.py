"""Reading the rules that earn: on what, how much, when, and how often at most."""

import functools
from collections.abc import Iterable
from fractions import Fraction

from loyalty_service.domain.program import terms, values
from loyalty_service.domain.program.declared import Declared
from loyalty_service.domain.program.document import (
    ORDER,
    Counted,
    DataType,
    EarningRule,
    OtherSide,
    Rounding,
)
from loyalty_service.domain.program.document.earning import ALL_ITEMS
from loyalty_service.domain.program.places import (
    Place,
    Section,
    entries,
    refuse_twice,
    several,
    text_of,
)

PER_ITEM = "item"
SAME = "same"

_MAX_RULES = 100
_ONLY_ORDERS = ("counts", "items")
_ONLY_EVENTS = ("of", "other_side", "first_order")


def rules(place: Place, *, declared: Declared) -> tuple[EarningRule, ...]:
    """Read the list of rules, each with its own id; the points of one fact wait together."""
    listed = entries(place, functools.partial(_rule, declared=declared), _MAX_RULES)
    refuse_twice((entry.at("id"), rule.id) for entry, rule in listed)
    first: dict[str, EarningRule] = {}
    for entry, rule in listed:
        other = first.setdefault(rule.on, rule)
        if rule.pending_days != other.pending_days:
            what = "an order's points" if rule.on == ORDER else f"the points of one {rule.on}"
            entry.at("pending_days").fault(
                f"differs from rule {other.id}; {what} wait together, "
                f"so give {other.pending_days} in each rule"
            )
    _refuse_two_others(listed)
    return tuple(rule for _, rule in listed)


def _refuse_two_others(listed: Iterable[tuple[Place, EarningRule]]) -> None:
    """An event has one other member: all rules on it that give to one name the same field."""
    first: dict[str, str] = {}
    for entry, rule in listed:
        if rule.other_side is None:
            continue
        field = first.setdefault(rule.on, rule.other_side.field)
        if rule.other_side.field != field:
            entry.at("other_side").at("member").fault(
                f"is not what another rule on {rule.on} names, which is {field}; "
                "an event gives to one other member"
            )


def _rule(place: Place, *, declared: Declared) -> EarningRule:
    section = Section(place)
    on = section.required("on", declared.fact)
    is_order = on == ORDER
    per_minor, per_item = section.optional(
        "per", functools.partial(_per, currency=declared.currency), (None, False)
    )
    points, tier_points = _points(section)
    rule = EarningRule(
        id=section.required("id", values.entry_id),
        on=on,
        points_numerator=points.numerator,
        points_denominator=points.denominator,
        per_minor=per_minor,
        counts=_counts_of(section, on, per_minor is not None),
        rounding=_rounding(section, per_minor is not None),
        pending_days=_pending_days(section, is_order),
        per_item=per_item,
        of=_of(section, declared, on, per_minor is not None),
        items=section.optional("items", terms.items, ALL_ITEMS),
        conditions=terms.applies(section, declared, (on,)),
        caps=section.optional("caps", terms.caps, ()),
        times=section.optional("times", terms.times, ()),
        cooldown_seconds=section.optional("cooldown", terms.cooldown, None),
        carry=section.optional("carry", values.flag, False),
        tier_multiplier=section.optional("tier_multiplier", values.flag, is_order),
        campaigns=section.optional("campaigns", values.flag, True),
        tier_points=tier_points,
        other_side=section.optional(
            "other_side", functools.partial(_other_side, declared=declared, on=on), None
        ),
        first_order_minimum_minor=section.optional(
            "first_order", functools.partial(_first_order, currency=declared.currency), None
        ),
    )
    section.refuse_others()
    _check_fact(section, rule, declared)
    return rule


def _check_fact(section: Section, rule: EarningRule, declared: Declared) -> None:
    """Refuse what belongs to the other kind of fact, and a remainder that nothing leaves."""
    if rule.on == ORDER:
        section.refuse_here(_ONLY_EVENTS, "belongs to events; remove it from a rule on orders")
    elif declared.event(rule.on) is not None:
        section.refuse_here(_ONLY_ORDERS, "belongs to orders; remove it from a rule on events")
        if rule.per_item:
            section.at("per").fault("belongs to orders; an event has no items")
    if rule.carry and rule.rounding is not Rounding.FLOOR:
        section.at("carry").fault("needs rounding: floor; any other rounding leaves no remainder")


def _points(section: Section) -> tuple[Fraction, Fraction | None]:
    """Read points, which may be 0 where qualifying points are above it, and qualifying points."""
    tier_points = section.optional("tier_points", _tier_points, None)
    read = values.ratio_or_zero if tier_points else values.ratio
    return section.required("points", read), tier_points


def _tier_points(place: Place) -> Fraction | None:
    return None if place.node.value == SAME else values.ratio_or_zero(place)


def _per(place: Place, *, currency: str) -> tuple[int | None, bool]:
    text = text_of(place)
    if text is None or text == PER_ITEM:
        return None, text == PER_ITEM
    if text.isalpha():
        place.fault(f"is not known here; write {PER_ITEM}, or an amount")
        return None, True
    return values.amount(currency)(place), False


def _counts_of(section: Section, on: str, by_money: bool) -> tuple[Counted, ...]:
    if on == ORDER and by_money:
        return section.required("counts", counts)
    return section.optional("counts", counts, (Counted.MERCHANDISE,) if on == ORDER else ())


def counts(place: Place) -> tuple[Counted, ...]:
    """Read which parts of an order count."""
    return several(place, values.choice(Counted), len(Counted), ", ".join(Counted))


def _rounding(section: Section, by_money: bool) -> Rounding:
    if by_money:
        return section.required("rounding", values.choice(Rounding))
    return section.optional("rounding", values.choice(Rounding), Rounding.FLOOR)


def _pending_days(section: Section, is_order: bool) -> int:
    if is_order:
        return section.required("pending_days", values.days)
    return section.optional("pending_days", values.days, 0)


def _of(section: Section, declared: Declared, on: str, by_money: bool) -> str | None:
    """Read which money of an event is divided; needed where there is some to divide."""
    read = functools.partial(terms.data_field, declared=declared, on=on, kind=DataType.MONEY)
    if by_money and declared.event(on) is not None:
        return section.required("of", read)
    of = section.optional("of", read, None)
    if of is not None and declared.event(on) is not None:
        section.at("of").fault("divides nothing; add per: and an amount, or remove it")
    return of


def _other_side(place: Place, *, declared: Declared, on: str) -> OtherSide:
    section = Section(place)
    field = functools.partial(terms.data_field, declared=declared, on=on, kind=DataType.MEMBER)
    other = OtherSide(
        field=section.required("member", field), points=section.required("points", values.points)
    )
    section.refuse_others()
    return other


def _first_order(place: Place, *, currency: str) -> int:
    section = Section(place)
    minimum_minor = section.required("minimum", values.amount_or_nothing(currency))
    section.refuse_others()
    return minimum_minor
