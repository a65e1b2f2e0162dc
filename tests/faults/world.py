"""A shop, the service's processes, Stripe's sandbox and a database: all there is to kill."""

import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from flask import Flask
from sqlalchemy import update

from loyalty_service import clock, create_app, db, migrating
from loyalty_service.config import Config
from loyalty_service.db import database
from loyalty_service.domain import jobs
from tests import postgres
from tests.conftest import differences
from tests.faults import books
from tests.faults.clients import Checkout, Told
from tests.faults.service import Sandbox, Service
from tests.shop import DEFAULT_PROGRAM, Shop
from tests.stripe_control import StripeControl

DRAIN_SECONDS = 240
NAME = f"kills_{os.getpid()}"


@dataclass
class World:
    """Everything, with a checkout for whatever the test itself asks."""

    app: Flask
    shop: Shop
    stripe: StripeControl
    service: Service
    server: postgres.Server | None
    clients: list[Checkout] = field(default_factory=list)

    def client(self) -> Checkout:
        made = Checkout(self.service.url, self.shop.keys)
        self.clients.append(made)
        return made

    @property
    def told(self) -> list[Told]:
        return [one for client in self.clients for one in client.told]

    def restart(self, *, meanwhile: Callable[[], None] = lambda: None) -> None:
        """Kill the whole group; time passes until every lease has ended; start it again."""
        self.service.kill()
        self.end_leases()
        meanwhile()
        self.service.start()

    def end_leases(self, redemption_id: str | None = None) -> None:
        """Leases and back-offs live by the machine's time: let it be up, of one job or all."""
        due = update(jobs.Job).where(jobs.Job.status == jobs.DUE)
        if redemption_id:
            due = due.where(jobs.Job.subject_id == redemption_id)
        statement = due.values(available_at=clock.wall() - timedelta(seconds=1))
        with self.app.app_context():
            db.transaction(lambda session: session.execute(statement))

    def drain(self) -> None:
        """Wait until the service itself has kept every promise."""
        pause, until = threading.Event(), time.monotonic() + DRAIN_SECONDS
        while left := self.open_jobs():
            assert time.monotonic() < until, [(job.kind, job.last_error) for job in left]
            pause.wait(0.1)

    def open_jobs(self) -> list[jobs.Job]:
        with self.app.app_context():
            return db.read(
                lambda session: jobs.listed(session, [self.shop.program_id], (jobs.DUE, jobs.DEAD))
            )

    def assert_true(self) -> None:
        """Nothing is lost, nothing is doubled, and the books balance."""
        self.drain()
        books.assert_true(self.app, self.stripe.every_code(), self.told)
        assert differences(self.app) == []

    def assert_verified(self) -> None:
        """The operator's own command agrees."""
        assert self.service.verified() == {"ok": True, "differences": []}

    def hang_up(self) -> None:
        """Close what the clients keep open, and let go whom Stripe holds."""
        self.stripe.clear()
        for client in self.clients:
            client.close()

    def statuses(self) -> Counter[int | str]:
        """How often callers met which status, `lost` being no answer at all."""
        return sum((client.statuses for client in self.clients), Counter())


@contextmanager
def durable() -> Iterator[postgres.Server]:
    """A PostgreSQL that keeps what it committed, power cut or not; killed in the end."""
    with postgres.running(durable=True) as server:
        yield server
        if server.process:
            # Nobody needs its last checkpoint.
            server.kill()


@contextmanager
def opened(
    folder: Path,
    kind: str,
    server: postgres.Server | None = None,
    *,
    document: str = DEFAULT_PROGRAM,
    settings: dict[str, str] | None = None,
    workers: int = 1,
) -> Iterator[World]:
    """A world on an empty database, not yet started; everything is ended afterwards."""
    url = _empty(folder, kind, server)
    with ExitStack() as ending:
        if server and not server.process:
            ending.callback(server.drop_database, NAME)
        sandbox = Sandbox.start()
        ending.callback(sandbox.stop)
        app = _app(ending, Config(database_url=url, stripe_api_base=sandbox.url, log_level="error"))
        control = StripeControl(sandbox.url)
        given = _settings(url, sandbox.url, kind) | (settings or {})
        processes = (1, 0) if kind == "sqlite" else (2, workers)
        service = Service(given, folder / "service.log", processes[1], processes[0])
        ending.callback(service.end)
        world = World(app, Shop.open(app, document), control, service, server)
        ending.callback(world.hang_up)
        yield world


def _app(ending: ExitStack, config: Config) -> Flask:
    """The test's own view of the database, migrated."""
    app = create_app(config)
    with app.app_context():
        migrating.upgrade()
        engine = database.engine
    ending.callback(engine.dispose)
    return app


def _empty(folder: Path, kind: str, server: postgres.Server | None) -> str:
    if kind == "sqlite":
        return f"sqlite:///{folder / 'kills.db'}"
    assert server is not None
    server.drop_database(NAME)
    server.create_database(NAME)
    return server.url(NAME)


def _settings(url: str, stripe_url: str, kind: str) -> dict[str, str]:
    return {
        "LOYALTY_DATABASE_URL": url,
        "LOYALTY_STRIPE_API_BASE": stripe_url,
        "LOYALTY_STRIPE_API_KEY": "sk_test_of_the_tests",
        "LOYALTY_WORKER_POLL_MS": "20",
        "LOYALTY_WORKER_IN_PROCESS": str(kind == "sqlite").lower(),
        "LOYALTY_LOG_LEVEL": "warning",
    }
