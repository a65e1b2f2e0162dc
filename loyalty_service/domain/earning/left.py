"""What is left of an order after its refunds: a pure function of its lines and the SET of refunds.

Lines that came back are taken off first; refunds that name an amount alone are spread over what is
left, in proportion. Both are sums before anything is rounded, so that neither the order of refunds
nor how they were split makes a difference. Whoever got all the money back has nothing left, as if
all items had come back; shipping is not merchandise and stays.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from typing import NamedTuple

from loyalty_service.domain.earning.facts import Line, OrderFacts


@dataclass(frozen=True, slots=True)
class RefundFacts:
    """Either an amount of merchandise money, or items that came back by sku."""

    amount_minor: int = 0
    items: tuple[tuple[str, int], ...] = ()


class LeftLine(NamedTuple):
    """A line with what is left of it: `paid_minor` net of discounts, `taken_off_minor` of them."""

    line: Line
    quantity: int
    paid_minor: int
    taken_off_minor: int


@dataclass(frozen=True, slots=True)
class Left:
    """What is left of an order."""

    lines: tuple[LeftLine, ...]
    tax_minor: int
    shipping_minor: int

    @property
    def is_nothing(self) -> bool:
        """Whether all items came back, or it was cancelled."""
        return not any(line.quantity for line in self.lines)

    @property
    def paid_minor(self) -> int:
        """The merchandise money that was not given back."""
        return sum(line.paid_minor for line in self.lines)


# Amounts are below 2**53, so quotients of them that differ do by more than 2**-110.
_BITS = 128
NOTHING = Left((), 0, 0)


class RefundedTooMuch(ValueError):
    """More comes back than was bought: of a sku (`items` are left), or of money."""

    def __init__(self, *, sku: str | None, at_most: int) -> None:
        super().__init__(f"at most {at_most} can come back")
        self.sku, self.at_most = sku, at_most


def left_of(facts: OrderFacts, refunds: Iterable[RefundFacts] = ()) -> Left:
    """Return what refunds leave of an order; raise RefundedTooMuch where they are more than it."""
    refunds = tuple(refunds)
    paid = _paid(facts)
    if not refunds:
        lines = [
            LeftLine(line, line.quantity, part, line.amount_minor - part)
            for line, part in zip(facts.lines, paid, strict=True)
        ]
        return Left(tuple(lines), facts.tax_minor, facts.shipping_minor)
    back = _items_back(facts.lines, refunds)
    by_items = [
        part * (line.quantity - count) // line.quantity
        for line, part, count in zip(facts.lines, paid, back, strict=True)
    ]
    amount, there = sum(refund.amount_minor for refund in refunds), sum(by_items)
    if amount > there:
        # Each item's share is rounded down when it comes back: what is left is what can.
        raise RefundedTooMuch(sku=None, at_most=there)
    if amount and amount == there:
        back = [line.quantity for line in facts.lines]
    left = spread(there - amount, by_items)
    lines = [
        LeftLine(line, line.quantity - count, now, _taken_off(line, count, part))
        for line, count, now, part in zip(facts.lines, back, left, paid, strict=True)
    ]
    return Left(tuple(lines), _tax(facts, lines, sum(paid)), facts.shipping_minor)


def spread(amount: int, over: Sequence[int]) -> list[int]:
    """Split an amount, at most the sum of some parts, in proportion to them (Webster's method).

    The shares add up to the amount, none is above its part, and none grows where the amount or
    any part shrinks: rounding each share, or marks along the sum, would not give that.
    """
    total = sum(over)
    if not total:
        return [0] * len(over)
    shares = [(2 * amount * part + total) // (2 * total) for part in over]
    off = amount - sum(shares)
    step = 1 if off > 0 else -1
    turns = [turn for at in range(len(over)) for turn in _turn(over[at], shares[at], at, step)]
    heapify(turns)
    for _ in range(abs(off)):
        *_, at = heappop(turns)
        shares[at] += step
        for turn in _turn(over[at], shares[at], at, step):
            heappush(turns, turn)
    return shares


def _turn(part: int, share: int, at: int, step: int) -> list[tuple[int, int, int]]:
    """When a part's share takes a step: who is most below its due goes up first, of equals the
    first; down is the same backwards."""
    if share + step < 0:
        return []
    # Exact, and a tenth of what fractions cost: two of them that differ do so before this bit.
    return [(-step * ((part << _BITS) // (2 * share + step)), step * at, at)]


def _paid(facts: OrderFacts) -> list[int]:
    """What was paid for each line: its amount less its share of the discount."""
    amounts = [line.amount_minor for line in facts.lines]
    if not facts.discount_minor:
        return amounts
    return spread(max(0, sum(amounts) - facts.discount_minor), amounts)


def _items_back(lines: Sequence[Line], refunds: Iterable[RefundFacts]) -> list[int]:
    """How many items of each line came back; lines of one sku are filled in their order."""
    wanted: Counter[str] = Counter()
    for refund in refunds:
        for sku, quantity in refund.items:
            wanted[sku] += quantity
    for sku, quantity in wanted.items():
        bought = sum(line.quantity for line in lines if line.sku == sku)
        if quantity > bought:
            raise RefundedTooMuch(sku=sku, at_most=bought)
    back = []
    for line in lines:
        count = min(wanted[line.sku], line.quantity)
        wanted[line.sku] -= count
        back.append(count)
    return back


def _tax(facts: OrderFacts, lines: Iterable[LeftLine], paid_minor: int) -> int:
    """Tax goes with the money; where all was for nothing, with the last item."""
    if paid_minor:
        return facts.tax_minor * sum(line.paid_minor for line in lines) // paid_minor
    return facts.tax_minor if any(line.quantity for line in lines) else 0


def _taken_off(line: Line, count: int, paid: int) -> int:
    return (line.amount_minor - paid) * (line.quantity - count) // line.quantity
