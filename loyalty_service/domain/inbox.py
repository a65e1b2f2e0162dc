"""What Stripe told us: each event once for a program, and what has become of it.

Stored as it came and worked on later. What it carries is personal, so it is forgotten once it has
served.
"""

from datetime import datetime, timedelta

from sqlalchemy import (
    CheckConstraint,
    Index,
    String,
    Text,
    select,
    update,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from loyalty_service import clock
from loyalty_service.db import Base, ProgramId, insert_unless_there
from loyalty_service.domain import jobs, program
from loyalty_service.domain.lists import Page, newest_first
from loyalty_service.statements import LOCK_NAME

STRIPE_EVENT = "stripe_event"
DUE, DONE, WAITING, IGNORED, REFUSED = "due", "done", "waiting", "ignored", "refused"
STATUSES = (DUE, DONE, WAITING, IGNORED, REFUSED)
KEPT_DAYS = 30


class StripeEvent(Base):
    """One event. `note` says why nothing came of it; `waits_for` is the Stripe customer whom no
    member has."""

    __tablename__ = "stripe_events"
    program_id: Mapped[str] = mapped_column(ProgramId, primary_key=True)
    id: Mapped[str] = mapped_column(String(80), primary_key=True)
    type: Mapped[str] = mapped_column(String(80))
    status: Mapped[str] = mapped_column(String(8), server_default=DUE)
    payload: Mapped[str | None] = mapped_column(Text)
    note: Mapped[str | None] = mapped_column(String(500))
    waits_for: Mapped[str | None] = mapped_column(String(80))
    created_at: Mapped[datetime]
    received_at: Mapped[datetime]
    __table_args__ = (
        CheckConstraint(
            "status IN ('due', 'done', 'waiting', 'ignored', 'refused')", name="status_known"
        ),
        CheckConstraint(
            "(status = 'waiting') = (waits_for IS NOT NULL)", name="waits_for_somebody"
        ),
        Index("ix_stripe_events_waits_for", "program_id", "waits_for"),
        Index("ix_stripe_events_received_at", "received_at"),
    )


def receive(
    session: Session,
    program_id: str,
    event_id: str,
    *,
    type_: str,
    created_at: datetime,
    payload: str,
) -> bool:
    """Keep an event and promise to work on it; False where it is here already."""
    values = {
        "program_id": program_id,
        "id": event_id,
        "type": type_,
        "status": DUE,
        "payload": payload,
        "created_at": created_at,
        "received_at": clock.wall(),
    }
    if not insert_unless_there(session, StripeEvent, values):
        return False
    jobs.promise(session, program_id, STRIPE_EVENT, event_id, lease_seconds=0)
    return True


def find(session: Session, program_id: str, event_id: str) -> StripeEvent:
    """An event that was received."""
    return session.get_one(StripeEvent, (program_id, event_id))


def require(session: Session, program_id: str, event_id: str) -> StripeEvent:
    """An event that was received, locked."""
    row = session.get_one(StripeEvent, (program_id, event_id), with_for_update={"key_share": True})
    return row


def close(row: StripeEvent, status: str, note: str | None = None) -> None:
    """Note what became of an event."""
    row.status, row.note, row.waits_for = status, note and note[:500], None


def wait_for(row: StripeEvent, customer_id: str) -> None:
    """Let an event wait for the member who has a Stripe customer."""
    row.status, row.note, row.waits_for = WAITING, "no member has this customer", customer_id


def take_turns(session: Session, program_id: str, customer_id: str) -> None:
    """Let one at a time wait for a Stripe customer or become it, until the transaction ends.

    Else an event would begin to wait for the member who has just become this customer, unseen.
    Comes before the lock on any member.
    """
    LOCK_NAME.first(session, name=f"stripe {program_id} {customer_id}")


def release(session: Session, program_id: str, customer_id: str) -> int:
    """Work again on what waited for a customer; returns how many events that are."""
    mine = (StripeEvent.program_id == program_id, StripeEvent.waits_for == customer_id)
    found = session.scalars(
        update(StripeEvent)
        .where(*mine)
        .values(status=DUE, waits_for=None, note=None)
        .returning(StripeEvent.id)
        .execution_options(synchronize_session=False)
    ).all()
    for event_id in found:
        jobs.renew(session, program_id, STRIPE_EVENT, event_id)
    return len(found)


def forget_payloads(session: Session) -> None:
    """Forget what events carried that have served for long enough, or wait in vain."""
    for program_id, rules in program.all_in_force(session):
        _wait_no_longer(session, program_id, rules.late_days)
    before = clock.wall() - timedelta(days=KEPT_DAYS)
    session.execute(
        update(StripeEvent)
        .where(StripeEvent.received_at < before, StripeEvent.payload.is_not(None))
        .where(StripeEvent.status.in_((DONE, IGNORED, REFUSED)))
        .values(payload=None)
        .execution_options(synchronize_session=False)
    )


def _wait_no_longer(session: Session, program_id: str, late_days: int) -> None:
    """End waits for nobody: an order of that age would be refused now, whoever came."""
    before = clock.wall() - timedelta(days=late_days)
    session.execute(
        update(StripeEvent)
        .where(StripeEvent.program_id == program_id, StripeEvent.status == WAITING)
        .where(StripeEvent.created_at < before)
        .values(status=IGNORED, waits_for=None, note="no member became this customer in time")
        .execution_options(synchronize_session=False)
    )


def listed(session: Session, program_id: str, status: str | None, page: Page) -> list[StripeEvent]:
    """Events as they came, newest first; raises CursorNotFound."""
    mine = select(StripeEvent).where(StripeEvent.program_id == program_id)
    if status:
        mine = mine.where(StripeEvent.status == status)
    return newest_first(
        session,
        mine,
        page,
        id_column=StripeEvent.id,
        order=(StripeEvent.received_at, StripeEvent.id),
    )
