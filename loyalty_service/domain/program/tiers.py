"""Reading the tiers: what counts, in which window, how long a tier is kept, and the levels."""

import functools
import itertools
from collections.abc import Callable
from fractions import Fraction

import yaml

from loyalty_service.domain.limits import POINTS_MAX
from loyalty_service.domain.program import earning_rules, policies, terms, values
from loyalty_service.domain.program.document import (
    Counted,
    Downgrade,
    Expiry,
    Kept,
    Metric,
    Period,
    Tier,
    Tiers,
    Window,
    WindowKind,
)
from loyalty_service.domain.program.document.earning import ALL_ITEMS
from loyalty_service.domain.program.places import (
    Place,
    Section,
    entries,
    refuse_twice,
    suggestion,
    text_of,
)

FOREVER = "forever"
MONTHS = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)

_MAX_LEVELS = 50
_MAX_MONTHS = 1200
_MAX_WINDOWS = 100
_ONLY_WITH = {
    "counts": Metric.SPEND,
    "items": Metric.SPEND,
    "minimum_order": Metric.ORDERS,
    "include_multipliers": Metric.QUALIFYING_POINTS,
}
_YEARS = (WindowKind.CALENDAR_YEAR, WindowKind.FISCAL_YEAR, WindowKind.ANNIVERSARY)
_ONE_WORD = (WindowKind.CALENDAR_YEAR, WindowKind.ANNIVERSARY, WindowKind.LIFETIME)
_MAPPED = ("fiscal_year_from", "rolling_months")

_months = values.whole(0, _MAX_MONTHS)


def tiers(place: Place, *, currency: str) -> Tiers:
    """Read the section; its levels begin at 0 and rise."""
    section = Section(place)
    metric = section.required("metric", values.choice(Metric))
    window = section.required("window", _window)
    credits_of = {
        Metric.SPEND: values.amount_or_nothing(currency),
        Metric.QUALIFYING_POINTS: values.whole(0, POINTS_MAX),
        Metric.ORDERS: values.whole(0, POINTS_MAX),
    }
    levels = functools.partial(_levels, credits_of=credits_of[metric])
    found = Tiers(
        metric=metric,
        window=window,
        kept=_kept_of(section, window),
        levels=section.required("levels", levels),
        counts=section.optional("counts", earning_rules.counts, (Counted.MERCHANDISE,)),
        items=section.optional("items", terms.items, ALL_ITEMS),
        minimum_order_minor=section.optional("minimum_order", values.amount(currency), 0),
        include_multipliers=section.optional("include_multipliers", values.flag, False),
        grace_days=section.optional("grace_days", values.days, 0),
        downgrade=section.optional("downgrade", values.choice(Downgrade), Downgrade.REQUALIFY),
    )
    section.refuse_others()
    if section.at("metric").node.value == metric:
        others = [key for key, belongs_to in _ONLY_WITH.items() if belongs_to is not metric]
        for key in others:
            section.refuse_here([key], f"has no effect with metric: {metric}; remove it")
    return found


def ids(place: Place) -> tuple[str, ...]:
    """The ids of the levels as they stand there, right or wrong."""
    levels = place.at("levels").node
    if not isinstance(levels, yaml.SequenceNode):
        return ()
    return tuple(
        str(Place(level, "", []).at("id").node.value)
        for level in levels.value
        if isinstance(level, yaml.MappingNode)
    )


def _window(place: Place) -> Window:
    if not isinstance(place.node, yaml.MappingNode):
        text = text_of(place)
        if text is None or text in _ONE_WORD:
            return Window(WindowKind(text or WindowKind.LIFETIME))
        place.fault(f"is not known here; {suggestion(text, [*_ONE_WORD, *_MAPPED])}")
        return Window(WindowKind.LIFETIME)
    section = Section(place)
    starts_in = section.optional("fiscal_year_from", _month, None)
    months = section.optional("rolling_months", values.whole(1, _MAX_MONTHS), None)
    section.refuse_others()
    if section.clean and (starts_in is None) == (months is None):
        place.fault("needs one window; give fiscal_year_from: march, or rolling_months: 12")
    if months is not None:
        return Window(WindowKind.ROLLING, months=months)
    return Window(WindowKind.FISCAL_YEAR, starts_in=starts_in)


