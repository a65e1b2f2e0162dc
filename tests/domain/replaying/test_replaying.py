"""A past that is lived again under the rules that decided is the past that was."""

import os
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from loyalty_service.domain import backtesting, orders, program
from loyalty_service.domain.program import InForce
from loyalty_service.domain.replaying import Life, Versions, decided, past_of, pasts
from tests.databases import Databases
from tests.domain.replaying.drawing import live
from tests.domain.replaying.histories import History
from tests.domain.replaying.programs import Rules

START = datetime(2026, 3, 20, 9, 30, tzinfo=UTC)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
LIVES, ACTS = int(os.environ.get("REPLAY_LIVES", "15")), 40


def assert_same(history: History) -> None:
    """What was lived again is what the ledger says, member by member."""

    def work(session: Any) -> list[Life]:
        versions = decided(session, history.program_id)
        now, lives = history.verbs.now, []
        for past in pasts(session, history.program_id, now):
            assert not past.unreadable
            known = backtesting.other_sides(
                session, history.program_id, past, {"today": versions}, LONG_AGO, now
            )
            life = Life(past.member, versions)
            life.live(backtesting.together(past.facts, known["today"]), LONG_AGO, now)
            assert not life.refused
            lives.append(life)
        return lives

    history.wait(timedelta(seconds=1))
    lives = {life.account.member.id: life.account for life in history.verbs.read(work)}
    for member_id, said in zip(history.members, history.balances(), strict=True):
        account = lives[member_id]
        purse = account.purse
        figures = (purse.available, purse.pending, purse.debt, purse.issued - purse.taken_back)
        assert figures == (said.available, said.pending, said.debt, said.lifetime_earned)
        assert account.tier == (said.tier or "basic")
    assert sum(one.purse.issued for one in lives.values()) == history.issued()


@pytest.fixture(scope="module")
def sqlite(databases: Databases) -> Flask:
    return databases.app("sqlite")


@pytest.mark.slow
@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=LIVES)
@given(seed=st.integers(0, 2**32))
# An event that goes with its order goes by the rules that gave it, not by the newest.
@example(seed=3347315)
def test_a_past_lived_again_is_the_past_that_was(sqlite: Flask, seed: int) -> None:
    history = History(sqlite, START)
    live(history, Random(seed), ACTS)
    assert_same(history)


@pytest.fixture
def history(app: Flask) -> History:
    """Two members under rules without limits in the way."""
    made = History(app, START)
    made.begin(Rules().document(made.program_id))
    return made


def test_points_that_paid_for_an_order_are_spent_and_come_back(history: History) -> None:
    history.give(0, 60)
    history.pay_with_points(0, 0, 40, 30)
    history.order(0, 3000)
    history.refund("order-0", 1000)
    assert history.verbs.told_of_holds() == [("captured", 30, 11)]
    assert_same(history)
    history.cancel(0)
    assert history.verbs.told_of_holds() == [("captured", 30, 30)]
    assert_same(history)


def test_points_of_money_that_was_not_gone_after_all_are_spent_again(history: History) -> None:
    history.give(0, 60)
    history.pay_with_points(0, 0, 40, 30)
    history.order(0, 3000, source=orders.SOURCE_STRIPE)
    history.returned(0, 100)
    history.redeem(0, 40)
    history.returned(0, 0)
    assert history.verbs.told_of_holds() == [("captured", 30, 0)]
    # Without the 30 that paid it were 54.
    assert history.balances()[0].available == 24
    assert_same(history)
    history.returned(0, 100)
    assert history.verbs.told_of_holds() == [("captured", 30, 30)]
    assert_same(history)


def test_a_late_capture_is_lived_again_and_a_hold_of_nothing_changes_nothing(
    history: History,
) -> None:
    history.give(0, 60)
    assert not history.verbs.hold(history.members[0], 20, "order-0", timedelta(minutes=15))
    history.wait(timedelta(hours=1))
    assert not history.verbs.captured(history.verbs.holds[0], 15)
    assert not history.verbs.hold(history.members[0], 20, "order-1", timedelta(minutes=15))
    history.release()
    assert history.balances()[0].available == 45
    assert_same(history)


