"""Two tills at one account, the second made to wait for the first: a lost update needs no luck.

Only PostgreSQL lets a second writer come as far as the account's row; SQLite queues it earlier.
"""

import threading

import psycopg
import pytest
from flask import Flask
from sqlalchemy.orm import Session

from loyalty_service import clock, db
from loyalty_service.domain import adjustments, ledger, program, redemptions
from loyalty_service.domain.access import Principal
from tests.databases import Databases
from tests.domain.ledger.walks import SHORT_LIVED, Walk
from tests.shop import DEFAULT_PROGRAM, Shop

PRICE = 7
TRIES = 1200
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND wait_event_type = 'Lock'"


@pytest.mark.parametrize("kind", ["postgresql"])
def test_who_waited_for_an_account_spends_from_what_the_other_has_left(
    app: Flask, databases: Databases
) -> None:
    shop = Shop.open(app, SHORT_LIVED)
    walk = Walk(shop, clock.wall())
    walk.open_lots(3, points_each=10)
    second = threading.Thread(target=spend, args=(shop, walk.member))

    def first(session: Session) -> None:
        place(session, shop, walk.member)
        second.start()
        wait_until_one_waits(databases)

    with app.app_context():
        db.transaction(first)
    second.join(timeout=60)
    walk.now = clock.wall()
    assert walk.balance().available == 30 - 2 * PRICE


@pytest.mark.parametrize("kind", ["postgresql"])
def test_who_waited_for_an_account_goes_by_the_rules_applied_meanwhile(
    app: Flask, databases: Databases
) -> None:
    shop = Shop.open(app)
    member = shop.a_member(points=10)
    given: list[adjustments.Given] = []
    second = threading.Thread(target=give, args=(shop, member, given))

    def first(session: Session) -> None:
        ledger.open_book(session, shop.program_id, member)
        second.start()
        wait_until_one_waits(databases)
        operator = threading.Thread(target=apply, args=(shop, f"{DEFAULT_PROGRAM}\n# changed\n"))
        operator.start()
        operator.join(timeout=60)

    with app.app_context():
        db.transaction(first)
    second.join(timeout=60)
    made = shop.get(f"/v1/transactions/{given[0].adjustment['transaction_id']}")
    assert made["explanation"]["program_version"] == 2


def give(shop: Shop, member: str, given: list[adjustments.Given]) -> None:
    """A gift by an admin, in a transaction of its own."""
    gesture = adjustments.Gesture(member, 5, "appreciation")
    by = Principal(shop.program_id, "cli_test", "admin", None, None)
    with shop.app.app_context():
        given.append(db.transaction(lambda session: adjustments.give(session, by, gesture)))


def apply(shop: Shop, document: str) -> None:
    """An operator applies another document."""
    with shop.app.app_context():
        db.transaction(lambda session: program.apply(session, document))


def spend(shop: Shop, member: str) -> None:
    """One till's redemption, in a transaction of its own."""
    with shop.app.app_context():
        db.transaction(lambda session: place(session, shop, member))


def place(session: Session, shop: Shop, member: str) -> None:
    wish = redemptions.Wish(member, "slice")
    redemptions.place(session, shop.program_id, wish, lease_seconds=600)


def wait_until_one_waits(databases: Databases) -> None:
    pause = threading.Event()
    with psycopg.connect(databases.server.dsn(databases.name), autocommit=True) as connection:
        for _ in range(TRIES):
            row = connection.execute(WAITING, (databases.name,)).fetchone()
            if row and row[0]:
                return
            pause.wait(0.01)
    raise AssertionError("the second till never came to the first one's lock")
