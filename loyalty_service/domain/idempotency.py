"""One effect for one `Idempotency-Key`, and the same answer however often it is sent.

The key is written last, with its answer, and commits with the effect: a crash leaves no stuck key.
Of two duplicates at once one finds the key taken when it comes to write its own: it is rolled back,
effect and all, and replays. A business refusal is kept too, once its verb was rolled back. What
lives on (a redemption, a member) is kept as a reference and rendered as it stands; the rest is
kept as text.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Index, String, Text, bindparam, select, text, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from loyalty_service import clock
from loyalty_service.db import Base, Id, ProgramId
from loyalty_service.domain import access
from loyalty_service.domain.ledger import sending
from loyalty_service.errors import IdempotencyKeyReused, ReplayExpired
from loyalty_service.statements import Statement, table_of

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


_ANSWER = (
    IdempotencyKey.fingerprint,
    IdempotencyKey.status,
    IdempotencyKey.body,
    IdempotencyKey.resource_id,
)
_CALLER_AND_ANSWER = Statement(
    access.KEY_AND_CLIENT.add_columns(*_ANSWER).outerjoin(
        IdempotencyKey,
        (IdempotencyKey.program_id == access.ApiKey.program_id)
        & (IdempotencyKey.principal == access.ApiKey.client_id)
        & (IdempotencyKey.key == bindparam("key")),
    )
)
_SEEN = Statement(
    select(*_ANSWER).where(
        IdempotencyKey.program_id == bindparam("of_program"),
        IdempotencyKey.principal == bindparam("of_principal"),
        IdempotencyKey.key == bindparam("of_key"),
    )
)


class AnsweredMeanwhile(Exception):
    """A duplicate at the same moment was faster: roll back, and ask again for its answer."""


class Seen(NamedTuple):
    """What a key that was used has to say."""

    fingerprint: str
    status: int
    body: str | None
    resource_id: str | None


def authenticate(token: str | None, key: str) -> tuple[access.Principal, Seen | None]:
    """The caller behind an API key, and what the idempotency key has to say, in one look.

    Raises as `access.authenticate`.
    """
    principal, answer = access.look_up(_CALLER_AND_ANSWER, token, key=key)
    return principal, Seen(*answer) if answer[0] else None


def find(session: Session, ask: Ask) -> Seen | None:
    """What a key has to say."""
    mine = {"of_program": ask.program_id, "of_principal": ask.principal, "of_key": ask.key}
    row = _SEEN.first(session, **mine)
    return Seen(*row) if row else None


def replay(ask: Ask, seen: Seen) -> Answer:
    """The answer that a key has; raises IdempotencyKeyReused and ReplayExpired."""
    if seen.fingerprint != ask.fingerprint:
        named = f"; it made {seen.resource_id}" if seen.resource_id else ""
        raise IdempotencyKeyReused(
            f"Idempotency-Key {ask.key!r} was used for another request{named}. "
            "Send a fresh key with a changed request.",
            param="Idempotency-Key",
        )
    if seen.body is None and seen.resource_id is None:
        raise ReplayExpired(f"The answer to {ask.key!r} was kept for {BODY_DAYS} days.")
    return Answer(seen.status, seen.body, seen.resource_id, replayed=True)


def keep(session: Session, ask: Ask, answer: Answer) -> Answer:
    """Write the key with its answer; the last thing before the commit.

    Waits for a duplicate that is about to commit; raises AnsweredMeanwhile where it has.
    """
    row = {
        "program_id": ask.program_id,
        "principal": ask.principal,
        "key": ask.key,
        "fingerprint": ask.fingerprint,
        "status": answer.status,
        "body": answer.body,
        "resource_id": answer.resource_id,
        "created_at": clock.wall(),
    }
    sending.insert_key(session, sending.Key(table_of(IdempotencyKey), row, AnsweredMeanwhile()))
    return answer


def drop_old_bodies(session: Session) -> int:
    """Forget answers older than 30 days; the keys stay used for ever. Returns how many."""
    old = clock.wall() - timedelta(days=BODY_DAYS)
    result = session.connection().execute(
        update(IdempotencyKey)
        .where(IdempotencyKey.created_at < old, IdempotencyKey.body.is_not(None))
        .values(body=None)
    )
    return int(result.rowcount)
