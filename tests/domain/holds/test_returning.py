"""Refunds of orders that were paid with points: points and money come back in proportion."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty_service.domain.earning import Line, OrderFacts, RefundFacts, left_of
from loyalty_service.domain.holds.returning import due_back
from tests.shop import DEFAULT_PROGRAM, Shop


def of(lines: Sequence[tuple[int, int]], discount: int = 0) -> OrderFacts:
    """An order of lines: how many, for how much each."""
    made = tuple(Line(f"sku-{n}", None, count, unit) for n, (count, unit) in enumerate(lines))
    return OrderFacts("eur", made, discount, 0, 0)


def back(points: int, facts: OrderFacts, *refunds: RefundFacts) -> int:
    return due_back(points, left_of(facts), left_of(facts, refunds))


orders = st.builds(
    of,
    st.lists(st.tuples(st.integers(1, 4), st.integers(0, 3000)), min_size=1, max_size=4),
    st.integers(0, 4000),
)


@given(facts=orders, points=st.integers(1, 10**6), cuts=st.lists(st.integers(1, 1000), max_size=6))
def test_however_money_goes_back_in_parts_the_points_come_to_the_same(
    facts: OrderFacts, points: int, cuts: list[int]
) -> None:
    paid, parts, before = left_of(facts).paid_minor, [], 0
    for cut in cuts:
        amount = min(cut, paid - sum(part.amount_minor for part in parts))
        parts += [RefundFacts(amount)] if amount else []
        now = back(points, facts, *parts)
        assert before <= now <= points
        before = now
    together = sum(part.amount_minor for part in parts)
    assert before == back(points, facts, *([RefundFacts(together)] if together else []))
    assert before == back(points, facts, *reversed(parts))
    if parts and together == paid:
        assert before == points


@given(facts=orders, points=st.integers(1, 10**6))
def test_nothing_comes_back_without_a_refund_and_all_with_the_last_item(
    facts: OrderFacts, points: int
) -> None:
    everything = RefundFacts(items=tuple((line.sku, line.quantity) for line in facts.lines))
    assert back(points, facts) == 0
    assert back(points, facts, everything) == points


def test_what_points_paid_whole_comes_back_by_its_price() -> None:
    free = of([(1, 3000), (1, 1000)], discount=4000)
    assert back(400, free, RefundFacts(items=(("sku-0", 1),))) == 300


def a_paid_order(shop: Shop, member: str, points: int = 200) -> dict[str, Any]:
    """An order of 100.00, of which points paid 20.00; its hold."""
    hold = shop.hold(member, points)
    shop.order(member, 10000, id=hold["order_id"], discount=2000)
    shop.capture(hold["id"])
    return dict(shop.get(f"/v1/holds/{hold['id']}"))


def test_a_cancelled_order_gives_all_its_points_back(shop: Shop) -> None:
    member = shop.a_member(points=500)
    hold = a_paid_order(shop, member)
    for _ in range(2):
        shop.post(f"/v1/orders/{hold['order_id']}/cancel", {})
        assert shop.available(member) == 500
    assert shop.get(f"/v1/holds/{hold['id']}")["returned_points"] == 200


def test_a_refund_says_what_comes_back_and_says_it_again(shop: Shop) -> None:
    member = shop.a_member(points=500)
    hold = a_paid_order(shop, member)
    body = shop.a_refund(amount=2000)
    address = f"/v1/orders/{hold['order_id']}/refunds"
    told = [shop.post(address, body) for _ in range(2)]
    for answer in told:
        assert answer["points_returned"] == 50
        assert answer["money_back"] == {"amount": 2000, "currency": "eur"}
    assert shop.get(address)["data"][0]["points_returned"] == 50
    assert shop.available(member) == 350


def test_items_that_come_back_say_how_much_money_goes_with_them(shop: Shop) -> None:
    member = shop.a_member(points=500)
    hold = a_paid_order(shop, member)
    refund = shop.refund(hold["order_id"], lines=[{"sku": "cream", "quantity": 1}])
    assert refund["points_returned"] == 200
    assert refund["money_back"] == {"amount": 8000, "currency": "eur"}


def test_whether_the_capture_or_the_refund_is_first_the_end_is_the_same(shop: Shop) -> None:
    member = shop.a_member(points=500)
    hold = shop.hold(member, 200)
    shop.order(member, 10000, id=hold["order_id"], discount=2000)
    assert shop.refund(hold["order_id"], amount=2000)["points_returned"] == 0
    assert shop.capture(hold["id"])["returned_points"] == 50
    assert shop.available(member) == 350


def test_a_capture_after_the_order_was_cancelled_gives_all_back_at_once(shop: Shop) -> None:
    member = shop.a_member(points=500)
    hold = shop.hold(member, 200)
    shop.order(member, 10000, id=hold["order_id"], discount=2000)
    shop.post(f"/v1/orders/{hold['order_id']}/cancel", {})
    captured = shop.capture(hold["id"])
    assert (captured["status"], captured["returned_points"]) == ("captured", 200)
    assert shop.available(member) == 500


def test_a_refund_that_waited_for_its_order_gives_points_back_with_it(shop: Shop) -> None:
    member = shop.a_member(points=500)
    hold = shop.hold(member, 200)
    shop.capture(hold["id"])
    refund = shop.refund(hold["order_id"], amount=4000)
    assert (refund["status"], refund["money_back"]) == ("waiting", None)
    shop.order(member, 10000, id=hold["order_id"], discount=2000)
    (settled,) = shop.get(f"/v1/orders/{hold['order_id']}/refunds")["data"]
    assert (settled["points_returned"], settled["money_back"]["amount"]) == (100, 4000)
    assert shop.available(member) == 400


def test_another_members_hold_of_that_order_is_not_touched(shop: Shop) -> None:
    member, stranger = shop.a_member(points=500), shop.a_member(points=500)
    hold = a_paid_order(shop, member)
    theirs = shop.hold(stranger, 100, order_id=hold["order_id"])
    shop.capture(theirs["id"])
    shop.post(f"/v1/orders/{hold['order_id']}/cancel", {})
    assert (shop.available(member), shop.available(stranger)) == (500, 400)


def test_of_two_holds_of_an_order_the_last_capture_comes_back_first(shop: Shop) -> None:
    member = shop.a_member(points=500)
    first = shop.hold(member, 100, order_id="8001")["id"]
    last = shop.hold(member, 100, order_id="8001")["id"]
    shop.capture(last)
    shop.capture(first)
    shop.order(member, 10000, id="8001", discount=2000)
    assert shop.refund("8001", amount=6000)["points_returned"] == 150
    returned = {one: shop.get(f"/v1/holds/{one}")["returned_points"] for one in (first, last)}
    assert returned == {first: 100, last: 50}


def test_an_amendment_takes_no_points_and_later_refunds_count_what_is_back(shop: Shop) -> None:
    member = shop.a_member(points=500)
    hold = a_paid_order(shop, member)
    shop.refund(hold["order_id"], amount=4000)
    assert shop.available(member) == 400
    address = f"/v1/orders/{hold['order_id']}"
    lines = [{"sku": "cream", "quantity": 1, "unit_amount": 20000}]
    assert shop.call("PATCH", address, {"lines": lines}).status_code == 200
    assert shop.available(member) == 400
    # Of 180.00 a third is back now; a third of the points would be, and half of them are.
    assert shop.refund(hold["order_id"], amount=2000)["points_returned"] == 0
    assert shop.refund(hold["order_id"], amount=12000)["points_returned"] == 100
    assert shop.available(member) == 500


@pytest.mark.parametrize(("when_spent", "owed"), [("allow_debt", 30), ("clamp", 0)])
def test_points_that_come_back_pay_what_the_refund_takes(
    shop: Shop, when_spent: str, owed: int
) -> None:
    shop.apply(DEFAULT_PROGRAM.replace("when_spent: allow_debt", f"when_spent: {when_spent}"))
    member = shop.a_member(points=50)
    hold = shop.hold(member, 50)
    shop.capture(hold["id"])
    shop.order(member, 8000, id=hold["order_id"])
    shop.advance(20)
    assert shop.available(member) == 80
    shop.give(member, -80)
    refund = shop.refund(hold["order_id"], amount=8000)
    assert (refund["points_taken"], refund["points_returned"]) == (80, 50)
    balance = shop.balance(member)
    assert (balance["available"], balance["debt"]) == (0, owed)
