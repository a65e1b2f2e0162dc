import pytest

from loyalty_service.gateways.codes import GatewayRefused, GatewayUnclear
from loyalty_service.gateways.stripe_failures import NoSuchCoupon, translated

STRIPE_SAYS_NO = {"error": {"type": "invalid_request_error", "message": "No."}}


@pytest.mark.parametrize(
    ("status", "reason", "finished"),
    [
        (500, "server_error", True),
        (503, "server_error", True),
        (409, "conflict", False),
        (429, "rate_limited", False),
        (401, "credentials", False),
        (403, "credentials", False),
    ],
)
def test_what_leaves_the_question_open(status: int, reason: str, finished: bool) -> None:
    error = translated(status=status, body=STRIPE_SAYS_NO, headers={"Retry-After": "3"})
    assert isinstance(error, GatewayUnclear)
    assert (error.reason, error.finished, error.retry_after_seconds) == (reason, finished, 3)


@pytest.mark.parametrize("status", [400, 402, 404])
def test_a_no_in_stripes_own_shape_is_definite(status: int) -> None:
    error = translated(status=status, body=STRIPE_SAYS_NO, headers={})
    assert isinstance(error, GatewayRefused)
    assert (error.code, error.message) == ("invalid_request_error", "No.")


@pytest.mark.parametrize(("status", "reason"), [(404, "unreadable_answer"), (502, "server_error")])
def test_an_answer_of_somebody_in_between_decides_nothing(status: int, reason: str) -> None:
    error = translated(status=status, body="<html>", headers={"Retry-After": "soon"})
    assert isinstance(error, GatewayUnclear)
    assert (error.reason, error.finished, error.retry_after_seconds) == (reason, False, None)


def test_a_key_used_otherwise_needs_a_look_and_a_new_key() -> None:
    body = {"error": {"type": "idempotency_error", "message": "Keys …"}}
    error = translated(status=400, body=body, headers={})
    assert isinstance(error, GatewayUnclear)
    assert error.finished


def test_a_missing_coupon_is_told_apart_from_a_missing_customer() -> None:
    def missing(param: str) -> GatewayRefused:
        body = {"error": {"code": "resource_missing", "message": "No such …", "param": param}}
        error = translated(status=400, body=body, headers={})
        assert isinstance(error, GatewayRefused)
        return error

    assert isinstance(missing("promotion[coupon]"), NoSuchCoupon)
    assert not isinstance(missing("customer"), NoSuchCoupon)
