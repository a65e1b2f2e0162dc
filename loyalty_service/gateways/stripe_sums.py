"""What a checkout or an invoice of Stripe's came to, taken apart as an order is: goods, discount,
tax and shipping. Pure.

Stripe's parts don't say by themselves whether tax is within them. What is sure in either case is
the total, the tax in it, and what of it is shipping with its own tax: the rest is the goods that
were paid. All fields are those of the pinned API version.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from loyalty_service.gateways import stripe_amounts

Object = Mapping[str, Any]
# Beyond it JSON's numbers are no longer exact for everybody.
_AMOUNT_MAX = 2**53 - 1


class Sums(NamedTuple):
    """Minor units; all but the total without tax, `subtotal_minor` before the discount."""

    subtotal_minor: int
    discount_minor: int
    tax_minor: int
    shipping_minor: int
    total_minor: int


def of_checkout(given: Object, currency: str) -> Sums:
    """What a checkout session came to."""
    details = given["total_details"] or {}
    discount_minor = minor(details.get("amount_discount"), currency)
    tax_minor = minor(details.get("amount_tax"), currency)
    total_minor = minor(given["amount_total"], currency)
    shipping_minor = _shipping(given, details.get("amount_shipping"), currency)
    goods_minor = total_minor - tax_minor - shipping_minor
    # The subtotal holds the tax where prices include it, and is the goods alone where they don't.
    priced_minor = minor(given.get("amount_subtotal"), currency) - discount_minor
    discount_minor = _without_tax(discount_minor, goods_minor, priced_minor - goods_minor)
    return _sums(goods_minor, discount_minor, tax_minor, shipping_minor, total_minor)


def of_invoice(given: Object, currency: str) -> Sums:
    """What an invoice came to; its own subtotal is less the discounts of its items."""
    total_minor = minor(given["total"], currency)
    taxes = [(minor(tax["amount"], currency), tax) for tax in given.get("total_taxes") or []]
    tax_minor = sum(amount for amount, _ in taxes)
    if given.get("total_excluding_tax") is not None:
        tax_minor = total_minor - minor(given["total_excluding_tax"], currency)
    within_minor = sum(part for part, tax in taxes if tax.get("tax_behavior") == "inclusive")
    shipping_minor = _shipping(given, given.get("amount_shipping"), currency)
    discounts = given.get("total_discount_amounts") or []
    discount_minor = sum(minor(each["amount"], currency) for each in discounts)
    discount_minor = _without_tax(discount_minor, total_minor - tax_minor, within_minor)
    goods_minor = total_minor - tax_minor - shipping_minor
    return _sums(goods_minor, discount_minor, tax_minor, shipping_minor, total_minor)


def minor(amount: int | None, currency: str) -> int:
    """An amount of Stripe's in ISO 4217 minor units, nothing where there is none.

    Raises TypeError and ValueError; what it was is left out, since it may be anything.
    """
    if amount is None:
        return 0
    if type(amount) is not int:
        raise TypeError("an amount is no whole number")
    if abs(amount) > _AMOUNT_MAX:
        raise ValueError("an amount is more than any price")
    return stripe_amounts.from_stripe(amount, currency)


def _shipping(given: Object, told: int | None, currency: str) -> int:
    """Shipping without its tax. `told`, the sum of it, may or may not hold that."""
    cost = given.get("shipping_cost")
    if cost is None:
        return minor(told, currency)
    return minor(cost["amount_total"], currency) - minor(cost["amount_tax"], currency)


def _without_tax(discount_minor: int, paid_minor: int, within_minor: int) -> int:
    """A discount of prices that include tax is in part tax that was not asked for; half up.

    Where all is discounted nobody says how much of it would have been tax, and none is taken off.
    """
    whole_minor = paid_minor + within_minor
    if within_minor <= 0 or paid_minor <= 0:
        return discount_minor
    return (2 * discount_minor * paid_minor + whole_minor) // (2 * whole_minor)


def _sums(
    goods_minor: int, discount_minor: int, tax_minor: int, shipping_minor: int, total_minor: int
) -> Sums:
    subtotal_minor = max(0, goods_minor + discount_minor)
    return Sums(subtotal_minor, discount_minor, tax_minor, shipping_minor, total_minor)
