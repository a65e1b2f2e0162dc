"""`python -m benchmarks.profile`: where the time of one earn and one redeem goes.

Three things, each from its own run in one process: what goes to the database in order, milliseconds
by layer (a layer's time is its own, without the layers that it calls; Python's is CPU time, the
database's is time by the clock), and Python's functions.
"""

import contextlib
import cProfile
import io
import os
import pstats
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

import click
import psycopg
import structlog
from flask import Flask
from werkzeug.test import create_environ

from benchmarks import apps, ledger, messages
from benchmarks.layers import Layers, instrument
from benchmarks.ledger import Ledger
from benchmarks.load import Make, Unexpected
from benchmarks.messages import People
from loyalty_service import db
from tests import postgres

WARM_UP = 60
# One request in four is told: the fastest, which nothing else on the machine held up.
SHARE_KEPT = 4
WANTED: dict[str, Callable[[People], Make]] = {"earn": messages.earn, "redeem": messages.redeem}
NANOSECONDS_A_MS = 1_000_000


@click.command()
@click.option("--requests", default=200, show_default=True, type=click.IntRange(1, 10_000))
@click.option("--functions", default=25, show_default=True, help="How many functions to name.")
def main(requests: int, functions: int) -> None:
    """Profile an earn and a redeem (its code is made at once, without Stripe)."""
    with postgres.running(durable=True) as server:
        shop = ledger.empty(server)
        os.environ[apps.DATABASE_URL] = shop.url
        app = apps.service_without_stripe()
        layers = Layers()
        # The access log is written as it would be, but not to this terminal.
        with Path(os.devnull).open("w") as nowhere, app.app_context():
            structlog.configure(logger_factory=structlog.PrintLoggerFactory(nowhere))
            for what, prepare in WANTED.items():
                send = _sender(app, prepare(shop.people))
                for _ in range(WARM_UP):
                    send()
                profiled = _profiled(send, requests, functions)
                with instrument(layers, app), _wal(shop, requests) as wal:
                    _layered(layers, send, requests)
                parts = (f"## {what}", _traced(layers), _told(layers), *wal, profiled)
                click.echo("\n\n".join(parts))
            db.database.engine.dispose()


@contextlib.contextmanager
def _wal(shop: Ledger, requests: int) -> Iterator[list[str]]:
    """How much the database logged for a request: what a commit has to bring to the disk."""
    told: list[str] = []
    question = "SELECT wal_bytes, wal_fpi, wal_records FROM pg_stat_wal"
    with psycopg.connect(shop.dsn, autocommit=True) as connection:
        before = connection.execute(question).fetchone()
        yield told
        # A backend hands its figures over once a second.
        time.sleep(1.5)
        after = connection.execute(question).fetchone()
    assert before and after
    size, pages, records = (
        float(now - then) / requests for now, then in zip(after, before, strict=True)
    )
    told.append(
        f"{size / 1000:.1f} kB of log a request: {records:.0f} records, {pages:.1f} whole pages"
    )


def _sender(app: Flask, make: Make) -> Callable[[], None]:
    """A function that sends one fresh request and needs it to succeed."""

    def send() -> None:
        environ = _environ(make())
        statuses: list[str] = []

        def start(status: str, *_: Any) -> Callable[[bytes], object]:
            statuses.append(status)
            return lambda _: None

        answer = app.wsgi_app(environ, start)
        body = b"".join(answer)
        if not statuses[0].startswith("201"):
            raise Unexpected(body.decode())

    return send


def _environ(request: bytes) -> Any:
    head, _, body = request.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    method, path, _ = first.split(" ")
    headers = dict(line.split(": ", 1) for line in lines)
    return create_environ(path=path, method=method, headers=headers, data=body)


def _layered(layers: Layers, send: Callable[[], None], requests: int) -> None:
    layers.clear()
    for _ in range(requests):
        layers.begin()
        send()
        layers.end()
    layers.keep_fastest(SHARE_KEPT)


def _traced(layers: Layers) -> str:
    """What went to the database, in order, with the median milliseconds of each step."""
    steps = [step for step in layers.traces if len(step) == len(layers.traces[0])]
    lines = [f"{len(layers.traces[0])} round trips to the database:", ""]
    for place, (_, what, _) in enumerate(layers.traces[0]):
        took = median(trace[place][2] for trace in steps) / NANOSECONDS_A_MS
        layer = layers.traces[0][place][0]
        lines.append(f"{place + 1:3}  {took:6.3f} ms  {layer:<12} {what}")
    return "\n".join(lines)


def _told(layers: Layers) -> str:
    """Median milliseconds by layer, split into Python's own, SQLAlchemy's and the database's."""
    kinds = ("python", "sqlalchemy", "database")
    lines = [f"{'milliseconds':<14}" + "".join(f"{kind:>12}" for kind in kinds) + f"{'all':>10}"]
    sums = dict.fromkeys(kinds, 0.0)
    for layer in dict.fromkeys(layer for seen in layers.requests for layer, _ in seen):
        row = {
            kind: median(seen.get((layer, kind), 0) for seen in layers.requests) / NANOSECONDS_A_MS
            for kind in kinds
        }
        sums = {kind: sums[kind] + row[kind] for kind in kinds}
        lines.append(_row(layer, row))
    return "\n".join([*lines, _row("all", sums)])


def _row(name: str, row: dict[str, float]) -> str:
    cells = "".join(f"{milliseconds:12.3f}" for milliseconds in row.values())
    return f"{name:<14}{cells}{sum(row.values()):10.3f}"


def _profiled(send: Callable[[], None], requests: int, functions: int) -> str:
    profile = cProfile.Profile()
    profile.enable()
    for _ in range(requests):
        send()
    profile.disable()
    told = io.StringIO()
    stats = pstats.Stats(profile, stream=told).strip_dirs()
    told.write(f"{requests} requests under cProfile, which makes Python about twice as slow.\n")
    stats.sort_stats("tottime").print_stats(functions)
    stats.sort_stats("cumulative").print_stats(functions * 3)
    return told.getvalue()


if __name__ == "__main__":
    main()
