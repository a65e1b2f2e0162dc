"""The committed contract is what the pinned Stripe library says, and forms are read by it."""

from decimal import Decimal

import pytest

from loyalty_service.sandbox import contract, derive_contract
from loyalty_service.sandbox.messages import Refusal

CODES = "POST /v1/promotion_codes"
COUPONS = "POST /v1/coupons"


def test_the_committed_contract_is_what_the_pinned_library_gives() -> None:
    committed = derive_contract.CONTRACT_PATH.read_text(encoding="utf-8")
    assert committed == derive_contract.as_text(derive_contract.derive())


def test_a_form_becomes_typed_values() -> None:
    fields = [
        ("promotion[type]", "coupon"),
        ("restrictions[minimum_amount]", "1000"),
        ("active", "true"),
        ("metadata[loyalty_program]", "beauty"),
        ("expand[]", "customer"),
        ("expand[]", "promotion.coupon"),
    ]
    assert contract.read(CODES, fields) == {
        "promotion": {"type": "coupon"},
        "restrictions": {"minimum_amount": 1000},
        "active": True,
        "metadata": {"loyalty_program": "beauty"},
        "expand": ["customer", "promotion.coupon"],
    }


def test_numbers_stay_exact() -> None:
    assert contract.read(COUPONS, [("percent_off", "12.5")]) == {"percent_off": Decimal("12.5")}


@pytest.mark.parametrize(
    ("endpoint", "name", "value", "code", "param"),
    [
        (COUPONS, "amount_of", "5", "parameter_unknown", "amount_of"),
        (COUPONS, "applies_to[skus][0]", "a", "parameter_unknown", "applies_to[skus]"),
        (COUPONS, "amount_off", "5.00", "parameter_invalid_integer", "amount_off"),
        (COUPONS, "percent_off", "NaN", "parameter_invalid_decimal", "percent_off"),
        (COUPONS, "duration", "twice", None, "duration"),
        (COUPONS, "name[first]", "Ada", None, "name"),
        (COUPONS, "currency_options[eur][amount]", "5", "parameter_missing", None),
        (CODES, "code", "A", "parameter_missing", "promotion"),
        (CODES, "promotion[coupon]", "A", "parameter_missing", "promotion[type]"),
        ("GET /v1/promotion_codes", "active", "yes", "parameter_invalid_boolean", "active"),
    ],
)
def test_what_stripe_would_refuse_is_refused_by_name(
    endpoint: str, name: str, value: str, code: str | None, param: str | None
) -> None:
    with pytest.raises(Refusal) as refused:
        contract.read(endpoint, [(name, value)])
    assert refused.value.error.get("code") == code
    if param is not None:
        assert refused.value.error["param"] == param


def test_an_empty_text_clears_metadata() -> None:
    assert contract.read("POST /v1/promotion_codes/{id}", [("metadata", "")]) == {"metadata": ""}
