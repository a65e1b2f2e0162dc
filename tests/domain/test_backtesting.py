"""What a draft would have cost, on pasts that can be reckoned by hand."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask

from loyalty_service.domain import backtesting, program
from loyalty_service.domain.backtesting import Report, Unplayed
from tests.domain.replaying.histories import History
from tests.domain.replaying.programs import Rules

START = datetime(2026, 3, 20, 9, 30, tzinfo=UTC)
PLAIN = """\
id: {id}
name: Plain
timezone: Europe/Berlin
currency: eur
late_days: 40
events: {{visit: {{}}}}
earning:
  - id: purchase
    on: order
    points: 1
    per: 1.00
    counts: [merchandise]
    rounding: floor
    pending_days: 0
  - {{id: visit, on: visit, points: 5}}
expiry: {{after: {{days: 10}}}}
refunds: {{when_spent: allow_debt}}
restored_points: {{past_expiry: reissue}}
rewards:
  - id: slice
    name: A slice off
    type: percent_off
    slabs: [{{points: 9, percent_off: 5}}, {{points: 40, percent_off: 20}}]
goodwill: {{reasons: [correction]}}
"""


@pytest.fixture
def history(app: Flask) -> History:
    """Three members who have not done anything yet."""
    made = History(app, START)
    made.begin(PLAIN.format(id=made.program_id), members=3)
    return made


def backtested(history: History, *changes: tuple[str, str], **more: Any) -> Report:
    """The past under the plain program with some words replaced."""
    text = PLAIN.format(id=history.program_id)
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    history.wait(timedelta(seconds=1))
    now = history.verbs.now
    wanted = {"since": START - timedelta(days=1), "until": now, **more}
    draft = program.parse(text)
    return history.verbs.read(
        lambda session: backtesting.run(session, history.program_id, draft, **wanted)
    )


def test_the_same_rules_make_no_difference(history: History) -> None:
    history.order(0, 2000)
    history.event(1, "visit")
    report = backtested(history)
    assert report.draft == report.today
    assert (report.members, report.facts) == (3, 2)
    assert (report.gainers, report.losers) == ([], [])
    assert (report.today.issued, report.today.outstanding) == (23, 23)


def test_points_are_issued_taken_back_and_expired_by_the_draft(history: History) -> None:
    history.order(0, 2000)
    history.refund("order-0", 800)
    history.wait(timedelta(days=6))
    report = backtested(history, ("points: 1\n", "points: 2\n"), ("days: 10", "days: 5"))
    today, draft = report.today, report.draft
    assert (today.issued, today.taken_back, today.expired, today.outstanding) == (18, 8, 0, 10)
    assert (draft.issued, draft.taken_back, draft.expired, draft.outstanding) == (36, 16, 20, 0)


def test_who_gains_and_who_loses_most_is_named_and_no_more(history: History) -> None:
    for whose, minor in ((0, 3000), (1, 6000)):
        history.order(whose, minor)
    for _ in range(2):
        history.event(2, "visit")
    changes = (("points: 1\n", "points: 2\n"), ("points: 5", "points: 1"))
    report = backtested(history, *changes)
    first, second, third = history.members
    assert [(one.member, one.points) for one in report.gainers] == [(second, 54), (first, 27)]
    assert [(one.member, one.points) for one in report.losers] == [(third, -8)]
    assert report.losers[0].external_id == f"{history.program_id}-2"
    shorter = backtested(history, *changes, top=1)
    assert [one.member for one in shorter.gainers] == [second]


def test_points_that_would_not_have_been_there_are_told(history: History) -> None:
    history.order(0, 5000)
    history.redeem(0, 40)
    report = backtested(history, ("per: 1.00", "per: 3.00"))
    assert (report.today.short, report.draft.short) == (0, 25)
    assert report.draft.outstanding == 0
    assert [one.points for one in report.losers] == [-30]


def test_a_redemption_that_fails_gives_back_what_it_took(history: History) -> None:
    history.order(0, 5000)
    history.redeem(0, 40)
    history.fail(0)
    report = backtested(history, ("per: 1.00", "per: 3.00"))
    assert (report.today.outstanding, report.draft.outstanding) == (45, 15)


def test_what_the_draft_does_not_know_is_told_and_not_guessed(history: History) -> None:
    history.order(0, 5000)
    history.refund("order-0", 100)
    history.event(0, "visit")
    report = backtested(
        history,
        ("currency: eur", "currency: usd"),
        ("events: {visit: {}}\n", ""),
        ("  - {id: visit, on: visit, points: 5}\n", ""),
    )
    assert report.refused == [
        Unplayed("currency_not_priced", "eur", 1),
        Unplayed("validation_failed", "visit", 1),
    ]
    assert report.draft.issued == 0


def test_only_what_came_since_is_counted(history: History) -> None:
    history.order(0, 2000)
    history.wait(timedelta(days=2))
    since = history.verbs.now
    history.order(0, 1000)
    report = backtested(history, ("points: 1\n", "points: 2\n"), since=since)
    assert report.facts == 1
    assert (report.today.issued, report.draft.issued) == (9, 18)
    assert (report.today.outstanding, report.draft.outstanding) == (27, 36)


def test_what_came_later_than_the_end_is_left_out(history: History) -> None:
    history.order(0, 2000)
    until = history.verbs.now + timedelta(seconds=1)
    history.wait(timedelta(days=20))
    history.order(0, 1000)
    report = backtested(history, until=until)
    assert (report.facts, report.today.outstanding, report.today.expired) == (1, 18, 0)


def test_members_are_counted_by_tier(app: Flask) -> None:
    history = History(app, START)
    history.begin(Rules().document(history.program_id))
    history.order(0, 8000)
    draft = program.parse(Rules(metric="orders").document(history.program_id))
    report = history.verbs.read(
        lambda session: backtesting.run(
            session,
            history.program_id,
            draft,
            since=START - timedelta(days=1),
            until=history.verbs.now + timedelta(seconds=1),
        )
    )
    assert report.today.tiers == {"gold": 1, "basic": 1}
    assert report.draft.tiers == {"basic": 2}


def test_what_is_outstanding_is_worth_what_each_program_says(history: History) -> None:
    history.order(0, 5000)
    valued = ("rewards:", "point_value: {points: 100, worth: 2.50}\nrewards:")
    report = backtested(history, valued)
    assert report.today.liability_minor is None
    assert (report.draft.outstanding, report.draft.liability_minor) == (45, 113)
