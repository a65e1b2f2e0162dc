"""The worker: it goes on whatever happens, and stops cleanly."""

import threading
import time
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import requests
from flask import Flask
from sqlalchemy.exc import OperationalError

from loyalty_service import clock, db, worker, worker_door
from loyalty_service.domain import idempotency, jobs, redemptions
from loyalty_service.domain.codes import ISSUE_CODE
from loyalty_service.domain.jobs import Job
from loyalty_service.fulfilment import Outcome
from tests.shop import DEFAULT_PROGRAM, Shop
from tests.stripe_control import StripeControl, together

CODES = "/v1/promotion_codes"


def test_nothing_due_is_nothing_done(shop: Shop) -> None:
    assert shop.work() == 0


def test_a_round_tries_each_job_once(shop: Shop, stripe: StripeControl) -> None:
    pending(shop, stripe, 3)
    stripe.fault("conflict_409", times=99, path=f"{CODES}*")
    assert shop.work(at=tomorrow()) == 3
    assert {job.attempts for job in promises(shop)} == {2}


def test_a_round_is_no_longer_than_a_batch(
    shop: Shop, stripe: StripeControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "BATCH", 2)
    pending(shop, stripe, 3)
    assert [shop.work(at=tomorrow()) for _ in range(3)] == [2, 1, 0]


def test_a_handler_that_breaks_puts_its_job_back_and_the_others_go_on(
    shop: Shop, stripe: StripeControl
) -> None:
    first, second = pending(shop, stripe, 2)
    change(shop, first, kind="unheard_of")
    assert shop.work(at=tomorrow()) == 2
    assert status(shop, second) == "issued"
    broken = [job for job in promises(shop) if job.status == jobs.DUE]
    assert [(job.kind, job.subject_id) for job in broken] == [("unheard_of", first)]
    assert "KeyError" in str(broken[0].last_error)
    change(shop, first, kind=ISSUE_CODE)
    shop.work(at=tomorrow())
    assert status(shop, first) == "issued"


def test_a_worker_that_dies_in_a_call_leaves_a_job_that_another_does(
    shop: Shop, stripe: StripeControl
) -> None:
    (redemption,) = pending(shop, stripe, 1)
    with shop.app.app_context():
        claimed = db.transaction(
            lambda session: jobs.claim(session, limit=1, lease_seconds=30, at=tomorrow())
        )
    assert [job.subject_id for job in claimed] == [redemption]
    assert shop.work(at=tomorrow()) == 0
    assert shop.work(at=tomorrow() + timedelta(seconds=60)) == 1
    assert status(shop, redemption) == "issued"


def test_the_lease_outlasts_a_call_and_holds_one_job_only(
    shop: Shop, stripe: StripeControl
) -> None:
    pending(shop, stripe, 2)
    set_config(shop, stripe_worker_timeout_ms=4000)
    stripe.fault("hold_before", path=CODES, method="POST")
    at = tomorrow()
    working = threading.Thread(target=shop.work, args=(at,))
    working.start()
    stripe.wait_for_held()
    leased = [job.available_at for job in promises(shop) if job.available_at > at]
    assert len(leased) == 1
    assert leased[0] > at + timedelta(seconds=4)
    stripe.clear()
    working.join(timeout=30)


def test_a_stop_finishes_the_job_in_hand_and_takes_no_other(
    shop: Shop, stripe: StripeControl
) -> None:
    first, second = pending(shop, stripe, 2)
    due_now(shop)
    stripe.fault("hold_before", path=CODES, method="POST")
    thread, stop = worker.start_thread(shop.app)
    stripe.wait_for_held()
    stop.set()
    stripe.clear()
    thread.join(timeout=30)
    assert not thread.is_alive()
    assert sorted([status(shop, first), status(shop, second)]) == ["issued", "pending"]


def test_a_stop_while_idle_is_at_once(shop: Shop) -> None:
    set_config(shop, worker_poll_ms=60000)
    thread, stop = worker.start_thread(shop.app)
    stop.set()
    thread.join(timeout=30)
    assert not thread.is_alive()


@pytest.mark.slow
def test_a_worker_that_does_nothing_for_too_long_is_not_alive(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = shop.app.config["LOYALTY"]
    longest_seconds = 12 * 20 + 60 + 1
    shop.work()
    assert not worker.is_stuck(config)
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + longest_seconds)
    assert worker.is_stuck(config)
    with worker_door.opened(shop.app, "127.0.0.1", 0) as port:
        stuck = requests.get(f"http://127.0.0.1:{port}/livez", timeout=30)
        shop.work()
        again = requests.get(f"http://127.0.0.1:{port}/livez", timeout=30)
    assert (stuck.status_code, again.status_code) == (503, 200)


