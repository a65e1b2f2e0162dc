"""Redemptions: points exchanged for a reward, from the promise of a code to its end.

Points leave when a redemption is placed (`pending`) and come back when it fails or is cancelled.
The code is made by a job that is written in the same transaction.
"""

from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from loyalty_service import ids
from loyalty_service.db import Base, Id, Points, ProgramId
from loyalty_service.domain import counters, jobs, ledger, members, program, rewards
from loyalty_service.domain.program.document import Reward, Slab
from loyalty_service.domain.reversals import past_expiry
from loyalty_service.errors import (
    InsufficientPoints,
    PointsNotOffered,
    RedemptionFinal,
    RedemptionNotFound,
    RedemptionPending,
    RewardLimitReached,
    RewardNotFound,
    RewardNotOnSale,
    RewardSoldOut,
)

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
    CANCELLED: {USED},
    EXPIRED: {USED},
    FAILED: set[str](),
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
    __table_args__ = (
        ForeignKeyConstraint(["program_id", "member_id"], ["members.program_id", "members.id"]),
        ForeignKeyConstraint(
            ["program_id", "transaction_id"], ["transactions.program_id", "transactions.id"]
        ),
        ForeignKeyConstraint(
            ["program_id", "restored_by"], ["transactions.program_id", "transactions.id"]
        ),
        Index("uq_redemptions_code", "program_id", "code", unique=True),
        Index("ix_redemptions_member", "program_id", "member_id"),
        CheckConstraint(
            "status IN ('pending', 'issued', 'failed', 'cancelling', 'cancelled', 'expiring',"
            " 'expired', 'used')",
            name="status_known",
        ),
        CheckConstraint("points > 0", name="points_positive"),
        CheckConstraint("(amount_off_minor IS NULL) <> (percent_off IS NULL)", name="one_discount"),
        # Points are back if and only if the redemption came to nothing.
        CheckConstraint(
            "(status NOT IN ('failed', 'cancelled')) OR restored_by IS NOT NULL",
            name="points_come_back",
        ),
        CheckConstraint(
            "status NOT IN ('issued', 'cancelling', 'expiring') OR promotion_code_id IS NOT NULL",
            name="issued_has_a_code",
        ),
    )

    @property
    def percent(self) -> Fraction | None:
        """The exact percentage off, where the discount is one."""
        return Fraction(self.percent_off) if self.percent_off else None


@dataclass(frozen=True, slots=True)
class Wish:
    """What a member wants: a reward of the program, and which of its prices."""

    member: str
    reward: str
    points: int | None = None


def place(
    session: Session, program_id: str, wish: Wish, *, lease_seconds: int
) -> tuple[Redemption, jobs.Claimed]:
    """Take the points and promise the code; the caller holds the promise's lease.

    Raises MemberNotFound, MemberClosed, MemberSuspended, RewardNotFound, PointsNotOffered,
    RewardNotOnSale, InsufficientPoints, RewardSoldOut, RewardLimitReached.
    """
    member = members.require(session, program_id, wish.member)
    rules = program.in_force(session, program_id)
    reward, slab = _choose(rules.rules, wish)
    book = ledger.open_book(session, program_id, member.id)
    session.refresh(member)
    members.require_spending(member)
    if not rewards.on_sale(reward, book.now, rules.rules.zone):
        raise RewardNotOnSale(f"{reward.id} is not on sale today.", param="reward")
    redemption_id = ids.new("rdm")
    posted = ledger.post(book, _entry(book, redemption_id, reward, slab, rules.version))
    _use_counters(session, book, reward, redemption_id)
    row = _row(book, redemption_id, reward, slab, rules, posted.id)
    session.add(row)
    session.flush()
    return row, jobs.promise(session, program_id, ISSUE_CODE, row.id, lease_seconds=lease_seconds)


def require(session: Session, program_id: str, redemption_id: str) -> Redemption:
    """A redemption of this program; raises RedemptionNotFound."""
    found = session.get(Redemption, (program_id, redemption_id))
    if found is None:
        raise RedemptionNotFound(f"There is no redemption {redemption_id!r}.", param="id")
    return found


def listed(session: Session, program_id: str, member_id: str, limit: int) -> list[Redemption]:
    """A member's redemptions, newest first."""
    mine = select(Redemption).where(
        Redemption.program_id == program_id, Redemption.member_id == member_id
    )
    return list(session.scalars(mine.order_by(Redemption.id.desc()).limit(limit)))


def issued(
    session: Session, program_id: str, redemption_id: str, promotion_code_id: str
) -> Redemption:
    """The code exists; returns the redemption. Safe to repeat: only a pending one changes."""
    _, row = _locked(session, program_id, redemption_id)
    if row.status == PENDING:
        row.promotion_code_id = promotion_code_id
        _become(row, ISSUED)
        session.flush()
    return row


def failed(session: Session, program_id: str, redemption_id: str, why: str) -> None:
    """The code can't be made: the points go back. Safe to repeat."""
    book, row = _locked(session, program_id, redemption_id)
    if row.status == PENDING:
        row.failure = why[:500]
        _restore(session, book, row, FAILED)


