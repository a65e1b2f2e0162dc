"""Rounds into figures: medians, ratios, a table and JSON."""

import os
import platform
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.load import Sample

FDATASYNCS = 200
# What the others are compared with.
LEAST, NOTHING = "bare write", "hello world"
HEADS = ("", "clients", "req/s", "p50 ms", "p99 ms", "of bare", "of hello", "rounds req/s")


@dataclass(frozen=True, slots=True)
class Case:
    """What was measured: on which ledger, what, by how many clients."""

    ledger: str
    what: str
    clients: int


Rounds = dict[Case, list[Sample]]


def figures(rounds: Rounds) -> list[dict[str, Any]]:
    """One row for each case: medians over its rounds, and ratios to the two that do least."""
    rates = {case: median(one.per_second for one in seen) for case, seen in rounds.items()}
    rows = []
    for case, seen in rounds.items():
        row: dict[str, Any] = {
            "ledger": case.ledger,
            "what": case.what,
            "clients": case.clients,
            "per_second": round(rates[case], 1),
            "p50_ms": round(median(one.percentile_ms(50) for one in seen), 2),
            "p99_ms": round(median(one.percentile_ms(99) for one in seen), 2),
            "client_cpu": round(median(one.client_cpu for one in seen), 2),
            "rounds_per_second": [round(one.per_second, 1) for one in seen],
        }
        for name, other in (("of_bare", LEAST), ("of_hello", NOTHING)):
            base = rates[Case(case.ledger, other, case.clients)]
            row[name] = round(rates[case] / base, 3)
        rows.append(row)
    return rows


def table(rows: list[dict[str, Any]]) -> str:
    """The rows for a terminal, and for the docs: Markdown."""
    lines = []
    for ledger in dict.fromkeys(row["ledger"] for row in rows):
        lines += ["", f"### {ledger}", "", _line(HEADS), _line(["---"] * len(HEADS))]
        lines += [_line(_cells(row)) for row in rows if row["ledger"] == ledger]
    return "\n".join(lines)


def machine(folder: Path) -> dict[str, Any]:
    """What it ran on, without any name; a write that costs nothing would flatter every commit."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "load_average": [round(load, 2) for load in os.getloadavg()],
        "fdatasync_microseconds": _fdatasync_microseconds(folder),
    }


def _fdatasync_microseconds(folder: Path) -> int:
    took = []
    with (folder / "fdatasync").open("wb", buffering=0) as file:
        for _ in range(FDATASYNCS):
            began = time.perf_counter_ns()
            file.write(bytes(8192))
            os.fdatasync(file.fileno())
            took.append(time.perf_counter_ns() - began)
    return int(median(took)) // 1000


def _cells(row: dict[str, Any]) -> list[str]:
    least, most = min(row["rounds_per_second"]), max(row["rounds_per_second"])
    return [
        row["what"],
        str(row["clients"]),
        f"{row['per_second']:,.0f}",
        f"{row['p50_ms']:.2f}",
        f"{row['p99_ms']:.2f}",
        f"{row['of_bare']:.3f}",
        f"{row['of_hello']:.3f}",
        f"{least:,.0f} to {most:,.0f}",
    ]


def _line(cells: Any) -> str:
    return f"| {' | '.join(cells)} |"
