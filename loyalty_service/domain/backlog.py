"""How many promises wait: for whoever watches the service, not for the service itself."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, func, literal_column, select
from sqlalchemy.orm import Session

from loyalty_service import clock
from loyalty_service.domain.jobs import DEAD, DUE, Job


@dataclass(frozen=True, slots=True)
class Backlog:
    """Promises that wait, those given up, and how long the oldest that waits was made ago."""

    due: int
    dead: int
    oldest_due_age_seconds: int


def read(session: Session) -> Backlog:
    """All programs' promises, in one statement over two partial indexes."""
    due, oldest, dead = session.execute(statement()).one()
    waited = clock.wall() - oldest if oldest else None
    return Backlog(due, dead, int(waited.total_seconds()) if waited else 0)


def statement() -> Select[tuple[int, datetime | None, int]]:
    """How many are due, when the oldest of them was made, how many are dead."""
    # Words in the statement, not parameters: a prepared plan with a parameter can't choose a
    # partial index.
    due, dead = (Job.status == literal_column(f"'{status}'") for status in (DUE, DEAD))
    given_up = select(func.count()).select_from(Job).where(dead).scalar_subquery()
    return select(func.count(), func.min(Job.created_at), given_up).where(due)
