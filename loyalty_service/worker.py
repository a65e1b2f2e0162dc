"""The worker: claim, handle, settle. Many may run; a lease keeps two from doing the same job."""

import threading
from datetime import datetime

from flask import Flask, current_app

from loyalty_service import db, logs
from loyalty_service.config import Config
from loyalty_service.domain import idempotency, jobs
from loyalty_service.fulfilment import fulfil

log = logs.get("worker")

BATCH = 20
TIDY_EVERY_ROUNDS = 1000


def run_once(*, at: datetime | None = None) -> int:
    """Handle the jobs that are due (by the machine's time `at`, default now); returns how many."""
    config: Config = current_app.config["LOYALTY"]
    timeout_seconds = config.stripe_worker_timeout_ms / 1000
    # The lease outlasts the whole batch, each of which may take its full time.
    lease_seconds = int(timeout_seconds * BATCH) + 10
    claimed = db.transaction(
        lambda session: jobs.claim(session, limit=BATCH, lease_seconds=lease_seconds, at=at)
    )
    for job in claimed:
        try:
            fulfil(job, timeout_seconds=timeout_seconds)
        except Exception as error:
            log.exception("job_failed", job=job.id, kind=job.kind)
            _put_back(job, repr(error))
    return len(claimed)


def run(app: Flask, stop: threading.Event) -> None:
    """Work until `stop` is set; the job in hand is finished first."""
    config: Config = app.config["LOYALTY"]
    rounds = 0
    while not stop.is_set():
        with app.app_context():
            handled = _round(rounds)
        rounds += 1
        if not handled:
            stop.wait(config.worker_poll_ms / 1000)


def start_thread(app: Flask) -> tuple[threading.Thread, threading.Event]:
    """The worker as a thread of the one process that serves SQLite."""
    stop = threading.Event()
    thread = threading.Thread(target=run, args=(app, stop), name="loyalty-worker", daemon=True)
    thread.start()
    return thread, stop


def _round(rounds: int) -> int:
    try:
        if rounds % TIDY_EVERY_ROUNDS == 0:
            db.transaction(idempotency.drop_old_bodies)
        return run_once()
    except Exception:
        # The database may be away for a moment: say so and try again.
        log.exception("round_failed")
        return 0


def _put_back(job: jobs.Claimed, error: str) -> None:
    db.transaction(lambda session: jobs.try_again(session, job, error))
