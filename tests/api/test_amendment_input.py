"""Wrong input to PATCH /v1/orders/{id} and to a cancellation: each is named, nothing is written."""

from datetime import timedelta
from typing import Any

from werkzeug.test import TestResponse

from tests.api.contract import (
    MISSING,
    WRONG_MOMENTS,
    WRONG_TEXTS,
    WRONG_WHOLES,
    another_program,
    each,
    nothing_written,
    problem,
    require_all_refused,
)
from tests.shop import Shop, moment

NOT_NEGATIVE = [*WRONG_WHOLES, (-1, "below_minimum")]
MOMENTS = [case for case in WRONG_MOMENTS if case[0] is not None]
LINE = {"sku": "cream", "quantity": 1, "unit_amount": 5000}


def amend(shop: Shop, order: dict[str, Any], **changes: Any) -> TestResponse:
    return shop.call("PATCH", f"/v1/orders/{order['id']}", changes)


def amended(shop: Shop, order: dict[str, Any], **changes: Any) -> Any:
    """An amendment that must be taken; the order as it is then."""
    answer = amend(shop, order, **changes)
    assert answer.status_code == 200, answer.text
    return answer.json


def an_unpaid_order(shop: Shop) -> dict[str, Any]:
    """An order of a shop whose orders earn when they are paid."""
    paying = another_program(shop.app, ("late_days: 30", "earn_when: paid\nlate_days: 30"))
    shop.keys, shop.program_id = paying.keys, paying.program_id
    placed_at = shop.now() - timedelta(days=2)
    return dict(shop.order(shop.a_member(), placed_at=placed_at))


def test_each_wrong_field_of_an_amendment_is_named(shop: Shop) -> None:
    order = shop.order(shop.a_member())
    good = {"lines": [LINE], "discount": 0, "tax": 0, "shipping": 0}
    good |= {name: moment(shop.now()) for name in ("paid_at", "fulfilled_at")}
    cases = [
        *[(name, "x", "unknown_field") for name in ("id", "member", "placed_at", "currency")],
        *[("status", "cancelled", "unknown_field"), ("quote", {}, "unknown_field")],
        *[case for name in ("discount", "tax", "shipping") for case in each(name, NOT_NEGATIVE)],
        *[case for name in ("paid_at", "fulfilled_at") for case in each(name, MOMENTS)],
        *each("lines", [([], "too_short"), ("cream", "wrong_type"), ({}, "wrong_type")]),
        ("lines", [LINE] * 501, "too_long"),
        *[(f"lines[0].{f}", MISSING, "required") for f in ("sku", "quantity", "unit_amount")],
        ("lines[0]", None, "wrong_type"),
        ("lines[0].price", 5, "unknown_field"),
        *each("lines[0].sku", WRONG_TEXTS),
        *each("lines[0].quantity", [*NOT_NEGATIVE, (0, "below_minimum")]),
        *each("lines[0].unit_amount", NOT_NEGATIVE),
    ]
    require_all_refused(shop, "PATCH", f"/v1/orders/{order['id']}", good, cases)


def test_each_wrong_field_of_a_cancellation_is_named(shop: Shop) -> None:
    order = shop.order(shop.a_member())
    cases = [("reason", "regret", "unknown_field"), ("amount", 5, "unknown_field")]
    require_all_refused(shop, "POST", f"/v1/orders/{order['id']}/cancel", {}, cases)


def test_an_amendment_that_leaves_less_than_came_back_is_refused(shop: Shop) -> None:
    order = shop.order(shop.a_member(), 10000)
    shop.refund(order["id"], amount=6000)
    for changes in ({"lines": [{**LINE, "unit_amount": 5999}]}, {"discount": 4001}):
        with nothing_written(shop.app):
            told = problem(amend(shop, order, **changes), 409, "amendment_below_refunds", "lines")
        assert order["id"] in told["detail"]
    assert amended(shop, order, discount=4000)["points_earned"] == 0


def test_an_amendment_without_what_came_back_is_refused(shop: Shop) -> None:
    order = shop.order(shop.a_member(), 10000)
    shop.refund(order["id"], lines=[{"sku": "cream", "quantity": 1}])
    with nothing_written(shop.app):
        answer = amend(shop, order, lines=[{**LINE, "sku": "soap"}])
        problem(answer, 409, "amendment_below_refunds", "lines")
    assert amended(shop, order, lines=[LINE, {**LINE, "sku": "soap"}])["points_earned"] == 50


def test_a_cancelled_order_is_amended_no_more(shop: Shop) -> None:
    order = shop.order(shop.a_member())
    shop.post(f"/v1/orders/{order['id']}/cancel", {})
    for changes in ({"discount": 1}, {"paid_at": moment(shop.now())}, {}):
        with nothing_written(shop.app):
            problem(amend(shop, order, **changes), 409, "order_cancelled", "id")


