"""What a refused request is told reads as a sentence."""

from datetime import timedelta
from typing import Any

import pytest

from tests.api.contract import changed, problem
from tests.shop import Shop


def told(shop: Shop, path: str, body: Any, status: int, code: str) -> str:
    return str(problem(shop.call("POST", path, body), status, code)["detail"])


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "amount is missing, and so is lines; send one of the two."),
        (
            {"amount": 5, "lines": [{"sku": "cream", "quantity": 1}]},
            "amount can't stand beside lines; send one of the two.",
        ),
    ],
)
def test_a_refund_by_nothing_or_by_both_is_told_in_a_sentence(
    shop: Shop, given: dict[str, Any], said: str
) -> None:
    path = f"/v1/orders/{shop.order(shop.a_member())['id']}/refunds"
    assert told(shop, path, {"id": "one", **given}, 422, "validation_failed") == said


def test_a_length_is_counted_in_what_it_has(shop: Shop) -> None:
    order, line = shop.an_order(shop.a_member()), shop.an_order("")["lines"]
    for field, value, said in (
        ("id", "", "id needs at least 1 character."),
        ("currency", "eu", "currency needs at least 3 characters."),
        ("id", "x" * 201, "id may have at most 200 characters."),
        ("lines", [], "lines needs at least 1 entry."),
        ("lines", line * 501, "lines may have at most 500 entries."),
    ):
        wrong = changed(order, field, value)
        assert told(shop, "/v1/orders", wrong, 422, "validation_failed") == said
    many = shop.an_event(order["member"], data={f"f{n}": 1 for n in range(51)})
    assert "at most 50 fields." in told(shop, "/v1/events", many, 422, "validation_failed")


def test_moments_that_do_not_fit_are_told_to_the_second(shop: Shop) -> None:
    member, now = shop.a_member(), shop.now()
    for placed_at, code in (
        (now + timedelta(minutes=5), "order_in_future"),
        (now - timedelta(days=31), "order_too_late"),
    ):
        order = shop.an_order(member, placed_at=placed_at)
        said = told(shop, "/v1/orders", order, 422, code)
        assert f"placed_at {placed_at:%Y-%m-%dT%H:%M:%SZ} is " in said
        assert "." not in said.removesuffix("."), said


def test_items_that_the_order_does_not_have_are_told_so(shop: Shop) -> None:
    path = f"/v1/orders/{shop.order(shop.a_member())['id']}/refunds"
    for sku, said in (
        ("cream", "At most 1 of 'cream' can come back: the order has no more."),
        ("soap", "No 'soap' can come back: the order has none."),
    ):
        body = shop.a_refund(lines=[{"sku": sku, "quantity": 2}])
        assert told(shop, path, body, 409, "refund_exceeds_order") == said
