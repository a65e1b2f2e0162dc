"""A past that is lived again under the rules that decided is the past that was."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loyalty_service.domain import backtesting, program
from loyalty_service.domain.replaying import Life, decided, pasts
from tests.databases import Databases
from tests.domain.replaying.histories import History
from tests.domain.replaying.programs import Rules

START = datetime(2026, 3, 20, 9, 30, tzinfo=UTC)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)

rules_drawn = st.builds(
    Rules,
    zone=st.sampled_from(("Europe/Berlin", "America/New_York")),
    earn_when=st.sampled_from(("placed", "placed", "paid")),
    cap=st.booleans(),
    per=st.sampled_from(("1.00", "3.00")),
    rounding=st.sampled_from(("floor", "nearest", "ceiling")),
    pending_days=st.sampled_from((0, 0, 3)),
    carry=st.booleans(),
    metric=st.sampled_from(("spend", "qualifying_points", "orders")),
    window=st.sampled_from(("{rolling_months: 1}", "calendar_year", "anniversary")),
    kept=st.just("{months: 1}"),
    holds_back=st.booleans(),
    expiry=st.sampled_from(("{after: {days: 12}}", "never", "{after_inactivity: {days: 9}}")),
    when_spent=st.sampled_from(("allow_debt", "clamp")),
    past_expiry=st.sampled_from(("grace_days", "original_expiry", "reissue")),
)
whose = st.integers(0, 1)
number = st.integers(0, 5)
amount = st.integers(100, 9000)
acts = st.one_of(
    st.tuples(
        st.just("order"),
        whose,
        amount,
        st.sampled_from((timedelta(0), timedelta(hours=5), timedelta(days=6), timedelta(days=20))),
        st.booleans(),
    ),
    st.tuples(st.just("refund"), number, st.one_of(st.none(), st.integers(1, 3000)), st.just(1)),
    st.tuples(st.just("amend"), number, amount),
    st.tuples(st.just("pay"), number),
    st.tuples(st.just("cancel"), number),
    st.tuples(st.just("event"), whose, st.sampled_from(("visit", "reload", "refer"))),
    st.tuples(st.just("give"), whose, st.sampled_from((-7, 5, 60))),
    st.tuples(st.just("undo"), number),
    st.tuples(st.just("undo_event"), number),
    st.tuples(st.just("redeem"), whose, st.sampled_from((9, 40))),
    st.tuples(st.just("fail"), number),
    st.tuples(st.just("wait"), st.sampled_from((1, 4, 24, 80, 300, 900))),
    st.tuples(st.just("version"), rules_drawn),
)


def do(history: History, act: tuple[Any, ...]) -> None:
    """One act of a history."""
    name, *how = act
    verbs: dict[str, Callable[..., None]] = {
        "order": lambda who, minor, ago, paid: history.order(who, minor, ago=ago, paid=paid),
        # One refund in six is here before its order.
        "refund": lambda n, minor, items: history.refund(f"order-{n}", minor, items),
        "event": lambda who, kind: (
            history.refer(who)
            if kind == "refer"
            else history.event(who, kind, **({"amount": 1300} if kind == "reload" else {}))
        ),
        "wait": lambda hours: history.wait(timedelta(hours=hours)),
        "version": lambda rules: history.apply(rules.document(history.program_id)),
    }
    verbs.get(name, lambda *how: getattr(history, name)(*how))(*how)


def lived_again(history: History) -> backtesting.Report:
    """The same past under the newest rules as a draft, beside those that decided."""

    def work(session: Any) -> backtesting.Report:
        rules = program.in_force(session, history.program_id).rules
        now = history.verbs.now
        return backtesting.run(session, history.program_id, rules, since=LONG_AGO, until=now)

    return history.verbs.read(work)


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


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=100)
@given(rules=rules_drawn, told=st.lists(acts, min_size=4, max_size=22))
def test_a_past_lived_again_is_the_past_that_was(
    sqlite: Flask, rules: Rules, told: list[tuple[Any, ...]]
) -> None:
    history = History(sqlite, START)
    history.begin(rules.document(history.program_id))
    for act in told:
        do(history, act)
    assert_same(history)
