"""Thank-you discounts are no transactions: their verbs tell, each cause once."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from loyalty_service import clock, db, worker
from loyalty_service.domain import discounts
from tests.shop import TEA, Shop
from tests.stripe_control import StripeControl
from tests.webhooks.receiving import Receiver
from tests.webhooks.test_what_is_told import of_type, told

pytestmark = pytest.mark.usefixtures("endpoint")


def about_discounts(shop: Shop, receiver: Receiver, member: str) -> list[dict[str, Any]]:
    """What was told of a member's discounts."""
    events = told(shop, receiver, member)
    return [event for event in events if event["type"].startswith("discount.")]


def test_a_code_of_stripes_is_told_once_it_can_be_used(
    shop: Shop, receiver: Receiver, stripe: StripeControl
) -> None:
    member = shop.a_member()
    given = shop.thank(member)
    (event,) = about_discounts(shop, receiver, member)
    assert event["type"] == "discount.issued"
    assert event["data"] == {"discount": given["id"], "offer": "sorry", "code": given["code"]}


def test_a_code_that_stripe_has_not_made_yet_is_not_told_until_it_has(
    shop: Shop, receiver: Receiver, stripe: StripeControl
) -> None:
    member = shop.a_member()
    stripe.fault("timeout_after_success", path="/v1/promotion_codes", method="POST", times=2)
    assert shop.thank(member)["status"] == "pending"
    assert about_discounts(shop, receiver, member) == []
    shop.work(at=clock.wall() + timedelta(hours=1))
    assert of_type(about_discounts(shop, receiver, member)) == ["discount.issued"]


def test_what_the_shop_gives_itself_is_told_when_it_is_given_and_when_it_is_used(
    shop: Shop, receiver: Receiver
) -> None:
    shop.add_offers(TEA)
    member = shop.a_member()
    given = shop.thank(member, "tea")
    path = f"/v1/discounts/{given['id']}/use"
    shop.post(path, {})
    assert shop.call("POST", path, {}).status_code == 409
    events = about_discounts(shop, receiver, member)
    assert of_type(events) == ["discount.issued", "discount.used"]
    about = {"discount": given["id"], "offer": "tea"}
    assert [event["data"] for event in events] == [about | {"code": given["code"]}, about]


def test_a_settlement_that_is_repeated_is_told_once(
    shop: Shop, receiver: Receiver, app: Flask, stripe: StripeControl
) -> None:
    member = shop.a_member()
    given = shop.thank(member)
    shop.tell()
    with app.app_context():
        db.transaction(
            lambda session: discounts.issued(session, shop.program_id, given["id"], "promo_again")
        )
    assert of_type(about_discounts(shop, receiver, member)) == ["discount.issued"]


def test_a_use_that_is_learnt_twice_is_told_once(
    shop: Shop, receiver: Receiver, app: Flask, stripe: StripeControl
) -> None:
    member = shop.a_member()
    given = shop.thank(member)
    for _ in range(2):
        learn_use(app, shop, given["id"])
    assert of_type(about_discounts(shop, receiver, member)) == ["discount.issued", "discount.used"]


def test_a_use_that_is_learnt_before_the_code_is_known_tells_both_in_their_order(
    shop: Shop, receiver: Receiver, app: Flask, stripe: StripeControl
) -> None:
    member = shop.a_member()
    stripe.fault("timeout_after_success", path="/v1/promotion_codes", method="POST", times=2)
    given = shop.thank(member)
    assert given["status"] == "pending"
    learn_use(app, shop, given["id"])
    shop.work(at=clock.wall() + timedelta(hours=1))
    assert of_type(about_discounts(shop, receiver, member)) == ["discount.issued", "discount.used"]


def test_a_code_that_is_found_used_at_its_end_is_told_as_used(
    shop: Shop, receiver: Receiver, app: Flask, stripe: StripeControl
) -> None:
    member = shop.a_member()
    given = shop.thank(member)
    stripe.pay(given["code"], 5000)
    shop.advance(days=92)
    with app.app_context():
        worker.end_codes()
    shop.work()
    assert of_type(about_discounts(shop, receiver, member)) == ["discount.issued", "discount.used"]


def test_what_is_given_by_itself_is_told_by_the_worker(
    shop: Shop, receiver: Receiver, stripe: StripeControl
) -> None:
    member = shop.a_member()
    shop.order(member, 60000)
    while shop.work():
        pass
    (event,) = about_discounts(shop, receiver, member)
    assert (event["type"], event["data"]["offer"]) == ("discount.issued", "platinum")


def test_a_thank_you_that_is_refused_tells_nothing(shop: Shop, receiver: Receiver) -> None:
    member = shop.a_member()
    shop.call("PATCH", f"/v1/members/{member}", {"status": "suspended"})
    body = {"member": member, "offer": "sorry", "reason": "appreciation"}
    assert shop.call("POST", "/v1/discounts", body, who="agent").status_code == 409
    assert told(shop, receiver, member) == []


def learn_use(app: Flask, shop: Shop, discount_id: str) -> None:
    """Stripe tells that the code was used."""
    with app.app_context():
        db.transaction(
            lambda session: discounts.learn_use(
                session, shop.program_id, discount_id, "promo_learnt"
            )
        )
