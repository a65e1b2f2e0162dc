"""Reading a member's lots as plain values."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import select

from loyalty_service.domain.ledger.state import LotState
from loyalty_service.domain.ledger.tables import Lot

_LOT_COLUMNS = (
    Lot.id,
    Lot.number,
    Lot.earned_at,
    Lot.matures_at,
    Lot.expires_at,
    Lot.pending,
    Lot.available,
    Lot.held,
)


def lot_states(rows: Iterable[Any]) -> list[LotState]:
    """Rows of lots as plain values."""
    return [LotState(*row) for row in rows]


def lots_of(program_id: str, member_id: str) -> Any:
    """The SELECT for a member's lots, as `lot_states` takes them."""
    return select(*_LOT_COLUMNS).where(Lot.program_id == program_id, Lot.member_id == member_id)
