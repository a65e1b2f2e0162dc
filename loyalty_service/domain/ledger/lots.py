"""Reading a member's lots as plain values."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import bindparam, func, literal_column, select

from loyalty_service.domain.ledger.state import LotState
from loyalty_service.domain.ledger.tables import Lot
from loyalty_service.statements import ONE, ZERO, Statement

LOTS_READ_FIRST = 32
SPEND_ORDER = (Lot.expires_at.asc().nulls_last(), Lot.earned_at, Lot.number)

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


def lots_of(program_id: Any, member_id: Any) -> Any:
    """The SELECT for a member's lots, as `lot_states` takes them."""
    return select(*_LOT_COLUMNS).where(Lot.program_id == program_id, Lot.member_id == member_id)


def to_spend(program_id: Any, member_id: Any) -> Any:
    """The SELECT for lots that can be spent, soonest to expire first."""
    return lots_of(program_id, member_id).where(Lot.available > ZERO).order_by(*SPEND_ORDER)


def first_to_spend(program_id: Any, member_id: Any) -> Any:
    """The SELECT for the first of them: most verbs need no more."""
    return to_spend(program_id, member_id).limit(literal_column(str(LOTS_READ_FIRST)))


def expiring_next(program_id: Any, member_id: Any) -> Any:
    """The SELECT for the available points that share the soonest date, and that date."""
    return (
        select(func.sum(Lot.available), Lot.expires_at)
        .where(Lot.program_id == program_id, Lot.member_id == member_id)
        .where(Lot.available > ZERO, Lot.expires_at.is_not(None))
        .group_by(Lot.expires_at)
        .order_by(Lot.expires_at)
        .limit(ONE)
    )


def ending_by(program_id: Any, member_id: Any, at: Any) -> Any:
    """The SELECT for the available points whose date is at `at` or before."""
    return (
        select(func.sum(Lot.available))
        .where(Lot.program_id == program_id, Lot.member_id == member_id)
        .where(Lot.available > ZERO, Lot.expires_at <= at)
    )


_PROGRAM: Any = bindparam("of_program")
_MEMBER: Any = bindparam("of_member")
_MINE = (_PROGRAM, _MEMBER)
FIRST_TO_SPEND = Statement(first_to_spend(*_MINE))
ALL_TO_SPEND = Statement(to_spend(*_MINE))
EXPIRING_NEXT = Statement(expiring_next(*_MINE))
ENDING_BY = Statement(ending_by(_PROGRAM, _MEMBER, bindparam("at")))
