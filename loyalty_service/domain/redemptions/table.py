"""The redemption's row, its statuses, and the one table of what may follow what."""

from collections.abc import Sequence
from datetime import datetime
from fractions import Fraction

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, String, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from loyalty_service import ids
from loyalty_service.db import Base, Id, Points, ProgramId
from loyalty_service.domain.lists import Page, newest_first
from loyalty_service.domain.program.document import Settlement
from loyalty_service.errors import RedemptionNotFound

PENDING, ISSUED, FAILED = "pending", "issued", "failed"
CANCELLING, CANCELLED, EXPIRING, EXPIRED, USED = (
    "cancelling",
    "cancelled",
    "expiring",
    "expired",
    "used",
)
TRANSITIONS = {
    PENDING: {ISSUED, FAILED},
    ISSUED: {USED, CANCELLING, EXPIRING},
    CANCELLING: {CANCELLED, USED},
    EXPIRING: {EXPIRED, USED},
    # Learnt late: the code had been used all the same.
    CANCELLED: {USED},
    EXPIRED: {USED},
    FAILED: {USED},
    USED: set[str](),
}
ISSUE_CODE, WITHDRAW_CODE = "issue_code", "withdraw_code"


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
    def is_settled_here(self) -> bool:
        """True where the shop applies the reward itself, and Stripe knows nothing of it."""
        return self.settlement == Settlement.APP_APPLIED

    @property
    def usable_code(self) -> str | None:
        """The code, once somebody honours it."""
        return self.code if self.promotion_code_id or self.is_settled_here else None

    def status_at(self, at: datetime) -> str:
        """The status as time has it: a code whose life is over can't be used, whoever looks."""
        is_over = self.expires_at is not None and self.expires_at <= at
        return EXPIRING if self.status == ISSUED and is_over else self.status

    @property
    def percent(self) -> Fraction | None:
        """The exact percentage off, where the discount is one."""
        return Fraction(self.percent_off) if self.percent_off else None


def require(session: Session, program_id: str, redemption_id: str) -> Redemption:
    """A redemption of this program; raises RedemptionNotFound."""
    found = session.get(Redemption, (program_id, redemption_id))
    if found is None:
        raise RedemptionNotFound(f"There is no redemption {redemption_id!r}.", param="id")
    return found


def find_by_code(session: Session, program_id: str, promotion_code_id: str) -> Redemption | None:
    """The redemption whose code has this id at Stripe."""
    return session.scalar(
        select(Redemption).where(
            Redemption.program_id == program_id,
            Redemption.promotion_code_id == promotion_code_id,
        )
    )


def programs_of_codes(session: Session, promotion_code_ids: Sequence[str]) -> list[str]:
    """The programs that have made some codes at Stripe."""
    if not promotion_code_ids:
        return []
    made = Redemption.promotion_code_id.in_(promotion_code_ids)
    return list(session.scalars(select(Redemption.program_id).where(made).distinct()))


def issued_at_stripe(session: Session, program_id: str) -> list[str]:
    """The redemptions whose codes Stripe should honour."""
    return list(
        session.scalars(
            select(Redemption.id).where(
                Redemption.program_id == program_id,
                Redemption.status == ISSUED,
                Redemption.promotion_code_id.is_not(None),
            )
        )
    )


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


def become(row: Redemption, status: str) -> None:
    """Change the status; a step that the table does not have is our own bug."""
    assert status in TRANSITIONS[row.status], f"{row.id} can't go from {row.status} to {status}"
    row.status = status
