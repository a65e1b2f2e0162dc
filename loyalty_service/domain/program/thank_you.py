"""Reading the thank-you discounts: for what, what is given, and how much of it in a month."""

import functools

import yaml

from loyalty_service.domain.limits import POINTS_MAX
from loyalty_service.domain.program import prices, rewards, terms, values
from loyalty_service.domain.program.declared import Declared
from loyalty_service.domain.program.document import (
    Budget,
    DataType,
    Feedback,
    Offer,
    RewardType,
    Trigger,
    TriggerKind,
)
from loyalty_service.domain.program.document.thank_you import NO_BUDGET
from loyalty_service.domain.program.places import (
    Place,
    Section,
    entries,
    refuse_twice,
    suggestion,
    text_of,
)

_MAX_OFFERS = 100
_ONE_WORD = (TriggerKind.STAFF, TriggerKind.BIRTHDAY, TriggerKind.ANNIVERSARY)
_MAPPED = ("tier_reached", "nth_order", "lapsed_days", "low_feedback")
_FEEDBACK = ("feedback", "score")

_days = values.whole(1, values.MAX_DAYS)
_count = values.whole(1, POINTS_MAX)
_any_number = values.whole(0, POINTS_MAX)


def offers(place: Place, *, declared: Declared) -> tuple[Offer, ...]:
    """Read the list of offers, each with its own id."""
    right = entries(place, functools.partial(_offer, declared=declared), _MAX_OFFERS)
    refuse_twice((entry.at("id"), offer.id) for entry, offer in right)
    return tuple(offer for _, offer in right)


def _offer(place: Place, *, declared: Declared) -> Offer:
    section = Section(place)
    amount = values.amount(declared.currency)
    kind = section.required("type", values.choice(RewardType))
    budget = functools.partial(_budget, currency=declared.currency)
    offer = Offer(
        id=section.required("id", values.entry_id),
        name=section.required("name", values.name),
        type=kind,
        trigger=section.required("trigger", functools.partial(_trigger, declared=declared)),
        amount_off_minor=section.optional("amount_off", amount, None),
        percent_off=section.optional("percent_off", values.percent, None),
        gives=section.optional("gives", values.name, None),
        minimum_order_minor=section.optional("minimum_order", amount, None),
        code_lifetime_days=section.optional("code_lifetime_days", _days, None),
        settlement=rewards.settlement_of(section, kind),
        budget=section.optional("budget", budget, NO_BUDGET),
        counts_as_minor=section.optional("counts_as", amount, None),
        cooldown_seconds=section.optional("cooldown", terms.cooldown, None),
    )
    section.refuse_others()
    if section.at("type").node.value == kind:
        _check_type(section, kind)
    if section.clean:
        _check_budget(section, offer)
        _check_cooldown(section, offer)
    return offer


def _check_type(section: Section, kind: RewardType) -> None:
    rewards.check_gives(section, kind)
    for one in prices.DISCOUNTS:
        if one is not kind:
            section.refuse_here([one], f"does not belong to an offer of type {kind}; remove it")
        elif one not in section:
            section.at(one).fault("is missing; say what the offer gives", value="")


def _check_budget(section: Section, offer: Offer) -> None:
    """Every offer under a budget of money has an amount that counts, and fits into it once."""
    most_minor = offer.budget.month_minor
    is_amount = offer.type is RewardType.AMOUNT_OFF
    if most_minor is None or is_amount:
        why = "an amount counts as itself" if is_amount else "there is no budget in money"
        section.refuse_here(["counts_as"], f"has no effect, {why}; remove it")
    elif offer.counts_as_minor is None:
        section.at("counts_as").fault(
            f"is missing; a budget in money has to know what one {offer.type} counts as: give an "
            "amount, or limit the number by month_count instead",
            value="",
        )
    if section.clean and most_minor is not None and offer.cost_minor > most_minor:
        section.at("budget").at("month").fault("is less than one offer counts; nobody would get it")


def _check_cooldown(section: Section, offer: Offer) -> None:
    kind = offer.trigger.kind
    if kind is TriggerKind.LOW_FEEDBACK and offer.cooldown_seconds is None:
        section.at("cooldown").fault(
            "is missing; whoever complains again would get one each time: give one such as "
            "{days: 90}",
            value="",
        )
    elif kind is TriggerKind.NTH_ORDER:
        section.refuse_here(["cooldown"], "has no effect; a member has that order once; remove it")


def _trigger(place: Place, *, declared: Declared) -> Trigger:
    if not isinstance(place.node, yaml.MappingNode):
        text = text_of(place)
        if text is not None and text not in _ONE_WORD:
            place.fault(f"is not known here; {suggestion(text, [*_ONE_WORD, *_MAPPED])}")
            text = None
        return Trigger(TriggerKind(text or TriggerKind.STAFF))
    section = Section(place)
    feedback = functools.partial(_feedback, declared=declared)
    tier = section.optional("tier_reached", declared.tier, None)
    order_number = section.optional("nth_order", _count, None)
    days = section.optional("lapsed_days", _days, None)
    low = section.optional("low_feedback", feedback, None)
    section.refuse_others()
    if section.clean and sum(key in section for key in _MAPPED) != 1:
        place.fault(f"needs one trigger; give one of {', '.join([*_ONE_WORD, *_MAPPED])}")
    if tier is not None:
        return Trigger(TriggerKind.TIER_REACHED, tier=tier)
    if order_number is not None:
        return Trigger(TriggerKind.NTH_ORDER, order_number=order_number)
    if days is not None:
        return Trigger(TriggerKind.LAPSED, days=days)
    return Trigger(TriggerKind.LOW_FEEDBACK, feedback=low)


def _feedback(place: Place, *, declared: Declared) -> Feedback:
    section = Section(place)
    usual_event, usual_field = _FEEDBACK
    event = section.optional("event", declared.fact, usual_event)
    read_field = functools.partial(terms.data_field, declared=declared, on=event)
    found = Feedback(
        event=event,
        field=section.optional(
            "field", functools.partial(read_field, kind=DataType.INTEGER), usual_field
        ),
        at_most=section.required("at_most", _any_number),
    )
    section.refuse_others()
    if section.clean:
        _check_feedback(section, found, declared)
    return found


def _check_feedback(section: Section, found: Feedback, declared: Declared) -> None:
    kind = declared.event(found.event)
    if kind is None:
        if declared.events is not None:
            section.at("event").fault("is not an event; orders have no score")
    elif "field" not in section and kind.type_of(found.field) is not DataType.INTEGER:
        section.at("field").fault(
            f"is missing; {found.event} has no whole number {found.field}: name its own", value=""
        )


def _budget(place: Place, *, currency: str) -> Budget:
    section = Section(place)
    budget = Budget(
        month_minor=section.optional("month", values.amount(currency), None),
        month_count=section.optional("month_count", _count, None),
    )
    section.refuse_others()
    if section.clean and budget == NO_BUDGET:
        place.fault("limits nothing; give month: 500.00, month_count: 50, or both")
    return budget
