"""Adjustments: points that staff give or take by hand, within the program's limits, and their undo.

The two notes are free text and live in this erasable row; the ledger keeps ids, the reason and who
acted.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, String, Text, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from loyalty_service import ids
from loyalty_service.db import Base, Id, Points, ProgramId
from loyalty_service.domain import calendar, counters, expiry, ledger, members, opening, program
from loyalty_service.domain.access import Principal
from loyalty_service.domain.opening import Ahead
from loyalty_service.domain.program.document import Activity
from loyalty_service.errors import InsufficientPoints, LimitExceeded, ReasonNotKnown
from loyalty_service.statements import table_of


class Adjustment(Base):
    """One manual credit (points above zero) or debit (below)."""

    __tablename__ = "adjustments"
    program_id: Mapped[str] = mapped_column(ProgramId, primary_key=True)
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    member_id: Mapped[str] = mapped_column(Id)
    points: Mapped[int] = mapped_column(Points)
    reason: Mapped[str] = mapped_column(String(40))
    note: Mapped[str | None] = mapped_column(Text)
    customer_note: Mapped[str | None] = mapped_column(Text)
    actor_id: Mapped[str] = mapped_column(Id)
    transaction_id: Mapped[str] = mapped_column(Id)
    created_at: Mapped[datetime]
    __table_args__ = (
        ForeignKeyConstraint(["program_id", "member_id"], ["members.program_id", "members.id"]),
        ForeignKeyConstraint(
            ["program_id", "transaction_id"], ["transactions.program_id", "transactions.id"]
        ),
        CheckConstraint("points <> 0", name="points_not_zero"),
        Index("ix_adjustments_transaction", "program_id", "transaction_id"),
    )


@dataclass(frozen=True, slots=True)
class Gesture:
    """What staff want to do: signed points, one of the program's reasons, and two notes."""

    member: str
    points: int
    reason: str
    note: str | None = None
    customer_note: str | None = None


@dataclass(frozen=True, slots=True)
class Signature:
    """Who gives, in which role, and who else said yes where the gift needed a second person."""

    actor_id: str
    role: str | None
    approval_id: str | None = None
    approved_by: str | None = None


@dataclass(frozen=True, slots=True)
class Ready:
    """A gesture under the member's lock, with the rules in force: only limits are left to ask."""

    book: ledger.Book
    rules: program.InForce
    gesture: Gesture


@dataclass(frozen=True, slots=True)
class Given:
    """An adjustment's columns and the member's balance after it."""

    adjustment: dict[str, Any]
    balance: ledger.Balance


def give(session: Session, by: Principal, gesture: Gesture) -> Given:
    """Credit or debit a member by hand.

    Raises MemberNotFound, MemberClosed, ReasonNotKnown, InsufficientPoints, LimitExceeded.
    """
    ready = prepare(session, by.program_id, gesture)
    return post(ready, Signature(by.actor_id, by.role), by)


def prepare(session: Session, program_id: str, gesture: Gesture) -> Ready:
    """Lock the member and know the rules.

    Raises MemberNotFound, MemberClosed, ReasonNotKnown.
    """
    ahead = Ahead.EXPIRING if gesture.points > 0 else Ahead.LOTS
    member, book, newest, _ = opening.open_for(session, program_id, gesture.member, ahead)
    rules = program.as_of(session, program_id, newest, book.now)
    require_reason(rules.rules, gesture.reason)
    members.require_earning(member)
    return Ready(book, rules, gesture)


def post(ready: Ready, signature: Signature, pays: Principal) -> Given:
    """Write a gesture that is ready; `pays` is the person whose limits it takes from.

    Raises InsufficientPoints and LimitExceeded, and has moved nothing then.
    """
    book, gesture = ready.book, ready.gesture
    entry = _entry(ready, signature)
    # Right before the points: the counter is the row that colleagues' requests share.
    _take_from_limits(book, pays, gesture.points, ready.rules.rules, entry.id)
    row = _row(book, signature, gesture, entry.id)
    ledger.post(book, entry, [(table_of(Adjustment), row)])
    return Given(row, ledger.balance_of(book))


