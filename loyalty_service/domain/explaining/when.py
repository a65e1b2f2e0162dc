"""When points can be spent, and until when at least, in words."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from loyalty_service.domain import calendar
from loyalty_service.domain.explaining.facts import Dates, Fact
from loyalty_service.wording import Voice

_AN_INSTANT = timedelta(microseconds=1)


def spendable(voice: Voice, fact: Fact) -> Iterator[str]:
    """From when on points that were just earned can be spent, and until when."""
    if fact.dates:
        yield from between(voice, fact.dates, fact.occurred_at, fact.rules.zone)


def lasting(voice: Voice, fact: Fact) -> Iterator[str]:
    """Until when points that can be spent already last."""
    if fact.dates:
        yield from _until(voice, fact.dates.expires_at, fact.occurred_at, fact.rules.zone)


def between(voice: Voice, dates: Dates, at: datetime, zone: ZoneInfo) -> Iterator[str]:
    """Both days of points that were earned at a moment."""
    if dates.matures_at <= at:
        yield voice.say("available_at_once")
    else:
        yield voice.say("available_on", day=calendar.local_date(dates.matures_at, zone))
    yield from _until(voice, dates.expires_at, at, zone)


def _until(
    voice: Voice, expires_at: datetime | None, at: datetime, zone: ZoneInfo
) -> Iterator[str]:
    # Points that are past their day live on by what the transaction after this one says.
    if expires_at and expires_at > at:
        # A tier or something that the member does may hold the end back; nothing brings it nearer.
        day = calendar.local_date(expires_at - _AN_INSTANT, zone)
        yield voice.say("lasts_until", day=day)
