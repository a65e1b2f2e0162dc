"""What was given for reaching tiers, in the database: once a cause, and what is left of it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Table, bindparam, literal_column, or_, select, update
from sqlalchemy.orm import Session

from loyalty_service.domain.ledger import Entry
from loyalty_service.domain.ledger.tables import Transaction
from loyalty_service.domain.tiers.entry import Gift, Given
from loyalty_service.domain.tiers.tables import Grant
from loyalty_service.statements import Statement, Values, table_of


def row(
    program_id: str, member_id: str, gift: Gift, entry: Entry, recorded_at: datetime
) -> tuple[Table, Values]:
    """The row of a gift that was never made before, to be written `beside` its entry."""
    assert gift.again is None, "a grant is inserted once; what is given again changes it"
    return table_of(Grant), {
        "program_id": program_id,
        "member_id": member_id,
        "cause": gift.cause,
        "transaction_id": entry.id,
        "points": gift.points,
        "withdrawn": 0,
        "recorded_at": recorded_at,
    }


def note(session: Session, program_id: str, member_id: str, cause: str, by: int) -> None:
    """Note on a grant how many points were withdrawn, below zero if some were given again."""
    whose = {"of_program": program_id, "of_member": member_id, "of_cause": cause}
    changed = _NOTE.run(session, **whose, by=by)
    assert changed == 1, f"there is no grant {cause}"


def of_member(session: Session, program_id: str, member_id: str) -> dict[str, Given]:
    """What a member was given for reaching tiers, by cause."""
    rows = _GRANTS.all(session, of_program=program_id, of_member=member_id)
    return {row[0]: Given(*row) for row in rows}


def transactions_of(
    session: Session, program_id: str, member_id: str, grant: Given
) -> Sequence[str]:
    """The transactions that gave a grant: the first, and those that gave it again."""
    return session.scalars(
        select(Transaction.id).where(
            Transaction.program_id == program_id,
            Transaction.member_id == member_id,
            _gave(grant),
        )
    ).all()


def _gave(grant: Given) -> Any:
    again = (Transaction.corrects_id == grant.transaction_id) & (Transaction.kind == "earn")
    return or_(Transaction.id == grant.transaction_id, again)


_MINE = (Grant.program_id == bindparam("of_program"), Grant.member_id == bindparam("of_member"))
_TIERS: Any = literal_column("'tier:%'")
_GRANTS = Statement(
    select(Grant.cause, Grant.transaction_id, Grant.points, Grant.withdrawn).where(
        *_MINE, Grant.cause.like(_TIERS)
    )
)
_NOTE = Statement(
    update(Grant)
    .where(*_MINE, Grant.cause == bindparam("of_cause"))
    .values(withdrawn=Grant.withdrawn + bindparam("by"))
)
