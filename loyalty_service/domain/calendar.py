"""Local calendar days of a program's zone, turned into instants that are stored once.

Points wait, last and run out by whole local days: the instant is always the first moment of the
day after the last one that counts. Instants go in with any zone and come out in UTC.
"""

import calendar as gregorian
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from loyalty_service.domain.program.document import Expiry, Period, Span

_MONTHS_IN = {Period.MONTH: 1, Period.QUARTER: 3, Period.YEAR: 12}
_SECOND = timedelta(seconds=1)
_DAY = timedelta(days=1)


def first_moment(day: date, zone: ZoneInfo) -> datetime:
    """Return the earliest instant, in UTC, at which the local date is `day` or later.

    Later only where the zone skipped the whole day. Where midnight comes twice it is the first.
    """
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
    at = midnight.astimezone(UTC)
    before = midnight.replace(fold=1).astimezone(UTC)
    if before >= at:
        return at
    return _clock_change(before, at, day, zone)


def local_date(at: datetime, zone: ZoneInfo) -> date:
    """Return the date that the zone's calendar shows at `at`; raise ValueError if it is naive."""
    if at.tzinfo is None:
        raise ValueError("an instant needs its zone; a naive time would be read in the machine's")
    return at.astimezone(zone).date()


def month_of(at: datetime, zone: ZoneInfo) -> str:
    """Return the local month as "2026-11"."""
    day = local_date(at, zone)
    return f"{day.year:04d}-{day.month:02d}"


def span_around(at: datetime, span: Span, zone: ZoneInfo) -> tuple[datetime, datetime] | None:
    """Return the first instant of the local day, month or year of `at`, and that of the next one.

    None for spans that are no stretch of the calendar.
    """
    day = local_date(at, zone)
    firsts = {
        Span.DAY: (day, day + _DAY),
        Span.MONTH: (day.replace(day=1), months_later(day.replace(day=1), 1)),
        Span.YEAR: (date(day.year, 1, 1), date(day.year + 1, 1, 1)),
    }
    if span not in firsts:
        return None
    first, after = firsts[span]
    return first_moment(first, zone), first_moment(after, zone)


def is_anniversary(of: date, day: date) -> bool:
    """Say whether `day` has the month and day of `of`; 29 February is 28 in other years."""
    return anniversary_in(of, day.year) == day


def anniversary_in(of: date, year: int) -> date:
    """Return the anniversary of a day in a year; 29 February is 28 in other years."""
    return months_later(of, (year - of.year) * 12)


def matures_at(at: datetime, pending_days: int, zone: ZoneInfo) -> datetime:
    """Return when points earned at `at` become available.

    At once for 0 days; otherwise they wait through the local date `pending_days` later.
    """
    if pending_days == 0:
        return at
    return first_moment(local_date(at, zone) + timedelta(days=pending_days + 1), zone)


def expires_at(at: datetime, expiry: Expiry | None, zone: ZoneInfo) -> datetime | None:
    """Return the first instant at which points earned at `at` are gone; None for never."""
    if expiry is None:
        return None
    return first_moment(last_good_day(local_date(at, zone), expiry) + _DAY, zone)


def last_good_day(earned: date, expiry: Expiry) -> date:
    """Return the last local date on which points earned on `earned` can be spent."""
    if expiry.months is None:
        day = earned + timedelta(days=expiry.days or 0)
    else:
        day = months_later(earned, expiry.months)
    return day if expiry.until_end_of is None else end_of(expiry.until_end_of, day)


@lru_cache(maxsize=256)
def shortest_life_days(expiry: Expiry) -> int:
    """Return the fewest local days from the day of earning to the last good day."""
    # Remembered: it looks at four years of days, and every program that is read asks for it.
    # 2100 is no leap year, so the four years before its end hold the shortest span of any length.
    days = (date(2097, 1, 1) + timedelta(days=offset) for offset in range(1460))
    return min((last_good_day(day, expiry) - day).days for day in days)


def latest_begun(at: datetime, zone: ZoneInfo) -> date:
    """Return the last local date whose first moment is not later than `at`.

    Another date than the calendar shows only where the clock has gone back over a midnight.
    """
    day = local_date(at, zone)
    while first_moment(day + _DAY, zone) <= at:
        day += _DAY
    return day


def months_later(day: date, months: int) -> date:
    """Go `months` on (or back), to the month's last day where the day of the month is missing."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    return date(year, month + 1, min(day.day, gregorian.monthrange(year, month + 1)[1]))


def end_of(period: Period, day: date) -> date:
    """Return the last day of the month, quarter or year that `day` lies in."""
    months = _MONTHS_IN[period]
    last_month = (day.month + months - 1) // months * months
    return date(day.year, last_month, gregorian.monthrange(day.year, last_month)[1])


def _clock_change(before: datetime, at: datetime, day: date, zone: ZoneInfo) -> datetime:
    """Find the second in which the clock jumped over midnight: between `before` and `at`."""
    # Midnight does not exist, and the gap may have begun before it: the day then starts at the
    # clock change itself, which always falls on a whole second.
    early, late = 0, (at - before) // _SECOND
    while early < late:
        middle = (early + late) // 2
        if local_date(before + middle * _SECOND, zone) >= day:
            late = middle
        else:
            early = middle + 1
    return before + late * _SECOND
