"""A cooldown is over at its moment, and not before."""

from datetime import UTC, datetime, timedelta

import pytest

from loyalty_service.domain.discounts import cooldowns
from loyalty_service.domain.program import parse
from loyalty_service.domain.program.document import Offer
from tests.domain.discounts.offers import BY_HAND, with_only

LAST = datetime(2026, 3, 1, 12, tzinfo=UTC)
AGAIN = LAST + timedelta(days=30)


@pytest.fixture
def rare() -> Offer:
    """An offer that a member has once in 30 days."""
    offer = parse(with_only(BY_HAND)).offer("rare")
    assert offer
    return offer


def test_a_cooldown_is_over_at_its_moment_and_not_before(rare: Offer) -> None:
    before = AGAIN - timedelta(microseconds=1)
    assert cooldowns.refusal(rare, "mem_1", LAST, before)
    assert cooldowns.refusal(rare, "mem_1", LAST, AGAIN) is None
    assert cooldowns.ends_at(rare, LAST) == AGAIN


def test_whoever_never_had_it_may_have_it(rare: Offer) -> None:
    assert cooldowns.refusal(rare, "mem_1", None, LAST) is None
    assert cooldowns.ends_at(rare, None) is None
