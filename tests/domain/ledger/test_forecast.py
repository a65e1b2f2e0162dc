"""Whatever happened: the forecast for a moment is the balance then, and the past does not change.

Random small histories of orders (late ones too), gifts, debits, undos, redemptions and failures,
of tiers that hold expiry back and end by themselves, over days on which points mature and expire,
summer time beginning among them.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loyalty_service.domain.ledger import Balance, Standing, Step
from tests.domain.ledger.walks import SHORT_LIVED, Walk
from tests.shop import Shop

START = datetime(2026, 3, 20, 9, 30, tzinfo=UTC)
A_MOMENT = timedelta(milliseconds=1)

few = settings(
    max_examples=25,
    deadline=None,
    # Each history is a member of its own: they may share the database.
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def a_standing(now: datetime, number: int) -> Standing:
    """One of several: paused or not, with a floor or none, with up to two steps ahead."""

    def ahead(days: int) -> datetime | None:
        return now + timedelta(days=days, hours=5) if days else None

    steps = [
        Step(now + timedelta(days=2 + 3 * place), tier, bool(number & 8), ahead(number % 3 * 5))
        for place, tier in enumerate(("silver", None)[: number % 3])
    ]
    return Standing("gold", now, tuple(steps), bool(number & 4), ahead(number % 4 * 4))


Act = Callable[[Walk, int], object]
ACTS: dict[str, Act] = {
    "order": lambda walk, points: walk.order(points),
    "late order": lambda walk, points: walk.order(points, walk.now - timedelta(days=points % 20)),
    "credit": lambda walk, points: walk.adjust(points),
    "debit": lambda walk, points: walk.adjust(-points),
    "undo": lambda walk, _: walk.gifts and walk.reverse(walk.gifts.pop()),
    "redeem": lambda walk, _: walk.redeem(),
    "fail": lambda walk, _: walk.exchanges and walk.fail(walk.exchanges.pop()),
    "touch": lambda walk, _: walk.touch(),
    "tier": lambda walk, points: walk.stand(a_standing(walk.now, points)),
}
waits = st.timedeltas(timedelta(seconds=1), timedelta(days=6)) | st.integers(1, 12).map(
    lambda days: timedelta(days=days)
)
histories = st.lists(
    st.tuples(waits, st.sampled_from(sorted(ACTS)), st.integers(1, 40)), min_size=1, max_size=9
)


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
