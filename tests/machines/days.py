"""When points wait and end, by the words of the program's guide: whole local days.

Written apart from the service's own calendar and in another way (by looking, not by arithmetic),
so that both must be wrong in the same manner before a test stays silent.
"""

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

A_DAY = timedelta(days=1)
# Every zone of today changes its clock on a quarter of an hour.
A_LOOK = timedelta(minutes=15)

# How the document says it, and the last good day of points earned on a day.
EXPIRIES = ("never", "{after: {days: 10}}", "{after: {months: 1}, until_end_of: month}")


@cache
def first_moment(day: date, zone: str) -> datetime:
    """The first instant that the zone's calendar calls `day` or later."""
    at = datetime.combine(day, time(), UTC) - timedelta(hours=15)
    while at.astimezone(ZoneInfo(zone)).date() < day:
        at += A_LOOK
    return at


def local_day(at: datetime, zone: str) -> date:
    return at.astimezone(ZoneInfo(zone)).date()


def available_from(placed_at: datetime, pending_days: int, zone: str) -> datetime:
    """Pending through the day `pending_days` later; at once for 0."""
    if not pending_days:
        return placed_at
    return first_moment(local_day(placed_at, zone) + timedelta(days=pending_days + 1), zone)


def gone_at(earned_at: datetime, expiry: str, zone: str) -> datetime | None:
    """The first moment of the day after the last good one; None for points that never end."""
    earned = local_day(earned_at, zone)
    if expiry == "never":
        return None
    if "days" in expiry:
        return first_moment(earned + timedelta(days=11), zone)
    # A month later, then the end of that month: the first day of the month after next.
    months = earned.year * 12 + earned.month - 1 + 2
    return first_moment(date(months // 12, months % 12 + 1, 1), zone)


def good_through(at: datetime, days: int, zone: str) -> datetime:
    """The end of the day `days` later."""
    return first_moment(local_day(at, zone) + timedelta(days=days + 1), zone)
