"""Facts made by hand or by the rules themselves, read aloud in both languages."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from loyalty_service import wording
from loyalty_service.domain import calendar, earning, expiry, explaining, program
from loyalty_service.domain.earning import EventFacts, Line, OrderFacts, Pins
from loyalty_service.domain.explaining.facts import Dates, Fact
from loyalty_service.domain.ledger import (
    DEBT,
    EXPIRED,
    ISSUED,
    REDEEMED,
    Move,
    available,
    pending,
)
from tests.domain.program.documents import a_program

NOON = datetime(2030, 1, 10, 12, tzinfo=UTC)
DOCUMENT = """\
id: shop
name: Shop
timezone: Europe/Berlin
currency: eur
events:
  card_reload: {amount: money}
earning:
  - {id: purchase, on: order, points: 1, per: 1.00, counts: [merchandise], rounding: floor,
     pending_days: 14}
  - {id: welcome, on: sign_up, points: 50, times: {ever: 1}}
  - {id: opinion, on: review, points: 10, times: {month: 1}}
  - {id: reload, on: card_reload, points: 10, per: 30.00, of: amount, rounding: nearest}
  - {id: friend, on: referral, points: 250, first_order: {minimum: 25.00},
     other_side: {member: referrer, points: 500}}
campaigns:
  - {id: birthday, name: Double points in your birthday month, rules: [purchase], multiplier: 2,
     birthday: month}
tiers:
  metric: spend
  window: calendar_year
  kept: {windows: 1}
  levels:
    - {id: member, name: Member, from: 0}
    - {id: platinum, name: Platinum, from: 500.00, multiplier: 1.25}
expiry: {after: {months: 12}, until_end_of: quarter}
rewards: []
"""
RULES = program.parse(DOCUMENT)


def rules(*changes: tuple[str, str]) -> program.Program:
    """The program, changed here and there; each old text stands in it once."""
    return a_program(*changes, document=DOCUMENT)


def aloud(fact: Fact) -> tuple[str, str]:
    """A fact in English and in German."""
    english, german = (explaining.sentence(wording.voice(name), fact) for name in ("en", "de"))
    return english, german


def an_order(
    amount_minor: int = 8000,
    of: program.Program = RULES,
    lines: tuple[Line, ...] = (),
    **known: Any,
) -> Fact:
    """What an order of so much merchandise earns, with what is known of the member."""
    given = lines or (Line("cream", "skin", 1, amount_minor),)
    pins = Pins(**known)
    facts = OrderFacts(of.currency, given, 0, 0, 0)
    earned = earning.earn(of, facts, pins, on=date(2030, 1, 10))
    context = {"cause": "order", "order": "1001", "pinned": pins.as_json()}
    return _earned(earned, of, context, "order")


def an_event(kind: str, of: program.Program = RULES, *, data: Any = None, **more: Any) -> Fact:
    """What an event earns; `order` and `pins` as they would be known."""
    pins = more.pop("pins", Pins())
    earned = earning.earn_event(of, EventFacts(kind, data or {}), pins, on=date(2030, 1, 10))
    context = {"cause": "event", "event_type": kind, "pinned": pins.as_json(), **more}
    return _earned(earned, of, context, kind)


def a_fact(kind: str, cause: str = "", *moves: Move, **context: Any) -> Fact:
    """A fact that no rule decided; points that go into a lot have no dates."""
    return Fact(kind, {"cause": cause, **context}, moves, NOON, RULES)


def dated(fact: Fact, ends: date | None = date(2031, 3, 31)) -> Fact:
    """The same with points that can be spent at once, and until a day."""
    end = ends and calendar.first_moment(date.fromordinal(ends.toordinal() + 1), RULES.zone)
    return replace(fact, dates=Dates(NOON, end))


def given(points: int) -> Move:
    return Move(ISSUED, available("lot"), points)


def taken(points: int) -> Move:
    return Move(available("lot"), ISSUED, points)


def owed(points: int) -> Move:
    return Move(DEBT, ISSUED, points)


def spent(points: int) -> Move:
    return Move(available("lot"), REDEEMED, points)


def back(points: int) -> Move:
    return Move(REDEEMED, available("lot"), points)


def gone(points: int) -> Move:
    return Move(available("lot"), EXPIRED, points)


def matured(points: int) -> Move:
    return Move(pending("lot"), available("lot"), points)


def repaid(points: int) -> Move:
    return Move(available("lot"), DEBT, points)


def _earned(earned: earning.Earned, of: program.Program, context: dict[str, Any], on: str) -> Fact:
    days = of.pending_days_of(on)
    dates = Dates(calendar.matures_at(NOON, days, of.zone), expiry.lot_end(of, None, NOON))
    moves = (given(earned.points),) if earned.points else ()
    whole = {**context, "explanation": earned.explanation}
    return Fact("earn", whole, moves, NOON, of, dates if moves else None)
