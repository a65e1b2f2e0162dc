"""Counters: what is shared is used to the limit and not above, and given back to who paid."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from loyalty_service import db
from loyalty_service.domain import counters
from loyalty_service.domain.counters import Allotment
from tests.shop import Shop

Use = Callable[..., bool]
NAME = "reward:cream:stock"


@pytest.fixture
def use(shop: Shop) -> Use:
    """Uses a counter in a transaction of its own."""

    def once(amount: int, cause: str, *, limit: int = 10, name: str = NAME) -> bool:
        return do(
            shop,
            lambda session: counters.use(
                session, shop.program_id, name, amount, limit=limit, cause_id=cause
            ),
        )

    return once


def test_a_counter_is_used_to_its_limit_and_not_above(shop: Shop, use: Use) -> None:
    assert use(6, "a")
    assert not use(5, "b")
    assert use(4, "c")
    assert not use(1, "d")
    assert used(shop) == 10
    assert allotments(shop) == [("a", 6), ("c", 4)]


def test_a_limit_of_nothing_allows_nothing(shop: Shop, use: Use) -> None:
    assert not use(1, "a", limit=0)
    assert used(shop) == 0


def test_a_limit_that_was_lowered_binds_what_comes(shop: Shop, use: Use) -> None:
    assert use(8, "a")
    assert not use(1, "b", limit=5)
    assert used(shop) == 8


def test_a_cause_gets_back_what_it_used_and_no_more(shop: Shop, use: Use) -> None:
    use(6, "a")
    use(3, "b")
    give_back(shop, "a")
    give_back(shop, "a")
    assert used(shop) == 3
    assert allotments(shop) == [("a", 6), ("b", 3), ("a", -6)]
    assert use(7, "c")


def test_a_cause_gets_back_from_every_counter_that_paid(shop: Shop, use: Use) -> None:
    use(1, "a", name="reward:cream:member:mem_1")
    use(1, "a")
    give_back(shop, "a")
    assert (used(shop), used(shop, "reward:cream:member:mem_1")) == (0, 0)


def test_a_cause_that_used_nothing_gets_nothing_back(shop: Shop, use: Use) -> None:
    use(6, "a")
    give_back(shop, "b")
    assert used(shop) == 6


def test_an_unused_counter_stands_at_nothing(shop: Shop) -> None:
    assert used(shop) == 0


def test_programs_do_not_share_counters(shop: Shop, use: Use) -> None:
    other = Shop.open(
        shop.app, "id: other\nname: O\ntimezone: UTC\ncurrency: eur\nearning: []\nexpiry: never\n"
    )
    use(10, "a")
    assert do(
        other,
        lambda session: counters.use(session, other.program_id, NAME, 10, limit=10, cause_id="a"),
    )
    give_back(other, "a")
    assert (used(shop), used(other)) == (10, 0)


def do(shop: Shop, work: Callable[[Session], Any]) -> Any:
    with shop.app.app_context():
        return db.transaction(work)


def used(shop: Shop, name: str = NAME) -> int:
    return do(shop, lambda session: counters.used(session, shop.program_id, name))


def give_back(shop: Shop, cause: str) -> None:
    do(shop, lambda session: counters.give_back(session, shop.program_id, cause))


def allotments(shop: Shop) -> list[tuple[str, int]]:
    """Cause and amount of every allotment, in order."""
    rows = select(Allotment.cause_id, Allotment.amount).order_by(Allotment.id)
    return [tuple(row) for row in do(shop, lambda session: session.execute(rows).all())]
