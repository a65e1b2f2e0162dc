"""What limits leave of rules for a fact: pure, whoever knows what they gave so far.

Spans and cooldowns are measured on `occurred_at`; what was recorded first was first.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import NamedTuple

from loyalty_service.domain import calendar
from loyalty_service.domain.earning.evaluating import is_limited
from loyalty_service.domain.earning.pins import Pins
from loyalty_service.domain.program.document import (
    Campaign,
    EarningRule,
    Limit,
    Program,
    Span,
)

SPANS = (Span.DAY, Span.MONTH, Span.YEAR, Span.EVER)
Sums = Mapping[tuple[str, str, Span], int]
"""`points` and `times` by rule (or campaign) and span."""


class Limited(NamedTuple):
    """The rules and campaigns on a fact whose giving depends on what they gave before."""

    rules: tuple[EarningRule, ...]
    campaigns: tuple[Campaign, ...]

    @property
    def ids(self) -> list[str]:
        """Their names."""
        return [*(rule.id for rule in self.rules), *(one.id for one in self.campaigns)]

    @property
    def waits(self) -> dict[str, timedelta]:
        """The least time between two facts, for each rule that has one."""
        cooldowns = ((rule.id, rule.cooldown_seconds) for rule in self.rules)
        return {id_: timedelta(seconds=seconds) for id_, seconds in cooldowns if seconds}

    @property
    def carrying(self) -> list[str]:
        """The rules that carry a remainder on."""
        return [rule.id for rule in self.rules if rule.carry]


class Made(NamedTuple):
    """What one transaction gave by one rule (or campaign), or took back."""

    rule_id: str
    occurred_at: datetime
    points: int
    times: int
    carried: Fraction = Fraction(0)


@dataclass(frozen=True, slots=True)
class Seen:
    """What limits ask of the past: sums, when rules with a cooldown gave something, and what is
    left over of all that was given."""

    sums: Sums
    given_at: Iterable[tuple[str, datetime]]
    carries: Mapping[str, Fraction]


NOTHING_SEEN = Seen({}, (), {})


def limited_on(rules: Program, on: str) -> Limited:
    """What of the rules has limits, for an order or a type of event."""
    return Limited(
        tuple(rule for rule in rules.rules_on(on) if is_limited(rule)),
        tuple(one for one in rules.campaigns if one.times and on in one.on),
    )


def pins(
    rules: Program,
    limited: Limited,
    seen: Seen,
    *,
    tier: str | None,
    enrolled_at: datetime,
    birthday: date | None,
    balance: int,
    at: datetime,
) -> Pins:
    """What is pinned with a fact at `at`, of a member who has `balance` points of any kind."""
    day = calendar.local_date(at, rules.zone)
    both: list[EarningRule | Campaign] = [*limited.rules, *limited.campaigns]
    used_up = {one.id for one in both if _is_used_up(one, seen.sums)}
    return Pins(
        tier=tier,
        enrolled_days=max(0, (day - calendar.local_date(enrolled_at, rules.zone)).days),
        is_birthday=birthday is not None and calendar.is_anniversary(birthday, day),
        is_birthday_month=birthday is not None and birthday.month == day.month,
        headroom={
            rule.id: _headroom(rule, seen.sums) for rule in limited.rules if _spanned(rule.caps)
        },
        stopped=tuple(sorted(used_up | _cooling(limited, seen, at))),
        carry={rule: rest for rule, rest in seen.carries.items() if rest},
        balance_headroom=balance_headroom(rules, balance),
    )


def balance_headroom(rules: Program, balance: int) -> int | None:
    """How many points a member with `balance` may still earn; None without a balance cap."""
    return None if rules.balance_cap is None else max(0, rules.balance_cap - balance)


def seen_in(uses: Iterable[Made], limited: Limited, rules: Program, at: datetime) -> Seen:
    """What limits ask, out of a member's uses in the order in which they were recorded."""
    names = set(limited.ids)
    if not names:
        return NOTHING_SEEN
    mine = [use for use in uses if use.rule_id in names]
    carries = dict.fromkeys(limited.carrying, Fraction(0))
    for use in mine:
        if use.rule_id in carries:
            carries[use.rule_id] += use.carried
    return Seen(_sums(mine, rules, at), _given_at(mine, limited), carries)


def _sums(uses: Iterable[Made], rules: Program, at: datetime) -> Sums:
    bounds = {span: calendar.span_around(at, span, rules.zone) for span in SPANS}
    sums: dict[tuple[str, str, Span], int] = defaultdict(int)
    for use in uses:
        for span, within in bounds.items():
            if within is None or within[0] <= use.occurred_at < within[1]:
                sums[use.rule_id, "points", span] += use.points
                sums[use.rule_id, "times", span] += use.times
    return sums


def _given_at(uses: Iterable[Made], limited: Limited) -> list[tuple[str, datetime]]:
    waits = limited.waits
    times: dict[tuple[str, datetime], int] = defaultdict(int)
    for use in uses:
        if use.rule_id in waits:
            times[use.rule_id, use.occurred_at] += use.times
    return [when for when, count in times.items() if count > 0]


def _cooling(limited: Limited, seen: Seen, at: datetime) -> set[str]:
    """Rules that gave something nearer to `at` than their cooldown, before it or after it."""
    waits = limited.waits
    return {rule for rule, then in seen.given_at if rule in waits and abs(then - at) < waits[rule]}


def _headroom(rule: EarningRule, sums: Sums) -> int:
    return min(
        max(0, limit.at_most - sums.get((rule.id, "points", limit.span), 0))
        for limit in _spanned(rule.caps)
    )


def _spanned(limits: Iterable[Limit]) -> list[Limit]:
    return [limit for limit in limits if limit.span is not Span.ONCE]


def _is_used_up(one: EarningRule | Campaign, sums: Sums) -> bool:
    return any(
        sums.get((one.id, "times", limit.span), 0) >= limit.at_most for limit in _spanned(one.times)
    )
