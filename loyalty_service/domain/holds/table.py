"""Holds as they are looked for and as they stand; their row is in `ledger.reserved`."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from loyalty_service import clock
from loyalty_service.domain.ledger.reserved import (
    CAPTURED,
    EXPIRED,
    HELD,
    RELEASED,
    TRANSITIONS,
    Hold,
    become,
)
from loyalty_service.domain.lists import Page, newest_first
from loyalty_service.errors import HoldNotFound

__all__ = ["CAPTURED", "EXPIRED", "HELD", "RELEASED", "STATUSES", "Hold", "become"]
STATUSES = tuple(TRANSITIONS)


@dataclass(frozen=True, slots=True)
class Filter:
    """Which holds are wanted: whose, of which order, how they stand, or those that staff have to
    look at: their payment came after the end, and the points were not there."""

    member_id: str | None = None
    order_id: str | None = None
    status: str | None = None
    is_failed: bool = False


def require(session: Session, program_id: str, hold_id: str) -> Hold:
    """A hold of this program; raises HoldNotFound."""
    found = session.get(Hold, (program_id, hold_id))
    if found is None:
        raise HoldNotFound(f"There is no hold {hold_id!r}.", param="id")
    return found


def status_at(row: Hold, at: datetime) -> str:
    """How a hold stands at a moment: time ends it, whether or not somebody wrote that down."""
    return EXPIRED if row.status == HELD and row.expires_at <= at else row.status


def listed(session: Session, program_id: str, wanted: Filter, page: Page) -> list[Hold]:
    """Holds, newest first; raises CursorNotFound."""
    mine = select(Hold).where(Hold.program_id == program_id, *_wanted(wanted, clock.now()))
    return newest_first(session, mine, page, id_column=Hold.id, order=Hold.id)


def _wanted(wanted: Filter, now: datetime) -> list[Any]:
    found: list[Any] = []
    if wanted.member_id:
        found.append(Hold.member_id == wanted.member_id)
    if wanted.order_id:
        found.append(Hold.order_id == wanted.order_id)
    if wanted.status:
        found.append(_stands(wanted.status, now))
    if wanted.is_failed:
        found += [Hold.capture_failed_at.is_not(None), Hold.status == EXPIRED]
    return found


def _stands(status: str, now: datetime) -> Any:
    if status == HELD:
        return and_(Hold.status == HELD, Hold.expires_at > now)
    if status == EXPIRED:
        return or_(Hold.status == EXPIRED, and_(Hold.status == HELD, Hold.expires_at <= now))
    return Hold.status == status
