"""The stretches of local days in which credits count and tiers are kept. Pure dates.

`enrolled` is the local date of enrolment: only the anniversary's windows depend on it.
"""

from datetime import date, timedelta
from typing import NamedTuple

from loyalty_service.domain.calendar import anniversary_in, end_of, months_later
from loyalty_service.domain.program.document import Kept, Tiers, Window, WindowKind

_DAY = timedelta(days=1)
# Fifty tiers, each kept a hundred windows and as many years more, would outlast the calendar.
_FOR_EVER_FROM = 3000


class Span(NamedTuple):
    """Local days from `first` to `last`, both included."""

    first: date
    last: date


def span(window: Window, day: date, enrolled: date) -> Span:
    """Return the window in which `day` lies; a rolling one ends with the day."""
    if window.kind is WindowKind.LIFETIME:
        return Span(date.min, date.max)
    if window.kind is WindowKind.ROLLING:
        return Span(months_later(day, -_rolling_months(window)) + _DAY, day)
    first = _first_day(window, day, enrolled)
    # A window that began on 28 February in the place of the 29th may be followed by that of the
    # 29th: the next one begins where its own rule says, at most a day later.
    following = _first_day(window, months_later(first, 12) + _DAY, enrolled)
    return Span(first, following - _DAY)


def counts_through(window: Window, credited: date, enrolled: date) -> date:
    """Return the last day in whose window credits of the day `credited` lie; date.max for ever."""
    if window.kind is not WindowKind.ROLLING:
        return span(window, credited, enrolled).last
    months = _rolling_months(window)
    day = months_later(credited, months)
    return day if months_later(day, -months) < credited else day - _DAY


def kept_through(tiers: Tiers, reached: date, enrolled: date) -> date:
    """Return the last day on which a tier reached on a day is kept; date.max for ever."""
    kept = tiers.kept
    if kept.windows is not None:
        last = _windows_later(tiers.window, kept, reached, enrolled)
    elif kept.months is not None:
        last = months_later(reached, kept.months)
        last = last if kept.until_end_of is None else end_of(kept.until_end_of, last)
    else:
        return date.max
    last += timedelta(days=tiers.grace_days)
    return last if last.year < _FOR_EVER_FROM else date.max


def label(window: Window, day: date, enrolled: date) -> str:
    """Name the window of a day, or for a rolling one the day's calendar year."""
    if window.kind is WindowKind.LIFETIME:
        return "ever"
    if window.kind is WindowKind.ROLLING:
        return f"{day.year:04d}"
    first = span(window, day, enrolled).first
    if window.kind is WindowKind.CALENDAR_YEAR:
        return f"{first.year:04d}"
    if window.kind is WindowKind.FISCAL_YEAR:
        return f"{first.year:04d}-{first.month:02d}"
    return first.isoformat()


def _windows_later(window: Window, kept: Kept, reached: date, enrolled: date) -> date:
    """The end of so many windows after the one of `reached`, and so many whole months later."""
    last = span(window, reached, enrolled).last
    for _ in range(kept.windows or 0):
        last = span(window, last + _DAY, enrolled).last
    # Counted from the day after, so that the end of a month leads to the end of a month.
    return months_later(last + _DAY, kept.plus_months) - _DAY


def _first_day(window: Window, day: date, enrolled: date) -> date:
    """The latest first day of a window that is not after `day`."""
    this_year = _begins_in(window, day.year, enrolled)
    return this_year if this_year <= day else _begins_in(window, day.year - 1, enrolled)


def _begins_in(window: Window, year: int, enrolled: date) -> date:
    if window.kind is WindowKind.ANNIVERSARY:
        return anniversary_in(enrolled, year)
    return date(year, window.starts_in or 1, 1)


def _rolling_months(window: Window) -> int:
    assert window.months, "a rolling window without a length"
    return window.months
