"""What a hold, its capture and its release refuse: each by name, and without an effect."""

from typing import Any

import pytest

from tests.shop import Shop

QUARTER_OF_AN_HOUR = 900


def codes(answer: Any) -> tuple[int, str, list[tuple[str, str]]]:
    """The status, the code, and each wrong field with its own."""
    faults = [(fault["param"], fault["code"]) for fault in answer.json["errors"]]
    return answer.status_code, answer.json["code"], faults


def held(shop: Shop, member: str) -> tuple[int, int]:
    balance = shop.balance(member)
    return balance["available"], balance["held"]


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("points", 0, "below_minimum"),
        ("points", -1, "below_minimum"),
        ("points", 10**12 + 1, "above_maximum"),
        ("points", 10**30, "above_maximum"),
        ("points", 1.5, "wrong_type"),
        ("points", "100", "wrong_type"),
        ("points", True, "wrong_type"),
        ("points", None, "wrong_type"),
        ("expires_in_seconds", 0, "below_minimum"),
        ("expires_in_seconds", -900, "below_minimum"),
        ("expires_in_seconds", 604801, "above_maximum"),
        ("expires_in_seconds", "900", "wrong_type"),
        ("order_id", "", "too_short"),
        ("order_id", "a/b", "wrong_format"),
        ("order_id", 17, "wrong_type"),
        ("order_id", "x" * 201, "too_long"),
        ("member", 17, "wrong_type"),
        ("reward", "", "too_short"),
        ("order_amount", 1000, "wrong_type"),
        ("tip", 1, "unknown_field"),
    ],
)
def test_a_wrong_field_is_named_and_nothing_is_held(
    shop: Shop, field: str, value: object, code: str
) -> None:
    member = shop.a_member(points=500)
    body = {**shop.a_hold(member), field: value}
    assert codes(shop.call("POST", "/v1/holds", body)) == (
        422,
        "validation_failed",
        [(field, code)],
    )
    assert held(shop, member) == (500, 0)


@pytest.mark.parametrize("field", ["member", "points", "order_id"])
def test_a_field_that_is_missing_is_named(shop: Shop, field: str) -> None:
    body = shop.a_hold(shop.a_member(points=500))
    del body[field]
    told = codes(shop.call("POST", "/v1/holds", body))
    assert told == (422, "validation_failed", [(field, "required")])


@pytest.mark.parametrize("points", [0, -5, 10**13, "10", 1.5, True])
def test_a_capture_of_no_number_of_points_is_refused(shop: Shop, points: object) -> None:
    member = shop.a_member(points=500)
    hold = shop.hold(member)
    answer = shop.call("POST", f"/v1/holds/{hold['id']}/capture", {"points": points})
    assert codes(answer)[:2] == (422, "validation_failed")
    assert held(shop, member) == (400, 100)


def test_no_more_is_captured_than_was_held(shop: Shop) -> None:
    member = shop.a_member(points=500)
    hold = shop.hold(member)
    answer = shop.call("POST", f"/v1/holds/{hold['id']}/capture", {"points": 101})
    assert codes(answer) == (409, "capture_exceeds_hold", [])
    assert held(shop, member) == (400, 100)


@pytest.mark.parametrize(
    ("status", "code"), [("suspended", "member_suspended"), ("closed", "member_closed")]
)
def test_who_may_not_spend_may_not_hold(shop: Shop, status: str, code: str) -> None:
    member = shop.a_member(points=500)
    shop.call("PATCH", f"/v1/members/{member}", {"status": status})
    assert codes(shop.call("POST", "/v1/holds", shop.a_hold(member))) == (409, code, [])


@pytest.mark.parametrize("status", ["suspended", "closed"])
def test_a_payment_that_runs_is_captured_whatever_becomes_of_the_membership(
    shop: Shop, status: str
) -> None:
    member = shop.a_member(points=500)
    hold = shop.hold(member)
    shop.call("PATCH", f"/v1/members/{member}", {"status": status})
    assert shop.capture(hold["id"])["status"] == "captured"


