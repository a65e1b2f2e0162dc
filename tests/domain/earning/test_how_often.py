"""How often a rule gives, how soon again, and what it carries on: as the database remembers it."""

from datetime import timedelta

import pytest
from flask import Flask

from tests.domain.earning.life import Life, rules
from tests.domain.earning.told import PURCHASE, TIERS

CARRYING = PURCHASE.replace("per: 1.00", "per: 10.00").replace("}", ", carry: true}")


def often(words: str) -> str:
    return rules(f"{{id: visit, on: order, points: 10, pending_days: 0, {words}}}")


@pytest.mark.parametrize(("span", "days"), [("day", 1), ("month", 31), ("year", 365)])
def test_a_rule_gives_so_often_in_a_stretch(app: Flask, span: str, days: int) -> None:
    shop = Life.under(app, often(f"times: {{{span}: 2}}"))
    assert [shop.earned(100) for _ in range(3)] == [10, 10, 0]
    shop.wait(days=days)
    assert [shop.earned(100) for _ in range(3)] == [10, 10, 0]


def test_a_rule_gives_once_for_ever_and_again_when_that_was_taken_back(app: Flask) -> None:
    shop = Life.under(app, often("times: {ever: 1}"))
    order = shop.buy(100)["id"]
    shop.wait(days=2000)
    assert shop.earned(100) == 0
    shop.refund(order, None, ("cream", 1))
    assert [shop.earned(100), shop.earned(100)] == [10, 0]


def test_what_gave_nothing_is_not_counted_as_once(app: Flask) -> None:
    shop = Life.under(app, often("times: {ever: 1}, minimum_spend: 1.00"))
    assert [shop.earned(99), shop.earned(100), shop.earned(100)] == [0, 10, 0]


@pytest.mark.parametrize(("minutes", "points"), [(0, 0), (29, 0), (30, 10), (31, 10)])
def test_a_cooldown_is_measured_between_the_moments_of_the_orders(
    app: Flask, minutes: int, points: int
) -> None:
    for turn in (1, -1):
        shop = Life.under(app, often("cooldown: {minutes: 30}"))
        shop.buy(100)
        then = shop.now + timedelta(minutes=turn * minutes)
        shop.go(max(then, shop.now))
        assert shop.earned(100, placed_at=then) == points


def test_a_cooldown_lets_the_next_one_through_after_what_earned_not_after_what_did_not(
    app: Flask,
) -> None:
    shop = Life.under(app, often("cooldown: {minutes: 30}"))
    given = []
    for _ in range(4):
        given.append(shop.earned(100))
        shop.wait(minutes=20)
    assert given == [10, 0, 10, 0]


def test_a_cooldown_is_over_when_what_began_it_was_taken_back(app: Flask) -> None:
    shop = Life.under(app, often("cooldown: {days: 1}"))
    order, other = shop.buy(100)["id"], shop.buy(100)["id"]
    shop.refund(other, 100)
    assert shop.earned(100) == 0
    shop.cancel(order)
    assert [shop.earned(100), shop.earned(100)] == [10, 0]


def test_each_rule_has_a_cooldown_of_its_own(app: Flask) -> None:
    listed = (
        "{id: short, on: order, points: 1, pending_days: 0, cooldown: {minutes: 10}}",
        "{id: long, on: order, points: 100, pending_days: 0, cooldown: {hours: 1}}",
    )
    shop = Life.under(app, rules(*listed))
    given = []
    for _ in range(5):
        given.append(shop.earned(100))
        shop.wait(minutes=15)
    assert given == [101, 1, 1, 1, 101]


def test_an_events_limits_are_its_own(app: Flask) -> None:
    shop = Life.under(app, rules("{id: review, on: review, points: 20, times: {day: 1}}"))
    assert [shop.tell("review")["points_earned"] for _ in range(2)] == [20, 0]
    late = shop.now - timedelta(days=1)
    assert [shop.tell("review", at=late)["points_earned"] for _ in range(2)] == [20, 0]
    shop.wait(days=1)
    assert shop.tell("review")["points_earned"] == 20


