"""Looks at everybody while others work: nobody is held up, nobody is forgotten.

Only PostgreSQL lets two of them work at once; SQLite queues them.
"""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from loyalty_service import clock, db, worker
from loyalty_service.domain.discounts import looking
from loyalty_service.domain.ledger import Account
from tests.databases import Databases
from tests.domain.discounts.offers import BY_FACTS, BY_THE_CLOCK, with_only
from tests.domain.discounts.test_due_by_the_clock import DAY, in_june, looks, waiting
from tests.domain.ledger.test_waiting_for_the_lock import wait_until_one_waits
from tests.shop import Shop

pytestmark = pytest.mark.parametrize("kind", ["postgresql"])


@pytest.fixture
def shop(app: Flask) -> Shop:
    """A shop that thanks nobody by the clock yet, on the first day of a June."""
    return in_june(Shop.open(app, with_only(BY_FACTS)))


def test_who_waits_for_one_member_holds_no_other(shop: Shop, databases: Databases) -> None:
    *others, last = some_members(shop, 4)
    looks(shop, days=0)
    shop.apply(with_only(BY_THE_CLOCK))

    def meanwhile() -> None:
        wait_until_one_waits(databases)
        with shop.app.app_context():
            db.transaction(lambda session: lock(session, others, nowait=True))

    at_work = beside(shop.work)
    holding(shop, last, lambda: (at_work.start(), meanwhile()))
    at_work.join()
    while shop.work():
        pass
    assert waiting(shop) == 4


def test_who_is_locked_in_the_middle_is_looked_at_later(shop: Shop, databases: Databases) -> None:
    members = some_members(shop, 5)
    looks(shop, days=0)
    shop.apply(with_only(BY_THE_CLOCK))
    at_work = beside(shop.work)
    holding(shop, members[2], lambda: (at_work.start(), wait_until_one_waits(databases)))
    at_work.join()
    while shop.work():
        pass
    assert waiting(shop) == 5


def test_members_who_are_let_go_while_offers_are_applied_are_thanked(
    shop: Shop, databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    members = some_members(shop, 3)
    come_first(shop, members[-1])
    monkeypatch.setattr(looking, "SLICE", 1)
    let_go = looking._let_go
    at_work = beside(shop.work)

    def late(session: Session, program_id: str) -> int:
        applied = beside(lambda: shop.apply(with_only(BY_THE_CLOCK)))
        applied.start()
        applied.join()
        at_work.start()
        # It has looked at the others, and waits for the one who is locked here.
        wait_until_one_waits(databases)
        monkeypatch.setattr(looking, "SLICE", 100)
        return let_go(session, program_id)

    monkeypatch.setattr(looking, "_let_go", late)
    with shop.app.app_context():
        worker.one_by_one(one_look(), most=1, stop=None)
    at_work.join()
    monkeypatch.undo()
    while shop.work():
        pass
    assert looks(shop, days=10) == ["birthday"] * 3


def some_members(shop: Shop, number: int) -> list[str]:
    """Members whose birthday is in ten days, in the order in which everybody is looked at."""
    born = (shop.now().date() + 10 * DAY).replace(year=1990)
    return sorted(shop.a_member(birthday=f"{born}") for _ in range(number))


def come_first(shop: Shop, member: str) -> None:
    def work(session: Session) -> None:
        others = update(Account).where(Account.member_id != member)
        session.execute(others.values(thanks_at=clock.now() - DAY))

    with shop.app.app_context():
        db.transaction(work)


def one_look() -> Callable[[], Any]:
    """One look of the worker."""
    return lambda: db.transaction(looking.Looks().thank_due)


def beside(work: Callable[[], Any]) -> threading.Thread:
    return threading.Thread(target=work)


def holding(shop: Shop, member: str, meanwhile: Callable[[], Any]) -> None:
    """Keep one member's account locked while something else happens."""

    def work(session: Session) -> None:
        lock(session, [member])
        meanwhile()

    with shop.app.app_context():
        db.transaction(work)


def lock(session: Session, members: list[str], *, nowait: bool = False) -> None:
    mine = select(Account.member_id).where(Account.member_id.in_(members))
    session.execute(mine.with_for_update(key_share=True, nowait=nowait)).all()
