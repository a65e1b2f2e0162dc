"""The worker: claim, handle, settle; where there is time, announce what ends soon and give thanks
that the clock has made due.

Webhooks go out in a thread beside it (`delivering`). Many may run; a lease keeps two from doing the
same job.
"""

import threading
import time
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

from flask import Flask, current_app
from sqlalchemy.exc import OperationalError

from loyalty_service import db, delivering, listening, logs
from loyalty_service.config import Config
from loyalty_service.domain import coded, expiring, holds, idempotency, inbox, jobs
from loyalty_service.domain.discounts import considering, looking, promising
from loyalty_service.domain.events import other_side, undoing
from loyalty_service.domain.program.versions import LOOK_AGAIN
from loyalty_service.fulfilment import fulfil
from loyalty_service.rounds import Aside, attempt, for_each, one_by_one, survived

log = logs.get("worker")


def _at_once(keep: Callable[..., Any]) -> Callable[[jobs.Claimed], Any]:
    """Keep a promise in one transaction."""
    return lambda job: db.transaction(partial(keep, job=job))


# Promises that are kept in the database alone; one of several steps makes its transactions itself.
INSIDE: dict[str, Callable[[jobs.Claimed], Any]] = {
    other_side.OTHER_SIDE: _at_once(other_side.settle),
    undoing.OTHER_SIDE_BACK: _at_once(undoing.take_other_side_back),
    promising.CONSIDER_THANKS: _at_once(considering.consider),
    LOOK_AGAIN: _at_once(looking.look_again),
    inbox.STRIPE_EVENT: listening.work,
}
BATCH = 20
LEASE_MARGIN_SECONDS = 10
TIDY_EVERY_ROUNDS = 1000
# One job is a handful of calls to Stripe, each retried twice.
CALLS_OF_A_JOB = 12
SPARE_SECONDS = 60
_last_sign = time.monotonic()
_aside = Aside()


def run_once(*, at: datetime | None = None, stop: threading.Event | None = None) -> int:
    """Try the jobs that are due (by the machine's time `at`, default now); returns how many.

    Each is tried once, until `stop` is set or the batch is full.
    """
    config: Config = current_app.config["LOYALTY"]
    timeout_seconds = config.stripe_worker_timeout_ms / 1000
    tried: list[str] = []
    stuck: set[str] = set()
    # One by one: a lease is then as long as one call, and a worker that dies or stops holds up
    # one job only.
    while len(tried) < BATCH and not (stop and stop.is_set()):
        job = _next(timeout_seconds, at, tried, stuck)
        if job is None:
            break
        tried.append(job.id)
        if job.kind in INSIDE:
            _keep_inside(job)
        elif not fulfil(job, timeout_seconds=timeout_seconds).is_reachable:
            # One program's dead Stripe must not hold up the others' codes.
            stuck.add(job.program_id)
    return len(tried)


def end_codes(*, stop: threading.Event | None = None) -> int:
    """Begin to end codes whose life is over, one by one; returns how many.

    What is promised by it is for the next round. One that can't be ended holds up no other.
    """
    over = db.read(partial(coded.ended, limit=BATCH, besides=_aside.names()))
    return for_each(over, coded.expire, _aside, log, "ending_failed", stop=stop)


def end_holds(*, stop: threading.Event | None = None) -> int:
    """Write down holds that time has ended, member by member; returns for how many members.

    Their points are back without it: this makes room in the limits of rewards.
    """
    over = db.read(partial(holds.ended, limit=BATCH, besides=_aside.names()))
    return for_each(over, holds.write_down, _aside, log, "ending_failed", stop=stop)


def warn(*, stop: threading.Event | None = None) -> int:
    """Announce points that end soon, member by member, until `stop` is set or the batch is full.

    Returns for how many members it looked.
    """
    look = partial(expiring.warn_due, limit=1)
    step = partial(attempt, look, log, "warning_failed", put_off=expiring.put_off)
    return one_by_one(step, most=BATCH, stop=stop)


def thank(*, stop: threading.Event | None = None) -> int:
    """Give what the clock has made due, member by member, as `warn` announces."""
    looks = looking.Looks()
    step = partial(attempt, looks.thank_due, log, "thanks_failed", put_off=looks.put_off)
    return one_by_one(step, most=BATCH, stop=stop)


def run(app: Flask, stop: threading.Event) -> None:
    """Work until `stop` is set; the job in hand is finished first."""
    config: Config = app.config["LOYALTY"]
    rounds = 0
    with delivering.running(app, stop):
        while not stop.is_set():
            with app.app_context():
                handled = _round(rounds, stop)
            rounds += 1
            if not handled:
                stop.wait(config.worker_poll_ms / 1000)


def is_stuck(config: Config) -> bool:
    """Say whether the worker of this process has done nothing for longer than a job can take."""
    longest_seconds = (
        CALLS_OF_A_JOB * config.stripe_worker_timeout_ms + config.worker_poll_ms
    ) / 1000 + SPARE_SECONDS
    return time.monotonic() - _last_sign > longest_seconds


def start_thread(app: Flask) -> tuple[threading.Thread, threading.Event]:
    """The worker as a thread of the one process that serves SQLite."""
    stop = threading.Event()
    thread = threading.Thread(target=run, args=(app, stop), name="loyalty-worker", daemon=True)
    thread.start()
    return thread, stop


def _next(
    timeout_seconds: float, at: datetime | None, tried: list[str], stuck: set[str]
) -> jobs.Claimed | None:
    global _last_sign
    _last_sign = time.monotonic()
    lease_seconds = int(timeout_seconds) + LEASE_MARGIN_SECONDS
    claimed = db.transaction(
        lambda session: jobs.claim(
            session,
            limit=1,
            lease_seconds=lease_seconds,
            at=at,
            besides=tried,
            besides_programs=stuck,
        )
    )
    return claimed[0] if claimed else None


def _keep_inside(job: jobs.Claimed) -> None:
    """Keep a promise that needs nobody outside, or put it back."""
    try:
        INSIDE[job.kind](job)
    except Exception as error:
        if isinstance(error, OperationalError) and db.is_away(error):
            raise
        log.exception("job_failed", job=job.id, kind=job.kind)
        db.transaction(partial(jobs.try_again, job=job, error=repr(error)))


def _round(rounds: int, stop: threading.Event) -> int:
    handled = 0
    with survived(log, "round_failed"):
        if rounds % TIDY_EVERY_ROUNDS == 0:
            db.transaction(idempotency.drop_old_bodies)
            db.transaction(inbox.forget_payloads)
        handled = run_once(stop=stop)
        # Codes come first: somebody waits for them.
        if handled < BATCH:
            handled += end_codes(stop=stop) + end_holds(stop=stop)
            handled += warn(stop=stop) + thank(stop=stop)
    return handled
