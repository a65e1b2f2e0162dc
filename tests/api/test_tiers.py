"""Tiers at the API: those of the program, and each member's own."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event

from loyalty_service.db import database
from tests.domain.program.documents import SMALL
from tests.domain.tiers.tiered import TIERED, spend
from tests.shop import Shop


@pytest.fixture
def tiered(app: Flask) -> Shop:
    return Shop.open(app, TIERED)


def test_every_tier_says_what_it_takes_what_it_gives_and_how_long_it_is_kept(tiered: Shop) -> None:
    page = tiered.get("/v1/tiers")
    assert [one["id"] for one in page["data"]] == ["member", "platinum", "diamond"]
    assert (page["object"], page["has_more"], page["url"]) == ("list", False, "/v1/tiers")
    assert page["data"][1] == {
        "object": "tier",
        "id": "platinum",
        "name": "Platinum",
        "metric": "spend",
        "from": 50000,
        "multiplier": "1.25",
        "benefits": {"entry_points": 100, "points_never_expire": False, "rewards": []},
        "window": {"kind": "calendar_year", "months": None, "starts_in": None},
        "kept": {
            "months": None,
            "until_end_of": None,
            "windows": 1,
            "plus_months": 0,
            "grace_days": 0,
            "downgrade": "requalify",
        },
    }
    assert page["data"][2]["benefits"]["points_never_expire"] is True


def test_a_tier_names_the_rewards_that_not_everybody_may_have(app: Flask) -> None:
    eligible = "    eligible: {tiers: [platinum, diamond]}\n    slabs:\n"
    shop = Shop.open(app, TIERED.replace("    slabs:\n", eligible))
    rewards = [one["benefits"]["rewards"] for one in shop.get("/v1/tiers")["data"]]
    assert rewards == [[], ["money_off"], ["money_off"]]


@pytest.mark.parametrize(
    ("written", "told"), [("1.25", "1.25"), ("3", "3"), ("4/3", "4/3"), ("1.005", "1.005")]
)
def test_a_multiplier_is_told_exactly(app: Flask, written: str, told: str) -> None:
    shop = Shop.open(app, TIERED.replace("multiplier: 1.25", f"multiplier: {written}"))
    assert shop.get("/v1/tiers")["data"][1]["multiplier"] == told


def test_a_program_without_tiers_has_an_empty_list_and_its_members_no_tier(app: Flask) -> None:
    shop = Shop.open(app, SMALL)
    assert shop.get("/v1/tiers")["data"] == []
    member = shop.a_member()
    assert shop.get(f"/v1/members/{member}")["tier"] is None
    assert shop.get("/v1/members")["data"][0]["tier"] is None


def test_a_new_member_is_told_what_the_next_tier_takes(tiered: Shop) -> None:
    member = tiered.post("/v1/members", {"external_id": "ana"})
    year = tiered.now().year
    assert member["tier"] == {
        "object": "tier_progress",
        "id": "member",
        "name": "Member",
        "since": member["enrolled_at"],
        "until": None,
        "metric": "spend",
        "credits": 0,
        "next": {"id": "platinum", "name": "Platinum", "missing": 50000, "by": f"{year}-12-31"},
        "keep": None,
        "sentences": [
            f"500.00 EUR more by 31 December {year} for Platinum; "
            "spending points does not lower it."
        ],
    }


def test_a_member_has_the_same_tier_wherever_it_is_shown(tiered: Shop) -> None:
    member = tiered.a_member()
    spend(tiered, member, 60000)
    shown = tiered.get(f"/v1/members/{member}")["tier"]
    assert (shown["id"], shown["credits"], shown["until"][5:]) == ("platinum", 60000, "12-31")
    assert shown["next"]["missing"] == 60000
    changed = tiered.call("PATCH", f"/v1/members/{member}", {"name": "Ada"})
    assert changed.json and changed.json["tier"] == shown
    assert tiered.get("/v1/members")["data"][0]["tier"] == shown


def test_in_its_last_year_a_member_is_told_what_keeps_a_tier(tiered: Shop) -> None:
    member = tiered.a_member()
    spend(tiered, member, 50000)
    new_year = date(tiered.now().year + 1, 1, 2)
    tiered.advance(days=(new_year - tiered.now().date()).days)
    shown = tiered.get(f"/v1/members/{member}")["tier"]
    assert shown["keep"] == {"missing": 50000, "by": f"{new_year.year}-12-31"}
    assert (
        shown["sentences"][1] == f"500.00 EUR more by 31 December {new_year.year} keeps Platinum."
    )


def test_a_tier_that_time_took_is_gone_before_anybody_writes(tiered: Shop) -> None:
    member = tiered.a_member()
    spend(tiered, member, 50000)
    tiered.advance(days=800)
    shown = tiered.get(f"/v1/members/{member}")["tier"]
    assert (shown["id"], shown["credits"], shown["since"][5:10]) == ("member", 0, "12-31")


def test_a_list_asks_for_all_tiers_at_once(tiered: Shop) -> None:
    for amount in (120000, 50000, 10, 0):
        spend(tiered, tiered.a_member(), amount)
    with statements(tiered) as asked:
        page = tiered.get("/v1/members")
    tiers = [one["tier"]["id"] for one in page["data"]]
    assert tiers == ["member", "member", "platinum", "diamond"]
    assert sum("tier_credits" in statement for statement in asked) == 1


@contextmanager
def statements(shop: Shop) -> Iterator[list[str]]:
    """What SQLAlchemy sends within the block."""
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        asked.append(statement)

    with shop.app.app_context():
        engine = database.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(engine, "before_cursor_execute", note)
