"""Money of an order that is not gone after all takes again the points that came back with it."""

import random
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from loyalty_service import db
from loyalty_service.domain import orders
from loyalty_service.domain.earning import Line, OrderFacts
from loyalty_service.domain.ledger.tables import Lot
from loyalty_service.domain.orders import OrderToRecord, Returned
from loyalty_service.errors import MemberClosed
from tests.conftest import differences
from tests.domain.holds.test_lots import short
from tests.shop import DEFAULT_PROGRAM, Shop

PAID = 5000
CLAMP = DEFAULT_PROGRAM.replace("when_spent: allow_debt", "when_spent: clamp")


class Paid:
    """A member's order of Stripe's of 50.00, which points helped to pay."""

    def __init__(self, shop: Shop, points: int = 500, captures: tuple[int, ...] = (500,)) -> None:
        self.shop, self.member = shop, shop.a_member(points=points)
        self.order_id = f"order-of-{self.member}"
        self.holds = [shop.hold(self.member, one, order_id=self.order_id) for one in captures]
        for hold in self.holds:
            shop.capture(hold["id"])
        facts = OrderFacts("eur", (Line("stripe", None, 1, PAID),), 0, 0, 0)
        placed_at = shop.now() - timedelta(seconds=1)
        order = OrderToRecord(
            self.order_id, self.member, placed_at, facts, source=orders.SOURCE_STRIPE
        )
        with shop.app.app_context():
            db.transaction(lambda session: orders.record(session, shop.program_id, order))

    def gone(self, minor: int) -> None:
        """Know how much of the money is gone now."""
        with self.shop.app.app_context():
            db.transaction(
                lambda session: orders.set_returned(
                    session,
                    self.shop.program_id,
                    self.order_id,
                    "pi_1",
                    lambda: Returned(minor, PAID),
                )
            )

    @property
    def returned(self) -> int:
        """How many of the points that paid are back."""
        found = self.shop.get(f"/v1/holds?order={self.order_id}")["data"]
        return sum(hold["returned_points"] for hold in found)

    @property
    def worth(self) -> int:
        """All that is the member's, less what is owed."""
        told = self.shop.balance(self.member)
        return int(told["available"] + told["pending"] - told["debt"])


def due(points: int, gone: int) -> int:
    """What of some points goes back with so much of 50.00: the rest is rounded, half up."""
    return points - (2 * points * (PAID - gone) + PAID) // (2 * PAID)


@pytest.mark.parametrize("seed", range(6))
def test_whatever_comes_and_goes_the_points_back_are_those_of_what_is_gone(
    shop: Shop, seed: int
) -> None:
    rnd = random.Random(seed)
    captures = rnd.choice([(333,), (500,), (100, 7, 250)])
    paid = Paid(shop, 700, captures)
    points, spent = sum(captures), 0
    for gone in [*(rnd.choice([0, PAID, rnd.randint(1, PAID)]) for _ in range(10)), 0, PAID, 0]:
        paid.gone(gone)
        assert paid.returned == due(points, gone)
        assert paid.worth == 700 - points + due(points, gone) + (PAID - gone) // 100 - spent
        if rnd.random() < 0.5 and (some := min(60, shop.available(paid.member))):
            shop.give(paid.member, -some)
            spent += some
    assert not differences(shop.app)


def test_points_taken_again_come_from_the_lots_they_went_back_to(app: Flask) -> None:
    paid = Paid(short(app, "past_expiry: reissue"))
    paid.shop.advance(2)
    paid.shop.give(paid.member, 100)
    paid.shop.advance(2)
    paid.gone(PAID)
    paid.gone(0)
    with app.app_context():
        theirs = select(Lot.available).where(Lot.member_id == paid.member).order_by(Lot.number)
        found = db.read(lambda session: session.scalars(theirs).all())
    # What paid, the order's own, the gift that ends first, what came back, the order's own again.
    assert found == [0, 0, 100, 0, 0]


