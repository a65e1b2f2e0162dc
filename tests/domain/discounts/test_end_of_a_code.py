"""The end of a thank-you's code: nobody used it, or somebody did when nobody knew it yet."""

from typing import Any

import pytest
from flask import Flask

from loyalty_service import db, worker
from loyalty_service.domain import discounts
from tests.domain.discounts.offers import BY_HAND, budget_left, this_month, with_only
from tests.shop import Shop
from tests.stripe_control import StripeControl


def test_what_the_shop_gives_itself_ends_at_once(app: Flask) -> None:
    shop = Shop.open(app, with_only(BY_HAND))
    given = shop.thank(shop.a_member(), "tea")
    shop.advance(days=9)
    assert shown(shop, given)["status"] == "expiring"
    end_codes(shop)
    assert shown(shop, given)["status"] == "expired"


def test_a_code_of_stripes_dies_there_and_its_budget_stays_spent(
    shop: Shop, stripe: StripeControl
) -> None:
    given, paid_in = shop.thank(shop.a_member()), this_month(shop)
    shop.advance(days=92)
    end_codes(shop)
    assert shown(shop, given)["status"] == "expired"
    assert [code["active"] for code in stripe.codes_of(given["id"])] == [False]
    assert budget_left(shop, "sorry", paid_in) == 49500


def test_a_code_that_was_used_in_time_is_found_used_at_its_end(
    shop: Shop, stripe: StripeControl
) -> None:
    given = shop.thank(shop.a_member())
    stripe.pay(given["code"], 5000)
    shop.advance(days=92)
    end_codes(shop)
    used = shown(shop, given)
    assert (used["status"], used["used_at"] is None) == ("used", False)


def test_a_code_whose_life_is_over_is_not_cancelled(shop: Shop, stripe: StripeControl) -> None:
    given = shop.thank(shop.a_member())
    shop.advance(days=92)
    refused = shop.call("POST", f"/v1/discounts/{given['id']}/cancel", {}, who="agent")
    assert (refused.status_code, refused.json["code"]) == (409, "discount_final")


@pytest.mark.parametrize("came_to_nothing", ["cancelled", "failed"])
def test_a_use_that_is_learnt_late_takes_the_budget_again(
    shop: Shop, stripe: StripeControl, came_to_nothing: str
) -> None:
    if came_to_nothing == "failed":
        stripe.fault("conflict_409")
    given = shop.thank(shop.a_member())
    if came_to_nothing == "failed":
        fail(shop, given)
    else:
        shop.post(f"/v1/discounts/{given['id']}/cancel", {}, who="agent")
    assert shown(shop, given)["status"] == came_to_nothing
    assert budget_left(shop, "sorry") == 50000
    for _ in range(2):
        learn(shop, given)
    assert shown(shop, given)["status"] == "used"
    assert budget_left(shop, "sorry") == 49500


def test_a_use_that_is_learnt_before_the_code_makes_it_used(
    shop: Shop, stripe: StripeControl
) -> None:
    stripe.fault("conflict_409")
    given = shop.thank(shop.a_member())
    learn(shop, given)
    assert (shown(shop, given)["status"], budget_left(shop, "sorry")) == ("used", 49500)


def end_codes(shop: Shop) -> None:
    with shop.app.app_context():
        worker.end_codes()
        worker.run_once()


def learn(shop: Shop, given: Any) -> None:
    mine = (shop.program_id, given["id"], "promo_learnt")
    with shop.app.app_context():
        db.transaction(lambda session: discounts.learn_use(session, *mine))


def fail(shop: Shop, given: Any) -> None:
    with shop.app.app_context():
        db.transaction(
            lambda session: discounts.failed(session, shop.program_id, given["id"], "no")
        )


def shown(shop: Shop, given: Any) -> Any:
    return shop.get(f"/v1/discounts/{given['id']}")
