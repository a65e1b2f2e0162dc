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
PR_SET_CHILD_SUBREAPER = 36
LIBC = ctypes.CDLL(None)


@dataclass
class Service:
    """A process group of the service on one database; start it from the main thread."""

    settings: dict[str, str]
    log: Path
    workers: int = 1
    processes: int | None = 2
    extra: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=lambda: _free_port())
    group: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start serve and the workers; returns at once."""
        serve = ["serve", "--port", str(self.port)]
        if self.processes:
            serve += ["--processes", str(self.processes)]
        words = serve + ["/", "worker"] * self.workers
        with self.log.open("ab") as log:
            self.group = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.launched", *words],
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def wait_until_ready(self) -> None:
        waiting, until = threading.Event(), time.monotonic() + READY_SECONDS
        while time.monotonic() < until:
            with suppress(urllib.error.URLError, ConnectionError, TimeoutError):
                urllib.request.urlopen(f"{self.url}/readyz", timeout=10).close()
                return
            assert self.group is not None and self.group.poll() is None, self.said()
            waiting.wait(0.05)
        raise AssertionError(self.said())

    def kill(self) -> None:
        """SIGKILL every process of the group, and wait until none is left."""
        if self.group is None:
            return
        # Orphans become ours to wait for: not every container's init does that.
        LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1)
        with suppress(ProcessLookupError):
            os.killpg(self.group.pid, signal.SIGKILL)
        with suppress(ChildProcessError):
            while True:
                os.waitpid(-self.group.pid, 0)
        LIBC.prctl(PR_SET_CHILD_SUBREAPER, 0)
        self.group.wait()
        self.group = None

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
        return kept | self.settings | self.extra


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
    LIBC.prctl(1, signal.SIGTERM)
