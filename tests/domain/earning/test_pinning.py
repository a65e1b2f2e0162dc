"""What limits have left, read from the database: stretches of local time, told late, taken back."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from flask import Flask

from tests.domain.earning.life import Life, rules
from tests.domain.earning.told import HEAD, PURCHASE, TIERS


def capped(words: str) -> str:
    return rules(PURCHASE.replace("}", f", caps: {{{words}}}}}"))


@pytest.mark.parametrize(
    ("span", "last", "first"),
    [
        # Berlin: summer time begins on 29 March and ends on 25 October.
        ("day", "2026-03-28T22:59:59+00:00", "2026-03-28T23:00:00+00:00"),
        ("day", "2026-03-29T21:59:59+00:00", "2026-03-29T22:00:00+00:00"),
        ("day", "2026-10-25T22:59:59+00:00", "2026-10-25T23:00:00+00:00"),
        ("month", "2026-03-31T21:59:59+00:00", "2026-03-31T22:00:00+00:00"),
        ("month", "2026-10-31T22:59:59+00:00", "2026-10-31T23:00:00+00:00"),
        ("year", "2026-12-31T22:59:59+00:00", "2026-12-31T23:00:00+00:00"),
    ],
)
def test_a_cap_begins_anew_at_local_midnight(app: Flask, span: str, last: str, first: str) -> None:
    began = datetime.fromisoformat(last) - timedelta(hours=12)
    shop = Life.under(app, capped(f"{span}: 50"), at=began)
    assert shop.earned(4000) == 40
    shop.go(last)
    assert [shop.earned(4000), shop.earned(4000)] == [10, 0]
    shop.go(first)
    assert shop.earned(6000) == 50


def test_a_day_of_25_hours_is_one_day(app: Flask) -> None:
    shop = Life.under(app, capped("day: 50"), at=datetime(2026, 10, 24, 22, tzinfo=UTC))
    assert shop.earned(3000) == 30
    shop.wait(hours=24, minutes=59)
    assert shop.earned(3000) == 20
    shop.wait(minutes=1)
    assert shop.earned(3000) == 30


def test_a_day_whose_midnight_is_missing_begins_with_the_clock_change(app: Flask) -> None:
    head = HEAD.replace("Europe/Berlin", "Africa/Cairo")
    # On 24 April 2026 Cairo's clocks go from 0:00 to 1:00.
    shop = Life.under(app, capped("day: 50"), at=datetime(2026, 4, 23, 12, tzinfo=UTC), head=head)
    assert shop.earned(5000) == 50
    shop.go("2026-04-23T21:59:59+00:00")
    assert shop.earned(5000) == 0
    shop.go("2026-04-23T22:00:00+00:00")
    assert shop.earned(5000) == 50


def test_a_cap_for_ever_never_begins_anew(app: Flask) -> None:
    shop = Life.under(app, capped("ever: 50"))
    assert shop.earned(4000) == 40
    shop.wait(days=3000)
    assert [shop.earned(4000), shop.earned(4000)] == [10, 0]


def test_the_tightest_of_several_caps_counts(app: Flask) -> None:
    shop = Life.under(app, capped("once: 30, day: 50, month: 60"))
    assert [shop.earned(9000) for _ in range(3)] == [30, 20, 0]
    shop.wait(days=1)
    assert [shop.earned(9000) for _ in range(2)] == [10, 0]


def test_a_cap_is_of_one_member_and_of_one_rule(app: Flask) -> None:
    other_rule = "{id: other, on: order, points: 1, pending_days: 0, caps: {day: 5}}"
    shop = Life.under(app, rules(PURCHASE.replace("}", ", caps: {day: 50}}"), other_rule))
    friend = shop.a_member()
    assert [shop.earned(6000), shop.earned(6000), shop.earned(6000, member=friend)] == [51, 1, 51]


def test_an_order_told_late_counts_in_the_day_on_which_it_was_placed(app: Flask) -> None:
    shop = Life.under(app, capped("day: 50"))
    shop.buy(4000)
    yesterday = shop.now
    shop.wait(days=1)
    assert shop.earned(4000) == 40
    assert shop.earned(4000, placed_at=yesterday) == 10
    assert shop.earned(4000, placed_at=yesterday - timedelta(days=1)) == 40
    assert shop.earned(4000) == 10


def test_what_is_told_first_takes_the_cap_whatever_was_placed_first(app: Flask) -> None:
    shop = Life.under(app, capped("day: 50"))
    assert shop.earned(4000) == 40
    assert shop.earned(4000, placed_at=shop.now - timedelta(hours=1)) == 10


@pytest.mark.parametrize("way", ["amount", "lines", "cancel", "amend"])
def test_what_is_taken_back_makes_room_under_the_cap(app: Flask, way: str) -> None:
    shop = Life.under(app, capped("day: 50"))
    order = shop.buy(5000)["id"]
    assert shop.earned(5000) == 0
    if way == "amount":
        shop.refund(order, 3000)
    elif way == "lines":
        shop.refund(order, None, ("cream", 1))
    elif way == "cancel":
        shop.cancel(order)
    else:
        shop.amend(order, discount_minor=3000)
    room = 50 if way in ("lines", "cancel") else 30
    assert [shop.earned(9000), shop.earned(9000)] == [room, 0]


def test_a_refund_makes_room_in_the_stretch_of_its_order(app: Flask) -> None:
    shop = Life.under(app, capped("day: 50"))
    order = shop.buy(5000)
    shop.wait(days=1)
    assert shop.earned(4000) == 40
    shop.refund(order["id"], 5000)
    assert shop.earned(4000) == 10
    assert shop.earned(4000, placed_at=order["placed_at"]) == 40


def test_an_order_that_a_cap_had_cut_stays_cut_when_another_is_refunded(app: Flask) -> None:
    shop = Life.under(app, capped("day: 50"))
    first, second = shop.buy(4000), shop.buy(4000)
    assert second["points_earned"] == 10
    shop.refund(first["id"], 4000)
    # Of 40.00 only 10.00 gave something: the first 30.00 that come back take nothing.
    assert shop.refund(second["id"], 3000).refund.points_taken == 0
    assert shop.refund(second["id"], 1000).refund.points_taken == 10
    assert shop.points() == 0


def test_a_balance_cap_counts_what_waits_and_what_can_be_spent(app: Flask) -> None:
    waiting = PURCHASE.replace("pending_days: 0", "pending_days: 3")
    shop = Life.under(app, rules(waiting, more="balance_cap: 100\n"))
    assert [shop.earned(6000), shop.earned(6000), shop.earned(6000)] == [60, 40, 0]
    shop.wait(days=5)
    shop.give(shop.member, -30, "admin")
    assert [shop.earned(6000), shop.earned(6000)] == [30, 0]


def test_a_full_balance_begins_no_cooldown_and_uses_up_no_cap(app: Flask) -> None:
    visit = "{id: visit, on: order, points: 10, pending_days: 0, times: {day: 2}, caps: {ever: 15}}"
    shop = Life.under(app, rules(visit, more="balance_cap: 10\n"))
    assert [shop.earned(1), shop.earned(1), shop.earned(1)] == [10, 0, 0]
    assert shop.uses() == {"visit": (10, 1)}
    shop.give(shop.member, -10, "admin")
    assert [shop.earned(1), shop.earned(1)] == [5, 0]


@pytest.mark.parametrize(
    ("born", "today", "day", "month"),
    [
        (date(1990, 5, 9), "2026-05-09", True, True),
        (date(1990, 5, 10), "2026-05-09", False, True),
        (date(1990, 6, 9), "2026-05-09", False, False),
        (date(1992, 2, 29), "2027-02-28", True, True),
        (date(1992, 2, 29), "2028-02-28", False, True),
        (date(1992, 2, 29), "2028-02-29", True, True),
        (date(1992, 2, 29), "2027-03-01", False, False),
        (None, "2026-05-09", False, False),
    ],
)
def test_a_birthday_is_a_local_day_of_the_order(
    app: Flask, born: date | None, today: str, day: bool, month: bool
) -> None:
    listed = (
        "{id: day, on: order, points: 1, pending_days: 0, birthday: day}",
        "{id: month, on: order, points: 10, pending_days: 0, birthday: month}",
    )
    shop = Life.under(app, rules(*listed), at=datetime(2026, 1, 1, tzinfo=UTC), birthday=born)
    shop.go(datetime.fromisoformat(today).replace(tzinfo=ZoneInfo("Europe/Berlin")))
    assert shop.earned(100) == day + 10 * month


def test_the_tier_is_that_of_the_moment_of_the_order(app: Flask) -> None:
    shop = Life.under(app, rules(PURCHASE, more=TIERS))
    before = shop.now
    shop.wait(hours=1)
    shop.buy(50000)
    assert shop.tier() == "gold"
    assert shop.earned(10000) == 125
    assert shop.earned(10000, placed_at=before) == 100


def test_enrolled_days_are_local_days(app: Flask) -> None:
    rule = PURCHASE.replace("}", ", when: 'member.enrolled_days >= 2'}")
    shop = Life.under(app, rules(rule), at=datetime(2026, 5, 9, 21, 59, tzinfo=UTC))
    shop.go("2026-05-10T21:59:59+00:00")
    assert shop.earned(100) == 0
    shop.go("2026-05-10T22:00:00+00:00")
    assert shop.earned(100) == 1
