"""Twenty callers at once with orders of one member, committing for real: limits and gifts hold.

PostgreSQL's callers meet at the account's row; SQLite queues its writers anyway.
"""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from flask import Flask

from tests.domain.earning.life import Life, rules
from tests.domain.earning.told import PURCHASE, TIERS
from tests.stripe_control import together

pytestmark = pytest.mark.slow

CALLERS = 20
VISIT = "{id: visit, on: order, points: 10, pending_days: 0}"
GIVING = TIERS.replace("500.00", "100.00").replace("5/4}", "5/4, entry_points: 40}")


def at_once(shop: Life, act: Callable[[int], Any]) -> list[Any]:
    """What each caller got; the books are verified."""
    found = together(CALLERS, act)
    assert None not in found, "a caller failed"
    assert shop.differences() == []
    return found


def with_words(words: str, rule: str = VISIT) -> str:
    return rules(rule.replace("}", f", {words}}}"))


def test_a_daily_cap_is_given_to_the_last_point_and_no_further(app: Flask) -> None:
    shop = Life.under(app, with_words("caps: {day: 95}", PURCHASE))
    given = at_once(shop, lambda index: shop.earned(1000 + index * 100))
    assert sum(given) == shop.points() == 95
    assert shop.uses()["purchase"][0] == 95
    # One got what was left over; those before it all, those after it nothing.
    assert sum(points not in (0, 10 + index) for index, points in enumerate(given)) <= 1


@pytest.mark.parametrize(
    ("words", "times"),
    [("times: {ever: 1}", 1), ("times: {day: 7}", 7), ("cooldown: {hours: 1}", 1)],
)
def test_a_rule_gives_as_often_as_it_says(app: Flask, words: str, times: int) -> None:
    shop = Life.under(app, with_words(words))
    given = at_once(shop, lambda index: shop.earned(1000))
    assert Counter(given) == {10: times, 0: CALLERS - times}
    assert (shop.points(), shop.uses()) == (10 * times, {"visit": (10 * times, times)})


def test_a_cooldown_holds_between_orders_of_several_moments(app: Flask) -> None:
    shop = Life.under(app, with_words("cooldown: {minutes: 10}"))
    ago = [shop.now - timedelta(minutes=index) for index in range(CALLERS)]
    given = at_once(shop, lambda index: shop.earned(1000, placed_at=ago[index]))
    earned = [index for index, points in enumerate(given) if points]
    assert earned
    assert all(later - one >= 10 for one, later in pairwise(earned))
    # Whoever got nothing is near to one that did.
    assert all(min(abs(index - one) for one in earned) < 10 for index in range(CALLERS))


def test_a_balance_cap_is_reached_and_not_passed(app: Flask) -> None:
    shop = Life.under(app, rules(PURCHASE, more="balance_cap: 75\n"))
    given = at_once(shop, lambda index: shop.earned(1000))
    assert Counter(given) == {10: 7, 5: 1, 0: 12}


def test_a_remainder_is_carried_by_one_to_the_next(app: Flask) -> None:
    sections = with_words("carry: true", PURCHASE.replace("1.00", "10.00"))
    shop = Life.under(app, sections)
    given = at_once(shop, lambda index: shop.earned(350))
    assert (sum(given), Counter(given)) == (7, {0: 13, 1: 7})


def test_a_campaign_applies_as_often_as_it_says(app: Flask) -> None:
    double = "campaigns:\n  - {id: two, name: Two, multiplier: 2, times: {month: 3}}\n"
    shop = Life.under(app, rules(PURCHASE, more=double))
    assert Counter(at_once(shop, lambda index: shop.earned(1000))) == {20: 3, 10: 17}


def test_a_tier_is_entered_once_and_gives_once(app: Flask) -> None:
    shop = Life.under(app, rules(PURCHASE, more=GIVING))
    given = at_once(shop, lambda index: shop.earned(1000))
    # The tenth reaches the tier and still earns by the old one.
    assert Counter(given) == {10: 10, 12: 10}
    assert (shop.points(), shop.tier()) == (220 + 40, "gold")
    assert kinds(shop)["tier_change"] == 1


def test_a_tier_is_lost_once_and_gives_its_points_back_once(app: Flask) -> None:
    shop = Life.under(app, rules(PURCHASE, more=GIVING))
    bought = [shop.buy(1000)["id"] for _ in range(CALLERS)]
    at_once(shop, lambda index: shop.refund(bought[index], None, ("cream", 1)) and 1)
    assert (shop.points(), shop.tier()) == (0, "member")
    assert kinds(shop)["tier_change"] == 2


def test_refunds_of_one_order_never_take_more_than_it_gave(app: Flask) -> None:
    shop = Life.under(app, rules(PURCHASE, more=GIVING))
    order = shop.buy(10090)["id"]
    taken = at_once(shop, lambda index: shop.refund(order, 504).refund.points_taken)
    assert sum(taken) == 100
    assert (shop.points(), shop.tier()) == (0, "member")


def test_events_and_orders_at_once_share_no_limit_and_lose_nothing(app: Flask) -> None:
    review = "{id: review, on: review, points: 3, times: {day: 4}}"
    shop = Life.under(app, rules(VISIT.replace("}", ", times: {day: 5}}"), review))

    def act(index: int) -> int:
        if index % 2:
            return int(shop.tell("review")["points_earned"])
        return shop.earned(1000)

    assert Counter(at_once(shop, act)) == {10: 5, 3: 4, 0: 11}
    assert shop.points() == 62


def kinds(shop: Life) -> Counter[str]:
    return Counter(kind for kind, *_ in shop.history())
