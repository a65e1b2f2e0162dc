"""Money read from text and written back, exactly."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty_service.domain import money
from loyalty_service.domain.limits import INTEGER_MAX


@pytest.mark.parametrize(
    ("currency", "decimals"), [("eur", 2), ("jpy", 0), ("isk", 0), ("kwd", 3), ("uyu", 2)]
)
def test_a_currency_has_its_own_number_of_decimals(currency: str, decimals: int) -> None:
    assert money.exponent(currency) == decimals


@pytest.mark.parametrize("code", ["EUR", "xyz", "xau", "", "eu", "dem", "xxx", "eur "])
def test_what_is_no_currency_in_use_is_refused(code: str) -> None:
    assert not money.is_currency(code)
    with pytest.raises(ValueError, match="ISO 4217"):
        money.exponent(code)


@pytest.mark.parametrize(
    ("text", "currency", "amount_minor"),
    [
        ("3.00", "eur", 300),
        ("3", "eur", 300),
        ("3.5", "eur", 350),
        ("0.29", "eur", 29),
        ("500", "jpy", 500),
        ("1.005", "kwd", 1005),
        ("90071992547409.91", "eur", 2**53 - 1),
    ],
)
def test_an_amount_is_read_exactly(text: str, currency: str, amount_minor: int) -> None:
    assert money.parse_major(text, currency) == amount_minor


@pytest.mark.parametrize(
    ("text", "currency"),
    [
        ("1.005", "eur"),
        ("500.0", "jpy"),
        ("-1", "eur"),
        ("+1", "eur"),
        ("1e2", "eur"),
        ("1,00", "eur"),
        ("1_0", "eur"),
        (".5", "eur"),
        ("5.", "eur"),
        ("", "eur"),
        ("1.00\n", "eur"),
        ("\N{ARABIC-INDIC DIGIT ONE}", "eur"),
        ("90071992547409.92", "eur"),
        ("9" * 5000, "eur"),
    ],
)
def test_an_amount_that_is_not_exactly_money_is_refused(text: str, currency: str) -> None:
    with pytest.raises(ValueError, match=r"is not an amount in|is too much"):
        money.parse_major(text, currency)


@pytest.mark.parametrize(
    ("amount_minor", "currency", "text"),
    [
        (300, "eur", "3.00"),
        (5, "eur", "0.05"),
        (-5, "eur", "-0.05"),
        (7, "jpy", "7"),
        (0, "eur", "0.00"),
    ],
)
def test_an_amount_is_written_with_all_its_decimals(
    amount_minor: int, currency: str, text: str
) -> None:
    assert money.format_major(amount_minor, currency) == text


@given(st.integers(0, INTEGER_MAX), st.sampled_from(["eur", "jpy", "kwd"]))
def test_what_was_written_is_read_back(amount_minor: int, currency: str) -> None:
    assert money.parse_major(money.format_major(amount_minor, currency), currency) == amount_minor
