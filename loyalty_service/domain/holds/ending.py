"""Writing down what time has ended already."""

from collections.abc import Collection

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from loyalty_service import clock
from loyalty_service.domain import ledger
from loyalty_service.domain.holds.table import HELD, Hold


def ended(session: Session, *, limit: int, besides: Collection[str] = ()) -> list[tuple[str, str]]:
    """Program and id of members with holds that time has ended; whose ended first comes first."""
    rows = session.execute(
        select(Hold.program_id, Hold.member_id)
        .where(Hold.status == HELD, Hold.expires_at <= clock.now())
        .where(Hold.member_id.not_in(besides))
        .group_by(Hold.program_id, Hold.member_id)
        .order_by(func.min(Hold.expires_at))
        .limit(limit)
    )
    return [(program_id, member_id) for program_id, member_id in rows]


def write_down(session: Session, program_id: str, member_id: str) -> bool:
    """Post what time has brought about for a member; True, for it was asked for with a reason.

    Points are back without it: this makes room in the limits of rewards, and tells the history.
    """
    ledger.bring_up_to_date(session, program_id, member_id)
    return True
