"""How often the hot path goes to the database, on PostgreSQL, in production: a look more is a bug.

Each line is one way there and back; what goes together stands on one line.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from flask import Flask

from benchmarks import wire
from benchmarks.apps import InstantCodes
from loyalty_service import create_app, db
from loyalty_service.db import database
from loyalty_service.domain.webhooks import endpoints
from tests.databases import Databases
from tests.shop import SAMPLE, Shop

WARM_UP = 2
CALLER = "SELECT api_keys"
CALLER_AND_ANSWER = "SELECT api_keys, idempotency_keys"
# The lock, with what is to be known under it.
OPEN = "BEGIN + SELECT members, accounts + SELECT program_versions + SELECT lots"


@pytest.fixture(params=["postgresql"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def busy(app: Flask, shop: Shop, databases: Databases, kind: str) -> Iterator[Shop]:
    """The same shop, served as in production; its codes are made at once."""
    config = replace(databases.config(kind), env="production", stripe_api_base="")
    served = create_app(config)
    served.extensions["code_issuers"] = lambda _name: InstantCodes()
    yield replace(shop, app=served)
    with served.app_context():
        database.engine.dispose()


@contextlib.contextmanager
def ways() -> Iterator[list[str]]:
    """Each way to the database and back within the block."""
    seen: list[str] = []
    with wire.listening(lambda sent, _ns: seen.append(" + ".join(map(told, sent)))):
        yield seen


def told(sent: str | bytes) -> str:
    """A statement by its verb and its tables, a command of the driver by its verb."""
    if isinstance(sent, bytes):
        return sent.decode().split(" ")[0]
    words = sent.replace("(", " ").replace(",", " ").split()
    tables = ("api_keys", "members", "accounts", "program_versions", "lots", "orders", "jobs")
    tables += ("tier_credits", "transactions", "postings", "redemptions", "holds", "adjustments")
    tables += ("idempotency_keys",)
    after = {"FROM", "JOIN", "INTO", "UPDATE"}
    named = [second for first, second in pairwise(words) if first in after and second in tables]
    return f"{words[0]} {', '.join(dict.fromkeys(named))}"


def ways_of(call: Any) -> list[str]:
    """The ways of one call, once caches and prepared statements are there."""
    for _ in range(WARM_UP):
        call()
    with ways() as seen:
        call()
    return seen


def test_an_order_takes_four_ways(busy: Shop) -> None:
    member = busy.a_member(points=500)
    assert ways_of(lambda: busy.order(member)) == [
        CALLER_AND_ANSWER,
        f"{OPEN} + SELECT tier_credits + SELECT  + SELECT orders",
        "WITH transactions, lots, postings, tier_credits, accounts, orders, idempotency_keys",
        "COMMIT",
    ]


def test_an_order_takes_no_way_more_where_a_tier_holds_points_back(busy: Shop) -> None:
    member = busy.a_member(points=500)
    busy.order(member, 60000)
    assert busy.get(f"/v1/members/{member}")["tier"]["id"] == "platinum"
    assert ways_of(lambda: busy.order(member)) == [
        CALLER_AND_ANSWER,
        f"{OPEN} + SELECT tier_credits + SELECT  + SELECT orders",
        "WITH transactions, lots, postings, tier_credits, accounts, orders, idempotency_keys",
        "COMMIT",
    ]
    assert ways_of(lambda: busy.balance(member)) == [CALLER, "SELECT lots, members, accounts"]


def test_an_order_takes_no_way_more_where_somebody_listens(busy: Shop) -> None:
    member = busy.a_member(points=500)
    alone = ways_of(lambda: busy.order(member))
    with busy.app.app_context():
        db.transaction(
            lambda session: endpoints.create(
                session, busy.program_id, url="https://shop.example/", types=["*"]
            )
        )
    assert ways_of(lambda: busy.order(member)) == alone
    assert busy.tell() == 1


def test_a_redemption_takes_four_ways_and_two_to_settle(busy: Shop) -> None:
    member = busy.a_member(points=500)
    assert ways_of(lambda: busy.redeem(member)) == [
        CALLER_AND_ANSWER,
        OPEN,
        "WITH transactions, postings, redemptions, jobs, lots, accounts, idempotency_keys",
        "COMMIT",
        # The insert is the word that is left for those who listen.
        "BEGIN + UPDATE redemptions + INSERT redemptions + UPDATE jobs",
        "COMMIT",
    ]


def test_a_reward_of_the_shops_own_is_settled_in_four_ways(busy: Shop) -> None:
    busy.add_rewards(SAMPLE)
    member = busy.a_member(points=500)
    assert ways_of(lambda: busy.redeem(member, "sample")) == [
        CALLER_AND_ANSWER,
        OPEN,
        "WITH transactions, postings, redemptions, lots, accounts, idempotency_keys",
        "COMMIT",
    ]


def test_a_hold_takes_four_ways(busy: Shop) -> None:
    member = busy.a_member(points=500)
    assert ways_of(lambda: busy.hold(member, 10)) == [
        CALLER_AND_ANSWER,
        OPEN,
        "WITH transactions, postings, holds, lots, accounts, idempotency_keys",
        "COMMIT",
    ]


def test_while_nothing_ends_open_holds_cost_an_order_and_a_balance_no_way_more(busy: Shop) -> None:
    member = busy.a_member(points=500)
    order = ways_of(lambda: busy.order(member))
    balance = ways_of(lambda: busy.balance(member))
    busy.hold(member, 100)
    assert ways_of(lambda: busy.order(member)) == order
    assert ways_of(lambda: busy.balance(member)) == balance


def test_a_gift_takes_four_ways(busy: Shop) -> None:
    member = busy.a_member(points=500)
    assert ways_of(lambda: busy.give(member, 50)) == [
        CALLER_AND_ANSWER,
        OPEN,
        "WITH transactions, lots, postings, adjustments, accounts, idempotency_keys",
        "COMMIT",
    ]


def test_a_balance_takes_two_ways(busy: Shop) -> None:
    member = busy.a_member(points=500)
    assert ways_of(lambda: busy.balance(member)) == [CALLER, "SELECT lots, members, accounts"]


def test_a_repeated_request_takes_one_way(busy: Shop) -> None:
    order = busy.an_order(busy.a_member())
    again = ways_of(lambda: busy.post("/v1/orders", order, key="one"))
    assert again == [CALLER_AND_ANSWER]


def test_a_page_of_history_takes_no_more_ways_than_a_line(busy: Shop) -> None:
    member = busy.a_member(points=500)
    few = ways_of(lambda: busy.get(f"/v1/members/{member}/transactions"))
    for _ in range(20):
        busy.give(member, 1)
    assert ways_of(lambda: busy.get(f"/v1/members/{member}/transactions")) == few


def test_a_page_of_thank_yous_takes_no_more_ways_than_a_line(busy: Shop) -> None:
    def read() -> Any:
        return busy.get("/v1/discounts?limit=100", who="agent")

    reach_platinum(busy)
    busy.thank(busy.a_member())
    few = ways_of(read)
    for _ in range(5):
        busy.thank(busy.a_member())
        reach_platinum(busy)
    assert len({one["trigger"] for one in read()["data"]}) == 2
    assert ways_of(read) == few


def reach_platinum(shop: Shop) -> None:
    """One more member is thanked for a tier."""
    shop.order(shop.a_member(), 60000)
    shop.work()


def test_a_refusal_is_kept_and_forgets_no_prepared_statement(busy: Shop) -> None:
    member = busy.a_member(points=500)
    poor = busy.a_member()
    wish = {"member": poor, "reward": "money_off"}
    busy.order(member)
    assert ways_of(lambda: busy.call("POST", "/v1/redemptions", wish)) == [
        CALLER_AND_ANSWER,
        OPEN,
        # Outside a pipeline the driver sends BEGIN by itself.
        "BEGIN",
        "INSERT idempotency_keys",
        "COMMIT",
    ]
    before = prepared(busy)
    for _ in range(5):
        assert busy.call("POST", "/v1/redemptions", wish).status_code == 409
    assert prepared(busy) >= before


def prepared(shop: Shop) -> int:
    """How many statements the pool's one connection has prepared."""
    with shop.app.app_context(), database.engine.connect() as connection:
        found = connection.exec_driver_sql("SELECT count(*) FROM pg_prepared_statements")
        return int(found.scalar_one())