def _month(place: Place) -> int:
    text = text_of(place)
    if text is not None and text not in MONTHS:
        place.fault(f"is not a month; {suggestion(text, MONTHS)}")
    return MONTHS.index(text) + 1 if text in MONTHS else 1


def _kept_of(section: Section, window: Window) -> Kept:
    """Read how long a tier is kept; for ever is the only way in a window that never ends."""
    is_lifetime = window.kind is WindowKind.LIFETIME
    before = len(section.place.faults)
    if is_lifetime:
        kept = section.optional("kept", _kept, Kept())
    else:
        kept = section.required("kept", _kept)
    where = section.at("kept")
    if len(section.place.faults) > before or not section.clean:
        return kept
    if is_lifetime and kept != Kept():
        where.fault(f"does not fit window: lifetime; write {FOREVER}")
    elif not is_lifetime and kept == Kept():
        where.fault("fits only window: lifetime; give windows or months")
    elif kept.windows is not None and window.kind not in _YEARS:
        where.fault("counts windows, but a rolling one has no end; give months instead")
    return kept


def _kept(place: Place) -> Kept:
    if not isinstance(place.node, yaml.MappingNode):
        text = text_of(place)
        if text is not None and text != FOREVER:
            place.fault(f"is not known here; write {FOREVER}, {{windows: 1}} or {{months: 12}}")
        return Kept()
    section = Section(place)
    kept = Kept(
        months=section.optional("months", _months, None),
        until_end_of=section.optional("until_end_of", values.choice(Period), None),
        windows=section.optional("windows", values.whole(0, _MAX_WINDOWS), None),
        plus_months=section.optional("plus_months", _months, 0),
    )
    section.refuse_others()
    if section.clean:
        _check_kept(section, kept)
    return kept


def _check_kept(section: Section, kept: Kept) -> None:
    if (kept.months is None) == (kept.windows is None):
        section.place.fault("needs one length; give windows or months, such as {windows: 1}")
    elif kept.months is None and kept.until_end_of is not None:
        section.at("until_end_of").fault("belongs to months; a window has an end of its own")
    elif kept.windows is None and "plus_months" in section:
        section.at("plus_months").fault("belongs to windows; add it to months instead")
    elif kept.months == 0 and kept.until_end_of is None:
        section.at("months").fault("keeps nothing; give 1 or more, or add until_end_of")


def _levels(place: Place, *, credits_of: Callable[[Place], int]) -> tuple[Tier, ...]:
    listed = entries(place, functools.partial(_level, credits_of=credits_of), _MAX_LEVELS)
    if isinstance(place.node, yaml.SequenceNode) and not place.node.value:
        place.fault("is empty; give at least the level where everybody begins", value="")
    refuse_twice((entry.at("id"), level.id) for entry, level in listed)
    if listed and listed[0][1].from_credits != 0:
        listed[0][0].at("from").fault("is where everybody begins; write 0 in the first level")
    if listed and listed[0][1].entry_points:
        listed[0][0].at("entry_points").fault(
            "nobody reaches it: everybody begins here; add a rule on sign_up instead"
        )
    for (_, lower), (entry, higher) in itertools.pairwise(listed):
        if higher.from_credits <= lower.from_credits:
            entry.at("from").fault(f"is not above level {lower.id}; list the levels upwards")
    return tuple(level for _, level in listed)


def _level(place: Place, *, credits_of: Callable[[Place], int]) -> Tier:
    section = Section(place)
    expiry_never, expiry = section.optional("expiry", _expiry, (False, None))
    level = Tier(
        id=section.required("id", values.entry_id),
        name=section.required("name", values.name),
        from_credits=section.required("from", credits_of),
        multiplier=section.optional("multiplier", values.ratio, Fraction(1)),
        expiry_never=expiry_never,
        expiry=expiry,
        entry_points=section.optional("entry_points", values.points, 0),
    )
    section.refuse_others()
    return level


def _expiry(place: Place) -> tuple[bool, Expiry | None]:
    found = policies.expiry(place, of_tier=True)
    return found is None, found
