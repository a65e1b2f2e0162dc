"""`ledger verify` rebuilds every counter from its allotments, and asks what a discount took."""

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import text

from loyalty_service import db
from tests.conftest import differences
from tests.domain.discounts.offers import budget_left, this_month
from tests.shop import DEFAULT_PROGRAM, Shop
from tests.stripe_control import StripeControl

STOCKED = DEFAULT_PROGRAM.replace(
    "name: Money off your order\n", "name: Money off your order\n    stock: 5\n"
)


@pytest.fixture
def shop(app: Flask, stripe: StripeControl) -> Shop:
    """A shop in which each kind of counter was used once."""
    shop = Shop.open(app, STOCKED)
    member = shop.a_member(points=100)
    shop.redeem(member)
    shop.give(member, 30, who="agent")
    body = {"member": member, "offer": "sorry", "reason": "appreciation"}
    shop.post("/v1/discounts", body, who="agent")
    return shop


@pytest.fixture
def tamper(shop: Shop) -> Callable[[str], None]:
    """Changes the database behind the books' back."""

    def change(statement: str) -> None:
        with shop.app.app_context():
            db.transaction(lambda session: session.execute(text(statement)))

    return change


def test_a_shop_that_used_every_kind_of_counter_has_none_wrong(shop: Shop) -> None:
    assert differences(shop.app) == []
    assert budget_left(shop, "sorry") == 49500


@pytest.mark.tampered
@pytest.mark.parametrize(("name", "used"), [("offer%", 500), ("adjustments%", 30), ("reward%", 1)])
def test_a_counter_that_is_not_the_sum_of_its_allotments_is_found(
    shop: Shop, tamper: Callable[[str], None], name: str, used: int
) -> None:
    tamper(f"UPDATE counters SET used = used + 1 WHERE name LIKE '{name}'")
    (found,) = differences(shop.app)
    assert found.subject.startswith("counter ")
    assert found.detail == f"used is {used + 1}, allotments give {used}"


@pytest.mark.tampered
def test_a_discount_that_failed_and_kept_its_budget_is_found(
    shop: Shop, tamper: Callable[[str], None]
) -> None:
    tamper("UPDATE discounts SET status = 'failed'")
    (found,) = differences(shop.app)
    month = this_month(shop)
    assert found.detail == (
        f"is failed and has 500 of offer:sorry:{month}:minor of budgets, not nothing"
    )


@pytest.mark.tampered
def test_a_discount_that_is_gone_and_kept_its_budget_is_found(
    shop: Shop, tamper: Callable[[str], None]
) -> None:
    tamper("DELETE FROM discounts")
    (found,) = differences(shop.app)
    assert found.detail == "is not there and has a share of a budget"


@pytest.mark.tampered
def test_a_discount_whose_promise_is_gone_is_found(
    shop: Shop, tamper: Callable[[str], None]
) -> None:
    tamper("UPDATE discounts SET status = 'pending', promotion_code_id = NULL")
    (found,) = differences(shop.app)
    assert found.detail == "is pending and no job is left to end it"
