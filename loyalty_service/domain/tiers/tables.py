"""Tier credits, which are facts, and grants, which are made once a cause."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from loyalty_service.db import Base, Id, Points, ProgramId


class TierCredit(Base):
    """What one transaction adds to (or takes from) a member's tier credits. Immutable.

    Every metric is noted, so that a program that changes its metric has a past. What takes back is
    dated on the day of what it takes back. Each figure stands in the transaction's context, too.
    """

    __tablename__ = "tier_credits"
    program_id: Mapped[str] = mapped_column(ProgramId, primary_key=True)
    transaction_id: Mapped[str] = mapped_column(Id, primary_key=True)
    member_id: Mapped[str] = mapped_column(Id)
    day: Mapped[date]
    program_version: Mapped[int]
    spend_minor: Mapped[int] = mapped_column(Points)
    base_points: Mapped[int] = mapped_column(Points)
    points: Mapped[int] = mapped_column(Points)
    orders: Mapped[int]
    __table_args__ = (
        ForeignKeyConstraint(
            ["program_id", "transaction_id"], ["transactions.program_id", "transactions.id"]
        ),
        Index("ix_tier_credits_member", "program_id", "member_id", "day"),
    )


class Grant(Base):
    """Points given once for a cause, such as `tier:gold:2026`; `withdrawn` of them are gone."""

    __tablename__ = "grants"
    program_id: Mapped[str] = mapped_column(ProgramId, primary_key=True)
    member_id: Mapped[str] = mapped_column(Id, primary_key=True)
    cause: Mapped[str] = mapped_column(String(120), primary_key=True)
    transaction_id: Mapped[str] = mapped_column(Id)
    points: Mapped[int] = mapped_column(Points)
    withdrawn: Mapped[int] = mapped_column(Points, server_default="0")
    recorded_at: Mapped[datetime]
    __table_args__ = (
        ForeignKeyConstraint(
            ["program_id", "member_id"], ["accounts.program_id", "accounts.member_id"]
        ),
        ForeignKeyConstraint(
            ["program_id", "transaction_id"], ["transactions.program_id", "transactions.id"]
        ),
        CheckConstraint("withdrawn >= 0 AND withdrawn <= points", name="withdrawn_in_range"),
    )
