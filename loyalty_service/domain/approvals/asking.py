"""Asking a second person: what is asked is reserved at once, from what may be asked in a month.

All requests of a kind in a calendar month take from one pool, which holds what one approver may
give in a month: however many ask, an approver is never asked for more than that. A request that
comes to nothing gives its part back to the month that it took it from.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from loyalty_service import canonical, ids
from loyalty_service.domain import calendar, counters
from loyalty_service.domain.access import Principal
from loyalty_service.domain.approvals.table import EXPIRED, PENDING, PREFIX, Approval, become
from loyalty_service.errors import LimitExceeded

LIFE_DAYS = 14


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked for a member: `asked` by `kind`, how much of the pool it takes, two notes."""

    member_id: str
    kind: str
    asked: Mapping[str, Any]
    size: int
    note: str | None = None
    customer_note: str | None = None


@dataclass(frozen=True, slots=True)
class Pool:
    """The most that anybody may approve, at once and in a calendar month of the program's zone."""

    at_once: int
    per_month: int
    zone: ZoneInfo


def ask(session: Session, by: Principal, request: Request, pool: Pool, now: datetime) -> Approval:
    """Keep a request until somebody decides it, and reserve what it would take.

    It can be decided through the fourteenth day after this one. Raises LimitExceeded where nobody
    may approve so much.
    """
    _require_approvable(request, pool)
    row = _row(by, request, pool.zone, now)
    session.add(row)
    session.flush()
    let_expire(session, by.program_id, now)
    # The pool comes last: it is the row that everybody's requests share.
    _reserve(session, row, request, pool, now)
    return row


def let_expire(session: Session, program_id: str, now: datetime) -> None:
    """Write down which requests are over, and give back what they had reserved."""
    over = (
        select(Approval)
        .where(Approval.program_id == program_id, Approval.status == PENDING)
        .where(Approval.expires_at <= now)
        .order_by(Approval.id)
        # Whoever decides holds the approval and waits for a member's lock, which may be ours.
        .with_for_update(skip_locked=True)
    )
    for row in session.scalars(over).all():
        become(row, EXPIRED)
        session.flush()
        counters.give_back(session, program_id, row.id)


def _require_approvable(request: Request, pool: Pool) -> None:
    if request.size > pool.at_once:
        raise LimitExceeded(
            f"{request.size} points at once is above what you may give, and above the "
            f"{pool.at_once} that anybody may approve.",
            param="points",
        )


def _row(by: Principal, request: Request, zone: ZoneInfo, now: datetime) -> Approval:
    assert by.staff_id and by.role, "only a person's limits can be exceeded"
    last_day = calendar.local_date(now, zone) + timedelta(days=LIFE_DAYS)
    return Approval(
        program_id=by.program_id,
        id=ids.new(PREFIX),
        member_id=request.member_id,
        kind=request.kind,
        asked=canonical.dumps(dict(request.asked)),
        note=request.note,
        customer_note=request.customer_note,
        status=PENDING,
        requested_by=by.staff_id,
        requested_role=by.role,
        requested_at=now,
        expires_at=calendar.first_moment(last_day + timedelta(days=1), zone),
    )


def _reserve(session: Session, row: Approval, request: Request, pool: Pool, now: datetime) -> None:
    month = calendar.month_of(now, pool.zone)
    name = f"approvals:{request.kind}:{month}"
    if not counters.use(
        session, row.program_id, name, request.size, limit=pool.per_month, cause_id=row.id
    ):
        left = counters.left(session, row.program_id, name, limit=pool.per_month)
        raise LimitExceeded(
            f"{request.size} points is above what you may give, and above the {left} that may "
            f"still be asked for in {month}: {pool.per_month} may be approved in a month.",
            param="points",
        )
