"""Notices: what happened, or is about to, and somebody may want to hear of. Each once a cause."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKeyConstraint, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, Session, mapped_column

from loyalty_service import canonical, clock, ids
from loyalty_service.db import Base, Id, ProgramId, insert_unless_there


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


def tell(
    session: Session,
    program_id: str,
    member_id: str,
    type_: str,
    cause: str,
    *,
    occurred_at: datetime,
    data: dict[str, Any],
) -> bool:
    """Note something about a member, once for its type and cause; False where it was told before.

    `data` holds ids and figures only.
    """
    values = {
        "program_id": program_id,
        "id": ids.new("ntc"),
        "member_id": member_id,
        "type": type_,
        "cause": cause,
        "occurred_at": occurred_at,
        "data": canonical.dumps(data),
        "recorded_at": clock.now(),
    }
    return insert_unless_there(session, Notice, values)
