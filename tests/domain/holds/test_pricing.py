"""What held points pay: as a quote says, to the point and to the cent, and signed for the way."""

import json
import re
from base64 import urlsafe_b64decode
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from hypothesis import assume, given
from hypothesis import strategies as st

from loyalty_service import signing, worker
from loyalty_service.domain import program, rewards
from loyalty_service.domain.holds import pricing
from loyalty_service.domain.holds.pricing import OrderAmount
from loyalty_service.domain.program.document import Reward
from loyalty_service.errors import PointsExceedOrder, PointsNotOffered
from tests.api.contract import problem
from tests.shop import DEFAULT_PROGRAM, Shop, with_rewards

PAY = """\
  - id: pay
    name: Pay with points
    type: amount_off
    pay_with_points: {points: 100, worth: 1.00, minimum: 100, step: 50, maximum: 2000}
    max_share_of_order: 1/2
"""
KEY = "a key of thirty-two characters, or more of them"


def a_reward(rate: str, share: str) -> tuple[program.Program, Reward]:
    document = with_rewards(DEFAULT_PROGRAM, PAY)
    document = re.sub(r"pay_with_points: .*", f"pay_with_points: {rate}", document)
    head, tail = document.rsplit("max_share_of_order: 1/2", 1)
    rules = program.parse(f"{head}max_share_of_order: {share}{tail}")
    reward = rules.reward("pay")
    assert reward
    return rules, reward


RATES = [
    a_reward(rate, share)
    for rate in (
        "{points: 100, worth: 1.00, minimum: 100, step: 50, maximum: 2000}",
        "{points: 3, worth: 0.01}",
        "{points: 7, worth: 0.05, minimum: 7}",
        "{points: 1, worth: 0.30}",
    )
    for share in ("1/2", "1", "1/3")
]


@given(of=st.sampled_from(RATES), balance=st.integers(0, 5000), order_minor=st.integers(0, 10000))
def test_what_a_quote_says_can_be_held_and_not_a_step_more(
    of: tuple[program.Program, Reward], balance: int, order_minor: int
) -> None:
    rules, reward = of
    order = OrderAmount(order_minor, rules.currency)
    quoted = rewards.pay_with_points(reward, balance, order_minor)
    assume(quoted)
    assert quoted
    pricing.require_order(rules, reward, quoted.points, order)
    assert pricing.worth_minor(reward, quoted.points) == quoted.amount_minor <= order_minor
    most = rewards.pay_with_points(reward, 10**9, order_minor)
    assert most
    for more in range(most.points + 1, most.points + 400):
        try:
            worth = pricing.worth_minor(reward, more)
            pricing.require_order(rules, reward, more, order)
        except (PointsExceedOrder, PointsNotOffered):
            continue
        # Points that take off no more than the most do no harm to the order.
        assert worth == most.amount_minor


@pytest.fixture
def paying(shop: Shop) -> Shop:
    """A shop whose program takes points as money."""
    shop.add_rewards(PAY)
    return shop


@pytest.fixture
def signing_shop(paying: Shop, app: Flask) -> Shop:
    app.config["LOYALTY"] = replace(app.config["LOYALTY"], signing_key=KEY)
    return paying


def claims(token: str) -> Any:
    """What a token says, where its signature is good; as any JWT library reads it."""
    head, body, _ = token.split(".")
    told = json.loads(urlsafe_b64decode(body + "=="))
    assert json.loads(urlsafe_b64decode(head + "==")) == {"alg": "HS256", "typ": "JWT"}
    assert token == signing.sign(told, KEY)
    return told


def test_a_quote_and_a_hold_of_its_points_say_the_same_amount(paying: Shop) -> None:
    member = paying.a_member(points=777)
    quote = paying.post("/v1/quotes", {"member": member, "order": paying.a_cart(1300)})
    pay = quote["pay_with_points"]
    assert pay == {"reward": "pay", "points": 650, "amount_off": {"amount": 650, "currency": "eur"}}
    hold = paying.hold(
        member, pay["points"], reward="pay", order_amount={"amount": 1300, "currency": "eur"}
    )
    assert (hold["reward"], hold["discount"]) == ("pay", pay["amount_off"])
    assert hold["minimum_order"] == {"amount": 1300, "currency": "eur"}


def test_the_only_rate_of_a_program_prices_what_names_none(paying: Shop) -> None:
    hold = paying.hold(paying.a_member(points=777), 250)
    assert (hold["reward"], hold["discount"]["amount"]) == ("pay", 250)


def test_without_a_rate_points_alone_are_held(signing_shop: Shop, app: Flask) -> None:
    other = Shop.open(app, DEFAULT_PROGRAM.replace("id: default", "id: plain", 1))
    hold = other.hold(other.a_member(points=100), 7)
    assert (hold["reward"], hold["discount"], hold["signature"]) == (None, None, None)