def find_by_transaction(
    session: Session, program_id: str, transaction_ids: list[str]
) -> dict[str, Adjustment]:
    """The adjustments behind some transactions."""
    rows = session.scalars(
        select(Adjustment).where(
            Adjustment.program_id == program_id, Adjustment.transaction_id.in_(transaction_ids)
        )
    )
    return {row.transaction_id: row for row in rows}


def require_reason(rules: program.Program, reason: str) -> None:
    """Only the program's reasons are kept with a transaction; raises ReasonNotKnown."""
    if reason not in rules.goodwill.reasons:
        known = ", ".join(rules.goodwill.reasons) or "none: the program has no goodwill section"
        raise ReasonNotKnown(
            f"{reason!r} is not a reason of the program; use one of: {known}.", param="reason"
        )


def _row(
    book: ledger.Book, signature: Signature, gesture: Gesture, transaction_id: str
) -> dict[str, Any]:
    return {
        "program_id": book.program_id,
        "id": ids.new("adj"),
        "member_id": book.member_id,
        "points": gesture.points,
        "reason": gesture.reason,
        "note": gesture.note,
        "customer_note": gesture.customer_note,
        "actor_id": signature.actor_id,
        "transaction_id": transaction_id,
        "created_at": book.now,
    }


def _entry(ready: Ready, signature: Signature) -> ledger.Entry:
    book, gesture, rules = ready.book, ready.gesture, ready.rules
    context: dict[str, Any] = {
        "cause": "adjustment",
        "reason": gesture.reason,
        "actor": signature.actor_id,
        "role": signature.role,
        "program_version": rules.version,
    }
    if signature.approval_id:
        context |= {"approval": signature.approval_id, "approved_by": signature.approved_by}
    if gesture.points < 0:
        return ledger.Entry("debit", _taken(book, -gesture.points), book.now, context)
    return credited(gesture.points, rules.rules, book.standing, book.now, context)


def credited(
    points: int,
    rules: program.Program,
    standing: ledger.Standing,
    now: datetime,
    context: dict[str, Any],
) -> ledger.Entry:
    """Points given by hand: there at once, ending as others of the tier that is held. Pure."""
    lot = ledger.NewLot(
        id=ids.new("lot"),
        earned_at=now,
        matures_at=now,
        expires_at=expiry.lot_end(rules, standing.tier, now),
    )
    given = ledger.Move(ledger.ADJUSTED, ledger.available(lot.id), points)
    after = expiry.moved_by(standing, rules, Activity.GIFT, now)
    return ledger.Entry("credit", [given], now, context, new_lots=[lot], standing=after)


def _taken(book: ledger.Book, points: int) -> list[ledger.Move]:
    if book.available < points:
        raise InsufficientPoints(needed=points, available=book.available)
    return ledger.spending(book, points, ledger.ADJUSTED)


def require_role_may(by: Principal, points: int, rules: program.Program) -> int | None:
    """A person's role bounds the size of one act; returns the role's month, None for no limit.

    Raises LimitExceeded. A key without a person, and the role admin, have no limit.
    """
    if by.role in (None, "admin"):
        return None
    limit = rules.goodwill.limit(by.role)
    if limit is None or abs(points) > limit.per_grant:
        allowed = limit.per_grant if limit else 0
        raise LimitExceeded(
            f"{abs(points)} points at once is above the {allowed} that a person with role "
            f"{by.role} may give or take at once; ask somebody whose role may.",
            param="points",
        )
    return limit.per_month


def _take_from_limits(
    book: ledger.Book, by: Principal, points: int, rules: program.Program, transaction_id: str
) -> None:
    """Limits bind by size, credit or debit; the month is the program's."""
    per_month = require_role_may(by, points, rules)
    if per_month is None:
        return
    month = calendar.month_of(book.now, rules.zone)
    name = f"adjustments:{by.actor_id}:{month}"
    size = abs(points)
    if not counters.use(
        book.session, by.program_id, name, size, limit=per_month, cause_id=transaction_id
    ):
        left = counters.left(book.session, by.program_id, name, limit=per_month)
        raise LimitExceeded(
            f"{size} points would go above the {per_month} of {month}; {left} are left.",
            param="points",
        )
