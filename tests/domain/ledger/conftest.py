"""Books with a little of everything in them, and a hand that tampers past the triggers."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass

import psycopg
import pytest
from flask import Flask
from sqlalchemy import select

from loyalty_service import db
from loyalty_service.domain.ledger import Lot
from tests.conftest import differences
from tests.databases import Databases
from tests.shop import Shop

IMMUTABLE = (
    "transactions",
    "postings",
    "allotments",
    "program_versions",
    "tier_credits",
)

Tamper = Callable[[str], None]


@pytest.fixture
def tamper(app: Flask, databases: Databases, kind: str) -> Tamper:
    """Runs a statement as somebody who may do anything: without triggers and foreign keys."""

    def on_sqlite(statement: str) -> None:
        with closing(sqlite3.connect(databases.folder / "test.db")) as connection:
            for table in IMMUTABLE:
                connection.execute(f"DROP TRIGGER IF EXISTS {table}_no_update")
                connection.execute(f"DROP TRIGGER IF EXISTS {table}_no_delete")
            assert connection.execute(statement).rowcount
            connection.commit()

    def on_postgresql(statement: str) -> None:
        with psycopg.connect(databases.server.dsn(databases.name)) as connection:
            connection.execute("SET session_replication_role = replica")
            assert connection.execute(statement.encode()).rowcount

    return on_sqlite if kind == "sqlite" else on_postgresql


@dataclass
class Books:
    """A member with two gifts (100 and 250), an order (120, pending) and a redemption (100)."""

    shop: Shop
    member: str
    stranger: str
    gift: str
    order: str
    redemption: str
    transactions: list[str]
    lots: list[str]

    def found(self) -> set[tuple[str, str]]:
        """What verify names: subject and detail."""
        return {(one.subject, one.detail) for one in differences(self.shop.app)}


@pytest.fixture
def books(shop: Shop) -> Books:
    member, stranger = shop.a_member(), shop.a_member(points=10)
    gift = shop.give(member, 100, who="agent")["id"]
    shop.give(member, 250, who="agent")
    order = shop.order(member, 12050)["id"]
    redemption = shop.redeem(member)["id"]
    history = shop.get(f"/v1/members/{member}/transactions")["data"]
    made = Books(
        shop,
        member,
        stranger,
        gift,
        order,
        redemption,
        [one["id"] for one in reversed(history)],
        lots_of(shop, member),
    )
    assert made.found() == set()
    return made


def lots_of(shop: Shop, member: str) -> list[str]:
    """A member's lots, oldest first."""
    mine = select(Lot.id).where(Lot.member_id == member).order_by(Lot.number)
    with shop.app.app_context():
        return db.read(lambda session: list(session.scalars(mine)))