def test_a_cancellation_again_changes_nothing(shop: Shop) -> None:
    order = shop.order(shop.a_member())
    path = f"/v1/orders/{order['id']}/cancel"
    first = shop.post(path, {})
    with nothing_written(shop.app, except_keys=True):
        again = shop.post(path, {})
    first["balance"].pop("at"), again["balance"].pop("at")
    assert (first["status"], first["points_earned"]) == ("cancelled", 0)
    assert again == first


def test_an_order_is_neither_paid_nor_fulfilled_in_the_future(shop: Shop) -> None:
    member = shop.a_member()
    order = shop.order(member)
    ahead = moment(shop.now() + timedelta(minutes=5))
    with nothing_written(shop.app):
        for name in ("paid_at", "fulfilled_at"):
            problem(amend(shop, order, **{name: ahead}), 422, "order_in_future", name)
            new = shop.an_order(member, **{name: ahead})
            problem(shop.call("POST", "/v1/orders", new), 422, "order_in_future", name)


def test_an_order_is_neither_paid_nor_fulfilled_before_it_is_placed(shop: Shop) -> None:
    member = shop.a_member()
    order = shop.order(member)
    before = moment(shop.now() - timedelta(minutes=5))
    with nothing_written(shop.app):
        for name in ("paid_at", "fulfilled_at"):
            for answer in (
                amend(shop, order, **{name: before}),
                shop.call("POST", "/v1/orders", shop.an_order(member, **{name: before})),
            ):
                told = problem(answer, 422, "validation_failed", name)
                assert [fault["code"] for fault in told["errors"]] == ["below_minimum"]


def test_a_total_or_points_beyond_what_can_be_kept_are_refused(shop: Shop) -> None:
    order = shop.order(shop.a_member())
    most = 2**53 - 1
    with nothing_written(shop.app):
        answer = amend(shop, order, lines=[{**LINE, "unit_amount": most}], tax=1)
        problem(answer, 422, "validation_failed", "lines")
        answer = amend(shop, order, lines=[{**LINE, "unit_amount": most}])
        problem(answer, 422, "points_too_many", "lines")


def test_an_unknown_or_foreign_order_is_neither_amended_nor_cancelled(shop: Shop) -> None:
    other = another_program(shop.app)
    theirs = other.order(other.a_member())
    with nothing_written(shop.app):
        for order in ({"id": "nobody"}, {"id": "a/b"}, theirs):
            problem(amend(shop, order, discount=1), 404, "order_not_found", "id")
            answer = shop.call("POST", f"/v1/orders/{order['id']}/cancel", {})
            problem(answer, 404, "order_not_found", "id")


def test_what_is_so_already_is_not_written_again(shop: Shop) -> None:
    order = shop.order(shop.a_member(), 10000)
    once = amended(shop, order, discount=1000, paid_at=moment(shop.now()))
    assert (once["points_earned"], once["status"]) == (90, "recorded")
    with nothing_written(shop.app):
        # A moment that is known stays, and null is as left out.
        for changes in (
            {"discount": 1000},
            {"paid_at": moment(shop.now())},
            {"lines": None, "tax": None},
            {},
        ):
            again = amended(shop, order, **changes)
            assert again == {**once, "balance": again["balance"]}


def test_an_order_waits_for_its_payment_and_earns_with_it_once(shop: Shop) -> None:
    order = an_unpaid_order(shop)
    assert (order["status"], order["points_earned"], order["available_at"]) == ("waiting", 0, None)
    paid = amended(shop, order, paid_at=moment(shop.now()))
    assert (paid["status"], paid["points_earned"]) == ("recorded", 100)
    assert amended(shop, order, paid_at=moment(shop.now()))["balance"]["pending"] == 100


def test_an_order_that_has_not_earned_is_amended_refunded_and_cancelled(shop: Shop) -> None:
    order = an_unpaid_order(shop)
    amended(shop, order, discount=1000)
    assert shop.refund(order["id"], amount=1000)["points_taken"] == 0
    assert amended(shop, order, paid_at=moment(shop.now()))["points_earned"] == 80
    never = shop.order(order["member"])
    cancelled = shop.post(f"/v1/orders/{never['id']}/cancel", {})
    assert (cancelled["status"], cancelled["points_earned"]) == ("cancelled", 0)
    problem(amend(shop, never, paid_at=moment(shop.now())), 409, "order_cancelled", "id")
    rows = shop.get(f"/v1/members/{order['member']}/transactions")["data"]
    told = ["claw_back", "earn", "earn", "claw_back", "claw_back", "earn"]
    assert [row["kind"] for row in rows] == told
    assert all(row["summary"] for row in rows)
