"""Which points a hold reserves, and what becomes of those whose day passes meanwhile."""

from datetime import datetime, timedelta

import pytest
from flask import Flask

from tests.conftest import differences
from tests.shop import Shop

SHORT = """\
id: short
name: Short lives
timezone: Europe/Berlin
currency: eur
expiry: {after: {days: 3}}
earning:
  - {id: purchase, on: order, points: 1, per: 1.00, counts: [merchandise], rounding: floor,
     pending_days: 0}
refunds: {when_spent: allow_debt}
restored_points: {past_expiry: original_expiry}
rewards: []
goodwill:
  reasons: [appreciation]
"""
WEEK = 7 * 86400


def short(app: Flask, past: str) -> Shop:
    return Shop.open(app, SHORT.replace("past_expiry: original_expiry", past))


@pytest.mark.parametrize(
    ("past", "there"),
    [
        ("past_expiry: original_expiry", 0),
        ("past_expiry: grace_days, grace_days: 2", 100),
        ("past_expiry: reissue", 100),
    ],
)
def test_a_hold_protects_points_past_their_day_and_then_the_program_decides(
    app: Flask, past: str, there: int
) -> None:
    shop = short(app, past)
    member = shop.a_member(points=150)
    hold = shop.hold(member, 100, expires_in_seconds=WEEK)
    ends_at = datetime.fromisoformat(hold["expires_at"])
    foreseen = [shop.balance(member, ends_at + timedelta(days=day)) for day in (-1, 0, 3, 5)]
    assert [(one["available"], one["held"]) for one in foreseen][:2] == [(0, 100), (there, 0)]
    assert foreseen[3]["available"] == 0
    shop.advance(5)
    assert shop.balance(member)["held"] == 100
    shop.advance(2)
    now = shop.balance(member)
    assert (now["available"], now["held"]) == (there, 0)
    assert now["expiring_next"] == foreseen[1]["expiring_next"]
    # Writing down what time did changes no answer.
    shop.get(f"/v1/members/{member}/transactions")
    assert shop.balance(member)["available"] == there
    shop.advance(3)
    assert shop.balance(member)["available"] == foreseen[2]["available"]


def test_a_capture_after_the_points_day_spends_what_was_held(app: Flask) -> None:
    shop = short(app, "past_expiry: original_expiry")
    member = shop.a_member(points=150)
    hold = shop.hold(member, 100, expires_in_seconds=WEEK)
    shop.advance(5)
    shop.capture(hold["id"], 60)
    # What was released of it was past its day.
    balance = shop.balance(member)
    assert (balance["available"], balance["held"]) == (0, 0)


def test_points_that_end_first_are_reserved_first(shop: Shop) -> None:
    member = shop.a_member()
    shop.order(member, 10000)
    shop.advance(20)
    shop.advance(100)
    shop.give(member, 50)
    first = shop.balance(member)["expiring_next"]
    shop.hold(member, first["points"])
    assert shop.balance(member)["expiring_next"]["expires_at"] > first["expires_at"]


@pytest.mark.parametrize("end", ["time", "release", "a part captured"])
def test_points_that_are_free_again_pay_debt_first(shop: Shop, end: str) -> None:
    member = shop.a_member(points=100)
    order = shop.order(member, 8000)
    shop.advance(20)
    hold = shop.hold(member, 180)
    shop.refund(order["id"], amount=8000)
    balance = shop.balance(member)
    assert (balance["available"], balance["held"], balance["debt"]) == (0, 180, 80)
    foreseen = shop.balance(member, datetime.fromisoformat(hold["expires_at"]))
    assert (foreseen["available"], foreseen["debt"]) == (100, 0)
    if end == "time":
        shop.advance(seconds=900)
    elif end == "release":
        shop.release(hold["id"])
    else:
        shop.capture(hold["id"], 60)
    balance = shop.balance(member)
    left = 40 if end == "a part captured" else 100
    assert (balance["available"], balance["held"], balance["debt"]) == (left, 0, 0)
    assert differences(shop.app) == []


def test_a_past_moment_answers_what_was_held_then(shop: Shop) -> None:
    member = shop.a_member(points=500)
    shop.advance(seconds=60)
    hold = shop.hold(member, 300)
    placed_at = datetime.fromisoformat(hold["created_at"])
    shop.advance(seconds=300)
    shop.capture(hold["id"], 100)
    shop.advance(seconds=3600)
    told = [
        (one["available"], one["held"])
        for one in (
            shop.balance(member, placed_at + timedelta(seconds=after))
            for after in (-1, 100, 200, 400, 2000)
        )
    ]
    assert told == [(500, 0), (200, 300), (200, 300), (400, 0), (400, 0)]


def test_a_past_moment_knows_that_a_hold_had_ended_though_nobody_had_written_it(
    shop: Shop,
) -> None:
    member = shop.a_member(points=500)
    hold = shop.hold(member, 300, expires_in_seconds=60)
    ends_at = datetime.fromisoformat(hold["expires_at"])
    shop.advance(1)
    shop.get(f"/v1/members/{member}/transactions")
    for after, held in ((-1, 300), (0, 0), (60, 0)):
        assert shop.balance(member, ends_at + timedelta(seconds=after))["held"] == held
