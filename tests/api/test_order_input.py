"""Wrong input to /v1/orders: each fault is named, nothing is written."""

from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest

from loyalty_service import db
from loyalty_service.domain import orders
from loyalty_service.domain.earning import Line, OrderFacts
from loyalty_service.domain.orders import OrderToRecord
from tests.api.contract import (
    MISSING,
    WRONG_MOMENTS,
    WRONG_TEXTS,
    WRONG_WHOLES,
    changed,
    each,
    nothing_written,
    problem,
    require_all_refused,
)
from tests.shop import Shop, moment

NOT_NEGATIVE = [*WRONG_WHOLES, (-1, "below_minimum"), (None, "wrong_type")]
WRONG_LINES = [
    ([], "too_short"),
    ("cream", "wrong_type"),
    ({}, "wrong_type"),
    (5, "wrong_type"),
    (None, "wrong_type"),
    ([{"sku": "cream", "quantity": 1, "unit_amount": 1}] * 501, "too_long"),
]


def test_each_wrong_field_of_an_order_is_named(shop: Shop) -> None:
    good = an_order(shop, shop.a_member())
    without_null = [case for case in WRONG_TEXTS if case[0] is not None]
    cases = [
        *[(field, MISSING, "required") for field in ("id", "member", "placed_at", "currency")],
        ("lines", MISSING, "required"),
        ("total", 100, "unknown_field"),
        *each("id", WRONG_TEXTS),
        *each("member", WRONG_TEXTS),
        *each("placed_at", WRONG_MOMENTS),
        *each("currency", [(5, "wrong_type"), ("eu", "too_short"), ("euro", "too_long")]),
        *each("lines", WRONG_LINES),
        *each("discount", NOT_NEGATIVE),
        *each("tax", NOT_NEGATIVE),
        *each("shipping", NOT_NEGATIVE),
        *[(f"lines[0].{f}", MISSING, "required") for f in ("sku", "quantity", "unit_amount")],
        ("lines[0]", "cream", "wrong_type"),
        ("lines[0]", None, "wrong_type"),
        ("lines[0].price", 5, "unknown_field"),
        *each("lines[0].sku", WRONG_TEXTS),
        *each("lines[0].category", without_null),
        *each("lines[0].unit_amount", NOT_NEGATIVE),
        *each("lines[0].quantity", [*NOT_NEGATIVE, (0, "below_minimum")]),
        ("lines[0].quantity", 1_000_001, "above_maximum"),
    ]
    require_all_refused(shop, "POST", "/v1/orders", good, cases)


def test_a_whole_number_may_be_written_with_a_zero_fraction(shop: Shop) -> None:
    order = an_order(shop, shop.a_member())
    order["lines"][0] |= {"quantity": 2.0, "unit_amount": 5e2}
    assert shop.post("/v1/orders", order)["points_earned"] == 10


def test_a_total_that_json_cannot_carry_is_refused(shop: Shop) -> None:
    order = an_order(shop, shop.a_member())
    most = 2**53 - 1
    with nothing_written(shop.app):
        for lines in (
            [{"sku": "a", "quantity": 2, "unit_amount": most}],
            [{"sku": "a", "quantity": 1, "unit_amount": most}] * 2,
        ):
            answer = shop.call("POST", "/v1/orders", {**order, "lines": lines})
            told = problem(answer, 422, "validation_failed", "lines")
            assert told["errors"][0]["code"] == "above_maximum"
        answer = shop.call("POST", "/v1/orders", {**changed(order, "shipping", most)})
        problem(answer, 422, "validation_failed", "lines")


def test_an_order_worth_more_points_than_can_be_kept_is_refused(shop: Shop) -> None:
    order = changed(an_order(shop, shop.a_member()), "lines[0].unit_amount", 2**53 - 1)
    with nothing_written(shop.app):
        problem(shop.call("POST", "/v1/orders", order), 422, "points_too_many", "lines")


def test_a_currency_without_a_price_is_refused(shop: Shop) -> None:
    order = an_order(shop, shop.a_member())
    with nothing_written(shop.app):
        for currency in ("usd", "EUR", "xxx", "eu1", "€€€"):
            answer = shop.call("POST", "/v1/orders", {**order, "currency": currency})
            problem(answer, 422, "currency_not_priced", "currency")


def test_an_order_from_the_future_or_too_long_ago_is_refused(shop: Shop) -> None:
    member = shop.a_member()
    now = shop.now()
    with nothing_written(shop.app):
        for placed_at, code in (
            (now + timedelta(minutes=5), "order_in_future"),
            (now - timedelta(days=30, minutes=5), "order_too_late"),
        ):
            answer = shop.call("POST", "/v1/orders", shop.an_order(member, placed_at=placed_at))
            problem(answer, 422, code, "placed_at")
    shop.order(member, placed_at=now - timedelta(days=29))


def test_an_order_of_an_unknown_or_closed_member_is_refused(shop: Shop) -> None:
    for ref in ("mem_nobody", "ext:nobody"):
        with nothing_written(shop.app):
            answer = shop.call("POST", "/v1/orders", shop.an_order(ref))
            problem(answer, 404, "member_not_found", "member")
    member = shop.a_member()
    shop.call("PATCH", f"/v1/members/{member}", {"status": "closed"})
    with nothing_written(shop.app, except_keys=True):
        problem(shop.call("POST", "/v1/orders", shop.an_order(member)), 409, "member_closed")


