"""Orders, refunds and events told at the same moment: each has one effect, whoever is first."""

from collections import Counter
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.shop import Shop
from tests.stripe_control import together

pytestmark = pytest.mark.slow

CALLERS = 16
ROUNDS = 50
FEW_ROUNDS = 20


def statuses(answers: list[TestResponse]) -> Counter[int]:
    return Counter(answer.status_code for answer in answers)


def at_once(shop: Shop, *calls: tuple[str, str, Any]) -> list[TestResponse]:
    """Each of some calls at the same moment."""
    return together(len(calls), lambda index: shop.call(*calls[index]))


def refunds(order: dict[str, Any]) -> str:
    return f"/v1/orders/{order['id']}/refunds"


def amended_and_refunded(shop: Shop, amount: int) -> tuple[Any, list[int]]:
    """An order of 100.00 that gets half off while an amount of it is refunded; both answers."""
    order = shop.order(shop.a_member(), 10000)
    answers = at_once(
        shop,
        ("PATCH", f"/v1/orders/{order['id']}", {"discount": 5000}),
        ("POST", refunds(order), shop.a_refund(amount=amount)),
    )
    return order, [answer.status_code for answer in answers]


def due(shop: Shop, order: dict[str, Any]) -> int:
    """What an order is due as it stands."""
    return int(shop.get(f"/v1/orders/{order['id']}")["points_earned"])


def test_a_refund_told_by_all_is_taken_once(shop: Shop) -> None:
    order = shop.order(shop.a_member(), 10000)
    body = shop.a_refund(amount=3000)
    answers = together(CALLERS, lambda _: shop.call("POST", refunds(order), body))
    assert statuses(answers) == {201: 1, 200: CALLERS - 1}
    assert len({answer.json["transaction"] for answer in answers}) == 1
    assert shop.balance(order["member"])["pending"] == due(shop, order) == 70


def test_one_refund_id_told_for_many_orders_is_one_orders_refund(shop: Shop) -> None:
    orders = [shop.order(shop.a_member(), 10000) for _ in range(4)]
    # Two that have not come yet.
    orders += [shop.an_order(shop.a_member()) for _ in range(2)]
    body = shop.a_refund(amount=3000)
    answers = together(CALLERS, lambda index: shop.call("POST", refunds(orders[index % 6]), body))
    found = [row for order in orders for row in refunds_of(shop, order)]
    assert [row["id"] for row in found] == [body["id"]]
    told = statuses(answers)
    same = sum(1 for index in range(CALLERS) if orders[index % 6]["id"] == found[0]["order"])
    assert told[409] == CALLERS - same


def refunds_of(shop: Shop, order: dict[str, Any]) -> list[dict[str, Any]]:
    answer = shop.call("GET", refunds(order))
    return answer.json["data"] if answer.status_code == 200 else []


def test_refunds_at_once_never_give_back_more_than_was_paid(shop: Shop) -> None:
    order = shop.order(shop.a_member(), 10000)
    bodies = [shop.a_refund(amount=3000) for _ in range(CALLERS)]
    answers = together(CALLERS, lambda index: shop.call("POST", refunds(order), bodies[index]))
    assert statuses(answers) == {201: 3, 409: CALLERS - 3}
    assert shop.balance(order["member"])["pending"] == due(shop, order) == 10


def test_two_refunds_that_together_exceed_the_order_are_one(shop: Shop) -> None:
    for _ in range(FEW_ROUNDS):
        order = shop.order(shop.a_member(), 10000)
        lines = [{"sku": "cream", "quantity": 1}]
        bodies = [shop.a_refund(amount=1), shop.a_refund(lines=lines)]
        answers = at_once(shop, *(("POST", refunds(order), body) for body in bodies))
        assert statuses(answers) == {201: 1, 409: 1}


def test_a_refund_and_its_order_at_the_same_moment_are_settled_once(shop: Shop) -> None:
    for _ in range(ROUNDS):
        member = shop.a_member()
        order, body = shop.an_order(member, 10000), shop.a_refund(amount=3000)
        answers = at_once(shop, ("POST", "/v1/orders", order), ("POST", refunds(order), body))
        assert answers[0].status_code == 201
        assert answers[1].status_code in (201, 202)
        (row,) = refunds_of(shop, order)
        assert (row["status"], row["points_taken"]) == ("settled", 30)
        assert shop.balance(member)["pending"] == due(shop, order) == 70
        kinds = [one["kind"] for one in shop.get(f"/v1/members/{member}/transactions")["data"]]
        assert kinds.count("claw_back") == 1


