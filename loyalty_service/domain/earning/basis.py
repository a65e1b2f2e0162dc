"""An order or an event as rules and campaigns see it: what counts, piece by piece, and whether a
condition holds."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple, Protocol

from loyalty_service.domain.earning.facts import EventFacts
from loyalty_service.domain.earning.left import Left, LeftLine
from loyalty_service.domain.earning.pins import Pins
from loyalty_service.domain.program import conditions
from loyalty_service.domain.program.conditions import Kind, Value
from loyalty_service.domain.program.document import (
    ORDER,
    Birthday,
    Conditions,
    Counted,
    EarningRule,
    EventType,
    Items,
    Weekday,
)
from loyalty_service.domain.program.document.earning import ALL_ITEMS, ALWAYS

_WEEKDAYS = tuple(Weekday)


class Piece(NamedTuple):
    """A part of what counts, in minor units or items; `line` is None for what is no line."""

    amount: int
    line: LeftLine | None = None


class Basis(Protocol):
    """What an order and an event have in common for whoever evaluates rules."""

    @property
    def name(self) -> str:
        """`order` or the type of the event."""

    def pieces(self, rule: EarningRule) -> list[Piece]:
        """What counts for a rule that gives for each so much, or for each item."""

    def has_items(self, items: Items) -> bool:
        """Say whether there is anything for which fixed points are given."""

    @property
    def on(self) -> date | None:
        """The local date; None where nothing is dated."""

    def says(self, when: str, pins: Pins) -> bool:
        """Say whether a condition in its own words holds."""


@dataclass(frozen=True, slots=True)
class OrderBasis:
    """What is left of an order, on the local date on which it earns."""

    left: Left
    on: date | None
    # Rules, campaigns and tiers mostly count the same lines: each choice is made once.
    _counted: dict[tuple[tuple[Counted, ...], Items], list[Piece]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What rules call it."""
        return ORDER

    def pieces(self, rule: EarningRule) -> list[Piece]:
        """The lines that count, then tax and shipping where they do."""
        if rule.per_item:
            return [Piece(line.quantity, line) for line in self.lines(rule.items)]
        return self.money(rule.counts, rule.items)

    def money(self, counts: tuple[Counted, ...], items: Items) -> list[Piece]:
        """The money that counts, in minor units: of the lines that do, and beside them."""
        known = self._counted.get((counts, items))
        if known is None:
            known = self._counted[counts, items] = self._money(counts, items)
        return known

    def _money(self, counts: tuple[Counted, ...], items: Items) -> list[Piece]:
        merchandise, discounts = Counted.MERCHANDISE in counts, Counted.DISCOUNTS in counts
        found = []
        if merchandise or discounts:
            for line in self.lines(items):
                paid = line.paid_minor if merchandise else 0
                found.append(Piece(paid + (line.taken_off_minor if discounts else 0), line))
        if Counted.TAX in counts:
            found.append(Piece(self.left.tax_minor))
        if Counted.SHIPPING in counts:
            found.append(Piece(self.left.shipping_minor))
        return found

    def lines(self, items: Items) -> Iterable[LeftLine]:
        """The lines that some items name."""
        if items == ALL_ITEMS:
            return self.left.lines
        return (line for line in self.left.lines if names_line(items, line))

    def has_items(self, items: Items) -> bool:
        """Say whether any is left of the lines that some items name."""
        return any(line.quantity for line in self.lines(items))

    def says(self, when: str, pins: Pins) -> bool:
        """Say whether a condition in its own words holds."""
        left = self.left
        taken_off = sum(line.taken_off_minor for line in left.lines)
        values = {
            "order.subtotal": left.paid_minor,
            "order.total": left.paid_minor + left.tax_minor + left.shipping_minor,
            "order.discount": taken_off,
            "order.tax": left.tax_minor,
            "order.shipping": left.shipping_minor,
            "order.item_count": sum(line.quantity for line in left.lines),
            "order.line_count": sum(1 for line in left.lines if line.quantity),
            **of_member(pins),
        }
        return conditions.evaluate(Kind.ORDER, when, values)


@dataclass(frozen=True, slots=True)
class EventBasis:
    """An event, on the local date on which it happened."""

    facts: EventFacts
    type: EventType
    on: date | None

    @property
    def name(self) -> str:
        """What rules call it."""
        return self.type.name

    def pieces(self, rule: EarningRule) -> list[Piece]:
        """The money field that the rule names."""
        return [Piece(int(self.facts.data.get(rule.of or "", 0)))]

    def has_items(self, items: Items) -> bool:
        """An event needs none."""
        return True

    def says(self, when: str, pins: Pins) -> bool:
        """Say whether a condition in its own words holds."""
        data = {f"event.{name}": value for name, value in self.facts.data.items()}
        return conditions.evaluate(Kind.EVENT, when, {**data, **of_member(pins)}, self.type)


def holds(basis: Basis, wanted: Conditions, pins: Pins, *, counted_minor: int) -> bool:
    """Say whether all conditions hold; a minimum is compared with what of it counts."""
    if wanted is ALWAYS or wanted == ALWAYS:
        return True
    return (
        _days_hold(wanted, basis.on)
        and _member_holds(wanted, pins)
        and counted_minor >= (wanted.minimum_spend_minor or 0)
        and (wanted.when is None or basis.says(wanted.when, pins))
    )


def names_line(items: Items, line: LeftLine) -> bool:
    """Say whether some items name a line."""
    if items is ALL_ITEMS or items == ALL_ITEMS:
        return True
    sku, category = line.line.sku, line.line.category or ""
    named = not (items.categories or items.skus)
    if category in items.categories or sku in items.skus:
        named = True
    if not named or category in items.except_categories or sku in items.except_skus:
        return False
    return items.when is None or conditions.evaluate(Kind.ITEM, items.when, _of_line(line))


def of_member(pins: Pins) -> dict[str, Value]:
    """What a condition may ask about the member."""
    return {
        "member.tier": pins.tier or "",
        "member.enrolled_days": pins.enrolled_days,
        "member.is_birthday": pins.is_birthday,
        "member.is_birthday_month": pins.is_birthday_month,
    }


def _of_line(line: LeftLine) -> dict[str, Value]:
    # What was bought, not what is left of it: an item is what it is after a refund, too.
    return {
        "item.sku": line.line.sku,
        "item.category": line.line.category or "",
        "item.quantity": line.line.quantity,
        "item.unit_amount": line.line.unit_amount_minor,
        "item.amount": line.line.amount_minor,
    }


def _days_hold(wanted: Conditions, on: date | None) -> bool:
    if wanted.from_day is None and wanted.until_day is None and not wanted.weekdays:
        return True
    return (
        on is not None
        and (wanted.from_day is None or wanted.from_day <= on)
        and (wanted.until_day is None or on <= wanted.until_day)
        and (not wanted.weekdays or _WEEKDAYS[on.weekday()] in wanted.weekdays)
    )


def _member_holds(wanted: Conditions, pins: Pins) -> bool:
    near = {
        None: True,
        Birthday.DAY: pins.is_birthday,
        Birthday.MONTH: pins.is_birthday_month,
    }[wanted.birthday]
    return near and (not wanted.tiers or pins.tier in wanted.tiers)
