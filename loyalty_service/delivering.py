"""Webhooks on their way: tell what happened, claim, send, settle.

A thread of the worker's own, so that an endpoint that is slow never holds up a code. Each endpoint
has its turn in a pool: it ends after a few seconds, or at the first silence, and `turns` says whose
is next, so that one that is dead holds up no other program's. Nothing is sent inside a transaction.
"""

import contextlib
import math
import threading
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from datetime import datetime
from functools import partial
from itertools import islice

from flask import Flask, current_app

from loyalty_service import clock, db, logs, metrics, turns
from loyalty_service.config import Config
from loyalty_service.domain import ledger
from loyalty_service.domain.notices import overdue as falling_due
from loyalty_service.domain.notices import telling
from loyalty_service.domain.webhooks import deliveries, signing
from loyalty_service.domain.webhooks import log as history
from loyalty_service.domain.webhooks.deliveries import Answered, Claimed
from loyalty_service.domain.webhooks.tables import DELIVERED, FAILED, PENDING
from loyalty_service.gateways import webhooks
from loyalty_service.rounds import attempt, one_by_one, survived

log = logs.get("webhooks")

TIMEOUT_SECONDS = 10
LEASE_SECONDS = TIMEOUT_SECONDS + 20
TURN_SECONDS = 10
TOLD_IN_A_ROUND = 100
FORGET_EVERY_ROUNDS = 1000
SWEEP_EVERY_SECONDS = 60
SWEPT_IN_A_ROUND = 50
# What is counted of a try, by the status that it leaves.
OUTCOMES = {
    DELIVERED: metrics.DELIVERED,
    PENDING: metrics.PUT_BACK,
    FAILED: metrics.GIVEN_UP,
}


def tell(*, at: datetime | None = None, stop: threading.Event | None = None) -> int:
    """Tell what waits, member by member, until `stop` is set or the round is full; how many."""
    look, put_off = (partial(verb, at=at) for verb in (telling.tell_next, telling.put_off))
    step = partial(attempt, look, log, "telling_failed", put_off=put_off)
    return one_by_one(step, most=TOLD_IN_A_ROUND, stop=stop)


def overdue(stop: threading.Event | None = None) -> Iterator[str]:
    """Post what fell due for everybody whose program has an endpoint; each member's id."""
    for program_id in db.read(falling_due.listened):
        after: str | None = ""
        while after is not None and not (stop and stop.is_set()):
            seen = db.read(partial(falling_due.look, program_id=program_id, after=after))
            after = seen.last
            for member_id in seen.due:
                _bring_up_to_date(program_id, member_id)
                yield member_id


def deliver_once(*, at: datetime | None = None) -> int:
    """Give every endpoint with something due one turn, and wait for all; how many were sent.

    `at` is the machine's time by which something must be due, for tests that don't wait.
    """
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    due = db.read(partial(deliveries.due_endpoints, at=at))
    with ThreadPoolExecutor(turns.AT_ONCE) as pool:
        given = [pool.submit(_turn, app, *one, threading.Event(), at) for one in due]
    return sum(turn.result() for turn in given)


def send(claimed: Claimed) -> Answered:
    """Send a delivery, signed with the machine's time; whatever happens is an answer."""
    config: Config = current_app.config["LOYALTY"]
    began_at, began_ns = clock.wall(), time.monotonic_ns()
    headers = signing.headers(claimed.message_id, began_at, claimed.body, claimed.secrets)
    status, text, error = None, None, None
    try:
        answer = webhooks.post(
            claimed.url,
            headers,
            claimed.body,
            is_sandbox=not config.is_production,
            timeout_seconds=TIMEOUT_SECONDS,
        )
        status, text = answer.status, answer.text or None
    except webhooks.NotSent as refusal:
        error = str(refusal)
    duration_ms = (time.monotonic_ns() - began_ns) // 1_000_000
    log.info(
        "webhook",
        delivery=claimed.id,
        endpoint=claimed.endpoint_id,
        status=status,
        error=error,
        milliseconds=duration_ms,
    )
    return Answered(began_at, duration_ms, status, error, text)


