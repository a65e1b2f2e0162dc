"""`loyalty serve` and `loyalty worker` as real processes, for tests of what only those show."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

import requests

from tests import figures

LOYALTY = (sys.executable, "-m", "loyalty_service.cli")
TRIES, PAUSE_SECONDS = 600, 0.1
END_SECONDS = 60
CLEAN = {
    name: value
    for name, value in os.environ.items()
    if not name.startswith(("LOYALTY_", "PROMETHEUS_"))
}


@dataclass
class Running:
    """A started command, where it listens, and what it says on standard error."""

    process: subprocess.Popen[bytes]
    url: str
    log: Path

    def get(self, path: str) -> requests.Response:
        """One request on a connection of its own, so that any process may take it."""
        return requests.get(f"{self.url}{path}", timeout=30, headers={"Connection": "close"})

    def status(self, path: str) -> int | None:
        """The status of an answer; None where nobody answers."""
        try:
            return self.get(path).status_code
        except requests.RequestException:
            return None

    def wait_for(self, status: int, path: str) -> None:
        """Return once an address answers with a status."""
        until(lambda: self.status(path) == status, self)

    def figures(self) -> figures.Figures:
        return figures.read(self.get("/metrics").text)

    def children(self) -> set[int]:
        """The processes that gunicorn has forked."""
        listed = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return {int(pid) for pid in listed.split()}


@contextlib.contextmanager
def command(
    arguments: Sequence[str],
    environment: Mapping[str, str],
    log: Path,
    *,
    loyalty: Sequence[str] = LOYALTY,
    **how: Any,
) -> Iterator[Running]:
    """Run a command that listens on a port of its own until the block ends."""
    port = a_free_port()
    with log.open("ab") as writing:
        process = subprocess.Popen(
            [*loyalty, *arguments, "--port", str(port)],
            stdin=subprocess.DEVNULL,
            stdout=writing,
            stderr=writing,
            **{"env": CLEAN | environment} | how,
        )
    try:
        yield Running(process, f"http://127.0.0.1:{port}", log)
    finally:
        end(process)


def end(process: subprocess.Popen[bytes]) -> int:
    """Ask a process to stop, twice where it drains; returns its exit status."""
    for number in (signal.SIGTERM, signal.SIGTERM, signal.SIGKILL):
        if process.poll() is None:
            process.send_signal(number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(END_SECONDS if number == signal.SIGTERM else None)
    return process.wait()


def until(true: Callable[[], bool], running: Running) -> None:
    """Return once something is true of a running command."""
    waiting = Event()
    for _ in range(TRIES):
        if true():
            return
        assert running.process.poll() is None, running.log.read_text()
        waiting.wait(PAUSE_SECONDS)
    raise AssertionError(f"it never came true\n{running.log.read_text()}")


def a_free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as held:
        return int(held.getsockname()[1])
