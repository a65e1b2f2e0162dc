"""`python -m benchmarks.backtest --orders 100000`: how long a backtest takes, in how much memory.

The same shop at a tenth of the size goes first, so that memory can be compared. Each is lived again
by a process of its own, whose peak is then the backtest's and nobody else's.
"""

import json
import resource
import subprocess
import sys
import time
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
@click.option("--live", hidden=True, help="Live this database again, and say how it went.")
def main(orders: int, live: str | None) -> None:
    """Measure a backtest over ORDERS orders on PostgreSQL, and over a tenth of them."""
    if live:
        click.echo(json.dumps(_live(live)))
        return
    with postgres.running(durable=True) as server:
        seen = {size: _measured(server, size) for size in (orders // SMALLER_BY, orders)}
    for size, one in seen.items():
        click.echo(
            f"{size:,} orders, {one['facts']:,} facts of {one['members']:,} members: "
            f"{one['seconds']:.1f} s, {size / one['seconds']:,.0f} orders/s, "
            f"peak {one['peak_kb'] / 1024:.1f} MiB ({one['before_kb'] / 1024:.1f} before it began)"
        )
    small, large = (one["peak_kb"] for one in seen.values())
    click.echo(f"memory: {large / small:.3f} times for {SMALLER_BY} times the orders")


def _measured(server: postgres.Server, orders: int) -> dict[str, Any]:
    name = f"orders{orders}"
    server.create_database(name)
    _make(server, name, orders)
    command = [sys.executable, "-m", "benchmarks.backtest", "--live", server.url(name)]
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


def _live(url: str) -> dict[str, Any]:
    app = create_app(apps.config(url))
    draft, now = _draft(), datetime.now(UTC)
    with app.app_context():
        before_kb = _peak_kb()
        began = time.monotonic()
        report = db.read(
            lambda session: backtesting.run(
                session, draft.id, draft, since=now - timedelta(days=399), until=now
            )
        )
        seconds = time.monotonic() - began
        db.database.engine.dispose()
    made = {"facts": report.facts, "members": report.members, "seconds": seconds}
    return {**made, "peak_kb": _peak_kb(), "before_kb": before_kb}


def _peak_kb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    main()
