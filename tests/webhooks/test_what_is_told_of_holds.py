"""What becomes of a hold is told once, whoever or whatever ended it."""

from datetime import datetime
from typing import Any

import pytest
from flask import Flask

from loyalty_service import delivering
from tests.shop import Shop
from tests.webhooks.receiving import Receiver
from tests.webhooks.test_what_is_told import of_type, told

pytestmark = pytest.mark.usefixtures("endpoint")


def about_holds(shop: Shop, receiver: Receiver, member: str) -> list[dict[str, Any]]:
    """What was told of a member's holds."""
    events = told(shop, receiver, member)
    return [event for event in events if event["type"].startswith("hold.")]


def test_a_capture_tells_what_paid_for_the_order(shop: Shop, receiver: Receiver) -> None:
    member = shop.a_member(points=500)
    hold = shop.hold(member, 200)
    captured = shop.capture(hold["id"])
    (event,) = about_holds(shop, receiver, member)
    assert event["type"] == "hold.captured"
    assert event["data"] == {
        "hold": hold["id"],
        "order": hold["order_id"],
        "points": 200,
        "released": 0,
        "transaction": captured["captured_by"],
        "balance": {"available": 300, "pending": 0, "held": 0, "debt": 0},
    }


def test_a_capture_of_a_part_tells_the_rest_with_it(shop: Shop, receiver: Receiver) -> None:
    member = shop.a_member(points=500)
    hold = shop.hold(member, 200)
    captured = shop.capture(hold["id"], 150)
    (event,) = about_holds(shop, receiver, member)
    assert event["type"] == "hold.captured"
    assert (event["data"]["points"], event["data"]["released"]) == (150, 50)
    assert event["data"]["transaction"] == captured["captured_by"]
    assert event["data"]["balance"]["available"] == 350
    assert event["data"]["balance"]["held"] == 0


def test_a_release_tells_what_came_back_and_a_second_one_nothing(
    shop: Shop, receiver: Receiver
) -> None:
    member = shop.a_member(points=500)
    hold = shop.hold(member, 200)
    for _ in range(2):
        shop.release(hold["id"])
    (event,) = about_holds(shop, receiver, member)
    assert (event["type"], event["data"]["points"]) == ("hold.released", 200)
    assert (event["data"]["hold"], event["data"]["order"]) == (hold["id"], hold["order_id"])
    assert event["data"]["balance"] == {"available": 500, "pending": 0, "held": 0, "debt": 0}


def test_an_end_by_time_is_told_though_nobody_calls_and_at_its_moment(
    shop: Shop, receiver: Receiver, app: Flask
) -> None:
    member = shop.a_member(points=500)
    hold = shop.hold(member, 200)
    shop.advance(days=1)
    with app.app_context():
        assert list(delivering.overdue()) == [member]
    (event,) = about_holds(shop, receiver, member)
    assert (event["type"], event["data"]["points"]) == ("hold.expired", 200)
    assert datetime.fromisoformat(event["timestamp"]) == datetime.fromisoformat(hold["expires_at"])
    assert event["data"]["balance"]["available"] == 500


def test_an_end_that_a_write_came_upon_is_told_once_and_before_it(
    shop: Shop, receiver: Receiver
) -> None:
    member = shop.a_member(points=500)
    hold = shop.hold(member, 200)
    shop.advance(seconds=900)
    shop.give(member, 5)
    shop.release(hold["id"])
    events = told(shop, receiver, member)
    assert of_type(events) == ["adjustment.posted", "hold.expired", "adjustment.posted"]


def test_a_late_capture_that_fails_and_is_sent_again_tells_each_once(
    shop: Shop, receiver: Receiver
) -> None:
    member = shop.a_member(points=500)
    hold = shop.hold(member, 500)
    shop.advance(seconds=900)
    shop.give(member, -100)
    for _ in range(2):
        assert shop.call("POST", f"/v1/holds/{hold['id']}/capture", {}).status_code == 409
    shop.give(member, 100)
    for _ in range(2):
        shop.capture(hold["id"])
    events = about_holds(shop, receiver, member)
    assert of_type(events) == ["hold.expired", "hold.capture_failed", "hold.captured"]
    captured = events[-1]["data"]
    assert (captured["points"], captured["released"]) == (500, 0)


def test_a_part_that_is_captured_late_releases_nothing(shop: Shop, receiver: Receiver) -> None:
    member = shop.a_member(points=500)
    hold = shop.hold(member, 200)
    shop.advance(seconds=900)
    shop.capture(hold["id"], 150)
    *_, event = about_holds(shop, receiver, member)
    assert event["type"] == "hold.captured"
    assert (event["data"]["points"], event["data"]["released"]) == (150, 0)


def test_a_capture_after_a_refund_tells_the_capture_before_what_came_back(
    shop: Shop, receiver: Receiver
) -> None:
    member = shop.a_member(points=500)
    hold = shop.hold(member, 200)
    shop.order(member, 10000, id=hold["order_id"], discount=2000)
    shop.refund(hold["order_id"], amount=2000)
    shop.capture(hold["id"])
    events = of_type(told(shop, receiver, member))
    assert events[-2:] == ["hold.captured", "points.given_back"]
