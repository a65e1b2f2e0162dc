"""Reading what is pinned with a fact: the member as known now, and what limits have left.

Spans and cooldowns are measured on `occurred_at`; what was recorded first was first.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

from sqlalchemy import and_, case, func, select

from loyalty_service.domain import calendar
from loyalty_service.domain.earning.evaluating import is_limited
from loyalty_service.domain.earning.explained import Use
from loyalty_service.domain.earning.pins import Pins
from loyalty_service.domain.earning.uses import RuleUse
from loyalty_service.domain.ledger import Book
from loyalty_service.domain.members import Known
from loyalty_service.domain.program.document import (
    Campaign,
    EarningRule,
    Limit,
    Program,
    Span,
)

_SPANS = (Span.DAY, Span.MONTH, Span.YEAR, Span.EVER)
_Sums = Mapping[tuple[str, str, Span], int]


def pins(
    book: Book, rules: Program, member: Known, tier: str | None, on: str, at: datetime
) -> Pins:
    """What is known of a member, and of the limits of rules on `on`, for a fact at `at`."""
    day = calendar.local_date(at, rules.zone)
    born = member.birthday
    limited = [rule for rule in rules.rules_on(on) if is_limited(rule)]
    counted = [one for one in rules.campaigns if one.times and on in one.on]
    both: list[EarningRule | Campaign] = [*limited, *counted]
    sums = _sums(book, both, at, rules) if both else {}
    cooling = _cooling(book, limited, at)
    cap = rules.balance_cap
    return Pins(
        tier=tier,
        enrolled_days=max(0, (day - calendar.local_date(member.enrolled_at, rules.zone)).days),
        is_birthday=born is not None and calendar.is_anniversary(born, day),
        is_birthday_month=born is not None and born.month == day.month,
        headroom={rule.id: _headroom(rule, sums) for rule in limited if _spanned(rule.caps)},
        stopped=tuple(sorted({one.id for one in both if _is_used_up(one, sums)} | cooling)),
        carry=_carries(book, [rule for rule in limited if rule.carry]),
        balance_headroom=None
        if cap is None
        else max(0, cap - book.available - book.pending - book.held),
    )


def rows(
    book: Book, transaction_id: str, uses: Mapping[str, Use], at: datetime
) -> list[dict[str, Any]]:
    """The rows that say what limited rules gave in the transaction that comes next."""
    return [
        {
            "program_id": book.program_id,
            "transaction_id": transaction_id,
            "rule_id": rule_id,
            "member_id": book.member_id,
            "sequence": book.sequence + 1,
            "occurred_at": at,
            "points": use.points,
            "times": use.times,
            "carry": str(use.carry) if use.carry is not None else None,
        }
        for rule_id, use in uses.items()
        if use.points or use.times or use.carry is not None
    ]


def change(before: Mapping[str, Use], after: Mapping[str, Use]) -> dict[str, Use]:
    """What uses become when a fact is evaluated again; what was carried on stays as it was."""
    none = Use(0, 0)
    return {
        rule: Use(
            after.get(rule, none).points - before.get(rule, none).points,
            after.get(rule, none).times - before.get(rule, none).times,
        )
        for rule in sorted({*before, *after})
    }


def _sums(
    book: Book, limited: Iterable[EarningRule | Campaign], at: datetime, rules: Program
) -> _Sums:
    """Points and times by rule and span, in one query."""
    columns: list[Any] = []
    for span in _SPANS:
        bounds = calendar.span_around(at, span, rules.zone)
        for name in ("points", "times"):
            value: Any = getattr(RuleUse, name)
            if bounds:
                within = and_(RuleUse.occurred_at >= bounds[0], RuleUse.occurred_at < bounds[1])
                value = case((within, value), else_=0)
            columns.append(func.coalesce(func.sum(value), 0))
    found = book.session.execute(
        select(RuleUse.rule_id, *columns)
        .where(*_of(book, [one.id for one in limited]))
        .group_by(RuleUse.rule_id)
    )
    names = [(name, span) for span in _SPANS for name in ("points", "times")]
    return {
        (row[0], name, span): int(value)
        for row in found
        for (name, span), value in zip(names, row[1:], strict=True)
    }


def _headroom(rule: EarningRule, sums: _Sums) -> int:
    return min(
        max(0, limit.at_most - sums.get((rule.id, "points", limit.span), 0))
        for limit in _spanned(rule.caps)
    )


def _spanned(limits: Iterable[Limit]) -> list[Limit]:
    return [limit for limit in limits if limit.span is not Span.ONCE]


def _is_used_up(one: EarningRule | Campaign, sums: _Sums) -> bool:
    return any(
        sums.get((one.id, "times", limit.span), 0) >= limit.at_most for limit in _spanned(one.times)
    )


def _cooling(book: Book, limited: Iterable[EarningRule], at: datetime) -> set[str]:
    """Rules that gave something nearer to `at` than their cooldown, before it or after it."""
    waits = {rule.id: rule.cooldown_seconds for rule in limited if rule.cooldown_seconds}
    if not waits:
        return set()
    longest = timedelta(seconds=max(waits.values()))
    found = book.session.execute(
        select(RuleUse.rule_id, RuleUse.occurred_at)
        .where(*_of(book, list(waits)))
        .where(RuleUse.occurred_at > at - longest, RuleUse.occurred_at < at + longest)
        .group_by(RuleUse.rule_id, RuleUse.occurred_at)
        .having(func.sum(RuleUse.times) > 0)
    )
    return {rule for rule, then in found if abs(then - at) < timedelta(seconds=waits[rule])}


def _carries(book: Book, carrying: Iterable[EarningRule]) -> dict[str, Fraction]:
    """What each rule had left over the last time."""
    found = {}
    for rule in carrying:
        last = book.session.scalar(
            select(RuleUse.carry)
            .where(*_of(book, [rule.id]), RuleUse.carry.is_not(None))
            .order_by(RuleUse.sequence.desc())
            .limit(1)
        )
        if last and Fraction(last):
            found[rule.id] = Fraction(last)
    return found


def _of(book: Book, rule_ids: list[str]) -> tuple[Any, ...]:
    return (
        RuleUse.program_id == book.program_id,
        RuleUse.member_id == book.member_id,
        RuleUse.rule_id.in_(rule_ids),
    )
