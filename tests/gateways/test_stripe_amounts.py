from fractions import Fraction

import pytest

from loyalty_service.gateways.stripe_amounts import (
    NotRepresentable,
    from_stripe,
    percent_to_stripe,
    to_stripe,
)


@pytest.mark.parametrize(
    ("amount_minor", "currency", "at_stripe"),
    [
        (500, "usd", 500),
        (500, "jpy", 500),
        (500, "huf", 500),
        (5, "isk", 500),
        (5, "ugx", 500),
        (500, "mga", 5),
        (5120, "kwd", 5120),
    ],
)
def test_minor_units_become_what_stripe_counts(
    amount_minor: int, currency: str, at_stripe: int
) -> None:
    assert to_stripe(amount_minor, currency) == at_stripe
    assert from_stripe(at_stripe, currency) == amount_minor


@pytest.mark.parametrize("currency", ["isk", "ugx"])
def test_a_part_of_a_unit_that_has_none_is_never_rounded(currency: str) -> None:
    with pytest.raises(NotRepresentable):
        from_stripe(550, currency)


@pytest.mark.parametrize(("amount_minor", "currency"), [(150, "mga"), (5124, "kwd")])
def test_what_stripe_cannot_write_is_never_rounded(amount_minor: int, currency: str) -> None:
    with pytest.raises(NotRepresentable):
        to_stripe(amount_minor, currency)


@pytest.mark.parametrize(
    ("percent", "text"),
    [
        (Fraction(10), "10"),
        (Fraction(100), "100"),
        (Fraction(25, 2), "12.5"),
        (Fraction(1, 20), "0.05"),
        (Fraction(3333, 100), "33.33"),
    ],
)
def test_a_percentage_is_exact_text(percent: Fraction, text: str) -> None:
    assert percent_to_stripe(percent) == text


@pytest.mark.parametrize("percent", [Fraction(100, 3), Fraction(0), Fraction(101)])
def test_a_percentage_that_stripe_cannot_write_is_refused(percent: Fraction) -> None:
    with pytest.raises(NotRepresentable):
        percent_to_stripe(percent)
