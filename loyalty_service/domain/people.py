"""The persons behind the ids of staff: their names, and whether two ids are one person's."""

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from loyalty_service.domain.access import Staff, folded


def named(session: Session, program_id: str, staff_ids: Iterable[str]) -> dict[str, str]:
    """The persons behind some ids, where they are still known, by id."""
    rows = session.execute(
        select(Staff.id, Staff.person).where(
            Staff.program_id == program_id, Staff.id.in_(set(staff_ids))
        )
    )
    return {staff_id: person for staff_id, person in rows}


def are_one(session: Session, program_id: str, staff_id: str, other: str) -> bool:
    """Say whether two ids are one person's, whose name may be written in two ways."""
    if staff_id == other:
        return True
    written = named(session, program_id, (staff_id, other)).values()
    return len(written) == 2 and len({folded(name) for name in written}) == 1
