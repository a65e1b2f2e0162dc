"""What the clock makes due: birthdays, anniversaries, and members who have stayed away. Pure.

Days are local ones of the program's zone. Whoever looks late still finds what fell due in the week
before; nothing depends on the moment of the look.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from loyalty_service import canonical
from loyalty_service.domain import calendar
from loyalty_service.domain.discounts.due import Due
from loyalty_service.domain.ledger.standing import earliest
from loyalty_service.domain.program.document import BY_THE_CLOCK, Offer, Program, TriggerKind

LATE_DAYS = 6
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Life:
    """What matters of a member: the days of birth and enrolment, the moment of the last order."""

    born: date | None
    enrolled: date
    last_order_at: datetime | None


class Outlook(NamedTuple):
    """What is due now, and the first moment after it at which something may be; None for never."""

    due: list[Due]
    next_at: datetime | None


def outlook(life: Life, rules: Program, now: datetime) -> Outlook:
    """What the clock has made due by `now`, and when to look again."""
    today = calendar.latest_begun(now, rules.zone)
    due: list[Due] = []
    later: list[date] = []
    for offer in rules.offers_for(*BY_THE_CLOCK):
        # The first time is the day itself, never one before the membership.
        since = max(today - timedelta(days=LATE_DAYS), life.enrolled)
        for day, cause in _days(offer, life, today, rules):
            if day > today:
                later.append(day)
            elif cause and day >= since:
                due.append(Due(offer, cause))
    moments = [calendar.first_moment(day, rules.zone) for day in later]
    return Outlook(due, earliest(*moments))


def _days(
    offer: Offer, life: Life, today: date, rules: Program
) -> Iterator[tuple[date, str | None]]:
    """Days around today on which an offer falls due, with their causes; None is a look only."""
    kind = offer.trigger.kind
    if kind is TriggerKind.LAPSED:
        days = offer.trigger.days or 0
        if life.last_order_at is not None:
            yield _lapse(days, life.last_order_at, rules.zone)
        # An order that nobody knows of yet is at most so many days old when it is told.
        yield today + max(_DAY, timedelta(days=days - rules.late_days)), None
    elif kind is TriggerKind.ANNIVERSARY:
        for year, day in _yearly(life.enrolled, today):
            # By its number: its day may be in another year once the program moves.
            yield day, f"anniversary:{year - life.enrolled.year}"
    elif life.born is not None:
        for year, day in _yearly(life.born, today):
            yield day, f"birthday:{year}"


def _yearly(of: date, today: date) -> Iterator[tuple[int, date]]:
    # A look in the first week of January finds what fell due in December.
    for year in (today.year - 1, today.year, today.year + 1):
        if year > of.year:
            yield year, calendar.anniversary_in(of, year)


def _lapse(days: int, last_order_at: datetime, zone: ZoneInfo) -> tuple[date, str]:
    day = calendar.local_date(last_order_at, zone) + timedelta(days=days)
    # By the instant: its local day is another one once the program moves to another zone.
    return day, f"lapsed:{canonical.timestamp(last_order_at)}"
