"""/v1/rewards: everything a storefront needs to show a reward, and what it is to one member."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from tests.api.contract import nothing_written, problem
from tests.shop import DEFAULT_PROGRAM, Shop, with_rewards

REWARDS = """\
  - id: gift
    name: A birthday gift
    type: free_product
    points: 0
    gives: surprise
    per_member: {count: 1, per: year}
    eligible: {birthday: 7, when: member.enrolled_days >= 0}
    code_lifetime_days: 10
  - id: at_the_till
    name: Money off at the till
    type: amount_off
    settlement: app_applied
    pay_with_points: {points: 100, worth: 1.00, minimum: 500, step: 100, maximum: 2000}
    max_share_of_order: 1/2
    minimum_order: 20.00
  - id: advent
    name: Advent
    type: percent_off
    points: 40
    percent_off: 12.50
    stock: 2
    available: {from: 2026-01-01, until: 2199-12-24}
"""
NOTHING = {
    "pay_with_points": None,
    "max_share_of_order": None,
    "minimum_order": None,
    "eligibility": {"words": None, "tiers": [], "birthday": [], "when": None},
    "stock_left": None,
    "per_member": None,
    "available": None,
    "gives": None,
    "code_lifetime_days": None,
}


@pytest.fixture
def shop(app: Flask) -> Shop:
    return Shop.open(app, with_rewards(DEFAULT_PROGRAM, REWARDS))


def test_each_reward_says_what_it_costs_gives_and_asks(shop: Shop) -> None:
    shown = by_id(shop)
    slab = {"points": 0, "amount_off": None, "percent_off": None, "minimum_order": None}
    assert shown["gift"] == {
        **NOTHING,
        "object": "reward",
        "id": "gift",
        "name": "A birthday gift",
        "type": "free_product",
        "points": 0,
        "slabs": [slab],
        "eligibility": {
            "words": "This reward can be had in the week of your birthday. "
            "This reward is for certain members only.",
            "tiers": [],
            "birthday": [{"tier": None, "days": 7}],
            "when": "member.enrolled_days >= 0",
        },
        "per_member": {"count": 1, "per": "year"},
        "settlement": "app_applied",
        "gives": "surprise",
        "code_lifetime_days": 10,
    }
    assert shown["at_the_till"] == {
        **NOTHING,
        "object": "reward",
        "id": "at_the_till",
        "name": "Money off at the till",
        "type": "amount_off",
        "points": 500,
        "slabs": [],
        "pay_with_points": {
            "points": 100,
            "worth": {"amount": 100, "currency": "eur"},
            "minimum": 500,
            "step": 100,
            "maximum": 2000,
        },
        "max_share_of_order": "1/2",
        "minimum_order": {"amount": 2000, "currency": "eur"},
        "settlement": "app_applied",
    }
    advent = shown["advent"]
    assert advent["available"] == {"from": "2026-01-01", "until": "2199-12-24"}
    assert advent["slabs"][0]["percent_off"] == "12.5"
    assert advent["settlement"] == "stripe_promotion_code"


def test_a_stock_counts_down_and_up_again(shop: Shop) -> None:
    assert by_id(shop)["advent"]["stock_left"] == 2
    taken = shop.redeem(shop.a_member(points=40), "advent")
    assert by_id(shop)["advent"]["stock_left"] == 1
    shop.redeem(shop.a_member(points=40), "advent")
    assert by_id(shop)["advent"]["stock_left"] == 0
    shop.post(f"/v1/redemptions/{taken['id']}/cancel", {})
    assert by_id(shop)["advent"]["stock_left"] == 1


def test_a_stock_that_was_lowered_has_none_left(shop: Shop) -> None:
    for _ in range(2):
        shop.redeem(shop.a_member(points=40), "advent")
    shop.apply(with_rewards(DEFAULT_PROGRAM, REWARDS.replace("stock: 2", "stock: 1")))
    assert by_id(shop)["advent"]["stock_left"] == 0


def test_without_a_member_nobody_is_spoken_of(shop: Shop) -> None:
    for reward in by_id(shop).values():
        assert not {"usable", "code", "customer_message"} & set(reward)


def test_a_member_sees_what_can_be_had_and_why_not(shop: Shop) -> None:
    member = shop.a_member(points=380)
    assert offers(shop, member) == {
        "money_off": (True, None, None),
        "gift": (
            False,
            "reward_not_eligible",
            "This reward can be had in the week of your birthday. "
            "Please tell us your birthday first.",
        ),
        "at_the_till": (False, "insufficient_points", "You need 120 more points for this."),
        "advent": (True, None, None),
    }


@pytest.mark.slow
def test_what_is_said_to_be_usable_can_be_had_and_nothing_else(shop: Shop) -> None:
    born = (shop.now() - timedelta(days=2)).date().replace(year=1988).isoformat()
    members = [shop.a_member(points=points, birthday=born) for points in (0, 39, 99, 600)]
    members.append(shop.a_member(points=600))
    shop.redeem(shop.a_member(points=40), "advent")
    shop.redeem(members[3], "gift")
    for member in members:
        for reward, (usable, code, message) in offers(shop, member).items():
            wish = {"member": member, "reward": reward}
            answer = shop.call("POST", "/v1/redemptions", wish)
            if usable:
                assert answer.status_code in (201, 202)
                shop.post(f"/v1/redemptions/{answer.json['id']}/cancel", {})
            else:
                told = problem(answer, 409, str(code))
                assert told["customer_message"] == message


def test_a_suspended_member_can_have_nothing(shop: Shop) -> None:
    member = shop.a_member(points=1000)
    shop.call("PATCH", f"/v1/members/{member}", {"status": "suspended"})
    assert {code for _, code, _ in offers(shop, member).values()} == {"member_suspended"}


def test_points_that_matured_since_count(shop: Shop) -> None:
    member = shop.a_member()
    shop.order(member, 10000)
    assert offers(shop, member)["money_off"][1] == "insufficient_points"
    shop.advance(days=15)
    with nothing_written(shop.app):
        assert offers(shop, f"ext:{shop.get(f'/v1/members/{member}')['external_id']}")[
            "money_off"
        ] == (True, None, None)


def test_an_unknown_member_is_404(shop: Shop) -> None:
    answer = shop.call("GET", "/v1/rewards?member=ext:nobody")
    problem(answer, 404, "member_not_found", "member")


def by_id(shop: Shop, member: str | None = None) -> dict[str, Any]:
    asked = f"?member={member}" if member else ""
    return {reward["id"]: reward for reward in shop.get(f"/v1/rewards{asked}")["data"]}


def offers(shop: Shop, member: str) -> dict[str, tuple[bool, str | None, str | None]]:
    """Whether each reward can be had, the code of the refusal, and what the customer is told."""
    return {
        id_: (reward["usable"], reward["code"], reward["customer_message"])
        for id_, reward in by_id(shop, member).items()
    }
