"""Holds as the ledger knows them: what is reserved of which lots, and until when.

An account without held points has no open hold, so nobody looks for one. `points` is what was
reserved, `captured_points` what was paid with it, `returned_points` what refunds gave back of that;
all three are sums of postings. The verbs are in `domain.holds`.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    ForeignKeyConstraint,
    Index,
    String,
    bindparam,
    literal_column,
    select,
    text,
    update,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from loyalty_service.db import Base, Id, Points, ProgramId
from loyalty_service.domain import counters
from loyalty_service.domain.ledger import history
from loyalty_service.domain.ledger.moves import Move, available, held
from loyalty_service.domain.ledger.state import Held, WhenExpired
from loyalty_service.domain.ledger.tables import Posting
from loyalty_service.domain.limits import POINTS_MAX
from loyalty_service.statements import Statement

HELD, CAPTURED, RELEASED, EXPIRED = "held", "captured", "released", "expired"
# A payment may succeed after its hold ended: what it needs is taken afresh then.
TRANSITIONS = {
    HELD: {CAPTURED, RELEASED, EXPIRED},
    EXPIRED: {CAPTURED},
    CAPTURED: set[str](),
    RELEASED: set[str](),
}


class Hold(Base):
    """Points reserved for an order while it is paid. The `order_id` is the shop's own.

    `past_…` say what becomes of points whose lot is past its date when the hold ends by itself.
    """

    __tablename__ = "holds"
    program_id: Mapped[str] = mapped_column(ProgramId, primary_key=True)
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    member_id: Mapped[str] = mapped_column(Id)
    order_id: Mapped[str] = mapped_column(String(200))
    status: Mapped[str] = mapped_column(String(12))
    points: Mapped[int] = mapped_column(Points)
    captured_points: Mapped[int] = mapped_column(Points)
    returned_points: Mapped[int] = mapped_column(Points)
    program_version: Mapped[int]
    # The reward that prices the points; None where points alone are held.
    reward_id: Mapped[str | None] = mapped_column(String(40))
    currency: Mapped[str] = mapped_column(String(3))
    amount_minor: Mapped[int | None] = mapped_column(Points)
    minimum_order_minor: Mapped[int | None] = mapped_column(Points)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    past_expires_at: Mapped[datetime | None]
    past_opens_a_lot: Mapped[bool]
    past_is_anew: Mapped[bool]
    transaction_id: Mapped[str] = mapped_column(Id)
    captured_by: Mapped[str | None] = mapped_column(Id)
    captured_at: Mapped[datetime | None]
    released_by: Mapped[str | None] = mapped_column(Id)
    # When a payment came after the end and the points were not there: somebody has to look at it.
    capture_failed_at: Mapped[datetime | None]
    __table_args__ = (
        ForeignKeyConstraint(["program_id", "member_id"], ["members.program_id", "members.id"]),
        ForeignKeyConstraint(
            ["program_id", "transaction_id"], ["transactions.program_id", "transactions.id"]
        ),
        # The row changes before its transaction is posted, so that what is due next is told right.
        *(
            ForeignKeyConstraint(
                ["program_id", by],
                ["transactions.program_id", "transactions.id"],
                deferrable=True,
                initially="DEFERRED",
            )
            for by in ("captured_by", "released_by")
        ),
        Index("ix_holds_member", "program_id", "member_id", "id"),
        Index("ix_holds_order", "program_id", "order_id"),
        Index(
            "ix_holds_end",
            "expires_at",
            sqlite_where=text("status = 'held'"),
            postgresql_where=text("status = 'held'"),
        ),
        CheckConstraint(
            "status IN ('held', 'captured', 'released', 'expired')", name="status_known"
        ),
        CheckConstraint(f"points > 0 AND points <= {POINTS_MAX}", name="points_in_range"),
        CheckConstraint("expires_at > created_at", name="ends_after_it_begins"),
        CheckConstraint("captured_points BETWEEN 0 AND points", name="captured_is_held"),
        CheckConstraint("returned_points BETWEEN 0 AND captured_points", name="returned_is_spent"),
        CheckConstraint(
            "(status = 'captured') = (captured_points > 0)"
            " AND (status = 'captured') = (captured_by IS NOT NULL)"
            " AND (status = 'captured') = (captured_at IS NOT NULL)",
            name="captured_once",
        ),
        CheckConstraint(
            "CASE status WHEN 'held' THEN released_by IS NULL"
            " WHEN 'captured' THEN released_by IS NOT NULL OR captured_points = points"
            " ELSE released_by IS NOT NULL END",
            name="what_is_not_captured_comes_back",
        ),
    )

    @property
    def past(self) -> WhenExpired:
        """What becomes of points whose lot is past its date when the hold ends by itself."""
        return WhenExpired(self.past_expires_at, self.past_opens_a_lot, self.past_is_anew)


def become(row: Hold, status: str) -> None:
    """Change the status; a step that the table does not have is our own bug."""
    assert status in TRANSITIONS[row.status], f"{row.id} can't go from {row.status} to {status}"
    row.status = status


def standing(session: Session, program_id: str, member_id: str) -> list[Held]:
    """The holds of a member that nobody has ended, also those that time has."""
    mine = select(Hold.transaction_id).where(
        Hold.program_id == program_id, Hold.member_id == member_id, Hold.status == HELD
    )
    rows = session.scalars(
        select(Posting)
        .where(Posting.program_id == program_id, Posting.transaction_id.in_(mine))
        .order_by(Posting.transaction_id, Posting.line)
    )
    return standing_of(session, program_id, [history.move_of(row) for row in rows])


def standing_of(session: Session, program_id: str, moves: Iterable[Move]) -> list[Held]:
    """The holds that some postings leave standing."""
    left = _left(moves)
    if not left:
        return []
    rows = session.scalars(
        select(Hold)
        .where(Hold.program_id == program_id, Hold.id.in_(left))
        .execution_options(populate_existing=True)
    )
    return [
        Held(row.id, row.order_id, row.expires_at, _reserving(row.id, left[row.id]), row.past)
        for row in rows
    ]


def note_ended(session: Session, program_id: str, ended: Sequence[tuple[Held, str]]) -> None:
    """Note holds that time has ended, each with its transaction; a limit of the reward has room."""
    for hold, transaction_id in ended:
        _END.run(session, of_program=program_id, hold=hold.id, ended_by=transaction_id)
        counters.give_back(session, program_id, hold.id)


def _left(moves: Iterable[Move]) -> dict[str, dict[str, int]]:
    """By hold and lot: what was put there and did not leave again, in the order of putting."""
    left: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for move in moves:
        for side, points in ((move.credit, move.points), (move.debit, -move.points)):
            if side.hold_id:
                left[side.hold_id][str(side.lot_id)] += points
    return {hold_id: lots for hold_id, lots in left.items() if any(lots.values())}


def _reserving(hold_id: str, lots: Mapping[str, int]) -> tuple[Move, ...]:
    return tuple(
        Move(available(lot_id), held(lot_id, hold_id), points)
        for lot_id, points in lots.items()
        if points
    )


_HOLD: Any = literal_column(f"'{HELD}'")
_END = Statement(
    update(Hold)
    .where(Hold.program_id == bindparam("of_program"), Hold.id == bindparam("hold"))
    .where(Hold.status == _HOLD)
    .values(status=literal_column(f"'{EXPIRED}'"), released_by=bindparam("ended_by"))
)
# When the first hold of a member ends.
FIRST_END = (
    select(Hold.expires_at)
    .where(Hold.program_id == bindparam("of_program"), Hold.member_id == bindparam("of_member"))
    .where(Hold.status == _HOLD)
    .order_by(Hold.expires_at)
    .limit(literal_column("1"))
    .scalar_subquery()
)
