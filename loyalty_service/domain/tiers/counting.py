"""What counts towards tiers, and on which days which tiers were reached. Pure.

Each version of the rules decides on the days on which something was credited under it. It counts
what was credited under every version: each credit notes all metrics.
"""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from itertools import accumulate
from typing import NamedTuple

from loyalty_service.domain.calendar import local_date
from loyalty_service.domain.program.document import Metric, Program, Tiers
from loyalty_service.domain.tiers import windows
from loyalty_service.domain.tiers.windows import Span


class Credit(NamedTuple):
    """What a local day, or one fact of it, adds to a member's credits under one version.

    `base_points` are qualifying points as the rules alone give them, `points` as they were given.
    What takes back is a credit below zero on the day of what it takes back.
    """

    day: date
    program_version: int
    spend_minor: int
    base_points: int
    points: int
    orders: int

    def amount(self, tiers: Tiers) -> int:
        """What of it counts by the metric of these tiers."""
        if tiers.metric is Metric.SPEND:
            return self.spend_minor
        if tiers.metric is Metric.ORDERS:
            return self.orders
        return self.points if tiers.include_multipliers else self.base_points


@dataclass(frozen=True, slots=True)
class Reached:
    """The tiers above the lowest that a day reached, and the last day on which that keeps them."""

    tiers: tuple[str, ...]
    kept_through: date


def reached(
    credits: Iterable[Credit], versions: Mapping[int, Program], enrolled_at: datetime
) -> Iterator[Reached]:
    """Every reaching of a tier above the lowest, in no order.

    A day counts as a whole, and only where more was credited on it than taken back: what was
    refunded keeps nothing. `versions` holds every version that credits were recorded under.
    """
    known = list(credits)
    for number in {credit.program_version for credit in known}:
        yield from _under(number, versions[number], known, enrolled_at)


def sum_in(credits: Iterable[Credit], tiers: Tiers, span: Span) -> int:
    """What counts of the days of a span."""
    return sum(one.amount(tiers) for one in credits if span.first <= one.day <= span.last)


def by_day(credits: Iterable[Credit], tiers: Tiers) -> Counter[date]:
    """What counts of each day, less what was taken back."""
    days: Counter[date] = Counter()
    for credit in credits:
        days[credit.day] += credit.amount(tiers)
    return days


def _under(
    number: int, rules: Program, credits: list[Credit], enrolled_at: datetime
) -> Iterator[Reached]:
    tiers = rules.tiers
    if tiers is None:
        return
    enrolled = local_date(enrolled_at, rules.zone)
    days, own = by_day(credits, tiers), by_day(_of_version(credits, number), tiers)
    sums = _Sums(days)
    for day, amount in own.items():
        if amount > 0 and days[day] > 0:
            total = sums.between(Span(windows.span(tiers.window, day, enrolled).first, day))
            names = tuple(level.id for level in tiers.levels[1:] if level.from_credits <= total)
            if names:
                yield Reached(names, windows.kept_through(tiers, day, enrolled))


def _of_version(credits: Iterable[Credit], number: int) -> Iterator[Credit]:
    return (credit for credit in credits if credit.program_version == number)


class _Sums:
    """Sums over days, so that a window costs no walk over its days."""

    def __init__(self, amounts: Mapping[date, int]) -> None:
        self.days = sorted(amounts)
        self.totals = [0, *accumulate(amounts[day] for day in self.days)]

    def between(self, span: Span) -> int:
        """The sum of a span of days."""
        until = self.totals[bisect_right(self.days, span.last)]
        return until - self.totals[bisect_left(self.days, span.first)]
