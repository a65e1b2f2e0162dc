"""A shop's own server, as it should be: verifies with the library, then answers what it is told."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError

from tests.http_server import Handler, serving

Answer = Callable[[dict[str, Any]], int]


@dataclass
class Receiver:
    """Where it listens, what was verified, and what it answers.

    With `seconds_a_byte` its answers drip, until the test is over (`ended`).
    """

    url: str = ""
    secrets: list[str] = field(default_factory=list)
    received: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    refused: int = 0
    answer: Answer = lambda event: 204
    more_headers: dict[str, str] = field(default_factory=dict)
    text: bytes = b""
    seconds_a_byte: int = 0
    ended: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, body: bytes, headers: dict[str, str]) -> int:
        """Verify an event as a shop would; the status to answer."""
        for secret in self.secrets:
            try:
                event = Webhook(secret).verify(body, headers)
            except WebhookVerificationError:
                continue
            with self.lock:
                self.received.append(event)
                self.headers.append(headers)
            return self.answer(event)
        self.refused += 1
        return 400

    def events(self, member: str) -> list[dict[str, Any]]:
        """What came about one member, in the order of its numbers, each once."""
        mine = {one["id"]: one for one in self.received if one["member"] == member}
        return sorted(mine.values(), key=lambda one: one["sequence"])


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver on this machine until the block ends."""
    receiver = Receiver()

    class Taking(Handler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1

        def do_POST(self) -> None:
            status = receiver.take(self.body(), {k.lower(): v for k, v in self.headers.items()})
            if receiver.seconds_a_byte:
                self._drip(b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 60)
                return
            self.send_response(status)
            for name, value in receiver.more_headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(receiver.text)))
            self.end_headers()
            self.wfile.write(receiver.text)

        def _drip(self, text: bytes) -> None:
            self.close_connection = True
            with contextlib.suppress(OSError):
                for byte in text:
                    self.wfile.write(bytes([byte]))
                    self.wfile.flush()
                    if receiver.ended.wait(receiver.seconds_a_byte):
                        break

    with serving(Taking) as address:
        receiver.url = f"{address}/hooks"
        try:
            yield receiver
        finally:
            receiver.ended.set()
