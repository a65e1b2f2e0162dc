"""The outbox, as tests look into it."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from loyalty_service.domain.jobs import Job


def promise_of(session: Session, program_id: str, kind: str, subject_id: str) -> Job:
    """The promise of a kind about a subject, which must be there."""
    mine = select(Job).where(Job.program_id == program_id)
    return session.scalars(mine.where(Job.kind == kind, Job.subject_id == subject_id)).one()
