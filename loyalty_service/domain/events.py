"""Events: everything that earns and is not an order, once per event id."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from loyalty_service.db import Base, Id, Points, ProgramId

RECORDED, WAITING = "recorded", "waiting"


class Event(Base):
    """One event as the shop told it; `content` is canonical JSON.

    One that waits for a first order has `settled_by` once that order came.
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
        ForeignKeyConstraint(
            ["program_id", "transaction_id"],
            ["transactions.program_id", "transactions.id"],
            deferrable=True,
            initially="DEFERRED",
        ),
        Index("ix_events_member", "program_id", "member_id", "type"),
        CheckConstraint("status IN ('recorded', 'waiting')", name="status_known"),
    )