def ask_to_cancel(
    session: Session, program_id: str, redemption_id: str, *, lease_seconds: int
) -> tuple[Redemption, jobs.Claimed | None]:
    """Begin to take an issued code back; nothing to do (None) where it is under way or done.

    Raises RedemptionNotFound, RedemptionPending, RedemptionFinal.
    """
    require(session, program_id, redemption_id)
    _, row = _locked(session, program_id, redemption_id)
    if row.status == PENDING:
        raise RedemptionPending(f"{row.id} has no code yet; try again in a moment.", param="id")
    if row.status in (CANCELLING, CANCELLED):
        return row, None
    if CANCELLING not in TRANSITIONS[row.status]:
        raise RedemptionFinal(f"{row.id} is {row.status}.", param="id")
    _become(row, CANCELLING)
    session.flush()
    return row, jobs.promise(
        session, program_id, WITHDRAW_CODE, row.id, lease_seconds=lease_seconds
    )


def withdrawn(session: Session, program_id: str, redemption_id: str, times_redeemed: int) -> None:
    """The code is dead at Stripe: used it is used, else the points go back. Safe to repeat."""
    book, row = _locked(session, program_id, redemption_id)
    if row.status != CANCELLING:
        return
    if times_redeemed:
        _become(row, USED)
        session.flush()
    else:
        _restore(session, book, row, CANCELLED)


def _choose(rules: program.Program, wish: Wish) -> tuple[Reward, Slab]:
    reward = rules.reward(wish.reward)
    if reward is None:
        known = ", ".join(reward.id for reward in rules.rewards) or "none"
        raise RewardNotFound(
            f"There is no reward {wish.reward!r}; the program has: {known}.", param="reward"
        )
    try:
        return reward, rewards.price(reward, wish.points)
    except rewards.NoSuchSlab as error:
        offered = ", ".join(str(points) for points in error.offered)
        raise PointsNotOffered(
            f"{reward.id} can't be had for {wish.points} points; it costs {offered}.",
            param="points",
        ) from error


def _entry(
    book: ledger.Book, redemption_id: str, reward: Reward, slab: Slab, version: int
) -> ledger.Entry:
    if book.available < slab.points:
        raise InsufficientPoints(needed=slab.points, available=book.available)
    lots = ledger.lots_to_spend(book, slab.points)
    moves = [
        ledger.Move(ledger.available(lot.id), ledger.REDEEMED, part)
        for lot, part in ledger.spend(lots, slab.points)
    ]
    context = {
        "cause": "redemption",
        "redemption": redemption_id,
        "reward": reward.id,
        "program_version": version,
    }
    return ledger.Entry("redemption", moves, book.now, context)


def _use_counters(session: Session, book: ledger.Book, reward: Reward, redemption_id: str) -> None:
    if reward.per_member is not None:
        name = f"reward:{reward.id}:member:{book.member_id}"
        if not counters.use(
            session, book.program_id, name, 1, limit=reward.per_member, cause_id=redemption_id
        ):
            raise RewardLimitReached(
                f"{reward.id} is limited to {reward.per_member} per member.", param="reward"
            )
    if reward.stock is not None:
        name = f"reward:{reward.id}:stock"
        if not counters.use(
            session, book.program_id, name, 1, limit=reward.stock, cause_id=redemption_id
        ):
            raise RewardSoldOut(f"All {reward.stock} of {reward.id} are taken.", param="reward")


def _row(
    book: ledger.Book,
    redemption_id: str,
    reward: Reward,
    slab: Slab,
    rules: program.InForce,
    transaction_id: str,
) -> Redemption:
    currency = rules.rules.currency
    return Redemption(
        program_id=book.program_id,
        id=redemption_id,
        member_id=book.member_id,
        reward_id=reward.id,
        reward_name=reward.name,
        program_version=rules.version,
        status=PENDING,
        points=slab.points,
        code=ids.code(),
        currency=currency,
        amount_off_minor=slab.amount_off_minor,
        percent_off=str(slab.percent_off) if slab.percent_off is not None else None,
        minimum_order_minor=rewards.minimum_order_minor(reward, slab),
        coupon_id=rewards.coupon_id(book.program_id, reward, slab, currency),
        transaction_id=transaction_id,
        created_at=book.now,
        expires_at=rewards.code_expires_at(reward, book.now, rules.rules.zone),
    )


def _locked(
    session: Session, program_id: str, redemption_id: str
) -> tuple[ledger.Book, Redemption]:
    """The account first, as everywhere, then the redemption as it stands under that lock."""
    row = session.get_one(Redemption, (program_id, redemption_id))
    book = ledger.open_book(session, program_id, row.member_id)
    session.refresh(row)
    return book, row


def _become(row: Redemption, status: str) -> None:
    assert status in TRANSITIONS[row.status], f"{row.id} can't go from {row.status} to {status}"
    row.status = status


def _restore(session: Session, book: ledger.Book, row: Redemption, status: str) -> None:
    rules = program.in_force(session, row.program_id, row.created_at)
    planned = ledger.restore(book, row.transaction_id, row.points, past_expiry(book, rules.rules))
    context: dict[str, Any] = {
        "cause": status,
        "redemption": row.id,
        "program_version": rules.version,
    }
    posted = ledger.post(
        book,
        ledger.Entry(
            "restoration", planned.moves, book.now, context, row.transaction_id, planned.new_lots
        ),
    )
    row.restored_by = posted.id
    _become(row, status)
    counters.give_back(session, row.program_id, row.id)
    session.flush()
