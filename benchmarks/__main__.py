"""`python -m benchmarks`: every figure in interleaved rounds, as a table and as JSON."""

import contextlib
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import click

from benchmarks import direct, ledger, load, messages, report, servers
from benchmarks.ledger import Ledger
from benchmarks.load import Make, Sample
from benchmarks.messages import People
from benchmarks.report import Case, Rounds
from tests import postgres

CLIENTS = (1, 16)
AT_MOST = 100_000
WARM_UP_SECONDS = 0.3
FIRST_WARM_UP_SECONDS = 1.5
SERVICE, WITHOUT_STRIPE, BARE, HELLO = "service", "service_without_stripe", "bare", "hello"
DIRECT = "same write without Flask"
# What is measured, by which program it is served, and what is sent.
CASES: dict[str, tuple[str, Callable[[People], Make]]] = {
    report.NOTHING: (HELLO, messages.hello),
    report.LEAST: (BARE, messages.bare),
    "earn": (SERVICE, messages.earn),
    "redeem, with the Stripe sandbox": (SERVICE, messages.redeem),
    "redeem, database part": (WITHOUT_STRIPE, messages.redeem),
    "adjust": (SERVICE, messages.adjust),
    "balance": (SERVICE, messages.balance),
    "history": (SERVICE, messages.history),
}


@click.command()
@click.option("--rounds", default=5, show_default=True, type=click.IntRange(1, 50))
@click.option("--seconds", default=3.0, show_default=True, type=click.FloatRange(0.1, 60))
@click.option("--transactions", default=1_000_000, show_default=True, type=click.IntRange(0))
@click.option("--json", "json_file", type=click.Path(dir_okay=False, path_type=Path))
def main(rounds: int, seconds: float, transactions: int, json_file: Path | None) -> None:
    """Measure on an empty ledger and on one of TRANSACTIONS (0 leaves it out)."""
    seen: Rounds = {}
    makers = [ledger.empty]
    if transactions:
        makers.append(lambda server: ledger.full(server, transactions))
    with postgres.running(durable=True) as server, tempfile.TemporaryDirectory() as folder:
        began = report.machine(Path(folder))
        for make in makers:
            one = _made(make, server)
            with _served(one, Path(folder)) as programs:
                seen |= _measured(one, programs, rounds, seconds)
    rows = report.figures(seen)
    click.echo(report.table(rows))
    if json_file:
        made = {"machine": began, "rounds": rounds, "seconds": seconds, "figures": rows}
        made["load_average_after"] = [round(load, 2) for load in os.getloadavg()]
        json_file.write_text(json.dumps(made, indent=1) + "\n")


def _made(make: Callable[[postgres.Server], Ledger], server: postgres.Server) -> Ledger:
    began = time.monotonic()
    one = make(server)
    took = time.monotonic() - began
    click.echo(f"ledger {one.name}: {one.transactions:,} transactions in {took:.0f} s", err=True)
    return one


@contextlib.contextmanager
def _served(one: Ledger, folder: Path) -> Iterator[dict[str, servers.Address]]:
    with contextlib.ExitStack() as stack:
        sandbox = stack.enter_context(servers.stripe_sandbox(folder))
        environment = servers.environment_of(one.url, sandbox)
        programs = {
            program: stack.enter_context(servers.gunicorn(program, environment, folder))
            for program in (SERVICE, WITHOUT_STRIPE, BARE, HELLO)
        }
        try:
            yield programs
        except load.Unexpected:
            for log in folder.glob("*.log"):
                click.echo(f"{log.name}\n{log.read_text()[-3000:]}", err=True)
            raise


def _measured(
    one: Ledger, programs: dict[str, servers.Address], rounds: int, seconds: float
) -> Rounds:
    title = f"{one.transactions:,} transactions"
    seen: Rounds = {}
    for what in CASES:
        # Every worker opens its connections and prepares its statements.
        _phase(one, programs, what, max(CLIENTS), FIRST_WARM_UP_SECONDS)
    for number in range(1, rounds + 1):
        for clients in CLIENTS:
            for what in CASES:
                _phase(one, programs, what, clients, WARM_UP_SECONDS)
                sample = _phase(one, programs, what, clients, seconds)
                seen.setdefault(Case(title, what, clients), []).append(sample)
            sample = direct.run(
                one.dsn,
                len(one.people.written),
                clients=clients,
                seconds=seconds,
                at_most=AT_MOST,
            )
            seen.setdefault(Case(title, DIRECT, clients), []).append(sample)
        click.echo(f"ledger {one.name}: round {number} of {rounds}", err=True)
    return seen


def _phase(
    one: Ledger, programs: dict[str, servers.Address], what: str, clients: int, seconds: float
) -> Sample:
    program, prepare = CASES[what]
    make = prepare(one.people)
    return load.run(programs[program], make, clients=clients, seconds=seconds, at_most=AT_MOST)


if __name__ == "__main__":
    main()
