"""The service as it runs in earnest: `loyalty serve` and `loyalty worker` as processes to kill."""

import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

READY_SECONDS = 120
PR_SET_PDEATHSIG = 1


@dataclass
class Service:
    """A process group of the service on one database; start it from the main thread."""

    settings: dict[str, str]
    log: Path
    workers: int = 1
    processes: int = 2
    port: int = field(default_factory=lambda: _free_port())
    group: int = 0
    launcher: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start serve and the workers; returns at once."""
        self.launcher = self.launcher or self._launcher()
        assert self.launcher.stdin is not None and self.launcher.stdout is not None
        self.launcher.stdin.write("start\n")
        self.launcher.stdin.flush()
        said = self.launcher.stdout.readline()
        assert said, self.said()
        self.group = int(said)

    def wait_until_ready(self) -> None:
        waiting, until = threading.Event(), time.monotonic() + READY_SECONDS
        while time.monotonic() < until:
            with suppress(urllib.error.URLError, ConnectionError, TimeoutError):
                urllib.request.urlopen(f"{self.url}/readyz", timeout=10).close()
                return
            assert self._is_alive(), self.said()
            waiting.wait(0.05)
        raise AssertionError(self.said())

    def kill(self) -> None:
        """SIGKILL every process of the group at once, and wait until none is left."""
        if not self.group:
            return
        waiting, until = threading.Event(), time.monotonic() + READY_SECONDS
        with suppress(ProcessLookupError):
            os.killpg(self.group, signal.SIGKILL)
        while self._is_alive():
            assert time.monotonic() < until, f"group {self.group} does not die"
            waiting.wait(0.005)
        self.group = 0

    def end(self) -> None:
        """Kill it for good."""
        self.kill()
        if self.launcher:
            self.launcher.communicate(timeout=READY_SECONDS)

    def verified(self) -> Any:
        """What `loyalty ledger verify --json` prints, and that its exit status agrees."""
        done = subprocess.run(
            [sys.executable, "-m", "loyalty_service.cli", "ledger", "verify", "--json"],
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=600,
        )
        said = json.loads(done.stdout)
        assert (done.returncode == 0) == said["ok"], done.stderr
        return said

    def said(self) -> str:
        """The end of the log, for the text of a failure."""
        return self.log.read_text(errors="replace")[-4000:]

    def environment(self) -> dict[str, str]:
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith("LOYALTY_")
        }
        return kept | self.settings

    def _is_alive(self) -> bool:
        with suppress(ProcessLookupError):
            os.killpg(self.group, 0)
            return True
        return False

    def _launcher(self) -> subprocess.Popen[str]:
        words = ["serve", "--port", str(self.port), "--processes", str(self.processes)]
        words += ["/", "worker"] * self.workers
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "tests.faults.launched", *words],
                env=self.environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,
            )


@dataclass
class Sandbox:
    """The Stripe sandbox in a process of its own, which nobody kills."""

    process: subprocess.Popen[str]
    url: str

    @classmethod
    def start(cls) -> "Sandbox":
        process = subprocess.Popen(
            [sys.executable, "-m", "loyalty_service.sandbox", "--json"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            preexec_fn=_end_with_parent,
        )
        assert process.stdout is not None
        return cls(process, json.loads(process.stdout.readline())["url"])

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=60)
        assert self.process.stdout is not None
        self.process.stdout.close()


def _free_port() -> int:
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
