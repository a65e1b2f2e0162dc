"""How often and how much a rule with limits has given a member."""

from datetime import datetime

from sqlalchemy import ForeignKeyConstraint, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from loyalty_service.db import Base, Id, Points, ProgramId


class RuleUse(Base):
    """What one transaction gave by one rule (or campaign), or took back. Immutable.

    `occurred_at` is that of the fact that earned; `sequence` is the transaction's, so that the last
    `carry` is the one in force: the exact points of all that a rule gave, less the whole ones. It
    is less than nothing where an order came back that another carried from.
    """

    __tablename__ = "rule_uses"
    program_id: Mapped[str] = mapped_column(ProgramId, primary_key=True)
    transaction_id: Mapped[str] = mapped_column(Id, primary_key=True)
    rule_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    member_id: Mapped[str] = mapped_column(Id)
    sequence: Mapped[int]
    occurred_at: Mapped[datetime]
    points: Mapped[int] = mapped_column(Points)
    times: Mapped[int]
    carry: Mapped[str | None] = mapped_column(Text)
    __table_args__ = (
        ForeignKeyConstraint(
            ["program_id", "transaction_id"], ["transactions.program_id", "transactions.id"]
        ),
        Index("ix_rule_uses_member", "program_id", "member_id", "rule_id"),
    )
