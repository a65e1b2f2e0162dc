"""PostgreSQL killed, all of it, while orders come in over HTTP; the service survives by itself."""

import json
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pytest

from loyalty_service import clock
from loyalty_service.db import database
from loyalty_service.domain.ledger import Account, Transaction
from loyalty_service.domain.orders import Order
from tests.faults import world
from tests.faults.books import every
from tests.faults.clients import Checkout, Told, in_threads
from tests.faults.sizes import seeded, size
from tests.faults.world import World
from tests.shop import moment

CLIENTS, MEMBERS = 8, 20
# Only production looks for the caller outside a transaction. Orders need no Stripe.
AS_DEPLOYED = {"LOYALTY_ENV": "production", "LOYALTY_STRIPE_API_BASE": ""}
SECONDS_AWAY = 0.5
WAIT_SECONDS = 600


@pytest.fixture
def busy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    # Somebody else's server can't be killed.
    monkeypatch.delenv("TEST_POSTGRES_URL", raising=False)
    with (
        world.durable() as server,
        world.opened(tmp_path, "postgresql", server, settings=AS_DEPLOYED) as opened,
    ):
        opened.service.start()
        opened.service.wait_until_ready()
        yield opened


def test_orders_acknowledged_while_postgresql_is_killed_are_there_once_each(
    busy: World, capsys: pytest.CaptureFixture[str]
) -> None:
    seed, draw = seeded()
    orders, kills = size("ORDERS", 300), size("DATABASE_KILLS", 3)
    bodies = some_orders(draw, enrolled(busy), orders)
    began = time.monotonic()
    told = sent_while_killing(busy, draw, bodies, kills)
    seconds, met = int(time.monotonic() - began), busy.statuses()
    assert len(told) == orders
    assert set(met) <= {200, 201, 503, "lost"}, busy.service.said()
    with busy.app.app_context():
        # The test's own connections are as dead as everybody's.
        database.engine.dispose()
    assert_recorded_once(busy, told)
    assert_replayed(busy, told)
    busy.assert_verified()
    retries = met.get(503, 0) + met.get("lost", 0)
    with capsys.disabled():
        print(  # noqa: T201
            f"\n{orders} orders, {kills} kills of PostgreSQL, {retries} retries, lost 0, "
            f"doubled 0, {seconds} s; FAULT_SEED={seed}"
        )


def sent_while_killing(
    busy: World, draw: Random, orders: list[dict[str, Any]], kills: int
) -> list[Told]:
    """Send all orders; kill PostgreSQL and start it again after some of the answers."""
    day = Day(orders)
    clients = [busy.client() for _ in range(CLIENTS)]
    threads = in_threads([partial(day.serve, client) for client in clients])
    for answers in sorted(draw.sample(range(len(orders) * 9 // 10), kills)):
        day.wait_for(answers)
        assert busy.server is not None
        busy.server.kill()
        # Gone for a moment, or back at once.
        threading.Event().wait(draw.random() * SECONDS_AWAY)
        busy.server.restart()
    for thread in threads:
        thread.finish()
    return [one for client in clients for one in client.told]


class Day:
    """The orders of a day, served by whoever is free."""

    def __init__(self, orders: list[dict[str, Any]]) -> None:
        self._orders = iter(orders)
        self._changed = threading.Condition()
        self._answered = 0
        self._failed = False

    def serve(self, client: Checkout) -> None:
        try:
            while order := self._next():
                client.post("/v1/orders", order)
                self._tell()
        except BaseException:
            self._tell(failed=True)
            raise

    def wait_for(self, answers: int) -> None:
        with self._changed:
            met = self._changed.wait_for(
                lambda: self._answered >= answers or self._failed, WAIT_SECONDS
            )
        assert met, f"{self._answered} answers after {WAIT_SECONDS} s"

    def _next(self) -> dict[str, Any] | None:
        with self._changed:
            return next(self._orders, None)

    def _tell(self, failed: bool = False) -> None:
        with self._changed:
            self._answered += 1
            self._failed = self._failed or failed
            self._changed.notify_all()


def enrolled(busy: World) -> list[str]:
    desk = busy.client()
    return [
        desk.post("/v1/members", {"external_id": f"c-{number}"}).final["id"]
        for number in range(MEMBERS)
    ]


def some_orders(draw: Random, members: list[str], count: int) -> list[dict[str, Any]]:
    placed_at = moment(clock.wall())
    return [
        {
            "id": f"order-{number}",
            "member": draw.choice(members),
            "placed_at": placed_at,
            "currency": "eur",
            "lines": [{"sku": "cream", "quantity": 1, "unit_amount": draw.randrange(100, 20000)}],
        }
        for number in range(count)
    ]


def assert_recorded_once(busy: World, told: list[Told]) -> None:
    """Each acknowledged order is in the books with its points, and nothing else is."""
    rows = {row.id: row for row in every(busy.app, Order)}
    written = {row.id: row for row in every(busy.app, Transaction)}
    lost = {one.body["id"] for one in told} - set(rows)
    assert not lost, f"acknowledged, and not in the books: {lost}"
    assert len(rows) == len(told)
    # Points of orders are all that moved: one transaction each, and a tier that one reached.
    moved = {id_ for id_, row in written.items() if row.kind != "tier_change"}
    assert moved == {row.transaction_id for row in rows.values()}
    pending: dict[str, int] = {}
    for one in told:
        row, said = rows[one.body["id"]], one.final
        whole, earned = one.body["lines"][0]["unit_amount"] // 100, row.points_earned
        # A quarter more, or half as much again, once earlier orders have reached a tier.
        assert said["points_earned"] == earned
        assert whole <= earned <= one.body["lines"][0]["unit_amount"] * 3 // 200
        assert (said["transaction"], said["member"]) == (row.transaction_id, row.member_id)
        assert said["balance"]["pending"] == written[row.transaction_id].pending_after
        pending[row.member_id] = pending.get(row.member_id, 0) + earned
    accounts = every(busy.app, Account)
    assert {row.member_id: row.pending for row in accounts if row.pending} == pending


def assert_replayed(busy: World, told: list[Told]) -> None:
    """The same key again: the same bytes."""
    parts = [told[start::CLIENTS] for start in range(CLIENTS)]
    threads = in_threads([partial(replay, busy.client(), part) for part in parts])
    for thread in threads:
        thread.finish()


def replay(client: Checkout, told: list[Told]) -> None:
    for one in told:
        before = one.raw
        assert client.until_final(one).raw == before, json.loads(before)
