from collections.abc import Callable
from fractions import Fraction

import pytest

from loyalty_service.gateways.codes import CodeRequest, GatewayRefused
from loyalty_service.gateways.stripe import StripeCodes

ARequest = Callable[..., CodeRequest]


@pytest.mark.parametrize("percent", [None, Fraction(10)])
def test_a_request_names_an_amount_or_a_percentage(
    a_request: ARequest, percent: Fraction | None
) -> None:
    with pytest.raises(ValueError, match="exactly one"):
        a_request(amount_off_minor=None if percent is None else 500, percent_off=percent)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"amount_off_minor": 150, "currency": "mga"}, "amount_not_representable"),
        (
            {"minimum_amount_minor": 1, "currency": "kwd", "amount_off_minor": 10},
            "amount_not_representable",
        ),
        ({"amount_off_minor": None, "percent_off": Fraction(1, 3)}, "percent_not_representable"),
    ],
)
def test_what_stripe_cannot_write_is_refused(
    issuer: StripeCodes, a_request: ARequest, changes: dict[str, object], code: str
) -> None:
    with pytest.raises(GatewayRefused) as refused:
        issuer.issue(a_request(**changes), timeout_seconds=10.0)
    assert refused.value.code == code
