"""gunicorn with our settings: figures that several processes share, and an end in two steps."""

import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from os import W_OK, access, environ, getpid
from pathlib import Path
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter

from loyalty_service import draining, metrics

MEMORY = Path("/dev/shm")  # nosec B108
SETTINGS = {
    "worker_class": "loyalty_service.patience.Worker",
    # It would be a socket in the home folder, which a read-only container lacks.
    "control_socket_disable": True,
    "loglevel": "warning",
    "graceful_timeout": 20,
}


def serve(
    make_app: Callable[[], Flask],
    settings: dict[str, Any],
    *,
    drain_seconds: int = 0,
    reading_ms: int,
) -> None:
    """Serve until SIGTERM; then say "not ready" for a while before the door is closed.

    A header, and a body, must have come within `reading_ms` milliseconds.
    """
    with _shared_figures(settings["workers"]):
        all_settings = SETTINGS | _hooks() | settings
        _Application(make_app, all_settings, drain_seconds, reading_ms).run()


class _Application(BaseApplication):  # type: ignore[misc]
    """gunicorn, told what to do instead of reading a file of its own."""

    def __init__(
        self,
        make_app: Callable[[], Flask],
        settings: dict[str, Any],
        drain_seconds: int,
        reading_ms: int,
    ) -> None:
        # Read by `patience.Worker`.
        self.reading_ms = reading_ms
        self._make_app = make_app
        self._settings = settings
        self._drain_seconds = drain_seconds
        super().__init__()

    def load_config(self) -> None:
        """Hand over the settings."""
        for name, value in self._settings.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """The app, made in each worker process after the fork."""
        return self._make_app()

    def run(self) -> None:
        """Serve until told to stop."""
        _Arbiter(self, self._drain_seconds).run()


class _Arbiter(Arbiter):  # type: ignore[misc]
    """The first SIGTERM begins to drain; the second, our own alarm's or a caller's, ends."""

    def __init__(self, application: _Application, drain_seconds: int) -> None:
        self._drain_seconds = drain_seconds
        super().__init__(application)

    def handle_term(self) -> None:
        """Drain, then end as gunicorn does."""
        if not self._drain_seconds or draining.begun():
            raise StopIteration
        draining.begin()
        signal.signal(signal.SIGALRM, lambda *_: self.signal(signal.SIGTERM, None))
        signal.alarm(self._drain_seconds)


def _hooks() -> dict[str, Any]:
    hooks: dict[str, Any] = {
        "child_exit": lambda arbiter, worker: metrics.forget_process(worker.pid)
    }
    # gunicorn's heartbeat touches a file: on a disk that hangs, a healthy process would be killed.
    return hooks | ({"worker_tmp_dir": str(MEMORY)} if access(MEMORY, W_OK) else {})


@contextmanager
def _shared_figures(processes: int) -> Iterator[None]:
    """Several processes count in files of one folder: the given one, or our own for as long."""
    given = environ.get(metrics.VARIABLE)
    if processes == 1:
        yield
    elif given:
        metrics.share(Path(given))
        yield
    else:
        own, maker = Path(tempfile.mkdtemp(prefix="loyalty-metrics-")), getpid()
        metrics.share(own)
        try:
            yield
        finally:
            # A serving process is forked in here and ends through here: the others still count.
            if getpid() == maker:
                shutil.rmtree(own, ignore_errors=True)
