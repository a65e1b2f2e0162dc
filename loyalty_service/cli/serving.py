"""`loyalty serve`, `loyalty worker`, `loyalty migrate`: the roles of the one image."""

import signal
import threading
from typing import Any

import click
from flask import Flask
from gunicorn.app.base import BaseApplication

from loyalty_service import create_app, db, migrating
from loyalty_service import worker as work
from loyalty_service.cli.context import fail, load_config, with_app
from loyalty_service.config import Config
from loyalty_service.domain import access


class Gunicorn(BaseApplication):  # type: ignore[misc]
    """gunicorn with our settings instead of a file of its own."""

    def __init__(self, config: Config, settings: dict[str, Any]) -> None:
        self.config = config
        self.settings = settings
        super().__init__()

    def load_config(self) -> None:
        """Hand over the settings."""
        for name, value in self.settings.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """The app, made in each worker process after the fork."""
        app = create_app(self.config)
        if self.config.worker_in_process:
            work.start_thread(app)
        return app


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8080, show_default=True)
@click.option("--processes", type=int, help="Default: 1 on SQLite, else 2.")
@click.option("--threads", default=16, show_default=True)
def serve(host: str, port: int, processes: int | None, threads: int) -> None:
    """Serve the API with gunicorn."""
    config = load_config(None)
    app = create_app(config)
    with app.app_context():
        _require_fit_to_serve(config)
        db.database.engine.dispose()
    count = processes or _processes(config)
    if config.is_sqlite and count != 1:
        fail("SQLite is served by one process: leave --processes out, or use PostgreSQL")
    Gunicorn(
        config,
        {
            "bind": f"{host}:{port}",
            "workers": count,
            "threads": threads,
            "worker_class": "gthread",
            # It would be a socket in the home folder, which a read-only container lacks.
            "control_socket_disable": True,
            "loglevel": "warning",
            "graceful_timeout": 20,
        },
    ).run()


@click.command()
@with_app
def worker() -> None:
    """Keep the promises that requests could not keep in time."""
    from flask import current_app

    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    work.run(current_app._get_current_object(), stop)  # type: ignore[attr-defined]


@click.command()
@with_app
def migrate() -> None:
    """Bring the database to the schema of this version. Safe to repeat."""
    migrating.upgrade()
    click.echo(f"The schema is at {migrating.head()}.")


def _processes(config: Config) -> int:
    # Not by the machine's cores: a container sees all of its node's.
    return 1 if config.is_sqlite else 2


def _require_fit_to_serve(config: Config) -> None:
    """The schema is there; in production the keys are real."""
    if migrating.revision() != migrating.head():
        fail("the database does not answer or has another schema: run `loyalty migrate`")
    if not config.is_production:
        return
    if why := db.read(access.unsafe_keys):
        fail(f"production does not start: {why}")
