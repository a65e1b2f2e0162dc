"""gunicorn's serving process, with an end to its patience: what comes too slowly is cut off.

A thread that reads a request waits for whoever sends it; a handful that never come whole would
hold them all. So the header has its time, and so has the body from its first read: after it the
connection is shut for reading, whoever reads sees its end, and the thread is free again.
"""

import contextlib
import socket
import time
from collections.abc import Iterator
from typing import Any

from gunicorn.http.errors import NoMoreData, ParseException
from gunicorn.workers.gthread import _DEFER, ThreadWorker
from werkzeug.exceptions import BadRequest, RequestTimeout

# How long a thread waits for a connection's first byte; after that the main loop does.
FIRST_BYTE_SECONDS = 0.5
# How long a request may take to arrive while no thread is left for anybody else.
PRESSED_SECONDS = 2.0
# How long is waited for what of a body nobody asked for, such as behind an unknown key.
UNREAD_SECONDS = 1.0


class Worker(ThreadWorker):  # type: ignore[misc]
    """A serving process whose application says in `reading_ms` how long it waits."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        # The connections that are being read, and since when.
        self._since: dict[Any, float] = {}

    def handle(self, conn: Any) -> Any:
        """Serve one request, and say whether the connection stays."""
        if not conn.initialized and not conn.wait_for_data(FIRST_BYTE_SECONDS):
            return _DEFER
        with self.reading(conn, time.monotonic()):
            stays = super().handle(conn)
        if not stays:
            _close(conn)
        return stays

    def handle_request(self, req: Any, conn: Any) -> Any:
        """Answer a request whose header has come; its body is read when it is asked for."""
        self._since.pop(conn, None)
        plain = req.body.reader
        req.body.reader = _Reader(plain, self, conn)
        try:
            return super().handle_request(req, conn)
        finally:
            req.body.reader = plain

    def murder_pending(self) -> None:
        """Cut off whoever is too slow; the main loop comes here at least once a second."""
        super().murder_pending()
        reading = list(self._since.items())
        is_pressed = len(reading) >= self.cfg.threads
        patience = self.app.reading_ms / 1000
        patience = min(patience, PRESSED_SECONDS) if is_pressed else patience
        for conn, since in reading:
            if time.monotonic() - since >= patience:
                conn.is_cut_off = True
                with contextlib.suppress(OSError):
                    conn.sock.shutdown(socket.SHUT_RD)

    @contextlib.contextmanager
    def reading(self, conn: Any, since: float) -> Iterator[None]:
        """In the block a connection is read, and cut off when that takes too long."""
        self._since[conn] = since
        try:
            yield
        finally:
            self._since.pop(conn, None)

    def _keepalive_after(self, conn: Any, keepalive: bool) -> bool:
        # gunicorn's own waits 5 seconds.
        until = time.monotonic() + UNREAD_SECONDS
        return bool(keepalive and conn.parser.finish_body(deadline=until))


class _Reader:
    """Reads a body for so long; what is wrong with it is the caller's fault, and said as such."""

    def __init__(self, plain: Any, worker: Worker, conn: Any) -> None:
        self._plain, self._worker, self._conn = plain, worker, conn
        self._since: float | None = None

    def read(self, size: int) -> bytes:
        """As gunicorn's; raises RequestTimeout and BadRequest."""
        self._since = self._since or time.monotonic()
        try:
            with self._worker.reading(self._conn, self._since):
                read: bytes = self._plain.read(size)
        except (NoMoreData, ParseException) as error:
            raise self._refusal() from error
        if len(read) < size and self._is_cut_off():
            raise self._refusal()
        return read

    def _refusal(self) -> BadRequest | RequestTimeout:
        return RequestTimeout() if self._is_cut_off() else BadRequest()

    def _is_cut_off(self) -> bool:
        return getattr(self._conn, "is_cut_off", False)


def _close(conn: Any) -> None:
    """Wait here for the other side to close: gunicorn would in its main loop, up to 2 seconds for
    each, and be killed as hung after 15 of them."""
    conn.close(graceful=True)
    conn.close = lambda graceful=False: None
