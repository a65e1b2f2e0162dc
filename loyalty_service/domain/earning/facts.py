"""What of an order or an event decides what it earns, as plain values."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an order; `unit_amount_minor` is net of tax."""

    sku: str
    category: str | None
    quantity: int
    unit_amount_minor: int

    @property
    def amount_minor(self) -> int:
        """What all its items cost, before any discount."""
        return self.quantity * self.unit_amount_minor


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """What of an order decides what it earns, in minor units of one currency."""

    currency: str
    lines: tuple[Line, ...]
    discount_minor: int
    tax_minor: int
    shipping_minor: int

    @property
    def merchandise_minor(self) -> int:
        """What all lines cost, before any discount."""
        return sum(line.amount_minor for line in self.lines)


@dataclass(frozen=True, slots=True)
class EventFacts:
    """What of an event decides what it earns; `data` by the types that the program declares."""

    type: str
    data: Mapping[str, int | str | bool]
