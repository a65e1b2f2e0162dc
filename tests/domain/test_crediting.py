"""What a fact brings about, when several come under one lock."""

from datetime import UTC, datetime

from flask import Flask

from tests.domain.replaying.histories import History
from tests.domain.replaying.programs import Rules

START = datetime(2026, 3, 20, 9, 30, tzinfo=UTC)


def test_what_follows_an_order_under_its_lock_counts_on_the_order(app: Flask) -> None:
    history = History(app, START)
    history.begin(Rules(metric="qualifying_points").document(history.program_id))
    history.refer(0)
    # It reaches Gold, and the referral that waited for it is settled right behind it.
    history.order(0, 8000)
    assert history.balances()[0].tier == "gold"


def test_a_refund_that_waited_counts_on_its_order(app: Flask) -> None:
    history = History(app, START)
    history.begin(Rules().document(history.program_id))
    history.refund("order-0", 100)
    history.order(0, 8000)
    assert history.balances()[0].tier == "gold"
