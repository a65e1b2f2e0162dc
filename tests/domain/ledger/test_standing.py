"""A standing is kept as text and as columns, and comes back the same."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty_service import canonical
from loyalty_service.domain.ledger import standing as standing_
from loyalty_service.domain.ledger.standing import Standing, Step
from tests.domain.ledger.states import day, standings

GOLD = Standing(
    "gold",
    day(0),
    (Step(day(5), "silver", expires_not_before=day(9) + timedelta(microseconds=1)),),
    expiry_paused=True,
)


@given(st.just(Standing()) | standings())
def test_a_standing_comes_back_as_it_was_kept(standing: Standing) -> None:
    text = canonical.dumps({"cause": "time", "standing": standing_.as_plain(standing)})
    assert standing_.pinned(text) == standing
    assert standing_.from_columns(**standing_.columns(standing)) == standing


def test_what_is_not_there_is_left_out_of_the_text() -> None:
    assert standing_.as_plain(Standing()) == {}
    assert standing_.as_plain(GOLD) == {
        "tier": "gold",
        "since": "2026-03-01T00:00:00.000000Z",
        "steps": [
            {
                "at": "2026-03-06T00:00:00.000000Z",
                "tier": "silver",
                "expires_not_before": "2026-03-10T00:00:00.000001Z",
            }
        ],
        "expiry_paused": True,
    }


@pytest.mark.parametrize(
    "context",
    ['{"cause":"time"}', '{"said":"\\"standing\\":"}', '{"data":{"standing":{"tier":"gold"}}}'],
)
def test_a_context_that_only_speaks_of_a_standing_pins_none(context: str) -> None:
    assert standing_.pinned(context) is None


def test_steps_out_of_order_are_our_own_bug() -> None:
    steps = (Step(day(5), None), Step(day(4), "gold"))
    with pytest.raises(AssertionError):
        standing_.as_plain(Standing("gold", day(0), steps))
