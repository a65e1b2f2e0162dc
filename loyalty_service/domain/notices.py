"""Notices: what happened, or is about to, and somebody may want to hear of. Each once a cause."""

from datetime import datetime

from sqlalchemy import ForeignKeyConstraint, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from loyalty_service.db import Base, Id, ProgramId


class Notice(Base):
    """One domain event; `data` is canonical JSON of ids and figures."""

    __tablename__ = "notices"
    program_id: Mapped[str] = mapped_column(ProgramId, primary_key=True)
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    member_id: Mapped[str] = mapped_column(Id)
    type: Mapped[str] = mapped_column(String(40))
    cause: Mapped[str] = mapped_column(String(120))
    occurred_at: Mapped[datetime]
    data: Mapped[str] = mapped_column(Text)
    recorded_at: Mapped[datetime]
    __table_args__ = (
        ForeignKeyConstraint(["program_id", "member_id"], ["members.program_id", "members.id"]),
        UniqueConstraint("program_id", "member_id", "type", "cause"),
    )
