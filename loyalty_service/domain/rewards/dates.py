"""When a reward can be had, and how long its code is good: local days of the program's zone."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from loyalty_service.domain import calendar
from loyalty_service.domain.program.document import Offer, Reward

_DAYS_IN_A_YEAR = 365


def on_sale(reward: Reward, at: datetime, zone: ZoneInfo) -> bool:
    """Say whether `at` lies in the reward's window of local dates, both ends included."""
    today = calendar.local_date(at, zone)
    begun = reward.available_from is None or reward.available_from <= today
    ended = reward.available_until is not None and reward.available_until < today
    return begun and not ended


def code_expires_at(reward: Reward | Offer, at: datetime, zone: ZoneInfo) -> datetime | None:
    """Return the instant, in UTC, at which a code issued at `at` ends; None for never.

    The code is good through the local date `code_lifetime_days` later.
    """
    if reward.code_lifetime_days is None:
        return None
    last_day = calendar.local_date(at, zone) + timedelta(days=reward.code_lifetime_days)
    return calendar.first_moment(last_day + timedelta(days=1), zone)


def is_within_birthday(birthday: date, days: int, today: date) -> bool:
    """Say whether `today` is a birthday or one of the days after it, `days` in all."""
    # A window may reach over New Year: the birthday that opened it was in an earlier year.
    years = range(today.year - days // _DAYS_IN_A_YEAR - 1, today.year + 1)
    begun = (today - calendar.anniversary_in(birthday, year) for year in years)
    return any(timedelta() <= since < timedelta(days=days) for since in begun)
