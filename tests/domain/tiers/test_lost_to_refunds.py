"""What a tier gave is taken back with it, whatever was taken back before, and in whatever parts."""

from collections.abc import Sequence

import pytest
from flask import Flask

from tests.domain.earning.life import Life, rules
from tests.domain.earning.told import HEAD, PURCHASE, TIERS

GIVING = TIERS.replace("500.00", "100.00").replace("5/4}", "5/4, entry_points: 40}")
CLAMPED = GIVING + "refunds: {when_spent: clamp}\n"


def after(app: Flask, more: str, spent: int, refunds: Sequence[int]) -> tuple[int, int, int]:
    """Points, debt and lifetime of who bought for 120.00, spent some, and gave all of it back."""
    shop = Life.under(app, rules(PURCHASE, more=more))
    order = shop.buy(12000)["id"]
    assert (shop.tier(), shop.points()) == ("gold", 120 + 40)
    if spent:
        shop.give(shop.member, -spent, "admin")
    for amount_minor in refunds:
        shop.refund(order, amount_minor)
    assert shop.differences() == []
    balance = shop.balance(shop.member)
    assert balance.tier == "member"
    return balance.available, balance.debt, balance.lifetime_earned


@pytest.mark.slow
@pytest.mark.parametrize("more", [GIVING, CLAMPED], ids=["allow_debt", "clamp"])
@pytest.mark.parametrize("spent", [0, 100, 130, 160])
def test_refunds_in_parts_take_what_one_does(app: Flask, more: str, spent: int) -> None:
    whole = after(app, more, spent, (12000,))
    # The first part leaves the tier as it is, and may take points that the tier gave.
    for parts in ((2000, 10000), (1000, 1000, 5000, 5000), (10000, 2000), (1, 11999)):
        assert after(app, more, spent, parts) == whole
    if more == GIVING:
        spent_of_the_gift = max(0, spent - 120)
        assert whole[0] - whole[1] == spent_of_the_gift - spent


def test_tiers_reached_in_two_years_and_lost_at_once_lose_what_both_gave(app: Flask) -> None:
    two = GIVING + "    - {id: top, name: Top, from: 300.00, entry_points: 70}\n"
    shop = Life.under(app, rules(PURCHASE, more=two))
    shop.go("2027-12-20T10:00:00Z")
    first = shop.buy(12000)["id"]
    shop.go("2028-01-20T10:00:00Z")
    assert shop.tier() == "gold"
    second = shop.buy(30000)["id"]
    assert shop.tier() == "top"
    before = shop.points()
    shop.refund(first, 12000)
    assert (shop.tier(), shop.points()) == ("top", before - 120)
    shop.refund(second, 30000)
    assert (shop.tier(), shop.points(), shop.differences()) == ("member", 0, [])


def test_points_that_begin_anew_end_as_others_of_the_tier_that_is_held(app: Flask) -> None:
    own = GIVING.replace("entry_points: 40", "expiry: {after: {days: 50}}")
    head = HEAD.replace("never", "{after: {days: 10}}")
    document = rules(PURCHASE, more=own + "restored_points: {past_expiry: reissue}\n")
    shop = Life.under(app, document, head=head)
    shop.give(shop.member, 5, "admin")
    shop.give(shop.member, -5, "admin")
    shop.buy(12000)
    shop.wait(days=20)
    shop.undo(shop.gifts[-1], "admin")
    shop.wait(days=20)
    assert shop.points() == 5
    shop.wait(days=40)
    assert shop.points() == 0


def test_points_that_paid_a_debt_were_not_spent(app: Flask) -> None:
    shop = Life.under(app, rules(PURCHASE, more=GIVING))
    early = shop.buy(3000)["id"]
    shop.give(shop.member, -30, "admin")
    shop.refund(early, 3000)
    assert shop.balance(shop.member).debt == 30
    order = shop.buy(12000)["id"]
    assert (shop.tier(), shop.points()) == ("gold", -30 + 120 + 40)
    shop.refund(order, 12000)
    assert (shop.tier(), shop.points()) == ("member", -30)
