"""Events that wait for a first order: what they give, by how much, and when not."""

import pytest
from flask import Flask

from tests.domain.earning.life import Life, rules

SMALL = "{id: small, on: visit, points: 5, first_order: {minimum: 10.00}}"
LARGE = "{id: large, on: visit, points: 50, first_order: {minimum: 100.00}}"
ANY = "{id: any, on: visit, points: 500, first_order: {minimum: 0}}"
PLAIN = "{id: plain, on: visit, points: 5000}"
VISIT = "events:\n  visit: {}\n"
BONUS = "campaigns:\n  - {id: thanks, name: Thanks, on: [visit], bonus_points: 7}\n"


@pytest.mark.parametrize(("amount", "points"), [(999, 500), (1000, 505), (9999, 505), (10000, 555)])
def test_a_first_order_gives_what_asks_for_no_larger_one(
    app: Flask, amount: int, points: int
) -> None:
    shop = Life.under(app, rules(SMALL, LARGE, ANY, more=VISIT))
    shop.tell("visit")
    assert shop.points() == 0
    shop.buy(amount)
    assert shop.points() == points
    shop.buy(10000)
    assert shop.points() == points


def test_an_order_that_is_too_small_for_all_leaves_the_event_waiting(app: Flask) -> None:
    shop = Life.under(app, rules(SMALL, LARGE, more=VISIT))
    shop.tell("visit")
    shop.buy(999)
    assert shop.points() == 0
    shop.buy(1000)
    assert shop.points() == 5


def test_what_asks_for_no_order_waits_with_the_rest(app: Flask) -> None:
    shop = Life.under(app, rules(SMALL, PLAIN, more=VISIT + BONUS))
    shop.tell("visit")
    assert shop.points() == 0
    shop.buy(1000)
    assert shop.points() == 5012


def test_who_ordered_before_gets_nothing_not_even_a_bonus(app: Flask) -> None:
    shop = Life.under(app, rules(SMALL, PLAIN, more=VISIT + BONUS))
    shop.buy(100)
    shop.wait(days=1)
    shop.tell("visit")
    shop.buy(5000)
    assert shop.points() == 0


def test_an_order_placed_before_the_event_and_told_after_it_is_not_the_first(app: Flask) -> None:
    shop = Life.under(app, rules(SMALL, more=VISIT))
    before = shop.now
    shop.wait(days=1)
    shop.tell("visit")
    shop.buy(5000, placed_at=before)
    assert shop.points() == 0
    shop.buy(1000)
    assert shop.points() == 5
