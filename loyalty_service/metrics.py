"""What the service counts for Prometheus: few figures, in the field's words, no personal data.

Every label has few values: the route is the template, never the path. prometheus-client decides
when it is imported whether it counts for one process or for several, so it is imported with the
first figure; `loyalty serve` says before that, with `share`, that there are several.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from prometheus_client import Metric

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
ISSUED, FAILED, WITHDRAWN, PUT_BACK = OUTCOMES = ("issued", "failed", "withdrawn", "put_back")
DELIVERED, GIVEN_UP = "delivered", "given_up"
WEBHOOK_OUTCOMES = (DELIVERED, PUT_BACK, GIVEN_UP)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
# A read takes a millisecond or two; a redemption waits for Stripe, 3 seconds unless told otherwise.
BUCKETS_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
NANOSECONDS = 1_000_000_000


def share(folder: Path) -> None:
    """Count in files of this folder, which several processes add to; clears what is left there."""
    global _shared
    folder.mkdir(parents=True, exist_ok=True)
    # The last start's figures: a sum over them would never begin at nought again.
    for stale in folder.glob("*_[0-9]*.db"):
        stale.unlink()
    os.environ[VARIABLE] = str(folder)
    _shared = True


def forget_process(pid: int) -> None:
    """A serving process has ended. What it counted stays: a count never shrinks."""
    if not _shared:
        return
    from prometheus_client import multiprocess

    # The library wrote no types for this one.
    multiprocess.mark_process_dead(pid)  # type: ignore[no-untyped-call]


def request(method: str, route: str, status: int, duration_ns: int) -> None:
    """An answered request; `route` is its template, or empty where none matched."""
    _figures().request(method, route, status, duration_ns)


def replay() -> None:
    """A request was answered with what its Idempotency-Key had been answered before."""
    _figures().replays.inc()


def code(outcome: str) -> None:
    """What came of one try to keep a promise at Stripe: one of OUTCOMES."""
    _figures().codes[outcome].inc()


def webhook(outcome: str) -> None:
    """What came of one try to deliver a webhook: one of WEBHOOK_OUTCOMES."""
    _figures().webhooks[outcome].inc()


def conflict() -> None:
    """PostgreSQL asked to run a transaction again."""
    _figures().conflicts.inc()


def text(gauges: dict[str, tuple[str, int]]) -> bytes:
    """Everything counted, by all processes, and what was just measured: name -> (help, value)."""
    # First of all: whoever imports the library before the figures are made decides for them.
    counted = _figures().registry
    from prometheus_client import CollectorRegistry, generate_latest, multiprocess

    if _shared:
        counted = CollectorRegistry()
        multiprocess.MultiProcessCollector(counted)  # type: ignore[no-untyped-call]
    measured = CollectorRegistry()
    measured.register(_Measured(gauges))
    return generate_latest(counted) + generate_latest(measured)


class _Measured:
    """Figures that are read when asked, the same from every process."""

    def __init__(self, gauges: dict[str, tuple[str, int]]) -> None:
        self._gauges = gauges

    def collect(self) -> Iterator["Metric"]:
        from prometheus_client.metrics_core import GaugeMetricFamily

        for name, (help_text, value) in self._gauges.items():
            yield GaugeMetricFamily(name, help_text, value)


class _Figures:
    """The figures of this process. Each is there from the start, at nought."""

    def __init__(self) -> None:
        if not _shared:
            # Set for `loyalty serve` in an environment that other commands share.
            os.environ.pop(VARIABLE, None)
        from prometheus_client import (
            CollectorRegistry,
            Counter,
            Histogram,
            disable_created_metrics,
        )

        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        self._requests = Histogram(
            "loyalty_request_duration_seconds",
            "How long a request took, from its first line to its answer.",
            ("method", "route", "status"),
            buckets=BUCKETS_SECONDS,
            registry=self.registry,
        )
        self.replays = Counter(
            "loyalty_idempotent_replays_total",
            "Requests answered again under a used Idempotency-Key.",
            registry=self.registry,
        )
        codes = Counter(
            "loyalty_codes_total",
            "Tries to make a code at Stripe or take it back, by what came of them.",
            ("outcome",),
            registry=self.registry,
        )
        self.codes = {outcome: codes.labels(outcome) for outcome in OUTCOMES}
        webhooks = Counter(
            "loyalty_webhooks_total",
            "Tries to deliver a webhook, by what came of them.",
            ("outcome",),
            registry=self.registry,
        )
        self.webhooks = {outcome: webhooks.labels(outcome) for outcome in WEBHOOK_OUTCOMES}
        self.conflicts = Counter(
            "loyalty_database_conflicts_total",
            "Transactions that PostgreSQL asked to run again.",
            registry=self.registry,
        )
        # Looking a label up costs more than counting.
        self._children: dict[tuple[str, str, int], Any] = {}

    def request(self, method: str, route: str, status: int, duration_ns: int) -> None:
        key = (method, route, status // 100)
        child = self._children.get(key)
        if child is None:
            child = self._child(method, route, status)
            if method in METHODS:
                self._children[key] = child
        child.observe(duration_ns / NANOSECONDS)

    def _child(self, method: str, route: str, status: int) -> Any:
        # A caller may invent methods, but not series.
        known = method if method in METHODS else "other"
        return self._requests.labels(known, route or "none", f"{status // 100}xx")


_shared = False
_made: _Figures | None = None
_making = Lock()


def _figures() -> _Figures:
    global _made
    if _made is None:
        with _making:
            _made = _made or _Figures()
    return _made