def test_a_suspended_member_still_earns(shop: Shop) -> None:
    member = shop.a_member()
    shop.call("PATCH", f"/v1/members/{member}", {"status": "suspended"})
    assert shop.order(member, 10000)["points_earned"] == 100


def test_the_same_order_under_a_new_key_is_200_with_what_was_recorded(shop: Shop) -> None:
    order = an_order(shop, shop.a_member())
    first = shop.call("POST", "/v1/orders", order)
    with nothing_written(shop.app, except_keys=True):
        again = shop.call("POST", "/v1/orders", order)
    assert (first.status_code, again.status_code) == (201, 200)
    stable = ("id", "transaction", "points_earned", "available_at", "member")
    assert [again.json[name] for name in stable] == [first.json[name] for name in stable]
    assert "Idempotent-Replayed" not in again.headers


def test_the_same_order_said_in_other_words_is_the_same_order(shop: Shop) -> None:
    member = shop.a_member(external_id="c-77")
    order = an_order(shop, member)
    shop.post("/v1/orders", order)
    said = {**order, "member": "ext:c-77", "discount": 0, "tax": 0.0}
    said["placed_at"] = order["placed_at"].replace("Z", "+00:00")
    said["lines"] = [{**order["lines"][0], "quantity": 1.0}]
    assert shop.call("POST", "/v1/orders", said).status_code == 200


def test_an_order_id_taken_by_other_content_names_the_order(shop: Shop) -> None:
    member = shop.a_member()
    order = an_order(shop, member)
    recorded = shop.post("/v1/orders", order)
    earlier = moment(shop.now() - timedelta(hours=1))
    for field, value in (
        ("member", shop.a_member()),
        ("placed_at", earlier),
        ("lines[0].unit_amount", 9999),
        ("lines[0].sku", "soap"),
        ("discount", 1),
        ("tax", 1),
        ("shipping", 1),
    ):
        with nothing_written(shop.app, except_keys=True):
            answer = shop.call("POST", "/v1/orders", changed(order, field, value))
            told = problem(answer, 409, "order_conflict", "id")
        assert order["id"] in told["detail"]
        assert recorded["transaction"] in told["detail"]


def test_an_unknown_order_is_404(shop: Shop) -> None:
    for order_id in ("nobody", "a/b", "ü"):
        problem(shop.call("GET", f"/v1/orders/{order_id}"), 404, "order_not_found", "id")


def test_an_order_is_read_by_the_shops_own_id_whatever_it_holds(shop: Shop) -> None:
    member = shop.a_member()
    for order_id in ("№ 7 ü", "a'b", "100%25", "a?b#c", "..a", "refunds"):
        order = {**an_order(shop, member), "id": order_id}
        recorded = shop.post("/v1/orders", order)
        read = shop.get(f"/v1/orders/{quote(order_id)}")
        assert read == {**recorded, "balance": read["balance"]}


@pytest.mark.parametrize("path", ["orders", "events", "members"])
def test_an_id_that_no_address_could_hold_is_refused(shop: Shop, path: str) -> None:
    member = shop.a_member()
    good = {
        "orders": an_order(shop, member),
        "events": shop.an_event(member),
        "members": {"external_id": "c-77"},
    }[path]
    name = "external_id" if path == "members" else "id"
    wrong = ("2026/11/0001", "7/refunds", "/7", "7/", "a//b", "/", ".", "..")
    cases = [(name, value, "wrong_format") for value in wrong]
    require_all_refused(shop, "POST", f"/v1/{path}", good, cases)


def test_an_order_that_was_recorded_with_slashes_is_read_and_refunded_as_before(shop: Shop) -> None:
    facts = OrderFacts("eur", (Line("cream", None, 1, 10000),), 0, 0, 0)
    old = OrderToRecord("2026/11/7", shop.a_member(), shop.now(), facts)
    with shop.app.app_context():
        db.transaction(lambda session: orders.record(session, shop.program_id, old))
    assert shop.refund(old.id, amount=4000)["points_taken"] == 40
    assert shop.get(f"/v1/orders/{old.id}")["points_earned"] == 60
    assert len(shop.get(f"/v1/orders/{old.id}/refunds")["data"]) == 1
    shop.post(f"/v1/orders/{old.id}/cancel", {})
    assert shop.get(f"/v1/orders/{quote(old.id, safe='')}")["status"] == "cancelled"


def an_order(shop: Shop, member: str) -> dict[str, Any]:
    """An order that would be taken."""
    order = shop.an_order(member)
    order["lines"][0]["category"] = "care"
    return order


def test_an_order_a_breath_ahead_of_our_clock_is_one_placed_just_now(shop: Shop) -> None:
    member = shop.a_member()
    ahead = shop.an_order(member, placed_at=shop.now() + timedelta(seconds=30))
    recorded = shop.post("/v1/orders", ahead)
    made = shop.get(f"/v1/transactions/{recorded['transaction']}")
    assert made["occurred_at"] <= made["recorded_at"]
    assert shop.post("/v1/orders", ahead)["transaction"] == recorded["transaction"]


def test_a_changed_order_is_told_what_differs(shop: Shop) -> None:
    order = shop.an_order(shop.a_member())
    shop.post("/v1/orders", order)
    refused = shop.call("POST", "/v1/orders", {**order, "discount": 5, "tax": 7})
    assert "differs now in discount, tax." in refused.json["detail"]
