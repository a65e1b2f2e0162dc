"""Whatever goes wrong on the way, asking again ends in exactly one active code."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
import requests

from loyalty_service.gateways.codes import CodeRequest, GatewayUnclear, IssuedCode
from loyalty_service.gateways.stripe import StripeCodes
from loyalty_service.sandbox import Server, faults

ARequest = Callable[..., CodeRequest]
CODES = "/v1/promotion_codes"
SHORT_SECONDS = 0.3
SECONDS = 10.0


def order(sandbox: Server, kind: str, **details: Any) -> None:
    body = {"kind": kind, "path": CODES, "method": "POST"} | details
    requests.post(f"{sandbox.url}/_sandbox/faults", json=body, timeout=SECONDS).raise_for_status()


def look(sandbox: Server, what: str) -> dict[str, Any]:
    answer: dict[str, Any] = requests.get(f"{sandbox.url}/_sandbox/{what}", timeout=SECONDS).json()
    return answer


def release(sandbox: Server) -> None:
    requests.post(f"{sandbox.url}/_sandbox/release", timeout=SECONDS).raise_for_status()


def codes(sandbox: Server) -> list[dict[str, Any]]:
    return list(look(sandbox, "state")["promotion_codes"])


def with_coupon(issuer: StripeCodes, request: CodeRequest) -> CodeRequest:
    """Make the coupon beforehand, so that a call for a code is one request."""
    other = {"subject_id": "rdm_before", "code": "BEFORE"}
    fields = {name: getattr(request, name) for name in request.__slots__}
    issuer.issue(CodeRequest(**fields | other), timeout_seconds=SECONDS)
    return request


def unclear(issuer: StripeCodes, request: CodeRequest, seconds: float) -> GatewayUnclear:
    with pytest.raises(GatewayUnclear) as caught:
        issuer.issue(request, timeout_seconds=seconds)
    return caught.value


def assert_one_active(sandbox: Server, issued: IssuedCode) -> None:
    named = [each for each in codes(sandbox) if each["code"] == issued.code]
    assert [(each["id"], each["active"]) for each in named] == [(issued.promotion_code_id, True)]


def test_every_kind_of_fault_has_a_test_here() -> None:
    tested = {name for name in globals() if name.startswith("test_")}
    for kind in faults.KINDS:
        assert any(kind in name for name in tested), kind


def test_timeout_after_success_is_unclear_and_the_same_key_finds_the_code(
    sandbox: Server, issuer: StripeCodes, a_request: ARequest
) -> None:
    request = with_coupon(issuer, a_request())
    # A budget that is not kept would see the connection close.
    order(sandbox, "timeout_after_success", seconds=3)
    error = unclear(issuer, request, SHORT_SECONDS)
    assert (error.reason, error.finished) == ("timeout", False)
    assert_one_active(sandbox, issuer.issue(request, timeout_seconds=SECONDS))


def test_timeout_after_success_by_a_closed_connection_is_unclear(
    sandbox: Server, issuer: StripeCodes, a_request: ARequest
) -> None:
    request = with_coupon(issuer, a_request())
    order(sandbox, "timeout_after_success")
    error = unclear(issuer, request, SECONDS)
    assert (error.reason, error.finished) == ("connection", False)
    assert len(codes(sandbox)) == 2
    assert_one_active(sandbox, issuer.issue(request, timeout_seconds=SECONDS))


@pytest.mark.parametrize("made_before_looking", [0, 1])
def test_error_500_before_is_finished_and_the_next_generation_makes_the_code(
    sandbox: Server, issuer: StripeCodes, a_request: ARequest, made_before_looking: int
) -> None:
    request = with_coupon(issuer, a_request())
    order(sandbox, ["error_500_before", "error_500_after"][made_before_looking])
    error = unclear(issuer, request, SECONDS)
    assert (error.reason, error.finished) == ("server_error", True)
    assert len(codes(sandbox)) == 1 + made_before_looking
    # The same key would replay the 500 for ever.
    assert unclear(issuer, request, SECONDS).finished
    issued = issuer.issue(a_request(look_first=True, key_generation=1), timeout_seconds=SECONDS)
    assert_one_active(sandbox, issued)


def test_error_500_after_is_found_by_the_next_generation_even_without_looking(
    sandbox: Server, issuer: StripeCodes, a_request: ARequest
) -> None:
    request = with_coupon(issuer, a_request())
    order(sandbox, "error_500_after")
    assert unclear(issuer, request, SECONDS).finished
    assert_one_active(sandbox, issuer.issue(a_request(key_generation=1), timeout_seconds=SECONDS))


def test_error_500_before_on_the_coupon_does_not_outlive_the_generation(
    sandbox: Server, issuer: StripeCodes, a_request: ARequest
) -> None:
    order(sandbox, "error_500_before", path="/v1/coupons")
    assert unclear(issuer, a_request(), SECONDS).finished
    assert_one_active(sandbox, issuer.issue(a_request(key_generation=1), timeout_seconds=SECONDS))


def test_error_500_before_on_a_look_says_nothing_about_the_earlier_try(
    sandbox: Server, issuer: StripeCodes, a_request: ARequest
) -> None:
    order(sandbox, "error_500_before", method="GET")
    error = unclear(issuer, a_request(look_first=True), SECONDS)
    assert (error.reason, error.finished) == ("server_error", False)
    assert_one_active(sandbox, issuer.issue(a_request(look_first=True), timeout_seconds=SECONDS))


def test_conflict_409_is_unclear_and_the_same_key_goes_on(
    sandbox: Server, issuer: StripeCodes, a_request: ARequest
) -> None:
    order(sandbox, "conflict_409")
    error = unclear(issuer, a_request(), SECONDS)
    assert (error.reason, error.finished) == ("conflict", False)
    assert_one_active(sandbox, issuer.issue(a_request(), timeout_seconds=SECONDS))


def test_rate_limit_429_tells_when_to_come_back(
    sandbox: Server, issuer: StripeCodes, a_request: ARequest
) -> None:
    order(sandbox, "rate_limit_429", seconds=7)
    error = unclear(issuer, a_request(), SECONDS)
    assert (error.reason, error.finished, error.retry_after_seconds) == ("rate_limited", False, 7)
    assert_one_active(sandbox, issuer.issue(a_request(), timeout_seconds=SECONDS))


def test_slow_within_the_budget_is_only_slow(
    sandbox: Server, issuer: StripeCodes, a_request: ARequest
) -> None:
    order(sandbox, "slow", seconds=0.05)
    assert_one_active(sandbox, issuer.issue(a_request(), timeout_seconds=SECONDS))


def test_slow_requests_share_one_budget(
    sandbox: Server, issuer: StripeCodes, a_request: ARequest
) -> None:
    # Each alone fits: without a coupon it takes three requests to make a code.
    order(sandbox, "slow", seconds=0.2, times=3, path="/v1/*")
    error = unclear(issuer, a_request(), SHORT_SECONDS)
    assert error.reason in ("timeout", "deadline")
    assert not error.finished


def test_nothing_is_asked_without_a_budget(
    sandbox: Server, issuer: StripeCodes, a_request: ARequest
) -> None:
    error = unclear(issuer, a_request(), 0.0)
    assert (error.reason, error.finished) == ("deadline", False)
    assert look(sandbox, "calls")["calls"] == []


@pytest.mark.parametrize("kind", ["hold_before", "hold_after"])
def test_hold_before_and_hold_after_keep_the_key_in_use_until_released(
    sandbox: Server, issuer: StripeCodes, a_request: ARequest, kind: str
) -> None:
    request = with_coupon(issuer, a_request())
    order(sandbox, kind)
    assert unclear(issuer, request, SHORT_SECONDS).reason == "timeout"
    assert look(sandbox, f"held?at_least=1&seconds={SECONDS}")["held"] == 1
    assert len(codes(sandbox)) == (1 if kind == "hold_before" else 2)
    assert unclear(issuer, request, SECONDS).reason == "conflict"
    release(sandbox)
    assert_one_active(sandbox, settled(issuer, request))


def test_hold_before_lets_a_rival_of_the_next_generation_win_once(
    sandbox: Server, issuer: StripeCodes, a_request: ARequest
) -> None:
    request = with_coupon(issuer, a_request())
    order(sandbox, "hold_before")
    answers: list[IssuedCode] = []
    first = threading.Thread(
        target=lambda: answers.append(issuer.issue(request, timeout_seconds=SECONDS))
    )
    first.start()
    assert look(sandbox, f"held?at_least=1&seconds={SECONDS}")["held"] == 1
    answers.append(issuer.issue(a_request(key_generation=1), timeout_seconds=SECONDS))
    release(sandbox)
    first.join(SECONDS)
    assert answers[0] == answers[1]
    assert_one_active(sandbox, answers[0])


def test_forget_keys_does_not_make_a_second_code(
    sandbox: Server, issuer: StripeCodes, a_request: ARequest
) -> None:
    first = issuer.issue(a_request(), timeout_seconds=SECONDS)
    order(sandbox, "forget_keys")
    assert issuer.issue(a_request(), timeout_seconds=SECONDS) == first
    assert_one_active(sandbox, first)


def test_a_wrong_key_of_ours_is_not_the_customers_failure(
    sandbox: Server, a_request: ARequest
) -> None:
    issuer = StripeCodes("sk_live_very_secret", sandbox.url)
    error = unclear(issuer, a_request(), SECONDS)
    issuer.close()
    assert (error.reason, error.finished) == ("credentials", False)
    assert "secret" not in f"{error!r} {error.__cause__!r}"


def test_nobody_at_the_address_is_unclear(sandbox: Server, a_request: ARequest) -> None:
    sandbox.close()
    issuer = StripeCodes("sk_test_loyalty", sandbox.url)
    assert unclear(issuer, a_request(), SECONDS).reason == "connection"
    issuer.close()


def settled(issuer: StripeCodes, request: CodeRequest) -> IssuedCode:
    """Ask until the released call has let go of the key."""
    for _ in range(1000):
        try:
            return issuer.issue(request, timeout_seconds=SECONDS)
        except GatewayUnclear as error:
            assert error.reason == "conflict"
    raise AssertionError("the released call never let go of its key")
