"""The lot that earned points go into."""

from datetime import datetime

from loyalty_service import ids
from loyalty_service.domain.ledger import ISSUED, Move, NewLot, available, pending


def points_in(
    points: int,
    *,
    earned_at: datetime,
    matures_at: datetime,
    expires_at: datetime | None,
    at: datetime,
) -> tuple[list[Move], list[NewLot]]:
    """Points issued into a lot of their own, pending where they mature after `at`."""
    if not points:
        return [], []
    lot = NewLot(ids.new("lot"), earned_at, matures_at, expires_at)
    side = available(lot.id) if matures_at <= at else pending(lot.id)
    return [Move(ISSUED, side, points)], [lot]
