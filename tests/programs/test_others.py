"""Programs that nobody shipped, written in the language alone: an airline, a department store."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.programs.travel import Travel

Under = Callable[..., Travel]
HERE = Path(__file__).parent


def opened(under: Under, name: str, at: str = "2030-01-10T10:00:00Z") -> Travel:
    return under(document=(HERE / f"{name}.yaml").read_text(), at=at)


def test_points_that_do_not_qualify_lift_nobody(under: Under) -> None:
    shop = opened(under, "airline", at="2030-03-01T12:00:00Z")
    member = shop.a_member()
    assert shop.tell(member, "hotel", spend=100000)["points_earned"] == 3000
    assert shop.tier(member) == "blue"
    flown = shop.tell(member, "flight", fare=20000, cabin="economy")
    assert (flown["points_earned"], shop.tier(member)) == (1000, "bronze")


def test_the_status_year_runs_from_march_to_february(under: Under) -> None:
    shop = opened(under, "airline", at="2030-02-28T12:00:00Z")
    member = shop.a_member()
    shop.tell(member, "flight", fare=14900, cabin="economy")
    shop.go_to("2030-03-01T12:00:00Z")
    shop.tell(member, "flight", fare=14900, cabin="economy")
    assert shop.tier(member) == "blue"
    shop.tell(member, "flight", fare=100, cabin="economy")
    assert shop.tier(member) == "bronze"


def test_a_status_is_kept_to_the_end_of_march_a_year_later_and_falls_one_step(
    under: Under,
) -> None:
    shop = opened(under, "airline", at="2030-06-15T12:00:00Z")
    member = shop.a_member()
    assert shop.tell(member, "flight", fare=30000, cabin="economy")["points_earned"] == 1500
    assert (shop.tier(member), shop.points(member)) == ("silver", 1500 + 1000)
    shop.go_to("2032-03-31T22:55:00Z")
    assert shop.tier(member) == "silver"
    shop.go_to("2032-03-31T23:00:00Z")
    assert shop.tier(member) == "bronze"


@pytest.mark.parametrize(("cabin", "points"), [("economy", 750), ("club", 1500)])
def test_an_event_multiplies_by_tier_instead_of_what_the_tier_gives(
    under: Under, cabin: str, points: int
) -> None:
    shop = opened(under, "airline", at="2030-06-15T12:00:00Z")
    member = shop.a_member()
    shop.tell(member, "flight", fare=30000, cabin="economy")
    assert shop.tell(member, "flight", fare=10000, cabin=cabin)["points_earned"] == points


def test_points_end_after_24_months_in_which_nothing_happened(under: Under) -> None:
    shop = opened(under, "airline", at="2030-06-15T12:00:00Z")
    member = shop.a_member()
    shop.tell(member, "hotel", spend=10000)
    shop.go_to("2031-12-01T12:00:00Z")
    shop.tell(member, "hotel", spend=100)
    shop.go_to("2033-12-01T23:55:00Z")
    assert shop.available(member) == 303
    shop.go_to("2033-12-02T00:00:00Z")
    assert shop.available(member) == 0


def test_spending_points_is_activity_and_a_gift_is_not(under: Under) -> None:
    shop = opened(under, "airline", at="2030-06-15T12:00:00Z")
    spender, given = shop.a_member(), shop.a_member()
    for member in (spender, given):
        shop.tell(member, "hotel", spend=100000)
    shop.go_to("2031-06-15T12:00:00Z")
    shop.redeem(spender, "money_off", points=1000)
    shop.give(given, 5)
    shop.go_to("2032-06-16T12:00:00Z")
    assert (shop.available(spender), shop.available(given)) == (2000, 5)


def test_an_order_earns_when_it_is_paid(under: Under) -> None:
    shop = opened(under, "airline")
    member = shop.a_member()
    order = shop.buy(member, 10000)
    assert (order["status"], order["points_earned"], order["available_at"]) == ("waiting", 0, None)
    shop.taken_back(order, 2500)
    paid = change(shop, order, paid_at="2030-01-10T10:00:05Z", at="2030-01-10T11:00:00Z")
    assert (paid["status"], paid["points_earned"]) == ("recorded", 75)
    again = change(shop, order, paid_at="2030-01-10T10:00:05Z")
    assert (again["points_earned"], shop.available(member)) == (75, 75)


def test_event_week_is_worth_more_in_a_higher_tier(under: Under) -> None:
    shop = opened(under, "spend", at="2030-03-03T12:00:00Z")
    people = [shop.a_member() for _ in range(3)]
    for member, amount in zip(people[1:], (35000, 100000), strict=True):
        shop.buy(member, amount)
    assert [shop.earned(member, 1000) for member in people] == [10, 10, 10]
    shop.go_to("2030-03-04T05:00:00Z")
    assert [shop.earned(member, 1000) for member in people] == [20, 30, 40]
    shop.go_to("2030-03-11T04:00:00Z")
    assert [shop.earned(member, 1000) for member in people] == [10, 10, 10]


def test_spend_rolls_and_a_tier_is_kept_to_the_end_of_its_month_and_ten_days_of_grace(
    under: Under,
) -> None:
    shop = opened(under, "spend", at="2030-03-15T12:00:00Z")
    member = shop.a_member()
    shop.buy(member, 34900)
    shop.go_to("2031-03-15T12:00:00Z")
    shop.buy(member, 100)
    assert shop.tier(member) == "member"
    shop.buy(member, 34900)
    assert shop.tier(member) == "plus"
    shop.go_to("2032-04-11T03:55:00Z")
    assert shop.tier(member) == "plus"
    shop.go_to("2032-04-11T04:00:00Z")
    assert shop.tier(member) == "member"


def test_points_end_after_18_months_in_which_nothing_happened(under: Under) -> None:
    shop = opened(under, "spend")
    member = shop.a_member()
    shop.buy(member, 10000)
    shop.go_to("2031-07-11T03:55:00Z")
    assert shop.available(member) == 100
    shop.go_to("2031-07-11T04:00:00Z")
    assert shop.available(member) == 0


def change(shop: Travel, order: Any, *, at: str | None = None, **more: Any) -> Any:
    """A PATCH of an order that must succeed."""
    if at:
        shop.go_to(at)
    answer = shop.call("PATCH", f"/v1/orders/{order['id']}", more)
    assert answer.status_code == 200, answer.text
    return answer.json
