"""`loyalty serve` as it runs: several processes that count as one, deaths, and the end."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import psycopg
import pytest
from flask import Flask
from psycopg import sql

from loyalty_service.config import Config, variable
from loyalty_service.db import database
from tests import figures, running
from tests.databases import Databases
from tests.running import Running
from tests.shop import Shop
from tests.stripe_control import StripeControl, together

pytestmark = [pytest.mark.slow, pytest.mark.parametrize("kind", ["postgresql"])]

TWO = ("serve", "--processes", "2", "--threads", "4")
ALIVE = {"method": "GET", "route": "/livez", "status": "2xx"}


@pytest.fixture
def environment(app: Flask) -> dict[str, str]:
    """The settings of the test's own database, small enough for several processes."""
    config: Config = app.config["LOYALTY"]
    with app.app_context():
        database.engine.dispose()
    return {
        variable("database_url"): config.database_url,
        variable("stripe_api_key"): config.stripe_api_key,
        variable("stripe_api_base"): config.stripe_api_base,
        variable("database_pool_size"): "4",
    }


@contextlib.contextmanager
def serving(
    environment: Mapping[str, str], folder: Path, *arguments: str, counts: bool = True
) -> Iterator[Running]:
    own = {"PROMETHEUS_MULTIPROC_DIR": str(folder / "figures")} if counts else {}
    with running.command(
        [*TWO, *arguments], {**environment, **own}, folder / "serve.log"
    ) as service:
        service.wait_for(200, "/readyz")
        yield service


def test_what_two_processes_count_adds_up(environment: dict[str, str], tmp_path: Path) -> None:
    with serving(environment, tmp_path) as service:
        asked = ask_until_both_have_counted(service, tmp_path)
        seen = {counted(service) for _ in range(6)}
    assert seen == {asked}


def test_a_killed_process_is_replaced_and_its_counts_stay(
    environment: dict[str, str], tmp_path: Path
) -> None:
    with serving(environment, tmp_path) as service:
        asked = ask_until_both_have_counted(service, tmp_path)
        before = service.children()
        victim = min(before)
        os.kill(victim, signal.SIGKILL)
        running.until(lambda: len(service.children() - {victim}) == 2, service)
        service.wait_for(200, "/readyz")
        assert counted(service) == asked
        together(8, lambda _: service.get("/livez"))
        assert counted(service) == asked + 8
        assert before & service.children() == before - {victim}


def test_a_new_start_begins_at_nought(environment: dict[str, str], tmp_path: Path) -> None:
    for _ in range(2):
        with serving(environment, tmp_path) as service:
            assert counted(service) == 0
            service.get("/livez")
            assert counted(service) == 1


def test_without_a_folder_it_makes_a_private_one_and_takes_it_away(
    environment: dict[str, str], tmp_path: Path
) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    own = {**environment, "TMPDIR": str(temporary)}
    with serving(own, tmp_path, counts=False) as service:
        together(8, lambda _: service.get("/livez"))
        assert counted(service) == 8
        (folder,) = temporary.glob("loyalty-metrics-*")
        assert folder.stat().st_mode & 0o777 == 0o700
        assert running.end(service.process) == 0
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGABRT])
def test_a_process_that_ends_leaves_the_private_folder_to_the_others(
    environment: dict[str, str], tmp_path: Path, how: signal.Signals
) -> None:
    with serving(environment, tmp_path, counts=False) as service:
        victim = min(service.children())
        os.kill(victim, how)
        running.until(lambda: len(service.children() - {victim}) == 2, service)
        service.wait_for(200, "/readyz")
        assert {service.status("/livez") for _ in range(12)} == {200}
        assert service.status("/metrics") == 200


def test_one_process_alone_that_is_killed_is_replaced(
    environment: dict[str, str], tmp_path: Path
) -> None:
    with serving(environment, tmp_path, "--processes", "1", counts=False) as service:
        (victim,) = service.children()
        os.kill(victim, signal.SIGKILL)
        running.until(lambda: len(service.children() - {victim}) == 1, service)
        service.wait_for(200, "/readyz")


def test_one_process_counts_without_files(environment: dict[str, str], tmp_path: Path) -> None:
    with serving(environment, tmp_path, "--processes", "1") as service:
        service.get("/livez")
        assert counted(service) == 1
    assert not (tmp_path / "figures").exists()


