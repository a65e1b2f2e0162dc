"""`python -m benchmarks.rules`: what it costs to evaluate the default program, without a database.

Beside a bare loop of integer arithmetic over the same lines; both take turns in one run.
"""

import json
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from statistics import median

import click

from loyalty_service import shipped
from loyalty_service.domain import earning, program
from loyalty_service.domain.earning import Line, OrderFacts, Pins
from loyalty_service.domain.program import Program

LINES = (1, 10, 100)
DAY = date(2030, 5, 10)
PLAIN, BEST = "a member", "Platinum in the birthday month"
PINS = {
    PLAIN: Pins(tier="member"),
    BEST: Pins(tier="platinum", is_birthday_month=True),
}
BARE = "bare loop"
SECONDS_A_TURN = 0.05


@click.command()
@click.option("--rounds", default=20, show_default=True, type=click.IntRange(1, 1000))
@click.option("--json", "json_file", type=click.Path(dir_okay=False, path_type=Path))
def main(rounds: int, json_file: Path | None) -> None:
    """Measure the default program on orders of 1, 10 and 100 lines."""
    rules = program.parse((shipped.folder("programs") / "default.yaml").read_text())
    rows = [row for lines in LINES for row in _rows(rules, lines, rounds)]
    click.echo("| lines | what | µs | of the bare loop |\n| --- | --- | --- | --- |")
    for row in rows:
        click.echo(f"| {row['lines']} | {row['what']} | {row['µs']} | {row['ratio']} |")
    if json_file:
        json_file.write_text(json.dumps(rows, indent=2, ensure_ascii=False) + "\n")


def _rows(rules: Program, lines: int, rounds: int) -> list[dict[str, object]]:
    facts = _order(rules.currency, lines)
    calls: dict[str, Callable[[], object]] = {BARE: lambda: _bare(facts)}
    for what, pins in PINS.items():
        calls[what] = lambda pins=pins: earning.earn(rules, facts, pins, on=DAY)
    seen: dict[str, list[float]] = {what: [] for what in calls}
    for _ in range(rounds):
        for what, call in calls.items():
            seen[what].append(_microseconds(call))
    took = {what: median(each) for what, each in seen.items()}
    return [
        {"lines": lines, "what": what, "µs": round(each, 1), "ratio": round(each / took[BARE], 1)}
        for what, each in took.items()
    ]


def _order(currency: str, lines: int) -> OrderFacts:
    bought = tuple(Line(f"sku-{n}", "skin", 1 + n % 3, 999 + n) for n in range(lines))
    return OrderFacts(currency, bought, 500, 1900, 490)


def _bare(facts: OrderFacts) -> int:
    """The least that any program would do: add up, take the discount off, divide."""
    total = 0
    for line in facts.lines:
        total += line.quantity * line.unit_amount_minor
    return max(0, total - facts.discount_minor) // 100


def _microseconds(call: Callable[[], object]) -> float:
    calls, began = 0, time.perf_counter()
    while (took := time.perf_counter() - began) < SECONDS_A_TURN:
        for _ in range(20):
            call()
        calls += 20
    return took / calls * 1e6


if __name__ == "__main__":
    main()