def test_a_remainder_goes_from_order_to_order(app: Flask) -> None:
    shop = Life.under(app, rules(CARRYING))
    assert [shop.earned(minor) for minor in (1900, 1900, 1900, 300, 50, 949)] == [1, 2, 2, 1, 0, 0]
    assert shop.earned(1) == 1


def test_what_a_refunded_order_left_over_goes_with_it(app: Flask) -> None:
    shop = Life.under(app, rules(CARRYING))
    order = shop.buy(1900)["id"]
    assert shop.refund(order, 1900).refund.points_taken == 1
    assert [shop.earned(100), shop.earned(899), shop.earned(1)] == [0, 0, 1]


def test_what_was_carried_out_of_a_refunded_order_is_made_good_by_the_next(app: Flask) -> None:
    shop = Life.under(app, rules(CARRYING))
    first = shop.buy(1900)["id"]
    second = shop.buy(1100)
    assert second["points_earned"] == 2
    assert shop.refund(first, 1900).refund.points_taken == 1
    # 11.00 are worth 1.1 points, and 2 were given for them.
    assert [shop.earned(900), shop.earned(999), shop.earned(1)] == [0, 0, 1]
    # What the second had carried in stays with it: 0.9 and 0.001 are no whole point.
    assert shop.refund(second["id"], 1099).refund.points_taken == 2
    assert [shop.points(), shop.earned(98), shop.earned(1)] == [1, 0, 1]


@pytest.mark.parametrize("parts", [(1900,), (950, 950), (1, 1899), (500, 500, 900)])
def test_refunds_in_parts_leave_over_what_one_does(app: Flask, parts: tuple[int, ...]) -> None:
    shop = Life.under(app, rules(CARRYING))
    shop.buy(350)
    order = shop.buy(1900)["id"]
    shop.buy(450)
    for part in parts:
        shop.refund(order, part)
    assert (shop.points(), shop.earned(199), shop.earned(1)) == (0, 0, 1)


def test_orders_that_are_cancelled_leave_nothing_over(app: Flask) -> None:
    shop = Life.under(app, rules(CARRYING))
    for _ in range(3):
        shop.cancel(shop.buy(999)["id"])
    assert shop.earned(100) == 0


def test_an_event_that_is_undone_takes_along_what_it_left_over(app: Flask) -> None:
    rule = (
        "{id: reload, on: reload, points: 1, per: 10.00, of: amount, rounding: floor, "
        "pending_days: 0, carry: true}"
    )
    shop = Life.under(app, rules(rule, more="events: {reload: {amount: money}}\n"))
    told = shop.tell("reload", amount=999)
    shop.undo(told["transaction_id"], "admin")
    assert shop.tell("reload", amount=1)["points_earned"] == 0


def test_a_campaign_applies_so_often_and_again_after_a_refund(app: Flask) -> None:
    double = "campaigns:\n  - {id: two, name: Two, multiplier: 2, times: {month: 1}}\n"
    shop = Life.under(app, rules(PURCHASE, more=double))
    first = shop.buy(1000)
    assert [first["points_earned"], shop.earned(1000)] == [20, 10]
    assert shop.refund(first["id"], 1000).refund.points_taken == 20
    assert [shop.earned(1000), shop.earned(1000)] == [20, 10]


def test_a_rule_that_only_qualifies_does_so_as_often_as_it_says(app: Flask) -> None:
    tiers = TIERS.replace("spend", "qualifying_points").replace("500.00", "1000")
    gift = "{id: status, on: sign_up, points: 0, tier_points: 500, times: {ever: 1}}"
    shop = Life.under(app, rules(gift, more=tiers))
    shop.tell("sign_up")
    shop.tell("sign_up")
    assert (shop.tier(), shop.uses()) == ("member", {"status": (0, 1)})
