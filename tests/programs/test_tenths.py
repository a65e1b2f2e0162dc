"""Tenths, and visits: small baskets, rounded to the nearest, and points for coming."""

from collections.abc import Callable

import pytest

from tests.programs.travel import Travel
from tests.shop import moment

Under = Callable[..., Travel]


@pytest.mark.parametrize(
    ("amount_minor", "points"), [(352, 35), (358, 36), (572, 57), (578, 58), (345, 35), (355, 36)]
)
def test_a_tenth_is_rounded_to_the_nearest_and_a_half_goes_up(
    under: Under, amount_minor: int, points: int
) -> None:
    shop = under("tenths")
    assert shop.earned(shop.a_member(), amount_minor, tax=99) == points


@pytest.mark.parametrize("category", ["card_load", "delivery", "tip", "levy"])
def test_what_is_no_merchandise_earns_nothing(under: Under, category: str) -> None:
    shop = under("tenths")
    line = {"sku": "x", "category": category, "quantity": 1, "unit_amount": 2500}
    assert shop.earned(shop.a_member(), 0, lines=[line]) == 0


def test_a_visit_gives_ten_once_in_half_an_hour(under: Under) -> None:
    shop = under("visits")
    member = shop.a_member()
    assert shop.earned(member, 49) == 0
    # A machine may be busy: the half hour counts from a moment, not from the call.
    assert shop.earned(member, 50, placed_at=shop.now().replace(second=0, microsecond=0)) == 10
    shop.go_to("2030-01-10T10:29:00Z")
    assert shop.earned(member, 5000) == 0
    shop.go_to("2030-01-10T10:30:01Z")
    assert shop.earned(member, 5000) == 10


def test_a_visit_told_late_is_held_against_those_before_and_after_it(under: Under) -> None:
    shop = under("visits")
    member = shop.a_member()
    begin = shop.now()
    shop.buy(member, 500, placed_at=begin)
    shop.go_to("2030-01-10T11:01:00Z")
    shop.buy(member, 500)
    late = begin.replace(minute=45)
    assert shop.earned(member, 500, placed_at=late) == 0
    assert shop.earned(member, 500, placed_at=begin.replace(minute=30)) == 10
    assert moment(late) < moment(shop.now())


def test_a_refunded_visit_gives_its_half_hour_back(under: Under) -> None:
    shop = under("visits")
    member = shop.a_member()
    order = shop.buy(member, 500)
    assert shop.taken_back(order, 500) == 10
    assert shop.earned(member, 500) == 10


def test_a_full_balance_earns_nothing_until_some_is_spent(under: Under) -> None:
    shop = under("visits")
    member = shop.a_member()
    for _ in range(10):
        shop.give(member, 1999)
    assert shop.earned(member, 500) == 10
    shop.go_to("2030-01-10T12:00:00Z")
    assert shop.earned(member, 500) == 0
    shop.redeem(member, "drink")
    shop.go_to("2030-01-10T13:00:00Z")
    assert shop.earned(member, 500) == 10


def test_points_of_a_visit_end_after_twelve_months(under: Under) -> None:
    shop = under("visits")
    member = shop.a_member()
    shop.buy(member, 500)
    shop.go_to("2031-01-11T04:55:00Z")
    assert shop.available(member) == 10
    shop.go_to("2031-01-11T05:00:00Z")
    assert shop.available(member) == 0
