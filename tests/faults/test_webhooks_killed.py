"""A worker that is killed while it tells and sends: every event arrives, with its number."""

import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select

from loyalty_service import db
from loyalty_service.domain.notices import Untold
from loyalty_service.domain.webhooks.tables import PENDING, Delivery
from tests import running
from tests.databases import Databases
from tests.shop import Shop
from tests.webhooks.conftest import listen
from tests.webhooks.receiving import Receiver, receiving

EVENTS, MEMBERS = 1000, 20
SECONDS_MAX = 240


@pytest.fixture(params=["postgresql"])
def kind(request: pytest.FixtureRequest) -> str:
    """SQLite has its worker inside the one process that serves it."""
    return str(request.param)


def test_a_worker_that_is_killed_half_way_loses_no_event(
    app: Flask, shop: Shop, databases: Databases, kind: str, tmp_path: Path
) -> None:
    members = [shop.a_member() for _ in range(MEMBERS)]
    with receiving() as receiver:
        listen(shop, receiver)
        for number in range(EVENTS):
            shop.give(members[number % MEMBERS], 1)
        environment = {
            "LOYALTY_DATABASE_URL": databases.url(kind),
            "LOYALTY_STRIPE_API_BASE": databases.stripe_api_base,
            "LOYALTY_STRIPE_API_KEY": "sk_test_of_the_tests",
            "LOYALTY_LOG_LEVEL": "warning",
        }
        with running.command(["worker"], environment, tmp_path / "first.log") as first:
            wait_for(lambda: distinct(receiver) >= EVENTS // 2)
            first.process.kill()
        assert distinct(receiver) < EVENTS
        with (
            running.command(["worker"], environment, tmp_path / "second.log"),
            running.command(["worker"], environment, tmp_path / "third.log"),
        ):
            wait_for(lambda: distinct(receiver) == EVENTS and waiting(app) == 0)
    assert receiver.refused == 0
    for member in members:
        sequences = [event["sequence"] for event in receiver.events(member)]
        assert sequences == list(range(1, EVENTS // MEMBERS + 1))
        balances = [event["data"]["balance"]["available"] for event in receiver.events(member)]
        assert balances == sequences
    times = Counter(one["id"] for one in receiver.received)
    # What was on its way when the worker died, and no more than that.
    assert len(receiver.received) - len(times) <= 1


def distinct(receiver: Receiver) -> int:
    with receiver.lock:
        return len({one["id"] for one in receiver.received})


def waiting(app: Flask) -> int:
    """What is not told or not delivered."""
    with app.app_context():
        return db.read(
            lambda session: (
                (session.scalar(select(func.count()).select_from(Untold)) or 0)
                + (session.scalar(select(func.count()).where(Delivery.status == PENDING)) or 0)
            )
        )


def wait_for(true: Callable[[], bool]) -> None:
    pause = threading.Event()
    for _ in range(SECONDS_MAX * 10):
        if true():
            return
        pause.wait(0.1)
    raise AssertionError("it never came true")