@pytest.mark.parametrize(
    ("more", "status", "code"),
    [
        ({"reward": "money_off"}, 404, "reward_not_found"),
        ({"reward": "nothing"}, 404, "reward_not_found"),
        ({"points": 101}, 422, "points_not_offered"),
        ({"points": 50}, 422, "points_not_offered"),
        ({"points": 2050}, 422, "points_not_offered"),
        ({"order_amount": {"amount": 399, "currency": "eur"}}, 409, "points_exceed_order"),
        ({"order_amount": {"amount": 400, "currency": "usd"}}, 422, "currency_not_priced"),
    ],
)
def test_points_that_buy_nothing_there_are_not_held(
    paying: Shop, more: dict[str, Any], status: int, code: str
) -> None:
    member = paying.a_member(points=5000)
    answer = paying.call("POST", "/v1/holds", {**paying.a_hold(member, 200), **more})
    assert (answer.status_code, answer.json["code"]) == (status, code)
    assert paying.balance(member)["held"] == 0


def test_a_part_that_is_captured_is_priced_like_the_whole(paying: Shop) -> None:
    hold = paying.hold(paying.a_member(points=777), 300)
    refused = paying.call("POST", f"/v1/holds/{hold['id']}/capture", {"points": 120})
    assert (refused.status_code, refused.json["code"]) == (422, "points_not_offered")
    captured = paying.capture(hold["id"], 150)
    assert captured["discount"] == {"amount": 150, "currency": "eur"}
    assert captured["minimum_order"] == {"amount": 300, "currency": "eur"}


def test_the_discount_is_signed_while_it_is_held(signing_shop: Shop) -> None:
    member = signing_shop.a_member(points=777)
    hold = signing_shop.hold(member, 300, order_id="5001")
    told = claims(hold["signature"])
    assert told == {
        "program": "default",
        "hold": hold["id"],
        "member": member,
        "order_id": "5001",
        "points": 300,
        "amount": 300,
        "minimum_order": 600,
        "currency": "eur",
        "expires_at": told["expires_at"],
        "exp": told["exp"],
    }
    assert signing_shop.get(f"/v1/holds/{hold['id']}")["signature"] == hold["signature"]
    assert signing_shop.capture(hold["id"])["signature"] is None


def test_a_hold_that_ended_vouches_for_nothing(signing_shop: Shop) -> None:
    hold = signing_shop.hold(signing_shop.a_member(points=777), 300)
    signing_shop.advance(seconds=900)
    assert signing_shop.get(f"/v1/holds/{hold['id']}")["signature"] is None


def test_without_a_key_nothing_is_signed(paying: Shop) -> None:
    hold = paying.hold(paying.a_member(points=777), 300)
    assert hold["discount"]
    assert hold["signature"] is None


def test_a_changed_statement_is_not_one_of_ours() -> None:
    good = signing.sign({"amount": 300}, KEY)
    head, _, seal = good.split(".")
    forged = signing.sign({"amount": 900}, "another key of thirty-two characters, or more")
    assert signing.sign({"amount": 900}, KEY) != f"{head}.{forged.split('.')[1]}.{seal}"
    assert forged.split(".")[2] != signing.sign({"amount": 900}, KEY).split(".")[2]


def test_a_limit_of_the_reward_counts_holds_until_they_come_to_nothing(shop: Shop) -> None:
    shop.add_rewards(PAY + "    per_member: {count: 1, per: month}\n    stock: 2\n")
    member, other, third = (shop.a_member(points=900) for _ in range(3))
    first = shop.hold(member, 100)
    again = shop.call("POST", "/v1/holds", shop.a_hold(member, 100))
    assert (again.status_code, again.json["code"]) == (409, "reward_limit_reached")
    shop.release(first["id"])
    shop.capture(shop.hold(member, 100)["id"])
    shop.hold(other, 100)
    sold_out = shop.call("POST", "/v1/holds", shop.a_hold(third, 100))
    assert (sold_out.status_code, sold_out.json["code"]) == (409, "reward_sold_out")
    shop.advance(seconds=900)
    end_holds(shop)
    shop.hold(third, 100)


def end_holds(shop: Shop) -> None:
    """The worker writes down what time has ended."""
    with shop.app.app_context():
        assert worker.end_holds() == 1
        assert worker.end_holds() == 0


def test_several_holds_of_one_order_pay_no_more_than_one(app: Flask) -> None:
    shop = Shop.open(app, with_rewards(DEFAULT_PROGRAM, PAY))
    member, other = shop.a_member(points=3000), shop.a_member(points=3000)
    amount = {"amount": 1000, "currency": "eur"}

    def hold(points: int, whose: str = member, **more: Any) -> Any:
        body = {"member": whose, "points": points, "order_id": "A-1", "order_amount": amount}
        return shop.call("POST", "/v1/holds", body | more)

    first = hold(300).json
    refused = problem(hold(250), 409, "points_exceed_order", "points")
    assert "Other holds of this order take 300 off" in refused["detail"]
    second = hold(200).json
    shop.post(f"/v1/holds/{second['id']}/capture", {"points": 100})
    shop.post(f"/v1/holds/{first['id']}/release")
    assert hold(450).status_code == 409
    third = hold(400, expires_in_seconds=5)
    assert third.status_code == 201
    shop.advance(seconds=5)
    assert hold(400).status_code == 201
    # Another member's points are no part of it.
    assert hold(500, other).status_code == 201
