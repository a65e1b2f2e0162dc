import threading

import pytest
import requests

from .conftest import SECONDS, Caller

COUPONS = "/v1/coupons"
FIVE = {"percent_off": 5}


def coupons(stripe: Caller) -> int:
    return len(stripe.control("GET", "state")["coupons"])


def test_the_same_request_under_the_same_key_is_replayed(stripe: Caller) -> None:
    first, again = (stripe("POST", COUPONS, FIVE, key="k") for _ in range(2))
    assert again.json() == first.json()
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert first.headers["request-id"] != again.headers["request-id"]
    assert coupons(stripe) == 1


def test_without_a_key_each_request_stands_alone(stripe: Caller) -> None:
    for _ in range(2):
        stripe("POST", COUPONS, FIVE)
    assert coupons(stripe) == 2


@pytest.mark.parametrize(("path", "form"), [(COUPONS, {"percent_off": 6}), ("/v1/customers", FIVE)])
def test_the_same_key_for_something_else_is_refused(
    stripe: Caller, path: str, form: dict[str, int]
) -> None:
    stripe("POST", COUPONS, FIVE, key="k")
    refused = stripe("POST", path, form, key="k")
    assert refused.status_code == 400
    assert refused.json()["error"]["type"] == "idempotency_error"


def test_a_refusal_by_state_is_kept(stripe: Caller) -> None:
    form = {"promotion[type]": "coupon", "promotion[coupon]": "five"}
    assert stripe("POST", "/v1/promotion_codes", form, key="k").status_code == 400
    stripe.coupon(id="five", percent_off=5)
    replayed = stripe("POST", "/v1/promotion_codes", form, key="k")
    assert replayed.status_code == 400
    assert replayed.headers["Idempotent-Replayed"] == "true"


def test_a_parameter_error_before_execution_is_not_kept(stripe: Caller) -> None:
    assert stripe("POST", COUPONS, {"percent_of": 5}, key="k").status_code == 400
    assert stripe("POST", COUPONS, FIVE, key="k").status_code == 200


@pytest.mark.parametrize("kind", ["conflict_409", "rate_limit_429"])
def test_a_conflict_or_limit_is_not_kept(stripe: Caller, kind: str) -> None:
    stripe.control("POST", "faults", {"kind": kind})
    assert str(stripe("POST", COUPONS, FIVE, key="k").status_code) == kind[-3:]
    assert stripe("POST", COUPONS, FIVE, key="k").status_code == 200


def test_a_wrong_account_key_is_not_kept(stripe: Caller) -> None:
    assert stripe("POST", COUPONS, FIVE, key="k", account_key="nonsense").status_code == 401
    assert stripe("POST", COUPONS, FIVE, key="k").status_code == 200


@pytest.mark.parametrize(("kind", "made"), [("error_500_before", 0), ("error_500_after", 1)])
def test_a_500_is_kept_whether_it_executed_or_not(stripe: Caller, kind: str, made: int) -> None:
    stripe.control("POST", "faults", {"kind": kind})
    assert stripe("POST", COUPONS, FIVE, key="k").status_code == 500
    again = stripe("POST", COUPONS, FIVE, key="k")
    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (500, "true")
    assert coupons(stripe) == made


def test_forgotten_keys_execute_again(stripe: Caller) -> None:
    stripe("POST", COUPONS, FIVE, key="k")
    stripe.control("POST", "faults", {"kind": "forget_keys"})
    assert "Idempotent-Replayed" not in stripe("POST", COUPONS, FIVE, key="k").headers
    assert coupons(stripe) == 2


def test_a_key_in_flight_is_refused_until_it_is_over(stripe: Caller) -> None:
    stripe.control("POST", "faults", {"kind": "hold_before", "path": COUPONS})
    answers: list[requests.Response] = []
    first = threading.Thread(
        target=lambda: answers.append(
            requests.post(
                stripe.server.url + COUPONS,
                data=FIVE,
                headers={"Authorization": "Bearer sk_test_x", "Idempotency-Key": "k"},
                timeout=SECONDS,
            )
        )
    )
    first.start()
    assert stripe.control("GET", f"held?at_least=1&seconds={SECONDS}") == {"held": 1}
    refused = stripe("POST", COUPONS, FIVE, key="k")
    assert refused.status_code == 409
    assert refused.json()["error"]["code"] == "idempotency_key_in_use"
    assert stripe("POST", COUPONS, {"percent_off": 6}, key="k").status_code == 400
    assert stripe.control("POST", "release") == {"released": 1}
    first.join(SECONDS)
    assert answers[0].status_code == 200
    assert stripe("POST", COUPONS, FIVE, key="k").json() == answers[0].json()
    assert coupons(stripe) == 1
