"""The outbox: each promise is held by one at a time, tried with growing patience, never lost."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

import pytest
from flask import Flask
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from loyalty_service import clock, db
from loyalty_service.domain import jobs
from loyalty_service.domain.jobs import Claimed, Job
from tests.promises import promise_of
from tests.stripe_control import together

PROGRAM = "shop"
LEASE_SECONDS = 30
T = TypeVar("T")


@pytest.fixture
def outbox(app: Flask) -> "Outbox":
    return Outbox(app)


class Outbox:
    """The verbs of jobs, each in a transaction of its own."""

    def __init__(self, app: Flask) -> None:
        self.app = app

    def do(self, work: Callable[[Session], T]) -> T:
        with self.app.app_context():
            return db.transaction(work)

    def promise(self, subject: str = "rdm_1", lease_seconds: int = 0) -> Claimed:
        return self.do(
            lambda session: jobs.promise(
                session, PROGRAM, "issue_code", subject, lease_seconds=lease_seconds
            )
        )

    def claim(self, limit: int = 100, after_seconds: int = 1) -> list[Claimed]:
        at = clock.wall() + timedelta(seconds=after_seconds)
        return self.do(
            lambda session: jobs.claim(session, limit=limit, lease_seconds=LEASE_SECONDS, at=at)
        )

    def try_again(self, job: Claimed, **more: Any) -> None:
        self.do(lambda session: jobs.try_again(session, job, "unclear", **more))

    def done(self, job: Claimed) -> None:
        self.do(lambda session: jobs.done(session, job))

    def row(self, subject: str = "rdm_1") -> Job:
        return self.do(lambda session: promise_of(session, PROGRAM, "issue_code", subject))


def test_a_promise_belongs_to_its_maker_until_the_lease_ends(outbox: Outbox) -> None:
    outbox.promise(lease_seconds=60)
    assert outbox.claim(after_seconds=55) == []
    assert [job.subject_id for job in outbox.claim(after_seconds=61)] == ["rdm_1"]


def test_a_promise_is_made_once(outbox: Outbox) -> None:
    outbox.promise()
    with pytest.raises(IntegrityError):
        outbox.promise()


def test_a_holder_that_dies_leaves_a_lease_that_ends(outbox: Outbox) -> None:
    outbox.promise()
    assert [job.attempts for job in outbox.claim()] == [2]
    assert outbox.claim(after_seconds=LEASE_SECONDS - 5) == []
    assert [job.attempts for job in outbox.claim(after_seconds=LEASE_SECONDS + 5)] == [3]


def test_a_claim_takes_no_more_than_asked_for_and_the_longest_due_first(outbox: Outbox) -> None:
    for number in range(8):
        outbox.promise(f"rdm_{number}")
    taken = [outbox.claim(limit=1) for _ in range(8)]
    assert [[job.subject_id for job in each] for each in taken] == [
        [f"rdm_{number}"] for number in range(8)
    ]


def test_what_was_tried_in_this_round_can_be_left_out(outbox: Outbox) -> None:
    first, second = outbox.promise("rdm_1"), outbox.promise("rdm_2")
    rest = outbox.do(
        lambda session: jobs.claim(
            session,
            limit=9,
            lease_seconds=1,
            at=clock.wall() + timedelta(seconds=1),
            besides=[first.id],
        )
    )
    assert [job.id for job in rest] == [second.id]


def test_a_kept_promise_is_never_claimed_again(outbox: Outbox) -> None:
    outbox.done(outbox.promise())
    assert outbox.claim(after_seconds=10**6) == []
    assert outbox.row().status == jobs.DONE


def test_patience_grows_from_try_to_try_and_then_stays(outbox: Outbox) -> None:
    job, waited = outbox.promise(), []
    for _ in range(10):
        before = clock.wall()
        outbox.try_again(job)
        waited.append(round((outbox.row().available_at - before).total_seconds()))
        job = outbox.claim(after_seconds=4000)[0]
    assert waited == [*jobs.BACK_OFF_SECONDS, 3600, 3600]
    assert waited == sorted(waited)


def test_a_wish_for_patience_is_followed(outbox: Outbox) -> None:
    job, before = outbox.promise(), clock.wall()
    outbox.try_again(job, after_seconds=77)
    assert round((outbox.row().available_at - before).total_seconds()) == 77


def test_a_kept_5xx_asks_for_another_key_next_time(outbox: Outbox) -> None:
    outbox.try_again(outbox.promise(), next_key=True)
    second = outbox.claim(after_seconds=60)[0]
    assert second.key_generation == 1
    outbox.try_again(second)
    assert outbox.claim(after_seconds=60)[0].key_generation == 1


def test_after_the_last_attempt_a_job_is_dead_and_visible(outbox: Outbox) -> None:
    job = outbox.promise()
    for _ in range(jobs.ATTEMPTS_MAX - 1):
        outbox.try_again(job)
        job = outbox.claim(after_seconds=4000)[0]
    assert outbox.row().status == jobs.DUE
    outbox.try_again(job)
    assert outbox.claim(after_seconds=10**6) == []
    dead = outbox.do(lambda session: jobs.listed(session, [PROGRAM], [jobs.DEAD]))
    assert [(row.subject_id, row.last_error) for row in dead] == [("rdm_1", "unclear")]


def test_a_dead_job_can_be_revived_alone_and_looks_first(outbox: Outbox) -> None:
    for subject in ("rdm_1", "rdm_2"):
        outbox.promise(subject)
    for job in outbox.claim():
        outbox.try_again(Claimed(job.program_id, job.id, job.kind, job.subject_id, job.attempts, 0))
    one = outbox.row("rdm_1").id
    assert outbox.do(lambda session: jobs.revive(session, PROGRAM, one)) == 1
    # Without a look first, a code that Stripe forgot to have made would be made twice.
    assert [(job.id, job.attempts) for job in outbox.claim(limit=1)] == [(one, 2)]


def test_reviving_leaves_alone_what_is_done_and_what_is_another_programs(outbox: Outbox) -> None:
    outbox.done(outbox.promise("rdm_done"))
    outbox.promise("rdm_open")
    assert outbox.do(lambda session: jobs.revive(session, "another")) == 0
    assert outbox.do(lambda session: jobs.revive(session, PROGRAM)) == 1
    assert outbox.row("rdm_done").status == jobs.DONE


def test_whoever_lost_the_lease_can_not_put_the_job_back(outbox: Outbox) -> None:
    late = outbox.promise()
    now_mine = outbox.claim()[0]
    before = outbox.row().available_at
    outbox.try_again(late, next_key=True)
    assert (outbox.row().available_at, outbox.row().key_generation) == (before, 0)
    outbox.done(now_mine)
    outbox.try_again(now_mine)
    assert outbox.row().status == jobs.DONE


def test_a_late_keeper_of_a_promise_still_keeps_it(outbox: Outbox) -> None:
    late = outbox.promise()
    outbox.claim()
    outbox.done(late)
    assert outbox.claim(after_seconds=10**6) == []


def test_three_workers_and_some_rollbacks_deliver_each_job_once(outbox: Outbox) -> None:
    total = 200
    outbox.do(lambda session: [a_job(session, number) for number in range(total)])
    delivered: list[list[str]] = [[], [], []]

    def worker(index: int) -> None:
        rounds = 0
        while batch := claim_or_roll_back(outbox, fail=rounds % 5 == index):
            rounds += 1
            for job in batch[0]:
                outbox.done(job)
                delivered[index].append(job.subject_id)

    together(3, worker)
    counts = Counter(subject for each in delivered for subject in each)
    assert len(counts) == total
    assert set(counts.values()) == {1}


class RolledBack(Exception):
    pass


def claim_or_roll_back(outbox: Outbox, *, fail: bool) -> list[list[Claimed]]:
    """What was claimed, in a list that is empty when nothing is due any more."""
    claimed: list[Claimed] = []

    def work(session: Session) -> None:
        claimed.extend(jobs.claim(session, limit=7, lease_seconds=600))
        if fail and claimed:
            raise RolledBack

    try:
        outbox.do(work)
    except RolledBack:
        return [[]]
    return [claimed] if claimed else []


def a_job(session: Session, number: int) -> None:
    jobs.promise(session, PROGRAM, "issue_code", f"rdm_{number}", lease_seconds=0)
