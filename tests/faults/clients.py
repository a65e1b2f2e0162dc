"""A checkout over HTTP that sends the same request under the same key until it has its answer."""

import json
import threading
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import urllib3

PATIENCE_SECONDS = 240
PAUSE_SECONDS = 0.1
# What a caller may meet while processes and databases die: answers, or "send it again".
HONEST = frozenset({200, 201, 202, 409, 503})


@dataclass
class Told:
    """One request and every answer it had, the final one last."""

    path: str
    body: dict[str, Any]
    key: str
    who: str
    answers: list[Any] = field(default_factory=list)
    raw: bytes = b""
    status: int = 0

    @property
    def final(self) -> Any:
        return self.answers[-1]

    @property
    def done(self) -> bool:
        """Done, where a kept refusal is not."""
        return self.status < 300


class Checkout:
    """One client with its kept connection."""

    def __init__(self, url: str, keys: dict[str, str]) -> None:
        self.keys = keys
        self.statuses: Counter[int | str] = Counter()
        self.told: list[Told] = []
        self._pool = urllib3.connectionpool.connection_from_url(url, maxsize=1, retries=False)
        self._pause = threading.Event()

    def post(self, path: str, body: dict[str, Any], who: str = "checkout") -> Told:
        """Send it under a fresh key until the answer is final."""
        return self.until_final(self._new(path, body, who))

    def once(self, path: str, body: dict[str, Any], who: str = "checkout") -> Told:
        """Send it once, and leave it at whatever the answer is."""
        told = self._new(path, body, who)
        self._is_final(told)
        return told

    def until_final(self, told: Told) -> Told:
        until = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < until:
            if self._is_final(told):
                return told
            self._pause.wait(PAUSE_SECONDS)
        raise AssertionError(f"no final answer to {told} within {PATIENCE_SECONDS} s")

    def close(self) -> None:
        self._pool.close()

    def _new(self, path: str, body: dict[str, Any], who: str) -> Told:
        told = Told(path, body, str(uuid.uuid4()), who)
        self.told.append(told)
        return told

    def _is_final(self, told: Told) -> bool:
        answer = self._send(told)
        if answer is None:
            return False
        said = json.loads(answer.data)
        if answer.status >= 500 or said.get("retryable"):
            return False
        told.answers.append(said)
        told.raw, told.status = answer.data, answer.status
        return answer.status != 202

    def _send(self, told: Told) -> urllib3.BaseHTTPResponse | None:
        headers = {
            "Authorization": f"Bearer {self.keys[told.who]}",
            "Idempotency-Key": told.key,
            "Content-Type": "application/json",
        }
        try:
            answer = self._pool.request(
                "POST", told.path, body=json.dumps(told.body), headers=headers, timeout=120
            )
        except urllib3.exceptions.HTTPError:
            self.statuses["lost"] += 1
            return None
        self.statuses[answer.status] += 1
        assert answer.status in HONEST, (answer.status, answer.data, told)
        return answer


def in_threads(works: list[Any]) -> list["Working"]:
    """Start each piece of work in a thread."""
    threads = [Working(work) for work in works]
    for thread in threads:
        thread.start()
    return threads


class Working(threading.Thread):
    """A thread that hands on what went wrong in it."""

    def __init__(self, work: Any) -> None:
        super().__init__(daemon=True)
        self.work = work
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            self.work()
        except BaseException as error:
            self.error = error

    def finish(self) -> None:
        self.join(timeout=2 * PATIENCE_SECONDS)
        assert not self.is_alive(), "a client still waits for its answer"
        if self.error:
            raise self.error
