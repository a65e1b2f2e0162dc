"""Whatever happened: the forecast for a moment is the balance then, and the past does not change.

Random small histories of orders (late ones too), gifts, debits, undos, redemptions and failures,
of tiers that hold expiry back and end by themselves, over days on which points mature and expire,
summer time beginning among them.
"""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from hypothesis import given

from loyalty_service.domain.ledger import Balance
from tests.domain.ledger.histories import ACTS, few, histories
from tests.domain.ledger.walks import SHORT_LIVED, Walk
from tests.shop import Shop

START = datetime(2026, 3, 20, 9, 30, tzinfo=UTC)
A_MOMENT = timedelta(milliseconds=1)


@pytest.mark.slow
def test_forecasts_come_true_and_the_past_is_answered_as_it_was(app: Flask) -> None:
    shop = Shop.open(app, SHORT_LIVED)

    @few
    @given(histories)
    def over(history: list[tuple[timedelta, str, int]]) -> None:
        walk = Walk(shop, START)
        answered: list[Balance] = [walk.balance()]
        for wait, act, points in history:
            forecast = walk.balance(at=walk.now + wait)
            walk.now += wait
            assert walk.balance() == forecast
            ACTS[act](walk, points)
            walk.now += A_MOMENT
            answered.append(walk.balance())
        future = [walk.now + timedelta(days=days, hours=14) for days in range(1, 16)]
        for forecast in [walk.balance(at=moment) for moment in future]:
            walk.now = forecast.at
            assert walk.balance() == forecast
            answered.append(forecast)
        walk.now += timedelta(days=1)
        walk.touch()
        for then in answered:
            assert walk.balance(at=then.at) == then

    over()


def test_looking_writes_nothing_and_writing_what_fell_due_changes_no_answer(app: Flask) -> None:
    walk = Walk(Shop.open(app, SHORT_LIVED), START)
    walk.order(30)
    walk.adjust(20)
    for days in (2, 4, 10, 13, 14, 15):
        walk.now = START + timedelta(days=days)
        before = walk.balance()
        assert walk.balance() == before
        walk.touch()
        assert walk.balance() == before
