"""A webhook receiver: keeps what arrives, answers what it is told to."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.http_server import Handler, serving

WAIT_SECONDS = 15.0


@dataclass(frozen=True)
class Letter:
    """One request as it arrived."""

    body: bytes
    headers: dict[str, str]

    @property
    def signature(self) -> str:
        return self.headers["Stripe-Signature"]

    @property
    def event(self) -> dict[str, Any]:
        event: dict[str, Any] = json.loads(self.body)
        return event


@dataclass
class Receiver:
    """Answers 200, unless `answers` still holds other statuses; `gate` holds every answer back."""

    url: str = ""
    letters: list[Letter] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    gate: threading.Event = field(default_factory=threading.Event)
    most_at_once: int = 0
    _at_once: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.gate.set()

    def take(self, letter: Letter) -> int:
        with self._lock:
            self.letters.append(letter)
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
            status = self.answers.pop(0) if self.answers else 200
        self.gate.wait(WAIT_SECONDS)
        with self._lock:
            self._at_once -= 1
        return status

    def wait_for(self, count: int) -> list[Letter]:
        """Return the letters once there are so many; fails when they do not come."""
        pause, until = threading.Event(), time.monotonic() + WAIT_SECONDS
        while len(self.letters) < count:
            assert time.monotonic() < until, [each.event["type"] for each in self.letters]
            pause.wait(0.01)
        return list(self.letters)

    @property
    def types(self) -> list[str]:
        return [each.event["type"] for each in self.letters]


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver on a free port of this machine."""
    receiver = Receiver()

    class Taking(Handler):
        def do_POST(self) -> None:
            status = receiver.take(Letter(self.body(), dict(self.headers)))
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

    with serving(Taking) as address:
        receiver.url = f"{address}/webhooks/stripe"
        try:
            yield receiver
        finally:
            receiver.gate.set()