def test_both_sides_of_a_referral_are_lived_again(history: History) -> None:
    history.refer(0)
    history.order(0, 1000)
    assert [one.lifetime_earned for one in history.balances()] == [16, 0]
    history.order(0, 3000)
    history.wait(timedelta(days=3))
    assert history.balances()[1].available == 50
    assert_same(history)


def test_a_referral_taken_back_before_its_other_side_was_given_is_lived_again(
    history: History,
) -> None:
    history.refer(0)
    # It waits for the order that the referral waits for, and leaves too little of it.
    history.refund("order-0", None, items=2)
    history.order(0, 3000)
    assert history.balances()[1].lifetime_earned == 0
    assert_same(history)


def test_an_amendment_that_a_later_one_replaced_is_lived_again(history: History) -> None:
    history.order(0, 2000)
    history.amend(0, 8000)
    history.redeem(0, 40)
    history.amend(0, 1000)
    assert history.balances()[0].debt > 0
    assert_same(history)


def test_an_order_that_waits_for_its_payment_is_lived_again(app: Flask) -> None:
    history = History(app, START)
    history.begin(Rules(earn_when="paid").document(history.program_id))
    for minor in (2000, 3000, 4000):
        history.order(0, minor, paid=False)
    history.amend(0, 5000)
    history.cancel(1)
    for number in range(3):
        history.pay(number)
    assert history.balances()[0].lifetime_earned > 0
    assert_same(history)


def test_a_refund_that_came_before_its_order_is_lived_again(history: History) -> None:
    history.refund("order-0", 700)
    history.order(0, 7000)
    assert_same(history)


def test_what_staff_undo_is_lived_again(history: History) -> None:
    history.event(0, "visit")
    history.give(0, 30)
    history.undo_event(0)
    history.undo(0)
    assert history.balances()[0].available == 0
    history.event(0, "visit")
    assert_same(history)


def test_what_was_forgiven_is_not_given_again_when_lived_again(app: Flask) -> None:
    history = History(app, START)
    history.begin(Rules(when_spent="clamp").document(history.program_id))
    history.order(0, 9000)
    history.redeem(0, 40)
    for amount in (100, 9000, 100, 9500):
        history.amend(0, amount)
    assert_same(history)


def test_a_draft_decides_from_its_day_on_and_not_before(app: Flask) -> None:
    history = History(app, START)
    history.begin(Rules().document(history.program_id))
    history.order(0, 1000)
    history.wait(timedelta(days=4))
    turn = history.verbs.now
    history.order(0, 1000)
    history.wait(timedelta(seconds=1))
    draft = program.parse(Rules(per="3.00").document(history.program_id))

    def work(session: Any) -> list[tuple[int, int]]:
        now, member = history.verbs.now, history.members[0]
        past = past_of(session, history.program_id, member, now)
        found = []
        for since in (LONG_AGO, turn, now):
            life = Life(past.member, decided(session, history.program_id).drafted(draft, since))
            life.live(past.facts, since, now)
            found.append((life.account.purse.issued, life.account.purse.available))
        return found

    # 9.00 of merchandise each: 9 points or 3, and 7 of the third rule.
    assert history.balances()[0].available == 32
    assert history.verbs.read(work) == [(20, 20), (10, 26), (0, 32)]


def test_versions_are_known_from_the_moment_they_were_applied() -> None:
    rules = program.parse(Rules().document("lived"))
    first, second = (InForce(number, START + timedelta(days=number), rules) for number in (1, 2))
    versions = Versions([second, first])
    assert versions.at(first.applied_at).newest == first
    assert versions.at(START).newest == first
    assert versions.at(second.applied_at).newest == second
    assert versions.as_of(START).version == 1
    draft = versions.drafted(rules, second.applied_at)
    assert [draft.at(at).newest.version for at in (first.applied_at, second.applied_at)] == [1, 3]
    assert versions.drafted(rules, START).as_of(START).version == 3