def test_what_came_back_and_was_spent_is_owed(shop: Shop) -> None:
    paid = Paid(shop)
    paid.gone(PAID)
    shop.give(paid.member, -450)
    paid.gone(0)
    told = shop.balance(paid.member)
    assert (told["available"], told["debt"], paid.returned) == (0, 450, 0)
    paid.gone(PAID)
    told = shop.balance(paid.member)
    assert (told["available"], told["debt"]) == (50, 0)


def test_what_a_program_forgives_stays_back_and_is_not_given_again(app: Flask) -> None:
    paid = Paid(Shop.open(app, CLAMP))
    paid.gone(PAID)
    paid.shop.give(paid.member, -450)
    for _ in range(2):
        paid.gone(0)
        assert (paid.shop.available(paid.member), paid.returned) == (0, 450)
        paid.gone(PAID)
        assert (paid.shop.available(paid.member), paid.returned) == (50, 500)
    assert not differences(app)


def test_points_that_expired_after_they_came_back_are_not_asked_for(app: Flask) -> None:
    paid = Paid(short(app, "past_expiry: original_expiry"))
    paid.gone(PAID)
    paid.shop.advance(4)
    paid.gone(0)
    assert (paid.shop.balance(paid.member)["debt"], paid.returned) == (0, 500)
    paid.gone(PAID)
    assert paid.shop.available(paid.member) == 0
    assert not differences(app)


def test_what_expired_between_is_no_reason_to_keep_what_comes_back_later(app: Flask) -> None:
    paid = Paid(short(app, "past_expiry: grace_days, grace_days: 2"), 1000)
    paid.gone(PAID)
    paid.gone(0)
    paid.shop.advance(4)
    paid.gone(PAID)
    assert paid.shop.available(paid.member) == 500
    paid.gone(0)
    # The order's own 50 have expired with the other 500.
    assert (paid.worth, paid.returned) == (0, 0)
    assert not differences(app)


def test_a_cancelled_order_keeps_its_points_back(shop: Shop) -> None:
    paid = Paid(shop)
    shop.post(f"/v1/orders/{paid.order_id}/cancel", {})
    paid.gone(PAID)
    paid.gone(0)
    assert (paid.worth, paid.returned) == (500, 500)


def test_a_member_who_has_left_keeps_what_came_back(shop: Shop) -> None:
    paid = Paid(shop)
    paid.gone(PAID)
    shop.call("PATCH", f"/v1/members/{paid.member}", {"status": "closed"})
    before = paid.returned
    with pytest.raises(MemberClosed):
        paid.gone(0)
    assert (before, paid.returned) == (500, 500)


def test_a_capture_after_the_money_came_back_counts_what_is_gone_now(shop: Shop) -> None:
    paid = Paid(shop, 700)
    late = shop.hold(paid.member, 100, order_id=paid.order_id)
    paid.gone(PAID)
    paid.gone(0)
    assert shop.capture(late["id"])["returned_points"] == 0
    assert (shop.available(paid.member), paid.returned) == (100, 0)


def test_the_refunds_say_what_came_back_and_what_was_taken_again(shop: Shop) -> None:
    paid = Paid(shop)
    paid.gone(PAID)
    paid.gone(2000)
    told = shop.get(f"/v1/orders/{paid.order_id}/refunds")["data"]
    assert sorted(one["points_returned"] for one in told) == [-300, 500]


def test_the_customer_reads_why_points_were_taken_again(shop: Shop) -> None:
    paid = Paid(shop)
    paid.gone(PAID)
    shop.give(paid.member, -450)
    paid.gone(0)
    told = shop.get(f"/v1/members/{paid.member}/transactions")["data"]
    assert told[0]["summary"] == (
        f"The money for order {paid.order_id} was not given back after all: 500 points taken back, "
        "450 of them are owed because they were spent."
    )
