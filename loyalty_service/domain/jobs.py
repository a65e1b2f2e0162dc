"""The outbox: what was promised with a ledger entry and has to be done outside the database.

A job is a row written in the same transaction as its cause. A lease is a moment in the row: a
worker that dies leaves a lease that ends. Leases live by the machine's time, not business time.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    Index,
    String,
    Text,
    UniqueConstraint,
    bindparam,
    literal_column,
    null,
    select,
    text,
    update,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from loyalty_service import clock, ids
from loyalty_service.db import Base, Id, ProgramId
from loyalty_service.statements import Statement, Values, inserting, table_of, together

DUE, DONE, DEAD = "due", "done", "dead"
ATTEMPTS_MAX = 36
BACK_OFF_SECONDS = (1, 2, 5, 15, 60, 300, 900, 3600)


class Job(Base):
    """One promise: `kind` done to `subject_id`, once."""

    __tablename__ = "jobs"
    program_id: Mapped[str] = mapped_column(ProgramId, primary_key=True)
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    kind: Mapped[str] = mapped_column(String(40))
    subject_id: Mapped[str] = mapped_column(Id)
    status: Mapped[str] = mapped_column(String(8), server_default=DUE)
    attempts: Mapped[int] = mapped_column(server_default="0")
    # Counts the tries that Stripe answered with a kept 5xx: part of the next idempotency key.
    key_generation: Mapped[int] = mapped_column(server_default="0")
    available_at: Mapped[datetime]
    created_at: Mapped[datetime]
    last_error: Mapped[str | None] = mapped_column(Text)
    __table_args__ = (
        UniqueConstraint("program_id", "kind", "subject_id"),
        CheckConstraint("status IN ('due', 'done', 'dead')", name="status_known"),
        Index(
            "ix_jobs_due",
            "available_at",
            sqlite_where=text("status = 'due'"),
            postgresql_where=text("status = 'due'"),
        ),
        # For counting what was given up without reading what was done.
        Index(
            "ix_jobs_dead",
            "available_at",
            sqlite_where=text("status = 'dead'"),
            postgresql_where=text("status = 'dead'"),
        ),
    )


@dataclass(frozen=True, slots=True)
class Claimed:
    """A job under lease."""

    program_id: str
    id: str
    kind: str
    subject_id: str
    attempts: int
    key_generation: int


_PROMISE = inserting(table_of(Job))
_DONE = Statement(
    update(Job)
    .where(Job.program_id == bindparam("of_program"), Job.id == bindparam("job"))
    .values(status=literal_column(f"'{DONE}'"), last_error=null())
)


def promise(
    session: Session, program_id: str, kind: str, subject_id: str, *, lease_seconds: int
) -> Claimed:
    """Write the promise, already leased to the caller, who tries once right after the commit."""
    claimed, row = promised(program_id, kind, subject_id, lease_seconds=lease_seconds)
    _PROMISE.run(session, **row)
    return claimed


def promised(
    program_id: str, kind: str, subject_id: str, *, lease_seconds: int
) -> tuple[Claimed, dict[str, Any]]:
    """A promise that is still to be written, and its row."""
    job_id, now = ids.new("job"), clock.wall()
    row = {
        "program_id": program_id,
        "id": job_id,
        "kind": kind,
        "subject_id": subject_id,
        "status": DUE,
        "attempts": 1,
        "key_generation": 0,
        "available_at": now + timedelta(seconds=lease_seconds),
        "created_at": now,
        "last_error": None,
    }
    return Claimed(program_id, job_id, kind, subject_id, 1, 0), row


def claim(
    session: Session,
    *,
    limit: int,
    lease_seconds: int,
    at: datetime | None = None,
    besides: Collection[str] = (),
    besides_programs: Collection[str] = (),
) -> list[Claimed]:
    """Lease up to `limit` due jobs, not those in `besides`; two workers never get the same.

    `at` is the machine's time by which a job must be due, for tests that don't wait.
    """
    now = at or clock.wall()
    due = (
        select(Job.program_id, Job.id)
        .where(Job.status == DUE, Job.available_at <= now, Job.id.not_in(besides))
        .where(Job.program_id.not_in(besides_programs))
        .order_by(Job.available_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
        # PostgreSQL may run a plain subquery once a row, and so lease far more than `limit`.
        .cte("due")
    )
    rows = session.execute(
        update(Job)
        .where(Job.status == DUE, Job.id.in_(select(due.c.id)))
        .values(available_at=now + timedelta(seconds=lease_seconds), attempts=Job.attempts + 1)
        .returning(
            Job.program_id, Job.id, Job.kind, Job.subject_id, Job.attempts, Job.key_generation
        )
        .execution_options(synchronize_session=False)
    ).all()
    return [Claimed(*row) for row in rows]


def done(session: Session, job: Claimed) -> None:
    """The promise is kept."""
    together(session, [done_statement(job)])


def done_statement(job: Claimed) -> tuple[Statement, Values]:
    """What says that the promise is kept, to go together with something else."""
    return _DONE, {"of_program": job.program_id, "job": job.id}


def try_again(
    session: Session,
    job: Claimed,
    error: str,
    *,
    after_seconds: int | None = None,
    next_key: bool = False,
) -> None:
    """Put the job back with growing patience; after the last attempt it is dead, but visible.

    Nothing happens where the lease ended and somebody else took or finished the job meanwhile.
    """
    patience = BACK_OFF_SECONDS[min(job.attempts, len(BACK_OFF_SECONDS)) - 1]
    _set(
        session,
        job,
        # Each claim counts one up: another count is another holder.
        Job.status == DUE,
        Job.attempts == job.attempts,
        status=DEAD if job.attempts >= ATTEMPTS_MAX else DUE,
        available_at=clock.wall() + timedelta(seconds=after_seconds or patience),
        last_error=error[:500],
        key_generation=job.key_generation + int(next_key),
    )


def renew(session: Session, program_id: str, kind: str, subject_id: str) -> None:
    """Make a promise due again that was thought to be kept, with all its tries."""
    session.execute(
        update(Job)
        .where(Job.program_id == program_id, Job.kind == kind, Job.subject_id == subject_id)
        .values(status=DUE, attempts=0, available_at=clock.wall())
        .execution_options(synchronize_session=False)
    )


def reopen(session: Session, job: Claimed) -> None:
    """Make a job due at once, one that is done too: there is more to it than was known."""
    _set(session, job, status=DUE, available_at=clock.wall())


def listed(session: Session, program_ids: Sequence[str], statuses: Sequence[str]) -> list[Job]:
    """Jobs of some statuses, oldest first."""
    mine = select(Job).where(Job.program_id.in_(program_ids), Job.status.in_(statuses))
    return list(session.scalars(mine.order_by(Job.id)))


def revive(session: Session, program_id: str, job_id: str | None = None) -> int:
    """Make dead and waiting jobs due at once, one or all; returns how many."""
    mine = update(Job).where(Job.program_id == program_id, Job.status.in_((DEAD, DUE)))
    if job_id:
        mine = mine.where(Job.id == job_id)
    # One attempt, not none: whoever is next must look before asking again.
    result = session.connection().execute(
        mine.values(status=DUE, attempts=1, available_at=clock.wall())
    )
    return int(result.rowcount)


def _set(
    session: Session, job: Claimed, *conditions: ColumnElement[bool], **values: object
) -> None:
    session.execute(
        update(Job)
        .where(Job.program_id == job.program_id, Job.id == job.id, *conditions)
        .values(**values)
        .execution_options(synchronize_session=False)
    )
