"""Exclusive time by layer: whoever is innermost has the clock.

A layer is a part of the service (auth, parsing, domain, ...); inside it time is Python's own,
SQLAlchemy's, or spent at the database. Installed around the service's own functions, and taken
away again: nothing of the service knows of it.
"""

import contextlib
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import patch

import marshmallow
import psycopg
from flask import Flask
from sqlalchemy import Connection, Transaction
from sqlalchemy.orm import Session

from benchmarks import wire
from loyalty_service import api, fulfilment
from loyalty_service.api import coded as coded_door
from loyalty_service.api import guard, parsing, writing
from loyalty_service.api import orders as orders_door
from loyalty_service.domain import idempotency, orders, redemptions

PYTHON, SQLALCHEMY, DATABASE = "python", "sqlalchemy", "database"
WALL, CPU = 0, 1
FLASK = "flask"
SESSION_VERBS = ("execute scalar scalars get get_one flush refresh connection close").split()
LAYERS: tuple[tuple[Any, str, str], ...] = (
    (parsing.Parser, "parse", "parsing"),
    (writing, "_fingerprint", "parsing"),
    (orders_door, "once", "writing"),
    (coded_door, "once", "writing"),
    (idempotency, "keep", "idempotency"),
    (orders, "record", "domain"),
    (redemptions, "place", "domain"),
    (fulfilment, "fulfil", "settling"),
    (marshmallow.Schema, "dump", "rendering"),
)
STATEMENT_CHARACTERS = 60
Place = tuple[str, str]


class Layers:
    """The clock: for each request the nanoseconds by (layer, kind), and what was sent."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget what was seen."""
        self.requests: list[dict[Place, int]] = []
        self.traces: list[list[tuple[str, str, int]]] = []
        self._places: list[Place] = []

    def begin(self) -> None:
        """A request begins: until a layer is entered the time is Flask's."""
        self.requests.append(defaultdict(int))
        self.traces.append([])
        self._places = [(FLASK, PYTHON)]
        self._since = _clocks()

    def end(self) -> None:
        """The request has ended."""
        self._settle()
        self._places = []

    @contextlib.contextmanager
    def inside(self, layer: str | None, kind: str) -> Iterator[None]:
        """Time goes to this layer (None: the one that is on) and kind until the block ends."""
        if not self._places:
            yield
            return
        self._settle()
        self._places.append((layer or self._places[-1][0], kind))
        try:
            yield
        finally:
            self._settle()
            self._places.pop()

    def keep_fastest(self, share: int) -> None:
        """Keep one request in `share`: what others on the machine held up is left out."""
        order = sorted(range(len(self.requests)), key=lambda n: sum(self.requests[n].values()))
        kept = order[: max(1, len(order) // share)]
        self.requests = [self.requests[number] for number in kept]
        self.traces = [self.traces[number] for number in kept]

    def sent(self, what: str, nanoseconds: int) -> None:
        """Note one step to the database."""
        if self._places:
            self.traces[-1].append((self._places[-1][0], what, nanoseconds))

    def _settle(self) -> None:
        now, place = _clocks(), self._places[-1]
        which = WALL if place[1] == DATABASE else CPU
        self.requests[-1][place] += now[which] - self._since[which]
        self._since = now


def _clocks() -> tuple[int, int]:
    # Python's own is counted in its own time, waiting in everybody's.
    return time.perf_counter_ns(), time.thread_time_ns()


@contextlib.contextmanager
def instrument(layers: Layers, app: Flask) -> Iterator[None]:
    """Put the clock around everything that is named above, for the length of a block."""
    with contextlib.ExitStack() as stack:
        for owner, name, layer in LAYERS:
            stack.enter_context(_around(layers, owner, name, layer, PYTHON))
        for name in SESSION_VERBS:
            stack.enter_context(_around(layers, Session, name, None, SQLALCHEMY))
        for name in ("execute", "begin", "close"):
            stack.enter_context(_around(layers, Connection, name, None, SQLALCHEMY))
        stack.enter_context(_around(layers, Transaction, "commit", None, SQLALCHEMY))
        stack.enter_context(_around(layers, psycopg.Connection, "wait", None, DATABASE))
        stack.enter_context(_hooks(layers, app))
        stack.enter_context(wire.listening(lambda sent, ns: layers.sent(_named(sent), ns)))
        yield


@contextlib.contextmanager
def _hooks(layers: Layers, app: Flask) -> Iterator[None]:
    """Flask holds the functions themselves: those are replaced where it holds them."""
    names = {guard._check: "auth", api._begin: "logging", api._end: "logging"}
    with contextlib.ExitStack() as stack:
        for held in (app.before_request_funcs, app.after_request_funcs):
            timed = [
                _timed(layers, one, names[one], PYTHON) if one in names else one
                for one in held[None]
            ]
            stack.enter_context(patch.dict(held, {None: timed}))
        yield


def _around(layers: Layers, owner: Any, name: str, layer: str | None, kind: str) -> Any:
    return patch.object(owner, name, _timed(layers, getattr(owner, name), layer, kind))


def _timed(
    layers: Layers, function: Callable[..., Any], layer: str | None, kind: str
) -> Callable[..., Any]:
    def timed(*args: Any, **kwargs: Any) -> Any:
        with layers.inside(layer, kind):
            return function(*args, **kwargs)

    return timed


def _named(sent: list[Any]) -> str:
    return " + ".join(_short(query) for query in sent)


def _short(query: Any) -> str:
    words = " ".join((query.decode() if isinstance(query, bytes) else str(query)).split())
    return words if len(words) <= STATEMENT_CHARACTERS else f"{words[:STATEMENT_CHARACTERS]}…"
