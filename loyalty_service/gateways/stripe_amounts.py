"""How Stripe counts money where that differs from ISO 4217. Pure.

Most currencies are equal in both. Stripe's own table, https://docs.stripe.com/currencies:
ISK and UGX have no minor unit in ISO but two digits at Stripe, always 00; MGA has two in ISO and
none at Stripe; of the three-decimal currencies Stripe takes only amounts whose last digit is 0.
"""

from fractions import Fraction

_WHOLE_UNITS_WRITTEN_IN_HUNDREDTHS = frozenset({"isk", "ugx"})
_HUNDREDTHS_WRITTEN_IN_WHOLE_UNITS = frozenset({"mga"})
_THREE_DECIMALS = frozenset({"bhd", "jod", "kwd", "omr", "tnd"})


class NotRepresentable(ValueError):
    """Stripe has no way to write this figure; rounding it would change what was promised."""


def to_stripe(amount_minor: int, currency: str) -> int:
    """Return ISO 4217 minor units as the integer that Stripe expects.

    `currency` is a lower-case ISO 4217 code. Raises `NotRepresentable`.
    """
    if currency in _WHOLE_UNITS_WRITTEN_IN_HUNDREDTHS:
        return amount_minor * 100
    if currency in _HUNDREDTHS_WRITTEN_IN_WHOLE_UNITS:
        whole, rest = divmod(amount_minor, 100)
        if rest:
            raise NotRepresentable(f"Stripe takes {currency} in whole units only")
        return whole
    if currency in _THREE_DECIMALS and amount_minor % 10:
        raise NotRepresentable(f"Stripe takes {currency} amounts that end in 0 only")
    return amount_minor


def from_stripe(amount: int, currency: str) -> int:
    """Return an integer of Stripe's as ISO 4217 minor units.

    `currency` is a lower-case ISO 4217 code. Raises `NotRepresentable` for a part of a unit that
    has none.
    """
    if currency in _WHOLE_UNITS_WRITTEN_IN_HUNDREDTHS:
        whole, rest = divmod(amount, 100)
        if rest:
            raise NotRepresentable(f"{currency} has no minor unit, and Stripe says {amount}")
        return whole
    if currency in _HUNDREDTHS_WRITTEN_IN_WHOLE_UNITS:
        return amount * 100
    return amount


def percent_to_stripe(percent: Fraction) -> str:
    """Return a percentage as decimal text: Stripe takes two decimals. Raises `NotRepresentable`."""
    hundredths = percent * 100
    if hundredths.denominator != 1 or not 0 < percent <= 100:
        raise NotRepresentable("Stripe takes percentages above 0 up to 100 with two decimals")
    whole, rest = divmod(hundredths.numerator, 100)
    return f"{whole}.{rest:02d}".rstrip("0").rstrip(".")
