"""The approval's row, its statuses, and the one table of what may follow what.

An approval that nobody decides ends by itself: time is looked at when it is read, and its row says
so only once somebody else needs what it had reserved.
"""

import json
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, String, Text, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from loyalty_service.db import Base, Id, ProgramId
from loyalty_service.domain.lists import Page, newest_first
from loyalty_service.errors import ApprovalNotFound

PENDING, APPROVED, REJECTED, EXPIRED, FAILED = (
    "pending",
    "approved",
    "rejected",
    "expired",
    "failed",
)
TRANSITIONS = {
    PENDING: {APPROVED, REJECTED, EXPIRED, FAILED},
    APPROVED: set[str](),
    REJECTED: set[str](),
    EXPIRED: set[str](),
    FAILED: set[str](),
}
PREFIX = "apr"
ADJUSTMENT = "adjustment"
KINDS = (ADJUSTMENT,)


class Approval(Base):
    """What one person of staff asks, and a second one decides.

    `asked` is JSON of ids, whole numbers and the program's words, by `kind`; free text stands in
    columns of its own, which can be erased.
    """

    __tablename__ = "approvals"
    program_id: Mapped[str] = mapped_column(ProgramId, primary_key=True)
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    member_id: Mapped[str] = mapped_column(Id)
    kind: Mapped[str] = mapped_column(String(20))
    asked: Mapped[str] = mapped_column(Text)
    note: Mapped[str | None] = mapped_column(Text)
    customer_note: Mapped[str | None] = mapped_column(Text)
    status: Mapped[str] = mapped_column(String(12))
    requested_by: Mapped[str] = mapped_column(Id)
    requested_role: Mapped[str] = mapped_column(String(12))
    requested_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    decided_by: Mapped[str | None] = mapped_column(Id)
    decided_at: Mapped[datetime | None]
    decision_reason: Mapped[str | None] = mapped_column(Text)
    # The code of the refusal that no second try would overcome.
    failure: Mapped[str | None] = mapped_column(String(40))
    made_id: Mapped[str | None] = mapped_column(Id)
    transaction_id: Mapped[str | None] = mapped_column(Id)
    __table_args__ = (
        ForeignKeyConstraint(["program_id", "member_id"], ["members.program_id", "members.id"]),
        ForeignKeyConstraint(["program_id", "requested_by"], ["staff.program_id", "staff.id"]),
        ForeignKeyConstraint(["program_id", "decided_by"], ["staff.program_id", "staff.id"]),
        ForeignKeyConstraint(
            ["program_id", "transaction_id"], ["transactions.program_id", "transactions.id"]
        ),
        CheckConstraint(
            "status IN ('pending', 'approved', 'rejected', 'expired', 'failed')",
            name="status_known",
        ),
        CheckConstraint("decided_by <> requested_by", name="two_persons"),
        CheckConstraint(
            "(status IN ('pending', 'expired')) = (decided_by IS NULL)", name="decided_by_somebody"
        ),
        CheckConstraint("(status = 'approved') = (made_id IS NOT NULL)", name="approved_is_made"),
        Index("ix_approvals_status", "program_id", "status", "expires_at"),
        Index("ix_approvals_member", "program_id", "member_id", "id"),
    )

    @property
    def wish(self) -> dict[str, Any]:
        """What is asked, by the names that its kind gives."""
        wish: dict[str, Any] = json.loads(self.asked)
        return wish

    def status_at(self, now: datetime) -> str:
        """The status at a moment: what is pending past its time has expired."""
        is_over = self.status == PENDING and self.expires_at <= now
        return EXPIRED if is_over else self.status


def become(row: Approval, status: str) -> None:
    """Change the status; a step that the table does not have is our own bug."""
    assert status in TRANSITIONS[row.status], f"{row.id} can't go from {row.status} to {status}"
    row.status = status


def require(session: Session, program_id: str, approval_id: str) -> Approval:
    """An approval of this program; raises ApprovalNotFound."""
    return _found(session.get(Approval, (program_id, approval_id)), approval_id)


def locked(session: Session, program_id: str, approval_id: str) -> Approval:
    """The same, as nobody else decides it until the transaction ends."""
    row = session.get(
        Approval, (program_id, approval_id), with_for_update=True, populate_existing=True
    )
    return _found(row, approval_id)


def listed(
    session: Session,
    program_id: str,
    page: Page,
    now: datetime,
    *,
    status: str | None = None,
    member_id: str | None = None,
) -> list[Approval]:
    """Approvals newest first, by their status at `now` and of one member; raises CursorNotFound."""
    mine = select(Approval).where(Approval.program_id == program_id)
    if member_id:
        mine = mine.where(Approval.member_id == member_id)
    if status:
        mine = mine.where(_has(status, now))
    return newest_first(session, mine, page, id_column=Approval.id, order=Approval.id)


def _has(status: str, now: datetime) -> Any:
    """The condition that says what `status_at` says."""
    stored = Approval.status == status
    if status == PENDING:
        return stored & (Approval.expires_at > now)
    if status == EXPIRED:
        return or_(stored, (Approval.status == PENDING) & (Approval.expires_at <= now))
    return stored


def _found(row: Approval | None, approval_id: str) -> Approval:
    if row is None:
        raise ApprovalNotFound(f"There is no approval {approval_id!r}.", param="id")
    return row
