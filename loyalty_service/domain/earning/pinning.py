"""Reading what is pinned with a fact: the member as known now, and what limits have left.

What limits ask of the past is read here; what follows from it is `limiting`'s.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from fractions import Fraction
from typing import Any

from sqlalchemy import and_, case, func, select

from loyalty_service.domain import calendar
from loyalty_service.domain.earning import limiting
from loyalty_service.domain.earning.explained import NO_USE, Use
from loyalty_service.domain.earning.limiting import NOTHING_SEEN, SPANS, Limited, Seen, Sums
from loyalty_service.domain.earning.pins import Pins
from loyalty_service.domain.earning.uses import RuleUse
from loyalty_service.domain.ledger import Book
from loyalty_service.domain.members import Known
from loyalty_service.domain.program.document import Program


def pins(
    book: Book, rules: Program, member: Known, tier: str | None, on: str, at: datetime
) -> Pins:
    """What is known of a member, and of the limits of rules on `on`, for a fact at `at`."""
    limited = limiting.limited_on(rules, on)
    return limiting.pins(
        rules,
        limited,
        _seen(book, limited, rules, at),
        tier=tier,
        enrolled_at=member.enrolled_at,
        birthday=member.birthday,
        balance=book.available + book.pending + book.held,
        at=at,
    )


def given(uses: Mapping[str, Use]) -> dict[str, Use]:
    """The uses that anything is to be remembered of."""
    return {rule_id: use for rule_id, use in uses.items() if use}


def rows(
    book: Book, transaction_id: str, uses: Mapping[str, Use], at: datetime
) -> list[dict[str, Any]]:
    """The rows that say what limited rules gave in the transaction that comes next."""
    kept = given(uses)
    carries = _carries(book, (rule_id for rule_id, use in kept.items() if use.carried))
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
            "carry": str(carries[rule_id] + use.carried) if use.carried else None,
        }
        for rule_id, use in kept.items()
    ]


def change(before: Mapping[str, Use], after: Mapping[str, Use]) -> dict[str, Use]:
    """What uses become when a fact is evaluated again."""
    return {
        rule: after.get(rule, NO_USE).less(before.get(rule, NO_USE))
        for rule in sorted({*before, *after})
    }


def _seen(book: Book, limited: Limited, rules: Program, at: datetime) -> Seen:
    if not limited.ids:
        return NOTHING_SEEN
    return Seen(
        _sums(book, limited, at, rules),
        _given_at(book, limited, at),
        _carries(book, limited.carrying),
    )


def _sums(book: Book, limited: Limited, at: datetime, rules: Program) -> Sums:
    """Points and times by rule and span, in one query."""
    columns: list[Any] = []
    for span in SPANS:
        bounds = calendar.span_around(at, span, rules.zone)
        for name in ("points", "times"):
            value: Any = getattr(RuleUse, name)
            if bounds:
                within = and_(RuleUse.occurred_at >= bounds[0], RuleUse.occurred_at < bounds[1])
                value = case((within, value), else_=0)
            columns.append(func.coalesce(func.sum(value), 0))
    found = book.session.execute(
        select(RuleUse.rule_id, *columns).where(*_of(book, limited.ids)).group_by(RuleUse.rule_id)
    )
    names = [(name, span) for span in SPANS for name in ("points", "times")]
    return {
        (row[0], name, span): int(value)
        for row in found
        for (name, span), value in zip(names, row[1:], strict=True)
    }


def _given_at(book: Book, limited: Limited, at: datetime) -> list[tuple[str, datetime]]:
    """When rules with a cooldown gave something, as near to `at` as the longest of them."""
    waits = limited.waits
    if not waits:
        return []
    longest = max(waits.values())
    found = book.session.execute(
        select(RuleUse.rule_id, RuleUse.occurred_at)
        .where(*_of(book, list(waits)))
        .where(RuleUse.occurred_at > at - longest, RuleUse.occurred_at < at + longest)
        .group_by(RuleUse.rule_id, RuleUse.occurred_at)
        .having(func.sum(RuleUse.times) > 0)
    )
    return [(rule, then) for rule, then in found]


def _carries(book: Book, carrying: Iterable[str]) -> dict[str, Fraction]:
    """What each rule has left over."""
    found = {}
    for rule_id in carrying:
        last = book.session.scalar(
            select(RuleUse.carry)
            .where(*_of(book, [rule_id]), RuleUse.carry.is_not(None))
            .order_by(RuleUse.sequence.desc())
            .limit(1)
        )
        found[rule_id] = Fraction(last or 0)
    return found


def _of(book: Book, rule_ids: list[str]) -> tuple[Any, ...]:
    return (
        RuleUse.program_id == book.program_id,
        RuleUse.member_id == book.member_id,
        RuleUse.rule_id.in_(rule_ids),
    )