def test_while_it_drains_it_is_not_ready_and_serves_on(
    environment: dict[str, str], tmp_path: Path
) -> None:
    with serving(environment, tmp_path, "--drain-seconds", "600") as service:
        service.process.send_signal(signal.SIGTERM)
        service.wait_for(503, "/readyz")
        assert {service.status("/readyz") for _ in range(8)} == {503}
        assert {service.status("/livez") for _ in range(8)} == {200}
        service.process.send_signal(signal.SIGTERM)
        assert service.process.wait(timeout=60) == 0


def test_it_ends_by_itself_when_it_has_drained(environment: dict[str, str], tmp_path: Path) -> None:
    with serving(environment, tmp_path, "--drain-seconds", "1") as service:
        service.process.send_signal(signal.SIGTERM)
        assert service.process.wait(timeout=60) == 0


def test_a_database_that_goes_away_makes_it_unready_and_leaves_it_alive(
    environment: dict[str, str], tmp_path: Path, databases: Databases
) -> None:
    with serving(environment, tmp_path) as service:
        with away(databases):
            service.wait_for(503, "/readyz")
            assert {service.status("/livez") for _ in range(8)} == {200}
            assert service.status("/metrics") == 200
        service.wait_for(200, "/readyz")


def test_it_does_not_start_on_a_database_without_a_schema(
    environment: dict[str, str], databases: Databases
) -> None:
    with unmigrated(databases):
        ran = subprocess.run(
            [*running.LOYALTY, *TWO],
            env=running.CLEAN | environment,
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert ran.returncode == 1
    assert "loyalty migrate" in ran.stderr


def test_a_worker_tells_what_it_counts_and_that_it_is_alive(
    environment: dict[str, str], tmp_path: Path, shop: Shop, stripe: StripeControl
) -> None:
    stripe.fault("conflict_409", path="/v1/promotion_codes")
    shop.redeem(shop.a_member(points=100))
    # Meant for `serve`, in an environment that all roles share: the worker counts for itself.
    shared = {**environment, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path / "not there")}
    with running.command(["worker"], shared, tmp_path / "worker.log") as worker:
        running.until(lambda: worker.status("/livez") == 200, worker)
        assert worker.status("/metrics") == 200
        running.until(lambda: codes(worker, "issued") == 1, worker)
        assert figures.named(worker.figures(), "loyalty_jobs_due") == 0
        assert worker.status("/elsewhere") == 404
        assert running.end(worker.process) == 0


@contextlib.contextmanager
def away(databases: Databases) -> Iterator[None]:
    """The database lets nobody in, and throws out who is in."""
    allow = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
    name = sql.Identifier(databases.name)
    with psycopg.connect(databases.server.dsn(), autocommit=True) as outside:
        outside.execute(allow.format(name, sql.SQL("false")))
        try:
            everybody = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
            outside.execute(everybody, [databases.name])
            yield
        finally:
            outside.execute(allow.format(name, sql.SQL("true")))


@contextlib.contextmanager
def unmigrated(databases: Databases) -> Iterator[None]:
    """The database as it is before its first migration, as far as the service looks."""
    dsn = databases.server.dsn(databases.name)
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("ALTER TABLE alembic_version RENAME TO alembic_version_away")
        try:
            yield
        finally:
            connection.execute("ALTER TABLE alembic_version_away RENAME TO alembic_version")


def ask_until_both_have_counted(service: Running, folder: Path) -> int:
    """Ask /livez until each of the two processes has answered some; returns how often."""
    asked = 0
    for _ in range(50):
        together(8, lambda _: service.get("/livez"))
        asked += 8
        files = list((folder / "figures").glob("histogram_*.db"))
        if sum(b"/livez" in file.read_bytes() for file in files) == 2:
            return asked
    raise AssertionError("one process answered everything")


def counted(service: Running) -> int:
    name = "loyalty_request_duration_seconds_count"
    return figures.named(service.figures(), name, **ALIVE)


def codes(worker: Running, outcome: str) -> int:
    return figures.named(worker.figures(), "loyalty_codes_total", outcome=outcome)
