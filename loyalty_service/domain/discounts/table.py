"""The discount's row, how one is found, and the status that only discounts have."""

from datetime import datetime

from sqlalchemy import (
    CheckConstraint,
    ForeignKeyConstraint,
    Index,
    String,
    UniqueConstraint,
    select,
    text,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from loyalty_service import clock, ids
from loyalty_service.db import Base, Id, Points, ProgramId
from loyalty_service.domain import codes
from loyalty_service.domain.lists import Page, newest_first
from loyalty_service.errors import DiscountNotFound

PREFIX = "dsc"
# Due by its cause and not given: the budget was used up, or the member had one not long ago.
WITHHELD = "withheld"
_NOT_FINAL = (codes.PENDING, codes.ISSUED, codes.CANCELLING, codes.EXPIRING)
OPEN = "status IN ('pending', 'issued', 'cancelling', 'expiring')"


class Discount(Base):
    """A thank-you that costs no points: given once for its cause, by the offer of a version.

    `cause` is `birthday:2026`, `tier:gold:2026` and the like; `status` is as somebody wrote it, see
    `codes.status_at`. A withheld one has no code; its
    `failure` names the refusal.
    """

    __tablename__ = "discounts"
    program_id: Mapped[str] = mapped_column(ProgramId, primary_key=True)
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    member_id: Mapped[str] = mapped_column(Id)
    offer_id: Mapped[str] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(200))
    trigger: Mapped[str] = mapped_column(String(20))
    cause: Mapped[str] = mapped_column(String(120))
    reason: Mapped[str | None] = mapped_column(String(40))
    actor_id: Mapped[str | None] = mapped_column(Id)
    program_version: Mapped[int]
    status: Mapped[str] = mapped_column(String(12))
    code: Mapped[str | None] = mapped_column(String(40))
    currency: Mapped[str] = mapped_column(String(3))
    amount_off_minor: Mapped[int | None] = mapped_column(Points)
    percent_off: Mapped[str | None] = mapped_column(String(20))
    minimum_order_minor: Mapped[int | None] = mapped_column(Points)
    coupon_id: Mapped[str] = mapped_column(String(80))
    promotion_code_id: Mapped[str | None] = mapped_column(String(80))
    failure: Mapped[str | None] = mapped_column(String(500))
    settlement: Mapped[str] = mapped_column(String(24))
    gives: Mapped[str | None] = mapped_column(String(200))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    used_at: Mapped[datetime | None]
    __table_args__ = (
        ForeignKeyConstraint(["program_id", "member_id"], ["members.program_id", "members.id"]),
        UniqueConstraint("program_id", "member_id", "offer_id", "cause"),
        Index("uq_discounts_code", "program_id", "code", unique=True),
        Index("ix_discounts_member", "program_id", "member_id", "id"),
        # For finding codes whose life is over.
        Index(
            "ix_discounts_ending",
            "expires_at",
            sqlite_where=text("status = 'issued'"),
            postgresql_where=text("status = 'issued'"),
        ),
        # For lists of how they stand; what is over is most of them.
        Index(
            "ix_discounts_open",
            "program_id",
            "status",
            "id",
            sqlite_where=text(OPEN),
            postgresql_where=text(OPEN),
        ),
        # By the code alone: a checkout does not say whose codes it used.
        Index("ix_discounts_promotion_code", "promotion_code_id"),
        CheckConstraint(
            "status IN ('pending', 'issued', 'failed', 'cancelling', 'cancelled', 'expiring',"
            " 'expired', 'used', 'withheld')",
            name="status_known",
        ),
        CheckConstraint("amount_off_minor IS NULL OR percent_off IS NULL", name="one_discount"),
        CheckConstraint("(status = 'withheld') = (code IS NULL)", name="given_has_a_code"),
        CheckConstraint(
            "status NOT IN ('issued', 'cancelling', 'expiring') OR promotion_code_id IS NOT NULL"
            " OR settlement = 'app_applied'",
            name="issued_is_honoured",
        ),
        CheckConstraint("status <> 'used' OR used_at IS NOT NULL", name="used_has_a_moment"),
        CheckConstraint(
            "status <> 'withheld' OR failure IS NOT NULL", name="withheld_has_a_failure"
        ),
        CheckConstraint("(trigger = 'staff') = (reason IS NOT NULL)", name="staff_has_a_reason"),
    )


def require(session: Session, program_id: str, discount_id: str) -> Discount:
    """A discount of this program; raises DiscountNotFound."""
    found = session.get(Discount, (program_id, discount_id))
    if found is None:
        raise DiscountNotFound(f"There is no discount {discount_id!r}.", param="id")
    return found


def listed(
    session: Session,
    program_id: str,
    member_id: str | None,
    page: Page,
    *,
    status: str | None = None,
    code: str | None = None,
    withheld: bool = True,
) -> list[Discount]:
    """Discounts of one member, or of all, newest first; raises CursorNotFound.

    `code` finds the one that has it, with or without its hyphens; `withheld` keeps those that were
    not given.
    """
    mine = select(Discount).where(Discount.program_id == program_id)
    if member_id:
        mine = mine.where(Discount.member_id == member_id)
    if status:
        mine = mine.where(codes.stands(Discount, status, clock.now()))
        # In the very words of the index, which is not looked at otherwise.
        mine = mine.where(text(OPEN)) if status in _NOT_FINAL else mine
    if code:
        mine = mine.where(Discount.code == ids.as_code(code))
    if not withheld:
        mine = mine.where(Discount.status != WITHHELD)
    return newest_first(session, mine, page, id_column=Discount.id, order=Discount.id)
