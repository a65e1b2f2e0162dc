"""The redemption's row, and how one is found; its statuses are those of `codes`."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, String, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from loyalty_service import ids
from loyalty_service.db import Base, Id, Points, ProgramId
from loyalty_service.domain.lists import Page, newest_first
from loyalty_service.errors import RedemptionNotFound

PREFIX = "rdm"


class Redemption(Base):
    """One exchange. `code` is ours and known before Stripe is asked."""

    __tablename__ = "redemptions"
    program_id: Mapped[str] = mapped_column(ProgramId, primary_key=True)
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    member_id: Mapped[str] = mapped_column(Id)
    reward_id: Mapped[str] = mapped_column(String(40))
    reward_name: Mapped[str] = mapped_column(String(200))
    program_version: Mapped[int]
    status: Mapped[str] = mapped_column(String(12))
    points: Mapped[int] = mapped_column(Points)
    code: Mapped[str] = mapped_column(String(40))
    currency: Mapped[str] = mapped_column(String(3))
    amount_off_minor: Mapped[int | None] = mapped_column(Points)
    percent_off: Mapped[str | None] = mapped_column(String(20))
    minimum_order_minor: Mapped[int | None] = mapped_column(Points)
    coupon_id: Mapped[str] = mapped_column(String(80))
    promotion_code_id: Mapped[str | None] = mapped_column(String(80))
    failure: Mapped[str | None] = mapped_column(String(500))
    transaction_id: Mapped[str] = mapped_column(Id)
    restored_by: Mapped[str | None] = mapped_column(Id)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    used_at: Mapped[datetime | None]
    settlement: Mapped[str] = mapped_column(String(24), server_default="stripe_promotion_code")
    gives: Mapped[str | None] = mapped_column(String(200))
    __table_args__ = (
        ForeignKeyConstraint(["program_id", "member_id"], ["members.program_id", "members.id"]),
        ForeignKeyConstraint(
            ["program_id", "transaction_id"], ["transactions.program_id", "transactions.id"]
        ),
        ForeignKeyConstraint(
            ["program_id", "restored_by"], ["transactions.program_id", "transactions.id"]
        ),
        Index("uq_redemptions_code", "program_id", "code", unique=True),
        Index("ix_redemptions_member", "program_id", "member_id", "id"),
        # For finding codes whose life is over.
        Index(
            "ix_redemptions_ending",
            "expires_at",
            sqlite_where=text("status = 'issued'"),
            postgresql_where=text("status = 'issued'"),
        ),
        # By the code alone: a checkout does not say whose codes it used.
        Index("ix_redemptions_promotion_code", "promotion_code_id"),
        CheckConstraint(
            "status IN ('pending', 'issued', 'failed', 'cancelling', 'cancelled', 'expiring',"
            " 'expired', 'used')",
            name="status_known",
        ),
        CheckConstraint("points >= 0", name="points_positive"),
        CheckConstraint("amount_off_minor IS NULL OR percent_off IS NULL", name="one_discount"),
        # Points are back if and only if the redemption came to nothing.
        CheckConstraint(
            "(status NOT IN ('failed', 'cancelled')) OR restored_by IS NOT NULL",
            name="points_come_back",
        ),
        CheckConstraint(
            "status NOT IN ('issued', 'cancelling', 'expiring') OR promotion_code_id IS NOT NULL"
            " OR settlement = 'app_applied'",
            name="issued_has_a_code",
        ),
    )

    @property
    def name(self) -> str:
        """The reward's name, as it was."""
        return self.reward_name


def require(session: Session, program_id: str, redemption_id: str) -> Redemption:
    """A redemption of this program; raises RedemptionNotFound."""
    found = session.get(Redemption, (program_id, redemption_id))
    if found is None:
        raise RedemptionNotFound(f"There is no redemption {redemption_id!r}.", param="id")
    return found


def listed(
    session: Session,
    program_id: str,
    member_id: str | None,
    page: Page,
    *,
    code: str | None = None,
) -> list[Redemption]:
    """Redemptions of one member, or of all, newest first; raises CursorNotFound.

    `code` finds the one that has it, with or without its hyphens.
    """
    mine = select(Redemption).where(Redemption.program_id == program_id)
    if member_id:
        mine = mine.where(Redemption.member_id == member_id)
    if code:
        mine = mine.where(Redemption.code == ids.as_code(code))
    return newest_first(session, mine, page, id_column=Redemption.id, order=Redemption.id)
