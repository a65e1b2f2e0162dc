"""The event's row."""

import json
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, String, Text
from sqlalchemy.orm import Mapped, Session, mapped_column

from loyalty_service.db import Base, Id, Points, ProgramId
from loyalty_service.domain import ledger
from loyalty_service.domain.earning import EventFacts
from loyalty_service.errors import EventNotFound

RECORDED, WAITING = "recorded", "waiting"


class Event(Base):
    """One event as the shop told it; `content` is canonical JSON.

    One that waits for a first order has `settled_by`, the order's transaction, once that came.
    """

    __tablename__ = "events"
    program_id: Mapped[str] = mapped_column(ProgramId, primary_key=True)
    id: Mapped[str] = mapped_column(String(200), primary_key=True)
    type: Mapped[str] = mapped_column(String(40))
    member_id: Mapped[str] = mapped_column(Id)
    other_member_id: Mapped[str | None] = mapped_column(Id)
    status: Mapped[str] = mapped_column(String(12))
    occurred_at: Mapped[datetime]
    content: Mapped[str] = mapped_column(Text)
    points_earned: Mapped[int] = mapped_column(Points)
    available_at: Mapped[datetime | None]
    transaction_id: Mapped[str] = mapped_column(Id)
    settled_by: Mapped[str | None] = mapped_column(Id)
    recorded_at: Mapped[datetime]
    __table_args__ = (
        ForeignKeyConstraint(["program_id", "member_id"], ["members.program_id", "members.id"]),
        # Both are written by one statement, in no order that could be relied upon.
        ForeignKeyConstraint(
            ["program_id", "transaction_id"],
            ["transactions.program_id", "transactions.id"],
            deferrable=True,
            initially="DEFERRED",
        ),
        Index("ix_events_member", "program_id", "member_id", "type"),
        CheckConstraint("status IN ('recorded', 'waiting')", name="status_known"),
    )

    @property
    def facts(self) -> EventFacts:
        """What decides the points."""
        return EventFacts(self.type, json.loads(self.content)["data"])


COLUMNS = [column.name for column in Event.__table__.columns]


def as_it_stands(session: Session, event: Event) -> dict[str, Any]:
    """A recorded event's columns by name; nothing is earned any more once it was taken back."""
    row = {name: getattr(event, name) for name in COLUMNS}
    # The row says what was given, as the postings do: taking back writes only beside it.
    given_by = event.settled_by or event.transaction_id
    if event.points_earned and ledger.find_reversal(session, event.program_id, given_by):
        row["points_earned"] = 0
    return row


def require(session: Session, program_id: str, event_id: str) -> Event:
    """An event of this program; raises EventNotFound."""
    found = session.get(Event, (program_id, event_id), populate_existing=True)
    if found is None:
        raise EventNotFound(f"There is no event {event_id!r}.", param="id")
    return found
