"""Refunds: money given back, once per refund id, and the points that go with it."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from loyalty_service.db import Base, Id, Points, ProgramId

WAITING, SETTLED, REFUSED = "waiting", "settled", "refused"


class Refund(Base):
    """One refund as the shop told it, maybe before its order; `content` is canonical JSON."""

    __tablename__ = "refunds"
    program_id: Mapped[str] = mapped_column(ProgramId, primary_key=True)
    id: Mapped[str] = mapped_column(String(200), primary_key=True)
    order_id: Mapped[str] = mapped_column(String(200))
    status: Mapped[str] = mapped_column(String(12))
    content: Mapped[str] = mapped_column(Text)
    points_taken: Mapped[int] = mapped_column(Points)
    transaction_id: Mapped[str | None] = mapped_column(Id)
    refusal: Mapped[str | None] = mapped_column(String(60))
    recorded_at: Mapped[datetime]
    __table_args__ = (
        ForeignKeyConstraint(
            ["program_id", "transaction_id"],
            ["transactions.program_id", "transactions.id"],
            deferrable=True,
            initially="DEFERRED",
        ),
        Index("ix_refunds_order", "program_id", "order_id"),
        CheckConstraint("status IN ('waiting', 'settled', 'refused')", name="status_known"),
        CheckConstraint(
            "status <> 'settled' OR transaction_id IS NOT NULL", name="settled_has_a_transaction"
        ),
    )
