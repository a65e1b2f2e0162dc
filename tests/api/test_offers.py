"""/v1/offers: what members can be thanked with, what is left of it, and who could have it now."""

from typing import Any

import pytest
from flask import Flask

from tests.api.contract import nothing_written, problem
from tests.domain.discounts.offers import BY_FACTS, BY_HAND, THREE_A_MONTH, with_only
from tests.shop import Shop
from tests.stripe_control import StripeControl

NOTHING = {"tier": None, "order_number": None, "days_without_order": None, "feedback": None}


@pytest.fixture
def by_hand(app: Flask) -> Shop:
    """A shop whose staff give a tea, seven off within a budget, and a cake now and then."""
    return Shop.open(app, with_only(BY_HAND + BY_FACTS))


def test_each_offer_says_what_it_gives_for_what_and_how_long(shop: Shop) -> None:
    shown = by_id(shop)
    assert list(shown) == ["sorry", "birthday", "platinum", "welcome_back"]
    assert {**shown["sorry"], "budget": None} == {
        "object": "offer",
        "id": "sorry",
        "name": "With our apologies",
        "type": "amount_off",
        "gives": "5.00 EUR off, from an order of 10.00 EUR on",
        "discount": {
            "amount_off": {"amount": 500, "currency": "eur"},
            "percent_off": None,
            "minimum_order": {"amount": 1000, "currency": "eur"},
        },
        "settlement": "stripe_promotion_code",
        "trigger": "staff",
        "due": None,
        "by_hand": True,
        "cooldown_seconds": None,
        "code_lifetime_days": 90,
        "budget": None,
    }
    assert (shown["birthday"]["gives"], shown["birthday"]["due"]) == ("15 % off", None)
    assert shown["platinum"]["due"] == {**NOTHING, "tier": "platinum"}
    assert shown["welcome_back"]["due"] == {**NOTHING, "days_without_order": 180}
    assert shown["welcome_back"]["cooldown_seconds"] == 365 * 86400
    assert [one["by_hand"] for one in shown.values()] == [True, False, False, False]


def test_what_facts_make_due_is_said(by_hand: Shop) -> None:
    shown = by_id(by_hand)
    assert shown["third"]["due"] == {**NOTHING, "order_number": 3}
    assert shown["third"]["gives"] == "Free shipping"
    feedback = {"event": "feedback", "field": "score", "at_most": 2}
    assert shown["ears"]["due"] == {**NOTHING, "feedback": feedback}
    assert shown["tea"]["gives"] == "a tea"


def test_offers_speak_the_language_that_is_asked_for(shop: Shop) -> None:
    german = {"Accept-Language": "de"}
    offer = shop.call("GET", "/v1/offers", headers=german).json["data"][0]
    assert offer["gives"] == "5,00 EUR Rabatt, ab einer Bestellung von 10,00 EUR"


def test_a_budget_counts_down_and_up_again(shop: Shop, stripe: StripeControl) -> None:
    assert left(shop, "sorry") == 50000
    given = shop.thank(shop.a_member())
    assert left(shop, "sorry") == 49500
    shop.post(f"/v1/discounts/{given['id']}/cancel", {}, who="agent")
    assert left(shop, "sorry") == 50000


def test_a_budget_in_number_says_how_many_are_left_and_opens_next_month(app: Flask) -> None:
    shop = Shop.open(app, with_only(THREE_A_MONTH))
    shop.thank(shop.a_member(), "tea")
    budget = by_id(shop)["tea"]["budget"]
    assert (budget["count"], budget["count_left"]) == (3, 2)
    assert [budget[name] for name in ("amount", "amount_left", "amount_each")] == [None] * 3
    assert budget["opens_at"] > shop.now().isoformat()
    shop.advance(days=31)
    later = by_id(shop)["tea"]["budget"]
    assert (later["count_left"], later["month"] > budget["month"]) == (3, True)


