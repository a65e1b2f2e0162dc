"""What the clock makes due: birthdays, anniversaries, and members who have stayed away. Pure.

Days are local ones of the program's zone. Whoever looks late still finds what fell due in the week
before; nothing depends on the moment of the look.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple

from loyalty_service.domain import calendar
from loyalty_service.domain.ledger.standing import earliest
from loyalty_service.domain.program.document import Offer, Program, TriggerKind

BY_THE_CLOCK = (TriggerKind.BIRTHDAY, TriggerKind.ANNIVERSARY, TriggerKind.LAPSED)
LATE_DAYS = 6
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Life:
    """The days of a member that matter: of birth, of enrolment, and of the last order."""

    born: date | None
    enrolled: date
    last_order: date | None


class Due(NamedTuple):
    """An offer, and the cause for which it is given once."""

    offer: Offer
    cause: str


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
        for day, cause in _days(offer, life, today, rules.late_days):
            if day > today:
                later.append(day)
            elif cause and day >= since:
                due.append(Due(offer, cause))
    moments = [calendar.first_moment(day, rules.zone) for day in later]
    return Outlook(due, earliest(*moments))


def _days(
    offer: Offer, life: Life, today: date, late_days: int
) -> Iterator[tuple[date, str | None]]:
    """Days around today on which an offer falls due, with their causes; None is a look only."""
    kind = offer.trigger.kind
    if kind is TriggerKind.LAPSED:
        yield from _lapses(offer.trigger.days or 0, life.last_order, today, late_days)
    elif kind is TriggerKind.ANNIVERSARY:
        yield from _yearly("anniversary", life.enrolled, today)
    elif life.born is not None:
        yield from _yearly("birthday", life.born, today)


def _yearly(name: str, of: date, today: date) -> Iterator[tuple[date, str]]:
    # A look in the first week of January finds what fell due in December.
    for year in (today.year - 1, today.year, today.year + 1):
        if year > of.year:
            yield calendar.anniversary_in(of, year), f"{name}:{year}"


def _lapses(
    days: int, last_order: date | None, today: date, late_days: int
) -> Iterator[tuple[date, str | None]]:
    if last_order is not None:
        yield last_order + timedelta(days=days), f"lapsed:{last_order}"
    # An order that nobody knows of yet is at most so many days old when it is told.
    yield today + max(_DAY, timedelta(days=days - late_days)), None