def test_many_refunds_and_their_order_at_the_same_moment_are_each_settled_or_refused(
    shop: Shop,
) -> None:
    for _ in range(5):
        order = shop.an_order(shop.a_member(), 10000)
        bodies = [shop.a_refund(amount=3000) for _ in range(6)]
        told = (("POST", refunds(order), body) for body in bodies)
        at_once(shop, ("POST", "/v1/orders", order), *told)
        found = Counter(row["status"] for row in refunds_of(shop, order))
        # One that comes after the order is refused at once, and leaves no row.
        assert found["settled"] == 3 and found["waiting"] == 0
        assert due(shop, order) == 10


def test_an_amendment_and_a_refund_that_fit_alone_but_not_together_are_one(shop: Shop) -> None:
    for _ in range(FEW_ROUNDS):
        order, told = amended_and_refunded(shop, 6000)
        assert told in ([200, 409], [409, 201])
        assert due(shop, order) == (50 if told[0] == 200 else 40)


def test_an_amendment_and_a_refund_at_once_leave_what_both_leave(shop: Shop) -> None:
    for _ in range(FEW_ROUNDS):
        order, told = amended_and_refunded(shop, 2000)
        assert told == [200, 201]
        assert shop.balance(order["member"])["pending"] == due(shop, order) == 30


def test_a_cancellation_told_by_all_takes_the_points_once(shop: Shop) -> None:
    member = shop.a_member(points=500)
    order = shop.order(member, 10000)
    path = f"/v1/orders/{order['id']}/cancel"
    answers = together(CALLERS, lambda _: shop.call("POST", path, {}))
    assert statuses(answers) == {200: CALLERS}
    balance = shop.balance(member)
    assert (balance["available"], balance["pending"], balance["debt"]) == (500, 0, 0)
    kinds = [one["kind"] for one in shop.get(f"/v1/members/{member}/transactions")["data"]]
    assert kinds.count("claw_back") == 1


def test_a_cancellation_and_a_refund_at_once_take_all_points_once(shop: Shop) -> None:
    for _ in range(FEW_ROUNDS):
        order = shop.order(shop.a_member(), 10000)
        answers = at_once(
            shop,
            ("POST", f"/v1/orders/{order['id']}/cancel", {}),
            ("POST", refunds(order), shop.a_refund(amount=1)),
        )
        assert [answer.status_code for answer in answers] == [200, 201]
        assert shop.balance(order["member"])["pending"] == due(shop, order) == 0


def test_a_payment_told_by_all_earns_once(shop: Shop) -> None:
    order = shop.an_order(shop.a_member(), 10000)
    shop.post("/v1/orders", order)
    paid = {"paid_at": order["placed_at"], "discount": 1000}
    path = f"/v1/orders/{order['id']}"
    answers = together(CALLERS, lambda _: shop.call("PATCH", path, paid))
    assert statuses(answers) == {200: CALLERS}
    assert shop.balance(order["member"])["pending"] == due(shop, order) == 90


def test_an_event_told_by_all_earns_once(shop: Shop) -> None:
    member = shop.a_member()
    event = shop.an_event(member)
    answers = together(CALLERS, lambda _: shop.call("POST", "/v1/events", event))
    assert statuses(answers) == {201: 1, 200: CALLERS - 1}
    assert len({answer.json["transaction"] for answer in answers}) == 1
    assert shop.available(member) == 50


def test_one_event_id_told_for_many_members_at_once_is_one_members_event(shop: Shop) -> None:
    members = [shop.a_member() for _ in range(4)]
    events = [{**shop.an_event(member), "id": "one-id"} for member in members]
    answers = together(CALLERS, lambda index: shop.call("POST", "/v1/events", events[index % 4]))
    assert statuses(answers) == {201: 1, 200: CALLERS // 4 - 1, 409: CALLERS // 4 * 3}
    assert sum(shop.available(member) for member in members) == 50


def test_what_is_given_once_in_a_membership_is_given_once_to_events_at_once(shop: Shop) -> None:
    member = shop.a_member()
    events = [shop.an_event(member) for _ in range(CALLERS)]
    answers = together(CALLERS, lambda index: shop.call("POST", "/v1/events", events[index]))
    assert statuses(answers) == {201: CALLERS}
    assert sorted(answer.json["points_earned"] for answer in answers) == [0] * (CALLERS - 1) + [50]
    assert shop.available(member) == 50
