"""Programs and facts in few words: what a document says beside its head, and an order's lines."""

from datetime import date
from typing import Any

from loyalty_service.domain import earning
from loyalty_service.domain.earning import (
    Earned,
    EventFacts,
    Left,
    Line,
    OrderFacts,
    Pins,
    RefundFacts,
)
from loyalty_service.domain.program import parsing
from loyalty_service.domain.program.document import Program

HEAD = """\
id: shop
name: Shop
timezone: Europe/Berlin
currency: eur
expiry: never
"""
PURCHASE = (
    "{id: purchase, on: order, points: 1, per: 1.00, counts: [merchandise], rounding: floor, "
    "pending_days: 0}"
)
TIERS = """\
tiers:
  metric: spend
  window: calendar_year
  kept: {windows: 1}
  levels:
    - {id: member, name: Member, from: 0}
    - {id: gold, name: Gold, from: 500.00, multiplier: 5/4}
"""
A_DAY = date(2026, 5, 9)


def a_program(*rules: str, more: str = "") -> Program:
    """The rules of a list, each in braces, and more sections."""
    return parsing.parse(HEAD + "earning:\n" + "".join(f"  - {rule}\n" for rule in rules) + more)


def with_campaigns(*campaigns: str, stacking: str = "best", rule: str = PURCHASE) -> Program:
    """One rule, two tiers and some campaigns."""
    listed = "".join(f"  - {one}\n" for one in campaigns)
    return a_program(rule, more=f"{TIERS}stacking: {stacking}\ncampaigns:\n{listed}")


def a_rule(words: str, *, days: int = 0) -> str:
    """A rule on orders called `extra`."""
    return f"{{id: extra, on: order, pending_days: {days}, {words}}}"


def a_line(sku: str, unit_minor: int, quantity: int = 1, category: str | None = None) -> Line:
    return Line(sku, category, quantity, unit_minor)


def an_order(
    *lines: Line, discount_minor: int = 0, tax_minor: int = 0, shipping_minor: int = 0
) -> OrderFacts:
    return OrderFacts("eur", lines, discount_minor, tax_minor, shipping_minor)


def of(amount_minor: int, **more: int) -> OrderFacts:
    """An order of one item."""
    return an_order(a_line("cream", amount_minor), **more)


def points(program: Program, facts: OrderFacts, on: date = A_DAY, **pins: Any) -> int:
    return earning.earn(program, facts, Pins(**pins), on=on).points


def points_of(program: Program, type_: str, on: date = A_DAY, **data: Any) -> int:
    return told(program, type_, on=on, **data).points


def told(
    program: Program, type_: str, pins: Pins | None = None, on: date = A_DAY, **data: Any
) -> Earned:
    """What an event earns."""
    return earning.earn_event(program, EventFacts(type_, data), pins or Pins(), on=on)


def by_amount(amount_minor: int) -> RefundFacts:
    return RefundFacts(amount_minor=amount_minor)


def by_items(*items: tuple[str, int]) -> RefundFacts:
    return RefundFacts(items=items)


def due(program: Program, facts: OrderFacts, *refunds: RefundFacts, **pins: Any) -> Earned:
    """What is due for what refunds leave of an order."""
    return due_for(program, earning.left_of(facts, refunds), **pins)


def due_for(program: Program, left: Left, **pins: Any) -> Earned:
    return earning.earn_left(program, left, Pins(**pins), on=A_DAY)
