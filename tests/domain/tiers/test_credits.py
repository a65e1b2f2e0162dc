"""Tier credits and grants in the database."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
from flask import Flask

from loyalty_service.domain import calendar, program
from loyalty_service.domain.opening import Ahead, open_for
from loyalty_service.domain.tiers import credits, grants
from loyalty_service.domain.tiers.counting import Credit
from tests.domain.tiers.tiered import TIERED, of, spend
from tests.shop import Shop


@pytest.fixture
def shop(app: Flask) -> Shop:
    return Shop.open(app, TIERED)


def test_credits_come_as_sums_of_a_day_with_the_lock(shop: Shop) -> None:
    member = shop.a_member(external_id="ana")
    stranger = shop.a_member()
    for whose, amount in ((member, 30000), (member, 12000), (member, -2000), (stranger, 777)):
        spend(shop, whose, amount)
    for ref in (member, "ext:ana"):
        assert read_with_the_lock(shop, ref) == [Credit(today(shop), 1, 40000, 0, 0, 3)]


def test_a_day_and_a_version_have_sums_of_their_own(shop: Shop) -> None:
    member = shop.a_member()
    spend(shop, member, 100)
    shop.advance(days=1)
    spend(shop, member, 10)
    of(shop, lambda session: program.apply(session, f"{TIERED}# another version\n"))
    spend(shop, member, 1)
    found = of(shop, lambda session: credits.of_members(session, shop.program_id, [member]))
    assert sorted(found[member]) == [
        Credit(today(shop) - timedelta(days=1), 1, 100, 0, 0, 1),
        Credit(today(shop), 1, 10, 0, 0, 1),
        Credit(today(shop), 2, 1, 0, 0, 1),
    ]


def test_who_has_no_credits_is_among_the_members_asked_for(shop: Shop) -> None:
    one, other = shop.a_member(), shop.a_member()
    spend(shop, one, 100)
    found = of(shop, lambda session: credits.of_members(session, shop.program_id, [one, other]))
    assert [len(found[one]), found[other]] == [1, []]


def test_the_tier_at_an_earlier_moment_is_the_one_last_changed_to_until_then(shop: Shop) -> None:
    member = shop.a_member()
    began = shop.now()
    shop.advance(days=1)
    spend(shop, member, 50000)
    reached = shop.now()
    shop.advance(days=1)
    spend(shop, member, 70000)
    for at, tier in ((began, None), (reached, "platinum"), (shop.now(), "diamond")):
        assert of(shop, lambda s, at=at: credits.tier_at(s, shop.program_id, member, at)) == tier


def test_a_tier_that_a_late_fact_brings_counts_from_its_moment(shop: Shop) -> None:
    member = shop.a_member()
    placed_at = shop.now() + timedelta(hours=1)
    shop.advance(days=3)
    spend(shop, member, 50000, at=placed_at)
    at = placed_at + timedelta(days=1)
    assert of(shop, lambda s: credits.tier_at(s, shop.program_id, member, at)) == "platinum"


def test_points_for_reaching_a_tier_come_once_and_go_with_it(shop: Shop) -> None:
    member = shop.a_member()
    spend(shop, member, 50000)
    assert shop.available(member) == 100
    spend(shop, member, -1)
    assert shop.available(member) == 0
    spend(shop, member, 2)
    spend(shop, member, 2)
    assert shop.available(member) == 100
    spend(shop, member, -4)
    (grant,) = of(shop, lambda s: grants.of_member(s, shop.program_id, member)).values()
    assert (shop.available(member), grant.points, grant.withdrawn) == (0, 100, 100)


def test_the_history_says_why_points_came_and_went_with_a_tier(shop: Shop) -> None:
    member = shop.a_member()
    spend(shop, member, 50000)
    spend(shop, member, -1)
    history = shop.get(f"/v1/members/{member}/transactions")["data"]
    said = [one["summary"].partition("; good until")[0] for one in history if one["points"]]
    assert said == [
        "100 points for reaching Platinum taken back with the tier.",
        "100 points for reaching Platinum",
    ]


def test_points_that_are_spent_are_never_owed(shop: Shop) -> None:
    member = shop.a_member()
    spend(shop, member, 50000)
    shop.give(member, -60)
    spend(shop, member, -1)
    assert (shop.available(member), shop.balance(member)["debt"]) == (0, 0)
    spend(shop, member, 1)
    assert shop.available(member) == 40
    spend(shop, member, -1)
    assert shop.available(member) == 0


def test_points_of_other_lots_stay(shop: Shop) -> None:
    member = shop.a_member(points=500)
    spend(shop, member, 50000)
    spend(shop, member, -1)
    assert shop.available(member) == 500


def read_with_the_lock(shop: Shop, ref: str) -> list[Credit]:
    asked = credits.asked(shop.program_id, ref)
    opened = of(shop, lambda s: open_for(s, shop.program_id, ref, Ahead.LOTS, asked).also)
    return credits.credits_of(opened[0])


def today(shop: Shop) -> date:
    return calendar.local_date(shop.now(), ZoneInfo("Europe/Berlin"))
