"""Points reserved for an order: captured, released, or free again when time is up."""

from typing import Any

from tests.shop import Shop

QUARTER_OF_AN_HOUR = 900


def code_of(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json["code"]


def figures(shop: Shop, member: str) -> tuple[int, int]:
    balance = shop.balance(member)
    return balance["available"], balance["held"]


def test_held_points_can_not_be_spent_twice(shop: Shop) -> None:
    member = shop.a_member(points=500)
    made = shop.hold(member, 300)
    assert (made["status"], made["points"], made["captured_points"]) == ("held", 300, 0)
    assert figures(shop, member) == (200, 300)
    refused = shop.call("POST", "/v1/holds", shop.a_hold(member, 201))
    assert code_of(refused) == (409, "insufficient_points")


def test_a_captured_hold_is_spent(shop: Shop) -> None:
    member = shop.a_member(points=500)
    captured = shop.capture(shop.hold(member, 300)["id"])
    assert (captured["status"], captured["captured_points"]) == ("captured", 300)
    assert figures(shop, member) == (200, 0)


def test_a_part_is_captured_and_the_rest_is_released(shop: Shop) -> None:
    member = shop.a_member(points=500)
    captured = shop.capture(shop.hold(member, 300)["id"], 120)
    assert (captured["status"], captured["captured_points"]) == ("captured", 120)
    assert figures(shop, member) == (380, 0)


def test_a_released_hold_is_free_again(shop: Shop) -> None:
    member = shop.a_member(points=500)
    assert shop.release(shop.hold(member, 300)["id"])["status"] == "released"
    assert figures(shop, member) == (500, 0)


def test_a_hold_ends_by_itself_and_nobody_has_to_come_by(shop: Shop) -> None:
    member = shop.a_member(points=500)
    hold = shop.hold(member, 300)
    shop.advance(seconds=QUARTER_OF_AN_HOUR)
    assert figures(shop, member) == (500, 0)
    assert shop.get(f"/v1/holds/{hold['id']}")["status"] == "expired"


def test_a_late_capture_takes_the_points_afresh(shop: Shop) -> None:
    member = shop.a_member(points=500)
    hold = shop.hold(member, 300)
    shop.advance(seconds=QUARTER_OF_AN_HOUR)
    assert shop.capture(hold["id"])["status"] == "captured"
    assert figures(shop, member) == (200, 0)


def test_a_late_capture_without_points_is_refused_and_left_to_staff(shop: Shop) -> None:
    member = shop.a_member(points=500)
    hold = shop.hold(member, 300)
    shop.advance(seconds=QUARTER_OF_AN_HOUR)
    shop.hold(member, 400)
    refused = shop.call("POST", f"/v1/holds/{hold['id']}/capture", {})
    assert code_of(refused) == (409, "hold_expired")
    assert "100 are available" in refused.json["detail"]
    (failed,) = shop.get("/v1/holds?capture=failed", who="agent")["data"]
    assert failed["id"] == hold["id"]
    assert failed["capture_failed_at"]


def test_a_refund_gives_points_back_in_proportion(shop: Shop) -> None:
    member = shop.a_member(points=500)
    hold = shop.hold(member, 300)
    shop.capture(hold["id"])
    shop.order(member, 8000, id=hold["order_id"], discount=2000)
    refund = shop.refund(hold["order_id"], amount=1500)
    assert refund["points_returned"] == 75
    assert refund["money_back"] == {"amount": 1500, "currency": "eur"}
    refund = shop.refund(hold["order_id"], amount=4500)
    assert refund["points_returned"] == 225
    assert figures(shop, member) == (500, 0)
    assert shop.get(f"/v1/holds/{hold['id']}")["returned_points"] == 300
