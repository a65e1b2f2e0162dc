"""Listening to the driver: each way to PostgreSQL and back, below SQLAlchemy.

Hot statements go past SQLAlchemy, so that nothing above the driver sees them all.
"""

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import patch

import psycopg

Arrived = Callable[[list[Any], int], object]


@contextlib.contextmanager
def listening(arrived: Arrived) -> Iterator[None]:
    """Call `arrived(sent, nanoseconds)` after each way within the block.

    `sent` is what went together: statements as they were given, the driver's own commands as bytes.
    The driver sends BEGIN before a transaction's first statement: a way of its own, unless several
    statements go together.
    """
    execute, command = psycopg.Cursor.execute, psycopg.Connection._exec_command
    pipeline = psycopg.Connection.pipeline
    waiting: list[Any] = []

    def note(connection: Any, what: Any, since: int) -> None:
        waiting.append(what)
        if not connection.pgconn.pipeline_status:
            tell(since)

    def tell(since: int) -> None:
        arrived(waiting.copy(), time.perf_counter_ns() - since)
        waiting.clear()

    def executed(self: Any, query: Any, *args: Any, **more: Any) -> Any:
        since = time.perf_counter_ns()
        try:
            return execute(self, query, *args, **more)
        finally:
            note(self.connection, query, since)

    def commanded(self: Any, text: Any, *args: Any, **more: Any) -> Any:
        since = time.perf_counter_ns()
        result = yield from command(self, text, *args, **more)
        note(self, text, since)
        return result

    @contextlib.contextmanager
    def piped(self: Any) -> Iterator[Any]:
        since = time.perf_counter_ns()
        with pipeline(self) as made:
            yield made
        tell(since)

    with (
        patch.object(psycopg.Cursor, "execute", executed),
        patch.object(psycopg.Connection, "_exec_command", commanded),
        patch.object(psycopg.Connection, "pipeline", piped),
    ):
        yield