def run(app: Flask, stop: threading.Event) -> None:
    """Tell and deliver until `stop` is set; what is on its way is finished first."""
    config: Config = app.config["LOYALTY"]
    fair = turns.Turns()
    rounds, sweep = 0, Sweep()
    with ThreadPoolExecutor(turns.AT_ONCE, "loyalty-webhook") as pool:
        while not stop.is_set():
            with app.app_context():
                is_busy = _round(app, pool, fair, stop, rounds, sweep)
            rounds += 1
            _rest(fair, stop, 0 if is_busy else config.worker_poll_ms / 1000)


@contextlib.contextmanager
def running(app: Flask, stop: threading.Event) -> Iterator[None]:
    """Deliver in a thread of its own while the block runs; `stop` is set when it ends."""
    thread = threading.Thread(target=run, args=(app, stop), name="loyalty-webhooks", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


class Sweep:
    """Goes through what fell due, a part in each round; begins anew after a minute's rest."""

    def __init__(self) -> None:
        self._began = -math.inf
        self._left: Iterator[str] = iter(())

    def step(self, stop: threading.Event) -> int:
        """Post for some members; how many."""
        done = len(list(islice(self._left, SWEPT_IN_A_ROUND)))
        if not done and time.monotonic() - self._began >= SWEEP_EVERY_SECONDS:
            self._began, self._left = time.monotonic(), overdue(stop)
            done = len(list(islice(self._left, SWEPT_IN_A_ROUND)))
        return done


def _round(
    app: Flask,
    pool: ThreadPoolExecutor,
    fair: turns.Turns,
    stop: threading.Event,
    rounds: int,
    sweep: Sweep,
) -> bool:
    """One look; True where there was something to do at once."""
    config: Config = app.config["LOYALTY"]
    is_busy = False
    with survived(log, "round_failed"):
        if rounds % FORGET_EVERY_ROUNDS == 0:
            db.transaction(history.forget_old)
        told = sweep.step(stop) + tell(stop=stop)
        # Without a key nothing can be signed: what is told waits.
        given = _give_turns(app, pool, fair, stop) if config.webhook_key else 0
        is_busy = bool(given or told)
    return is_busy


def _bring_up_to_date(program_id: str, member_id: str) -> None:
    # Broken books hold up nobody else.
    attempt(
        lambda session: ledger.bring_up_to_date(session, program_id, member_id),
        log,
        "not_brought_up_to_date",
        member=member_id,
    )


def _give_turns(
    app: Flask, pool: ThreadPoolExecutor, fair: turns.Turns, stop: threading.Event
) -> int:
    """A turn for the endpoints that have something due and none under way; how many."""
    due = db.read(deliveries.due_endpoints)
    return fair.give(due, lambda endpoint: pool.submit(_turn, app, *endpoint, stop, None))


def _rest(fair: turns.Turns, stop: threading.Event, seconds: float) -> None:
    """Wait for a turn to end, but no longer than the pause between two looks."""
    if seconds and (under_way := fair.under_way()):
        wait(under_way, timeout=seconds, return_when=FIRST_COMPLETED)
    else:
        stop.wait(seconds)


def _turn(
    app: Flask, program_id: str, endpoint_id: str, stop: threading.Event, at: datetime | None
) -> int:
    """Send what is due to one endpoint, for a few seconds or until it is silent; how many."""
    until, sent = time.monotonic() + TURN_SECONDS, 0
    with app.app_context(), survived(log, "turn_failed", endpoint=endpoint_id):
        while time.monotonic() < until and not stop.is_set():
            claimed = _claimed(program_id, endpoint_id, at)
            if claimed is None:
                break
            answered = send(claimed)
            settle = partial(deliveries.settle, claimed=claimed, answered=answered)
            settled = db.transaction(settle)
            metrics.webhook(OUTCOMES[settled.status])
            if settled.switched_off:
                log.error("endpoint_disabled", endpoint=endpoint_id, reason=settled.switched_off)
            sent += 1
            if answered.status_code is None:
                break
    return sent


def _claimed(program_id: str, endpoint_id: str, at: datetime | None) -> Claimed | None:
    config: Config = current_app.config["LOYALTY"]
    return db.transaction(
        lambda session: deliveries.claim(
            session,
            program_id,
            endpoint_id,
            key=config.webhook_key,
            lease_seconds=LEASE_SECONDS,
            at=at,
        )
    )
