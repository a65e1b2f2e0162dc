"""One effect for one `Idempotency-Key`, and the same answer however often it is sent.

The key's row is written first and commits with its effect: a crash leaves no stuck key, and a
concurrent duplicate waits for the row, then replays. Business refusals are kept too: everything is
rolled back, and the key is kept with the refusal unless a duplicate was answered meanwhile. What
lives on (a redemption, a member) is kept as a reference and rendered as it stands; the rest is
kept as text.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Index, String, Text, bindparam, select, text, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from loyalty_service import clock
from loyalty_service.db import Base, Id, ProgramId
from loyalty_service.errors import IdempotencyKeyReused, ReplayExpired
from loyalty_service.statements import Statement, inserting_unless_there

BODY_DAYS = 30


class IdempotencyKey(Base):
    """A used key: what was asked (as a fingerprint) and what was answered."""

    __tablename__ = "idempotency_keys"
    program_id: Mapped[str] = mapped_column(ProgramId, primary_key=True)
    principal: Mapped[str] = mapped_column(Id, primary_key=True)
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(64))
    status: Mapped[int | None]
    # The first answer's text; None where `resource_id` is rendered instead, or once it is dropped.
    body: Mapped[str | None] = mapped_column(Text)
    resource_id: Mapped[str | None] = mapped_column(String(200))
    created_at: Mapped[datetime]
    __table_args__ = (
        # For dropping old bodies without reading the keys that are kept for ever.
        Index(
            "ix_idempotency_keys_body",
            "created_at",
            sqlite_where=text("body IS NOT NULL"),
            postgresql_where=text("body IS NOT NULL"),
        ),
    )


@dataclass(frozen=True, slots=True)
class Ask:
    """One request: whose, under which key, and the fingerprint of what it asks."""

    program_id: str
    principal: str
    key: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Answer:
    """Status and body text; without a body, `resource_id` is to be rendered as it stands."""

    status: int
    body: str | None = None
    resource_id: str | None = None
    replayed: bool = False


_ASKED = ("program_id", "principal", "key", "fingerprint", "created_at")
_ANSWERED = ("status", "body", "resource_id")
_TAKE = inserting_unless_there(IdempotencyKey, _ASKED)
_TAKE_ANSWERED = inserting_unless_there(IdempotencyKey, (*_ASKED, *_ANSWERED))
_ANSWER = Statement(
    update(IdempotencyKey)
    .where(
        IdempotencyKey.program_id == bindparam("of_program"),
        IdempotencyKey.principal == bindparam("of_principal"),
        IdempotencyKey.key == bindparam("of_key"),
    )
    .values({name: bindparam(f"new_{name}") for name in _ANSWERED})
)


def once(session: Session, ask: Ask, verb: Callable[[], Answer]) -> Answer:
    """Run `verb` if the key is new, else give its answer again.

    An error of the verb's leaves no key behind: see `keep`. Raises IdempotencyKeyReused and
    ReplayExpired.
    """
    # Lock first: a duplicate at the same moment waits here until this one has committed.
    if not _TAKE.run(session, **_row(ask)):
        return _replay(session, ask)
    answer = verb()
    _ANSWER.run(
        session,
        of_program=ask.program_id,
        of_principal=ask.principal,
        of_key=ask.key,
        new_status=answer.status,
        new_body=answer.body,
        new_resource_id=answer.resource_id,
    )
    return answer


def keep(session: Session, ask: Ask, refusal: Answer) -> Answer:
    """Keep a refusal, whose verb was rolled back, as the key's answer.

    Where a duplicate was answered between the two transactions, that answer stands.
    """
    answered = {name: getattr(refusal, name) for name in _ANSWERED}
    if not _TAKE_ANSWERED.run(session, **_row(ask), **answered):
        return _replay(session, ask)
    return refusal


def drop_old_bodies(session: Session) -> int:
    """Forget answers older than 30 days; the keys stay used for ever. Returns how many."""
    old = clock.wall() - timedelta(days=BODY_DAYS)
    result = session.connection().execute(
        update(IdempotencyKey)
        .where(IdempotencyKey.created_at < old, IdempotencyKey.body.is_not(None))
        .values(body=None)
    )
    return int(result.rowcount)


def _row(ask: Ask) -> dict[str, Any]:
    return {
        "program_id": ask.program_id,
        "principal": ask.principal,
        "key": ask.key,
        "fingerprint": ask.fingerprint,
        "created_at": clock.wall(),
    }


def _replay(session: Session, ask: Ask) -> Answer:
    kept = session.execute(select(IdempotencyKey).where(*_mine(ask))).scalar_one()
    if kept.fingerprint != ask.fingerprint:
        named = f"; it made {kept.resource_id}" if kept.resource_id else ""
        raise IdempotencyKeyReused(
            f"Idempotency-Key {ask.key!r} was used for another request{named}. "
            "Send a fresh key with a changed request.",
            param="Idempotency-Key",
        )
    if kept.body is None and kept.resource_id is None:
        raise ReplayExpired(f"The answer to {ask.key!r} was kept for {BODY_DAYS} days.")
    assert kept.status is not None, "a key committed without its answer"
    return Answer(kept.status, kept.body, kept.resource_id, replayed=True)


def _mine(ask: Ask) -> tuple[ColumnElement[bool], ...]:
    return (
        IdempotencyKey.program_id == ask.program_id,
        IdempotencyKey.principal == ask.principal,
        IdempotencyKey.key == ask.key,
    )
