"""Small random histories of one member: what is done after which wait."""

from collections.abc import Callable
from datetime import datetime, timedelta

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from loyalty_service.domain.ledger import Standing, Step
from tests.domain.ledger.walks import Walk

few = settings(
    max_examples=min(25, settings().max_examples),
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
