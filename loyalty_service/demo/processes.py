"""The processes of a demo: the Stripe sandbox and the service, which end with their parent."""

import contextlib
import ctypes
import json
import os
import signal
import subprocess  # nosec B404
import sys
import urllib.error
import urllib.request
from pathlib import Path
from threading import Event

READY_TRIES = 300
PR_SET_PDEATHSIG = 1


class DemoFailed(RuntimeError):
    """A process of the demo did not start; the text says which and where its log is."""


def start_sandbox(
    folder: Path, webhook_url: str, webhook_secret: str
) -> tuple[subprocess.Popen[bytes], str]:
    """Start the Stripe sandbox with its state in the folder; returns it and its address.

    It tells `webhook_url` of every event, signed with the secret, once somebody answers there.
    """
    state = folder / "stripe-sandbox.db"
    arguments = ["-m", "loyalty_service.sandbox", "--json", "--state", str(state)]
    arguments += ["--webhook-url", webhook_url, "--webhook-secret", webhook_secret]
    with (folder / "stripe-sandbox.log").open("ab") as log:
        process = _start(arguments, os.environ, stdout=subprocess.PIPE, stderr=log)
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise DemoFailed(f"the Stripe sandbox did not start: see {log.name}")
    return process, str(json.loads(line)["url"])


def start_service(folder: Path, environment: dict[str, str], port: int) -> subprocess.Popen[bytes]:
    """Start the service under gunicorn, the worker as a thread of it."""
    arguments = ["-m", "loyalty_service.cli", "serve", "--port", str(port)]
    with (folder / "service.log").open("ab") as log:
        return _start(arguments, {**os.environ, **environment}, stdout=log, stderr=log)


def wait_until_ready(url: str, service: subprocess.Popen[bytes], log: Path) -> None:
    """Return when the service answers; raises DemoFailed when it ended instead."""
    waiting = Event()
    for _ in range(READY_TRIES):
        with contextlib.suppress(urllib.error.URLError, ConnectionError, TimeoutError):
            urllib.request.urlopen(f"{url}/readyz", timeout=5).close()  # nosec B310
            return
        if service.poll() is not None:
            raise DemoFailed(f"the service ended at once: see {log}")
        waiting.wait(0.1)
    raise DemoFailed(f"the service did not answer in time: see {log}")


def stop(processes: list[subprocess.Popen[bytes]]) -> None:
    """End the children and wait for them."""
    for process in processes:
        if process.poll() is None:
            process.terminate()
    for process in processes:
        try:
            process.wait(timeout=25)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _start(arguments: list[str], environment: object, **streams: object) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # type: ignore[call-overload,no-any-return]  # nosec B603
        [sys.executable, *arguments],
        env=environment,
        stdin=subprocess.DEVNULL,
        preexec_fn=_end_with_parent if sys.platform == "linux" else None,
        **streams,
    )


def _end_with_parent() -> None:
    # A demo that is killed leaves no server behind.
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
