"""`python -m benchmarks.backtest --orders 100000`: how long a backtest takes, in how much memory.

The same shop at a tenth of the size goes first, so that memory can be compared. Each is lived again
by a process of its own, whose peak is then the backtest's and nobody else's.
"""

import json
import resource
import subprocess
import sys
import time
import tracemalloc
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import psycopg

from benchmarks import apps
from loyalty_service import clock, create_app, db, migrating, shipped
from loyalty_service.domain import backtesting, program
from tests import postgres

HISTORY = (Path(__file__).parent / "orders.sql").read_text()
ORDERS_A_MEMBER = 10
SMALLER_BY = 10
# What of the default program is another in the draft.
DRAFT = (
    ("points: 1 ", "points: 2 "),
    ("from: 500.00", "from: 300.00"),
    ("months: 12", "months: 6"),
)


@click.command()
@click.option("--orders", default=100_000, show_default=True, type=click.IntRange(1000))
@click.option("--traced", is_flag=True, help="Trace what is allocated: exact, and far slower.")
@click.option("--live", hidden=True, help="Live this database again, and say how it went.")
def main(orders: int, traced: bool, live: str | None) -> None:
    """Measure a backtest over ORDERS orders on PostgreSQL, and over a tenth of them."""
    if live:
        click.echo(json.dumps(_live(live, traced)))
        return
    with postgres.running(durable=True) as server:
        seen = {size: _measured(server, size, traced) for size in (orders // SMALLER_BY, orders)}
    for size, one in seen.items():
        click.echo(
            f"{size:,} orders, {one['facts']:,} facts of {one['members']:,} members: "
            f"{one['seconds']:.1f} s ({one['cpu_seconds']:.1f} of them at work here), "
            f"{size / one['seconds']:,.0f} orders/s, peak {one['peak_bytes'] / 2**20:.2f} MiB"
        )
    small, large = (one["peak_bytes"] for one in seen.values())
    click.echo(f"memory: {large / small:.3f} times for {SMALLER_BY} times the orders")


def _measured(server: postgres.Server, orders: int, traced: bool) -> dict[str, Any]:
    name = f"orders{orders}"
    server.create_database(name)
    _make(server, name, orders)
    command = [sys.executable, "-m", "benchmarks.backtest", "--live", server.url(name)]
    command += ["--traced"] if traced else []
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


def _make(server: postgres.Server, name: str, orders: int) -> None:
    app = create_app(apps.config(server.url(name)))
    with app.app_context():
        migrating.upgrade()
        began = datetime.now(UTC) - timedelta(days=400)
        with clock.stopped_at(began):
            db.transaction(lambda session: program.apply(session, _document()))
        db.database.engine.dispose()
    with psycopg.connect(server.dsn(name)) as connection:
        wanted = {"members": orders // ORDERS_A_MEMBER, "orders": ORDERS_A_MEMBER}
        # Bound here and not by the server, which takes one statement at a time.
        psycopg.ClientCursor(connection).execute(HISTORY, wanted)
        connection.commit()
    with psycopg.connect(server.dsn(name), autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")


def _document() -> str:
    return (shipped.folder("programs") / "default.yaml").read_text()


def _draft() -> program.Program:
    text = _document()
    for old, new in DRAFT:
        assert old in text, f"the default program has no {old!r}"
        text = text.replace(old, new)
    return program.parse(text)


def _live(url: str, traced: bool) -> dict[str, Any]:
    app = create_app(apps.config(url))
    draft, now = _draft(), datetime.now(UTC)
    with app.app_context():
        if traced:
            tracemalloc.start()
        began, cpu_began = time.monotonic(), time.process_time()
        report = db.read(
            lambda session: backtesting.run(
                session, draft.id, draft, since=now - timedelta(days=399), until=now
            )
        )
        seconds, cpu_seconds = time.monotonic() - began, time.process_time() - cpu_began
        db.database.engine.dispose()
    return {
        "facts": report.facts,
        "members": report.members,
        "seconds": seconds,
        "cpu_seconds": cpu_seconds,
        "peak_bytes": _peak_bytes(),
    }


def _peak_bytes() -> int:
    """What was allocated since tracing began, or else all that the process ever had."""
    if tracemalloc.is_tracing():
        return tracemalloc.get_traced_memory()[1]
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    main()