@pytest.mark.parametrize("who", ["agent", "manager", "reporting", "admin"])
def test_staff_and_reports_see_budgets(shop: Shop, who: str) -> None:
    budget = by_id(shop, who=who)["sorry"]["budget"]
    assert budget["amount"] == budget["amount_left"] == {"amount": 50000, "currency": "eur"}
    assert budget["amount_each"] == {"amount": 500, "currency": "eur"}


def test_a_checkout_sees_no_budget_and_no_figure_of_one(by_hand: Shop) -> None:
    member = by_hand.a_member()
    by_hand.thank(by_hand.a_member(), "seven")
    shown = by_id(by_hand, member, who="checkout")
    assert {one["budget"] for one in shown.values()} == {None}
    assert {one["detail"] for one in shown.values()} == {None}
    assert shown["seven"]["code"] == "budget_exceeded"


def test_without_a_member_nobody_is_spoken_of(by_hand: Shop) -> None:
    for offer in by_id(by_hand).values():
        assert not {"usable", "code", "detail", "customer_message", "again_at"} & set(offer)


def test_what_is_said_of_a_member_is_what_a_gift_is_answered(by_hand: Shop) -> None:
    new, thanked, suspended, closed = (by_hand.a_member() for _ in range(4))
    by_hand.thank(thanked, "rare")
    by_hand.thank(thanked, "seven")
    for member, status in ((suspended, "suspended"), (closed, "closed")):
        by_hand.call("PATCH", f"/v1/members/{member}", {"status": status})
    codes = set()
    for member in (new, thanked, suspended, closed):
        with nothing_written(by_hand.app):
            shown = by_id(by_hand, member)
        for offer_id, offer in shown.items():
            codes.add(offer["code"])
            body = {"member": member, "offer": offer_id, "reason": "appreciation"}
            answer = by_hand.call("POST", "/v1/discounts", body, who="agent")
            if offer["usable"]:
                assert answer.status_code == 201
                path = f"/v1/discounts/{answer.json['id']}/cancel"
                by_hand.post(path, {}, who="agent")
            else:
                told = problem(answer, 409, offer["code"])
                assert told["detail"] == offer["detail"]
                assert told["customer_message"] == offer["customer_message"]
    refusals = {"offer_given_lately", "budget_exceeded", "member_suspended", "member_closed"}
    assert codes == {None, "offer_not_for_staff", *refusals}


def test_a_cooldown_says_when_it_is_over_and_then_it_is(by_hand: Shop) -> None:
    member = by_hand.a_member()
    by_hand.thank(member, "rare")
    refused = by_id(by_hand, member)["rare"]
    assert refused["again_at"] in refused["detail"]
    by_hand.advance(days=30)
    offer = by_id(by_hand, member)["rare"]
    assert (offer["usable"], offer["again_at"]) == (True, None)


def test_a_budget_that_is_used_up_says_when_it_opens_again(by_hand: Shop) -> None:
    by_hand.thank(by_hand.a_member(), "seven")
    refused = by_id(by_hand, by_hand.a_member())["seven"]
    assert refused["again_at"] == refused["budget"]["opens_at"]
    assert refused["budget"]["amount_left"] == {"amount": 300, "currency": "eur"}


def test_an_unknown_member_is_404(shop: Shop) -> None:
    answer = shop.call("GET", "/v1/offers?member=ext:nobody")
    problem(answer, 404, "member_not_found", "member")


def by_id(shop: Shop, member: str | None = None, who: str = "agent") -> dict[str, Any]:
    """The offers as somebody sees them, by their ids."""
    asked = f"?member={member}" if member else ""
    return {offer["id"]: offer for offer in shop.get(f"/v1/offers{asked}", who=who)["data"]}


def left(shop: Shop, offer: str) -> int:
    """What is left of an offer's money this month, in minor units."""
    return int(by_id(shop)[offer]["budget"]["amount_left"]["amount"])
