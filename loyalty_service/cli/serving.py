"""`loyalty serve`, `loyalty worker`, `loyalty migrate`: the roles of the one image."""

import contextlib
import signal
import threading

import click
from flask import Flask, current_app

from loyalty_service import create_app, db, migrating, server, worker_door
from loyalty_service import worker as work
from loyalty_service.cli.context import fail, load_config, with_app
from loyalty_service.config import Config, variable
from loyalty_service.domain import access
from loyalty_service.domain.webhooks import endpoints


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8080, show_default=True)
@click.option("--processes", type=int, help="Default: 1 on SQLite, else 2.")
@click.option("--threads", default=16, show_default=True)
@click.option(
    "--drain-seconds",
    default=0,
    show_default=True,
    help="How long /readyz says no, and the rest is served, between SIGTERM and the end.",
)
def serve(host: str, port: int, processes: int | None, threads: int, drain_seconds: int) -> None:
    """Serve the API with gunicorn."""
    config = load_config(None)
    app = create_app(config)
    with app.app_context():
        _require_fit_to_serve(config)
        db.database.engine.dispose()
    count = processes or _processes(config)
    if config.is_sqlite and count != 1:
        fail("SQLite is served by one process: leave --processes out, or use PostgreSQL")
    settings = {"bind": f"{host}:{port}", "workers": count, "threads": threads}
    server.serve(
        lambda: _app(config),
        settings,
        drain_seconds=drain_seconds,
        reading_ms=config.request_timeout_ms,
    )


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=int, help="Answer /livez and /metrics there; default: nowhere.")
@with_app
def worker(host: str, port: int | None) -> None:
    """Keep the promises that requests could not keep in time."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    door = contextlib.nullcontext() if port is None else worker_door.opened(app, host, port)
    with door:
        work.run(app, stop)


@click.command()
@with_app
def migrate() -> None:
    """Bring the database to the schema of this version. Safe to repeat."""
    migrating.upgrade()
    click.echo(f"The schema is at {migrating.head()}.")


def _app(config: Config) -> Flask:
    """The app, made in each serving process after the fork."""
    app = create_app(config)
    if config.worker_in_process:
        work.start_thread(app)
    return app


def _processes(config: Config) -> int:
    # Not by the machine's cores: a container sees all of its node's.
    return 1 if config.is_sqlite else 2


def _require_fit_to_serve(config: Config) -> None:
    """The schema is there; in production the keys are real."""
    if migrating.lags(migrating.revision()):
        fail("the database does not answer or has another schema: run `loyalty migrate`")
    if not config.is_production:
        return
    if why := db.read(access.unsafe_keys):
        fail(f"production does not start: {why}")
    _require_webhook_key(config)


def _require_webhook_key(config: Config) -> None:
    """Where there are endpoints, what is sent to them must be signed."""
    if not config.webhook_key and db.read(endpoints.any_at_all):
        name = variable("webhook_signing_key")
        fail(f"production does not start: there are webhook endpoints, and {name} is missing")
