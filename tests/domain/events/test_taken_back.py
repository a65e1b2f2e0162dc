"""An event that was taken back is due nothing any more, wherever it is read."""

from flask import Flask

from tests.domain.events.test_referrals import opened
from tests.shop import Shop


def test_a_reversed_event_is_due_nothing(shop: Shop) -> None:
    event = shop.an_event(shop.a_member())
    made = shop.post("/v1/events", event)
    assert made["points_earned"] == 50
    reverse(shop, made["transaction"])
    for told in (shop.get(f"/v1/events/{event['id']}"), shop.post("/v1/events", event)):
        assert (told["points_earned"], told["balance"]["available"]) == (0, 0)


def test_an_event_that_went_with_its_order_is_due_nothing(app: Flask) -> None:
    shop, friend, referrer = opened(app, "first_order: {minimum: 25.00}")
    path = f"/v1/events/{shop.event(friend, 'referral', data={'referrer': referrer})['id']}"
    assert shop.get(path)["points_earned"] == 0
    order = shop.order(friend)
    assert shop.get(path)["points_earned"] == 100
    shop.post(f"/v1/orders/{order['id']}/cancel", {})
    assert shop.get(path)["points_earned"] == 0


def test_an_event_stays_what_it_was_when_only_the_other_side_is_taken_back(app: Flask) -> None:
    shop, friend, referrer = opened(app, "pending_days: 0")
    event = shop.event(friend, "referral", data={"referrer": referrer})
    shop.work()
    (given,) = shop.get(f"/v1/members/{referrer}/transactions")["data"]
    reverse(shop, given["id"])
    assert shop.get(f"/v1/events/{event['id']}")["points_earned"] == 100


def reverse(shop: Shop, transaction_id: str) -> None:
    """Take a transaction back, as somebody who may."""
    path = f"/v1/transactions/{transaction_id}/reverse"
    shop.post(path, {"reason": "appreciation"}, who="admin")
