"""A thank-you that staff give by hand: the code, the budget, and whoever is refused."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from loyalty_service import clock, db
from loyalty_service.domain import discounts
from tests.domain.discounts.offers import (
    BY_HAND,
    THREE_A_MONTH,
    budget_left,
    this_month,
    with_only,
)
from tests.shop import Shop
from tests.stripe_control import StripeControl


def test_a_code_is_given_and_stripe_honours_it(shop: Shop, stripe: StripeControl) -> None:
    member = shop.a_member()
    given = thank(shop, member)
    assert (given["status"], given["offer"], given["trigger"]) == ("issued", "sorry", "staff")
    assert given["summary"] == "With our apologies, from our staff: late delivery."
    assert given["discount"]["amount_off"] == {"amount": 500, "currency": "eur"}
    assert (given["reason"], given["actor"]) == ("late_delivery", "ana@shop.example")
    (code,) = stripe.codes_of(given["id"])
    assert code["metadata"] == {"loyalty_discount": given["id"], "loyalty_program": "default"}
    assert stripe.pay(given["code"], 5000)["amount_total"] == 4500
    assert shop.available(member) == 0


def test_the_same_request_sent_again_gives_the_same_code(shop: Shop, stripe: StripeControl) -> None:
    member = shop.a_member()
    first, again = (thank(shop, member, key="once") for _ in range(2))
    assert first == again
    assert len(listed(shop, member)) == 1
    assert budget_left(shop, "sorry") == 49500


def test_a_second_request_is_a_second_thank_you(shop: Shop, stripe: StripeControl) -> None:
    member = shop.a_member()
    codes = {thank(shop, member)["code"] for _ in range(2)}
    assert len(codes) == 2
    assert budget_left(shop, "sorry") == 49000


def test_what_the_shop_applies_itself_is_used_once(app: Flask) -> None:
    shop = Shop.open(app, with_only(BY_HAND))
    given = thank(shop, shop.a_member(), "tea")
    assert (given["status"], given["gives"]) == ("issued", "a tea")
    found = shop.get(f"/v1/discounts?code={given['code'].lower().replace('-', '')}")
    assert [one["id"] for one in found["data"]] == [given["id"]]
    path = f"/v1/discounts/{given['id']}/use"
    assert shop.post(path, {})["status"] == "used"
    again = shop.call("POST", path, {})
    assert (again.status_code, again.json["code"]) == (409, "discount_not_usable")


def test_a_code_of_stripes_is_not_used_here(shop: Shop, stripe: StripeControl) -> None:
    given = thank(shop, shop.a_member())
    refused = shop.call("POST", f"/v1/discounts/{given['id']}/use", {})
    assert (refused.status_code, refused.json["code"]) == (409, "discount_used_at_stripe")


def test_a_code_that_has_ended_is_not_used(app: Flask) -> None:
    shop = Shop.open(app, with_only(BY_HAND))
    given = thank(shop, shop.a_member(), "tea")
    shop.advance(days=9)
    refused = shop.call("POST", f"/v1/discounts/{given['id']}/use", {})
    assert (refused.status_code, refused.json["code"]) == (409, "discount_not_usable")


def test_what_is_cancelled_is_dead_and_its_budget_is_back(
    shop: Shop, stripe: StripeControl
) -> None:
    given = thank(shop, shop.a_member())
    assert budget_left(shop, "sorry") == 49500
    cancelled = cancel(shop, given)
    assert (cancelled["status"], cancelled["code"]) == ("cancelled", given["code"])
    assert [code["active"] for code in stripe.codes_of(given["id"])] == [False]
    assert budget_left(shop, "sorry") == 50000
    assert cancel(shop, given) == cancelled
    assert budget_left(shop, "sorry") == 50000


def test_what_is_cancelled_goes_back_to_the_month_that_paid(
    shop: Shop, stripe: StripeControl
) -> None:
    given = thank(shop, shop.a_member())
    paid_in = this_month(shop)
    shop.advance(days=40)
    later = thank(shop, shop.a_member())
    assert budget_left(shop, "sorry", paid_in) == 49500
    cancel(shop, given)
    assert budget_left(shop, "sorry", paid_in) == 50000
    assert budget_left(shop, "sorry") == 49500
    assert later["status"] == "issued"


def test_a_used_code_can_not_be_cancelled(shop: Shop, stripe: StripeControl) -> None:
    given = thank(shop, shop.a_member())
    stripe.pay(given["code"], 5000)
    for _ in range(2):
        refused = shop.call("POST", f"/v1/discounts/{given['id']}/cancel", {}, who="agent")
        assert (refused.status_code, refused.json["code"]) == (409, "discount_final")
    assert shop.get(f"/v1/discounts/{given['id']}")["status"] == "used"
    assert budget_left(shop, "sorry") == 49500


def test_a_code_that_is_still_being_made_can_not_be_cancelled(
    shop: Shop, stripe: StripeControl
) -> None:
    stripe.fault("conflict_409")
    given = thank(shop, shop.a_member())
    assert (given["status"], given["code"]) == ("pending", None)
    refused = shop.call("POST", f"/v1/discounts/{given['id']}/cancel", {}, who="agent")
    assert (refused.json["code"], refused.json["retryable"]) == ("discount_pending", True)
    work_off(shop)
    assert shop.get(f"/v1/discounts/{given['id']}")["status"] == "issued"


def test_what_can_not_be_made_costs_no_budget_and_leaves_no_code(
    shop: Shop, stripe: StripeControl
) -> None:
    # The coupon is there: what times out is the making of the code.
    thank(shop, shop.a_member())
    stripe.fault("timeout_after_success", path="/v1/promotion_codes", method="POST", times=2)
    given = thank(shop, shop.a_member())
    assert budget_left(shop, "sorry") == 49000
    for _ in range(2):
        fail(shop, given)
    failed = shop.get(f"/v1/discounts/{given['id']}")
    assert (failed["status"], failed["code"], failed["failure"]) == ("failed", None, "no")
    assert budget_left(shop, "sorry") == 49500
    work_off(shop)
    assert [code["active"] for code in stripe.codes_of(given["id"])] == [False]


def test_settling_again_what_is_settled_changes_nothing(shop: Shop, stripe: StripeControl) -> None:
    cancelled = cancel(shop, thank(shop, shop.a_member()))
    fail(shop, cancelled)
    mine = (shop.program_id, cancelled["id"])
    with shop.app.app_context():
        db.transaction(lambda session: discounts.withdrawn(session, *mine, 1))
        db.transaction(lambda session: discounts.issued(session, *mine, "promo_1"))
    assert shop.get(f"/v1/discounts/{cancelled['id']}")["status"] == "cancelled"


def test_a_budget_in_number_ends_and_opens_with_the_next_month(app: Flask) -> None:
    shop = Shop.open(app, with_only(THREE_A_MONTH))
    for _ in range(3):
        thank(shop, shop.a_member(), "tea")
    refused = ask(shop, shop.a_member(), "tea")
    assert (refused.status_code, refused.json["code"]) == (409, "budget_exceeded")
    assert "Of the 3 that tea has in " in refused.json["detail"]
    assert "0 are left and one takes 1; the budget opens again at " in refused.json["detail"]
    shop.advance(days=31)
    assert thank(shop, shop.a_member(), "tea")["status"] == "issued"


def test_a_budget_in_money_says_what_is_left_and_when_it_opens_again(
    app: Flask, stripe: StripeControl
) -> None:
    shop = Shop.open(app, with_only(BY_HAND))
    thank(shop, shop.a_member(), "seven")
    refused = ask(shop, shop.a_member(), "seven")
    assert "Of the 10.00 eur that seven has" in refused.json["detail"]
    assert "3.00 eur are left and one takes 7.00 eur" in refused.json["detail"]
    assert budget_left(shop, "seven") == 300


def test_a_member_has_an_offer_once_in_its_cooldown(app: Flask) -> None:
    shop = Shop.open(app, with_only(BY_HAND))
    member = shop.a_member()
    first = thank(shop, member, "rare")
    refused = ask(shop, member, "rare")
    assert (refused.status_code, refused.json["code"]) == (409, "offer_given_lately")
    assert thank(shop, shop.a_member(), "rare")["status"] == "issued"
    cancel(shop, first)
    second = thank(shop, member, "rare")
    shop.advance(days=30)
    assert thank(shop, member, "rare")["id"] != second["id"]


def test_an_offer_that_nobody_knows_names_those_of_staff(shop: Shop) -> None:
    refused = ask(shop, shop.a_member(), "surprise")
    assert (refused.status_code, refused.json["code"]) == (404, "offer_not_found")
    assert refused.json["detail"].endswith("staff can give: sorry.")


def test_an_offer_that_comes_by_itself_is_not_given_by_hand(shop: Shop) -> None:
    refused = ask(shop, shop.a_member(), "birthday")
    assert (refused.status_code, refused.json["code"]) == (409, "offer_not_for_staff")


def test_only_the_programs_reasons_are_reasons(shop: Shop) -> None:
    refused = ask(shop, shop.a_member(), reason="because")
    assert (refused.status_code, refused.json["code"]) == (422, "reason_not_known")


@pytest.mark.parametrize(
    ("status", "code"), [("closed", "member_closed"), ("suspended", "member_suspended")]
)
def test_who_is_closed_or_suspended_gets_none(shop: Shop, status: str, code: str) -> None:
    member = shop.a_member()
    shop.call("PATCH", f"/v1/members/{member}", {"status": status})
    refused = ask(shop, member)
    assert (refused.status_code, refused.json["code"]) == (409, code)
    assert listed(shop, member) == []
    assert budget_left(shop, "sorry") == 50000


def test_another_programs_member_is_not_known(app: Flask) -> None:
    shop = Shop.open(app)
    other = Shop.open(app, with_only(BY_HAND).replace("id: default", "id: other"))
    refused = ask(shop, other.a_member())
    assert (refused.status_code, refused.json["code"]) == (404, "member_not_found")


def test_another_programs_discount_is_not_known(app: Flask) -> None:
    shop = Shop.open(app)
    other = Shop.open(app, with_only(BY_HAND).replace("id: default", "id: other"))
    given = thank(other, other.a_member(), "tea")
    for method, path in (("GET", ""), ("POST", "/cancel"), ("POST", "/use")):
        body = {} if method == "POST" else None
        answer = shop.call(method, f"/v1/discounts/{given['id']}{path}", body, who="agent")
        assert (answer.status_code, answer.json["code"]) == (404, "discount_not_found")


def test_a_checkout_can_not_give_one(shop: Shop) -> None:
    assert ask(shop, shop.a_member(), who="checkout").status_code == 403


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("de", "With our apologies, von unserem Team: verspätete Lieferung."),
        ("en", "With our apologies, from our staff: late delivery."),
    ],
)
def test_a_list_speaks_the_readers_language(
    shop: Shop, stripe: StripeControl, language: str, said: str
) -> None:
    member = shop.a_member()
    thank(shop, member)
    path = f"/v1/discounts?member={member}"
    answer = shop.call("GET", path, headers={"Accept-Language": language})
    assert [one["summary"] for one in answer.json["data"]] == [said]
    assert answer.headers["Content-Language"] == language


def test_lists_are_of_a_member_and_of_a_status(shop: Shop, stripe: StripeControl) -> None:
    ana, ben = shop.a_member(), shop.a_member()
    first, second, third = thank(shop, ana), thank(shop, ben), thank(shop, ana)
    cancel(shop, first)
    assert [one["id"] for one in listed(shop, ana)] == [third["id"], first["id"]]
    of_all = shop.get("/v1/discounts?status=issued")["data"]
    assert [one["id"] for one in of_all] == [third["id"], second["id"]]
    assert shop.get(f"/v1/discounts/{first['id']}", who="reporting")["actor"] is None


def test_a_list_of_a_status_says_what_each_of_its_lines_says(app: Flask) -> None:
    shop = Shop.open(app, with_only(BY_HAND))
    member = shop.a_member()
    over, lasting = thank(shop, member, "tea"), thank(shop, member, "rare")
    shop.advance(days=9)
    for status, expected in (("issued", lasting), ("expiring", over)):
        rows = shop.get(f"/v1/discounts?status={status}", who="agent")["data"]
        assert [(one["id"], one["status"]) for one in rows] == [(expected["id"], status)]


def ask(
    shop: Shop,
    member: str,
    offer: str = "sorry",
    *,
    reason: str = "late_delivery",
    who: str = "agent",
    **more: Any,
) -> Any:
    body = {"member": member, "offer": offer, "reason": reason}
    return shop.call("POST", "/v1/discounts", body, who=who, **more)


def thank(shop: Shop, member: str, offer: str = "sorry", **more: Any) -> Any:
    """A thank-you that must be given."""
    answer = ask(shop, member, offer, **more)
    assert answer.status_code in (201, 202), answer.text
    return answer.json


def cancel(shop: Shop, given: Any) -> Any:
    return shop.post(f"/v1/discounts/{given['id']}/cancel", {}, who="agent")


def listed(shop: Shop, member: str) -> Any:
    return shop.get(f"/v1/discounts?member={member}", who="agent")["data"]


def fail(shop: Shop, given: Any) -> None:
    """Stripe said a definite no."""
    with shop.app.app_context():
        db.transaction(
            lambda session: discounts.failed(session, shop.program_id, given["id"], "no")
        )


def work_off(shop: Shop) -> None:
    shop.work(at=clock.wall() + timedelta(hours=2))
