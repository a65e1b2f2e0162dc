"""Writing down what time has ended already."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from loyalty_service import clock
from loyalty_service.domain import ledger
from loyalty_service.domain.holds.table import HELD, Hold


def end_due(session: Session, *, limit: int) -> int:
    """Write down up to `limit` holds that time has ended; returns how many members that were.

    Points are back without it: this makes room in the limits of rewards, and tells the history.
    """
    rows = session.execute(
        select(Hold.program_id, Hold.member_id)
        .where(Hold.status == HELD, Hold.expires_at <= clock.now())
        .order_by(Hold.expires_at)
        .limit(limit)
    )
    members = sorted({(program_id, member_id) for program_id, member_id in rows})
    for program_id, member_id in members:
        ledger.bring_up_to_date(session, program_id, member_id)
    return len(members)