@pytest.mark.parametrize(
    ("status", "code"), [("suspended", "member_suspended"), ("closed", "member_closed")]
)
def test_points_are_not_taken_afresh_from_who_may_not_spend(
    shop: Shop, status: str, code: str
) -> None:
    member = shop.a_member(points=500)
    hold = shop.hold(member)
    shop.call("PATCH", f"/v1/members/{member}", {"status": status})
    shop.advance(seconds=QUARTER_OF_AN_HOUR)
    answer = shop.call("POST", f"/v1/holds/{hold['id']}/capture", {})
    assert codes(answer) == (409, code, [])
    assert [one["id"] for one in shop.get("/v1/holds?capture=failed")["data"]] == [hold["id"]]


def test_captured_points_are_not_released(shop: Shop) -> None:
    member = shop.a_member(points=500)
    hold = shop.hold(member)
    shop.capture(hold["id"])
    answer = shop.call("POST", f"/v1/holds/{hold['id']}/release", {})
    assert codes(answer) == (409, "hold_captured", [])
    assert held(shop, member) == (400, 0)


def test_released_points_are_not_captured(shop: Shop) -> None:
    hold = shop.hold(shop.a_member(points=500))
    shop.release(hold["id"])
    answer = shop.call("POST", f"/v1/holds/{hold['id']}/capture", {})
    assert codes(answer) == (409, "hold_released", [])


def test_the_same_again_under_another_key_changes_nothing(shop: Shop) -> None:
    member = shop.a_member(points=500)
    captured, released = shop.hold(member)["id"], shop.hold(member)["id"]
    assert shop.capture(captured, 60) == shop.capture(captured, 60)
    assert shop.release(released) == shop.release(released)
    assert held(shop, member) == (440, 0)


def test_a_release_after_the_end_finds_nothing_to_do(shop: Shop) -> None:
    member = shop.a_member(points=500)
    hold = shop.hold(member)
    shop.advance(seconds=QUARTER_OF_AN_HOUR)
    assert shop.release(hold["id"])["status"] == "expired"
    assert held(shop, member) == (500, 0)


def test_a_late_capture_that_was_refused_is_refused_again_until_the_points_are_there(
    shop: Shop,
) -> None:
    member = shop.a_member(points=500)
    hold = shop.hold(member, 500)
    shop.advance(seconds=QUARTER_OF_AN_HOUR)
    shop.give(member, -100)
    address = f"/v1/holds/{hold['id']}/capture"
    first = shop.call("POST", address, {}, key="one")
    assert codes(first)[:2] == (409, "hold_expired")
    assert first.json["detail"].endswith("500 points are needed and 400 are available.")
    again = shop.call("POST", address, {}, key="one")
    assert (again.text, again.headers["Idempotent-Replayed"]) == (first.text, "true")
    shop.give(member, 100)
    assert shop.capture(hold["id"])["status"] == "captured"
    assert shop.get("/v1/holds?capture=failed")["data"] == []


@pytest.mark.parametrize("verb", ["", "/capture", "/release"])
def test_a_hold_that_never_was_is_not_found(shop: Shop, verb: str) -> None:
    answer = shop.call(
        "POST" if verb else "GET", f"/v1/holds/hold_none{verb}", {} if verb else None
    )
    assert codes(answer) == (404, "hold_not_found", [])


def test_holds_are_found_by_member_order_and_status(shop: Shop) -> None:
    member, other = shop.a_member(points=500), shop.a_member(points=500)
    ended = shop.hold(member, expires_in_seconds=60)["id"]
    standing, captured = shop.hold(member)["id"], shop.hold(member)["id"]
    released = shop.hold(other, order_id="7001")["id"]
    shop.capture(captured)
    shop.release(released)
    shop.advance(seconds=60)

    def found(query: str) -> list[str]:
        return [one["id"] for one in shop.get(f"/v1/holds?{query}")["data"]]

    assert found("") == [released, captured, standing, ended]
    assert found(f"member={member}") == [captured, standing, ended]
    assert found("order=7001") == [released]
    for status, ids in (
        ("held", [standing]),
        ("captured", [captured]),
        ("released", [released]),
        ("expired", [ended]),
    ):
        assert found(f"status={status}") == ids
    assert codes(shop.call("GET", "/v1/holds?status=lost"))[2] == [("status", "not_a_choice")]
