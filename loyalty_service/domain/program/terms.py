"""Reading when something applies, for which lines, and how much of it there may be."""

import functools
from collections.abc import Callable, Iterable
from datetime import date

from loyalty_service.domain.program import conditions, values
from loyalty_service.domain.program.declared import Declared
from loyalty_service.domain.program.document import (
    ORDER,
    Birthday,
    Conditions,
    DataType,
    EventType,
    Items,
    Limit,
    Span,
    Weekday,
)
from loyalty_service.domain.program.places import Place, Section, several, suggestion, text_of

MAX_NAMED = 200
"""The most skus, categories, tiers, facts or rules that one list names."""

_SECONDS = {"minutes": 60, "hours": 3600, "days": 86400}
_ITEM_LISTS = ("categories", "skus", "except_categories", "except_skus")


def applies(section: Section, declared: Declared, facts: Iterable[str]) -> Conditions:
    """Read the conditions that stand directly in a rule or a campaign on these facts."""
    facts = tuple(facts)
    limits = Conditions(
        from_day=section.optional("from", values.day, None),
        until_day=section.optional("until", values.day, None),
        weekdays=section.optional("weekdays", _weekdays, ()),
        tiers=section.optional("tiers", functools.partial(_tiers, declared=declared), ()),
        birthday=section.optional("birthday", values.choice(Birthday), None),
        minimum_spend_minor=section.optional(
            "minimum_spend", values.amount(declared.currency), None
        ),
        when=section.optional("when", functools.partial(_when, declared=declared, on=facts), None),
    )
    if any(fact != ORDER for fact in facts):
        section.refuse_here(
            ["minimum_spend"], "belongs to orders; for an event write when: 'event.amount >= 1000'"
        )
    check_days(section, limits.from_day, limits.until_day)
    return limits


def check_days(section: Section, first: date | None, last: date | None) -> None:
    """Refuse a window that ends before it begins."""
    if section.clean and first and last and first > last:
        section.at("from").fault(f"is after until; give {last} or an earlier day")


def items(place: Place) -> Items:
    """Read which lines of an order count."""
    section = Section(place)
    categories, skus, except_categories, except_skus = (
        section.optional(key, _names, ()) for key in _ITEM_LISTS
    )
    when = section.optional("when", condition(conditions.Kind.ITEM), None)
    section.refuse_others()
    if section.readable and not any(key in section for key in (*_ITEM_LISTS, "when")):
        place.fault(f"names no lines; give some of {', '.join(_ITEM_LISTS)}, when")
    return Items(categories, skus, except_categories, except_skus, when)


def condition(
    kind: conditions.Kind, event: EventType | None = None
) -> Callable[[Place], str | None]:
    """Make a reader of conditions of one kind."""

    def read(place: Place) -> str | None:
        text = text_of(place)
        if text is None:
            return None
        try:
            conditions.compile(kind, text, event)
        except conditions.BadCondition as error:
            place.fault(str(error))
        return text

    return read


def limits(place: Place, spans: Iterable[Span]) -> tuple[Limit, ...]:
    """Read how much there may be in each of some spans."""
    section = Section(place)
    asked = [(span, section.optional(span, values.points, None)) for span in spans]
    section.refuse_others()
    found = tuple(Limit(span, at_most) for span, at_most in asked if at_most is not None)
    if section.clean and not found:
        place.fault(f"names no span; give some of {', '.join(span for span, _ in asked)}")
    return found


def caps(place: Place) -> tuple[Limit, ...]:
    """Read the most points of a rule."""
    return limits(place, Span)


def times(place: Place) -> tuple[Limit, ...]:
    """Read how often a rule or a campaign gives."""
    return limits(place, (span for span in Span if span is not Span.ONCE))


def cooldown(place: Place) -> int:
    """Read the least time between two, in seconds."""
    section = Section(place)
    given = [section.optional(unit, values.whole(1, values.MAX_DAYS), None) for unit in _SECONDS]
    section.refuse_others()
    if section.readable and sum(unit in section for unit in _SECONDS) != 1:
        place.fault("needs one length; give minutes, hours or days, such as {minutes: 30}")
    return sum((count or 0) * size for count, size in zip(given, _SECONDS.values(), strict=True))


def data_field(place: Place, *, declared: Declared, on: str, kind: DataType) -> str:
    """Read the name of a field of one type in an event's data."""
    text = text_of(place)
    event = declared.event(on)
    if text is None or event is None or event.type_of(text) is kind:
        return text or ""
    known = [name for name, has in event.fields if has is kind]
    hint = suggestion(text, known) if known else f"{on} has none; declare one under events"
    place.fault(f"is not a field of type {kind}; {hint}")
    return text


def tiers(place: Place, declared: Declared) -> tuple[str, ...]:
    """Read a list of tiers of this program."""
    return _tiers(place, declared=declared)


def _tiers(place: Place, *, declared: Declared) -> tuple[str, ...]:
    return several(place, declared.tier, MAX_NAMED, ", ".join(declared.tiers or ("tiers",)))


def _weekdays(place: Place) -> tuple[Weekday, ...]:
    return several(place, values.choice(Weekday), len(Weekday), ", ".join(Weekday))


def _names(place: Place) -> tuple[str, ...]:
    return several(place, values.name, MAX_NAMED, "your shop's own words")


def _when(place: Place, *, declared: Declared, on: tuple[str, ...]) -> str | None:
    """Read a condition that must make sense for each of the facts."""
    text = None
    for fact in on:
        before = len(place.faults)
        if fact == ORDER:
            text = condition(conditions.Kind.ORDER)(place)
        elif declared.event(fact) is not None:
            text = condition(conditions.Kind.EVENT, declared.event(fact))(place)
        if len(place.faults) > before:
            break
    return text
