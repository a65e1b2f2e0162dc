"""The processes of a benchmark: gunicorn for each program, and the Stripe sandbox.

All programs are served by the same settings; all processes end with the one that started them.
"""

import contextlib
import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks import apps

PROCESSES, THREADS = 2, 8
PR_SET_PDEATHSIG = 1
STOP_SECONDS = 30
HOST = "127.0.0.1"
Address = tuple[str, int]


@contextlib.contextmanager
def gunicorn(program: str, environment: dict[str, str], folder: Path) -> Iterator[Address]:
    """Serve one of the functions of `benchmarks.apps`; gives the address."""
    with socket.create_server((HOST, 0), backlog=128) as listening:
        address: Address = listening.getsockname()
        # The open socket is handed over: nobody can take the port in between.
        number = listening.fileno()
        command = [sys.executable, "-m", "gunicorn", f"benchmarks.apps:{program}()"]
        command += ["--workers", str(PROCESSES), "--threads", str(THREADS)]
        command += ["--worker-class", "gthread", "--no-control-socket", "--log-level", "warning"]
        command += ["--bind", f"fd://{number}"]
        with (folder / f"{program}.log").open("ab") as log:
            process = _start(command, environment, log.fileno(), log.fileno(), (number,))
        with _stopped_at_the_end(process):
            yield address


@contextlib.contextmanager
def stripe_sandbox(folder: Path) -> Iterator[str]:
    """A Stripe sandbox that keeps nothing on disk; gives its address."""
    command = [sys.executable, "-m", "loyalty_service.sandbox", "--json"]
    with (folder / "stripe-sandbox.log").open("ab") as log:
        process = _start(command, {}, subprocess.PIPE, log.fileno(), ())
    with _stopped_at_the_end(process):
        assert process.stdout is not None
        yield str(json.loads(process.stdout.readline())["url"])


def environment_of(database_url: str, stripe_base: str) -> dict[str, str]:
    """What `benchmarks.apps` reads."""
    return {apps.DATABASE_URL: database_url, apps.STRIPE_BASE: stripe_base}


def _start(
    command: list[str], environment: dict[str, str], out: int, err: int, passed: tuple[int, ...]
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command,
        cwd=Path(__file__).parent.parent,
        env=os.environ | environment,
        stdin=subprocess.DEVNULL,
        stdout=out,
        stderr=err,
        pass_fds=passed,
        preexec_fn=_end_with_parent if sys.platform == "linux" else None,
    )


@contextlib.contextmanager
def _stopped_at_the_end(process: subprocess.Popen[bytes]) -> Iterator[None]:
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