def test_a_round_that_the_database_breaks_does_not_end_the_worker(
    shop: Shop, stripe: StripeControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    (redemption,) = pending(shop, stripe, 1)
    due_now(shop)
    set_config(shop, worker_poll_ms=1)
    claim, asked = jobs.claim, threading.Semaphore(0)

    def broken_three_times(*given: Any, **more: Any) -> Any:
        asked.release()
        failures.append(1)
        if len(failures) <= 3:
            raise OperationalError("SELECT", {}, Exception("the server closed the connection"))
        return claim(*given, **more)

    failures: list[int] = []
    monkeypatch.setattr(jobs, "claim", broken_three_times)
    thread, stop = worker.start_thread(shop.app)
    for _ in range(5):
        assert asked.acquire(timeout=30)
    stop.set()
    thread.join(timeout=30)
    assert status(shop, redemption) == "issued"


def test_a_database_that_goes_away_while_a_job_is_put_back_ends_nothing(
    shop: Shop, stripe: StripeControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = pending(shop, stripe, 2)
    stripe.fault("conflict_409", path=f"{CODES}*")

    def gone(*given: Any, **more: Any) -> None:
        raise OperationalError("UPDATE", {}, Exception("the server closed the connection"))

    with monkeypatch.context() as broken:
        broken.setattr(jobs, "try_again", gone)
        assert shop.work(at=tomorrow()) == 2
    assert sorted([status(shop, first), status(shop, second)]) == ["issued", "pending"]
    shop.work(at=tomorrow() + timedelta(hours=1))
    assert [status(shop, first), status(shop, second)] == ["issued", "issued"]


@pytest.mark.slow
def test_two_workers_share_the_work(shop: Shop, stripe: StripeControl) -> None:
    redeemed = pending(shop, stripe, 10)
    at = tomorrow()
    handled = together(2, lambda _: shop.work(at=at))
    assert sum(handled) == 10
    assert {status(shop, each) for each in redeemed} == {"issued"}


def test_the_worker_forgets_old_answers(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = threading.Event()
    monkeypatch.setattr(idempotency, "drop_old_bodies", lambda session: asked.set())
    thread, stop = worker.start_thread(shop.app)
    assert asked.wait(timeout=30)
    stop.set()
    thread.join(timeout=30)


def pending(shop: Shop, stripe: StripeControl, count: int) -> list[str]:
    """Redemptions whose code Stripe did not make at the first try."""
    stripe.fault("conflict_409", times=count, path=f"{CODES}*")
    return [shop.redeem(shop.a_member(points=100))["id"] for _ in range(count)]


def status(shop: Shop, redemption_id: str) -> str:
    return str(shop.get(f"/v1/redemptions/{redemption_id}")["status"])


def promises(shop: Shop) -> list[Job]:
    every = (jobs.DUE, jobs.DONE, jobs.DEAD)
    with shop.app.app_context():
        return db.read(lambda session: jobs.listed(session, [shop.program_id], every))


def change(shop: Shop, redemption_id: str, **values: Any) -> None:
    def work(session: Any) -> None:
        for job in jobs.listed(session, [shop.program_id], (jobs.DUE,)):
            if job.subject_id == redemption_id:
                for name, value in values.items():
                    setattr(job, name, value)

    with shop.app.app_context():
        db.transaction(work)


def due_now(shop: Shop) -> None:
    with shop.app.app_context():
        db.transaction(lambda session: jobs.revive(session, shop.program_id))


def set_config(shop: Shop, **values: Any) -> None:
    shop.app.config["LOYALTY"] = replace(shop.app.config["LOYALTY"], **values)


def tomorrow() -> Any:
    return clock.wall() + timedelta(days=1)


def test_one_programs_dead_stripe_does_not_hold_up_another_programs_codes(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead, alive = (
        Shop.open(app),
        Shop.open(app, DEFAULT_PROGRAM.replace("id: default", "id: alive")),
    )
    tried: list[str] = []

    def fulfil(job: jobs.Claimed, *, timeout_seconds: float) -> Outcome:
        tried.append(job.program_id)
        return Outcome(job.program_id == alive.program_id)

    with app.app_context():
        for shop in (dead, dead, dead, alive, alive):
            member = shop.a_member(points=100)
            db.transaction(
                lambda s, shop=shop, member=member: redemptions.place(
                    s, shop.program_id, redemptions.Wish(member, "money_off"), lease_seconds=0
                )
            )
        monkeypatch.setattr(worker, "fulfil", fulfil)
        worker.run_once(at=clock.wall() + timedelta(seconds=1))
    assert sorted(tried) == ["alive", "alive", "default"]
