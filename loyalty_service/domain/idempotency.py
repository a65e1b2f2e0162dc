"""One effect for one `Idempotency-Key`, and the same answer however often it is sent.

The key's row is written first and commits with its effect: a crash leaves no stuck key, and a
concurrent duplicate waits for the row, then replays. Business refusals are kept too: the verb is
rolled back to a savepoint and the key commits with the refusal. What lives on (a redemption, a
member) is kept as a reference and rendered as it stands; the rest is kept as text.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Index, String, Text, select, text, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from loyalty_service import clock
from loyalty_service.db import Base, Id, ProgramId, insert_unless_there
from loyalty_service.errors import IdempotencyKeyReused, LoyaltyError, ReplayExpired

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


def once(
    session: Session,
    ask: Ask,
    verb: Callable[[], Answer],
    refuse: Callable[[LoyaltyError], Answer],
) -> Answer:
    """Run `verb` if the key is new, else give its answer again.

    `refuse` renders a business refusal, which is kept; other errors leave no key behind.
    Raises IdempotencyKeyReused and ReplayExpired.
    """
    row = {
        "program_id": ask.program_id,
        "principal": ask.principal,
        "key": ask.key,
        "fingerprint": ask.fingerprint,
        "created_at": clock.wall(),
    }
    # Lock first: a duplicate at the same moment waits here until this one has committed.
    if not insert_unless_there(session, IdempotencyKey, row):
        return _replay(session, ask)
    answer = _run(session, verb, refuse)
    session.execute(
        update(IdempotencyKey)
        .where(*_mine(ask))
        .values(status=answer.status, body=answer.body, resource_id=answer.resource_id)
        .execution_options(synchronize_session=False)
    )
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


def _run(
    session: Session, verb: Callable[[], Answer], refuse: Callable[[LoyaltyError], Answer]
) -> Answer:
    savepoint = session.begin_nested()
    try:
        answer = verb()
        savepoint.commit()
    except LoyaltyError as refusal:
        if not refusal.kept:
            raise
        savepoint.rollback()
        return refuse(refusal)
    return answer


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
