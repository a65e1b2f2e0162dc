"""What is left of an order after its refunds: a pure function of its lines and the SET of refunds.

Lines that came back are taken off first; refunds that name an amount alone are spread over what is
left, in proportion. Both are sums before anything is rounded, so that neither the order of refunds
nor how they were split makes a difference.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
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
    """What is left of an order; `is_nothing` where all of it came back, so that nothing is due."""

    lines: tuple[LeftLine, ...]
    tax_minor: int
    shipping_minor: int
    is_nothing: bool = False

    @property
    def paid_minor(self) -> int:
        """The merchandise money that was not given back."""
        return sum(line.paid_minor for line in self.lines)


NOTHING = Left((), 0, 0, is_nothing=True)


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
    amount = sum(refund.amount_minor for refund in refunds)
    if amount > sum(by_items):
        # Each item's share is rounded down when it comes back: what is left is what can.
        raise RefundedTooMuch(sku=None, at_most=sum(by_items))
    left = [part - off for part, off in zip(by_items, spread(amount, by_items), strict=True)]
    lines = [
        LeftLine(line, line.quantity - count, now, _taken_off(line, count, part))
        for line, count, now, part in zip(facts.lines, back, left, paid, strict=True)
    ]
    tax = facts.tax_minor * sum(left) // sum(paid) if sum(paid) else facts.tax_minor
    all_back = not any(line.quantity for line in lines) or (amount > 0 and not any(left))
    return Left(tuple(lines), tax, facts.shipping_minor, is_nothing=all_back)


def spread(amount: int, over: Sequence[int]) -> list[int]:
    """Split an amount in proportion to some parts, exactly: the shares add up to the amount."""
    total = sum(over)
    if not total:
        return [0] * len(over)
    marks = [0, *(amount * part // total for part in accumulate(over))]
    return [mark - before for before, mark in pairwise(marks)]


def _paid(facts: OrderFacts) -> list[int]:
    """What was paid for each line: its amount less its share of the discount."""
    amounts = [line.amount_minor for line in facts.lines]
    if not facts.discount_minor:
        return amounts
    discount = min(facts.discount_minor, sum(amounts))
    return [amount - off for amount, off in zip(amounts, spread(discount, amounts), strict=True)]


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


def _taken_off(line: Line, count: int, paid: int) -> int:
    return (line.amount_minor - paid) * (line.quantity - count) // line.quantity
