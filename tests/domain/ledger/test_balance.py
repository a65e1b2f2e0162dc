"""A balance now, then and later; nothing waits for a worker or a sweeper."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from loyalty_service.domain import adjustments, ledger
from loyalty_service.domain.ledger.book import LOTS_READ_FIRST
from loyalty_service.domain.lists import Page
from tests.domain.ledger.walks import SHORT_LIVED, Walk
from tests.shop import Shop

START = datetime(2026, 3, 20, 9, 30, tzinfo=UTC)
FIGURES = ("available", "pending", "held", "debt", "lifetime_earned")


@pytest.fixture
def walk(app: Flask) -> Walk:
    return Walk(Shop.open(app, SHORT_LIVED), START)


def figures(walk: Walk, at: datetime | None = None) -> tuple[int, ...]:
    seen = walk.balance(at)
    return tuple(getattr(seen, figure) for figure in FIGURES)


def kinds(walk: Walk) -> list[str]:
    """What was posted to the account, in order."""
    page = walk.do(lambda s: ledger.page(s, walk.shop.program_id, walk.member, Page(100)))
    return [one.kind for one in reversed(page)]


def test_points_wait_are_there_and_end_at_local_midnight(walk: Walk) -> None:
    walk.order(30)
    # Waits through the 23rd, in Berlin one hour ahead of UTC; summer time begins on the 29th.
    matures = datetime(2026, 3, 23, 23, tzinfo=UTC)
    expires = datetime(2026, 3, 30, 22, tzinfo=UTC)
    a_moment = timedelta(microseconds=1)
    assert figures(walk, matures - a_moment) == (0, 30, 0, 0, 30)
    assert figures(walk, matures) == (30, 0, 0, 0, 30)
    assert figures(walk, expires - a_moment) == (30, 0, 0, 0, 30)
    assert figures(walk, expires) == (0, 0, 0, 0, 30)


def test_what_expires_next_is_told_with_its_date(walk: Walk) -> None:
    walk.adjust(5)
    walk.adjust(6)
    walk.now += timedelta(days=1)
    walk.adjust(7)
    soonest = walk.balance().expiring_next
    assert soonest is not None
    assert (soonest.points, soonest.expires_at) == (11, datetime(2026, 3, 30, 22, tzinfo=UTC))
    later = walk.balance(soonest.expires_at).expiring_next
    assert later is not None
    assert (later.points, later.expires_at) == (7, datetime(2026, 3, 31, 22, tzinfo=UTC))
    assert walk.balance(later.expires_at).expiring_next is None


def test_before_the_first_points_the_balance_was_nothing(walk: Walk) -> None:
    walk.now += timedelta(days=1)
    walk.adjust(30)
    assert figures(walk, START) == (0, 0, 0, 0, 0)
    assert walk.balance(START).expiring_next is None


def test_the_past_knows_nothing_of_an_order_told_later(walk: Walk) -> None:
    walk.now += timedelta(days=2)
    walk.order(30, placed_at=START)
    assert figures(walk, START + timedelta(days=1)) == (0, 0, 0, 0, 0)
    assert figures(walk) == (0, 30, 0, 0, 30)


def test_an_order_told_after_its_points_matured_has_them_at_once(walk: Walk) -> None:
    walk.now += timedelta(days=5)
    walk.order(30, placed_at=START)
    assert figures(walk) == (30, 0, 0, 0, 30)
    assert kinds(walk) == ["earn", "maturity"]


def test_an_order_told_after_its_points_ended_has_none(walk: Walk) -> None:
    walk.now += timedelta(days=15)
    walk.order(30, placed_at=START)
    assert figures(walk) == (0, 0, 0, 0, 30)
    assert kinds(walk) == ["earn", "maturity", "expiry"]


def test_matured_points_are_spent_without_any_worker(walk: Walk) -> None:
    walk.order(7)
    assert walk.redeem() is None
    walk.now += timedelta(days=4)
    assert walk.redeem()
    assert figures(walk) == (0, 0, 0, 0, 7)


def test_expired_points_are_not_spent_though_nothing_swept_them(walk: Walk) -> None:
    walk.adjust(7)
    walk.now += timedelta(days=11)
    assert walk.redeem() is None
    assert figures(walk) == (0, 0, 0, 0, 0)


def test_points_in_more_lots_than_are_read_at_once_are_all_spent(walk: Walk) -> None:
    walk.open_lots(LOTS_READ_FIRST + 8, points_each=1)
    assert walk.adjust(-LOTS_READ_FIRST)
    assert walk.balance().available == 8
    assert walk.adjust(-9) is None
    assert walk.adjust(-8)
    assert figures(walk) == (0, 0, 0, 0, 0)


def test_points_are_taken_back_from_more_lots_than_are_read_at_once(walk: Walk) -> None:
    spent = walk.adjust(LOTS_READ_FIRST + 8)
    assert spent
    assert walk.adjust(-LOTS_READ_FIRST - 8)
    walk.open_lots(LOTS_READ_FIRST + 8, points_each=1)
    walk.reverse(spent)
    assert figures(walk) == (0, 0, 0, 0, 0)


def test_a_balance_asked_again_in_one_transaction_sees_what_was_written_between(
    walk: Walk,
) -> None:
    program_id, member = walk.shop.program_id, walk.member
    gift = adjustments.Gesture(member, 30, "correction")

    def work(session: Session) -> tuple[int, int, int]:
        before = ledger.balance(session, program_id, member).available
        adjustments.give(session, walk.by, gift)
        after = ledger.balance(session, program_id, member).available
        return before, after, ledger.balances_now(session, program_id, [member])[member].available

    assert walk.do(work) == (0, 30, 30)


def test_the_account_is_as_of_the_moment_asked_over_the_api(shop: Shop) -> None:
    member = shop.a_member(points=40)
    shop.order(member, 12000)
    before = shop.now()
    forecast = shop.balance(member, at=before + timedelta(days=15))
    assert (forecast["available"], forecast["pending"]) == (160, 0)
    shop.advance(days=15)
    now = shop.balance(member)
    assert {**now, "at": None} == {**forecast, "at": None}
    assert shop.redeem(member)["points"] == 100
    past = shop.balance(member, at=before)
    assert (past["available"], past["pending"]) == (40, 120)
    ended = shop.balance(member, at=before + timedelta(days=600))
    assert (ended["available"], ended["expiring_next"]) == (0, None)


def test_expired_points_are_refused_over_the_api(shop: Shop) -> None:
    member = shop.a_member(points=400)
    shop.advance(days=500)
    assert shop.available(member) == 0
    answer = shop.call("POST", "/v1/redemptions", {"member": member, "reward": "money_off"})
    assert (answer.status_code, answer.json["code"]) == (409, "insufficient_points")
