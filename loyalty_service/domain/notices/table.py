"""The notices themselves, and how many each member has."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKeyConstraint, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, Session, mapped_column

from loyalty_service import canonical, clock, ids
from loyalty_service.db import Base, Id, ProgramId, insert_unless_there
from loyalty_service.domain.notices import untold


class Notice(Base):
    """One domain event; `data` is canonical JSON of ids and figures.

    `sequence` counts up per member without a gap; None until somebody listens.
    """

    __tablename__ = "notices"
    program_id: Mapped[str] = mapped_column(ProgramId, primary_key=True)
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    member_id: Mapped[str] = mapped_column(Id)
    type: Mapped[str] = mapped_column(String(40))
    cause: Mapped[str] = mapped_column(String(120))
    occurred_at: Mapped[datetime]
    data: Mapped[str] = mapped_column(Text)
    recorded_at: Mapped[datetime]
    sequence: Mapped[int | None]
    __table_args__ = (
        ForeignKeyConstraint(["program_id", "member_id"], ["members.program_id", "members.id"]),
        UniqueConstraint("program_id", "member_id", "type", "cause"),
        Index("uq_notices_sequence", "program_id", "member_id", "sequence", unique=True),
    )


class MemberNotices(Base):
    """How many notices of a member were numbered; locked by whoever numbers more."""

    __tablename__ = "member_notices"
    program_id: Mapped[str] = mapped_column(ProgramId, primary_key=True)
    member_id: Mapped[str] = mapped_column(Id, primary_key=True)
    sequence: Mapped[int]
    __table_args__ = (
        ForeignKeyConstraint(["program_id", "member_id"], ["members.program_id", "members.id"]),
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
    notice_id = ids.new("ntc")
    row = {
        "program_id": program_id,
        "id": notice_id,
        "member_id": member_id,
        "type": type_,
        "cause": cause,
        "occurred_at": occurred_at,
        "data": canonical.dumps(data),
        "recorded_at": clock.now(),
        "sequence": None,
    }
    if not insert_unless_there(session, Notice, row):
        return False
    untold.announce(session, program_id, member_id, type_, notice_id, occurred_at=occurred_at)
    return True
