"""Who must be looked at, so that what time brought about is told though nobody calls.

Nothing else waits for this look: every write and read applies time by itself. It goes through the
accounts in the order of their key, and so costs nobody an index.
"""

from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from loyalty_service import clock
from loyalty_service.domain import program
from loyalty_service.domain.ledger import Account
from loyalty_service.domain.webhooks import endpoints

PAGE = 2000


class Look(NamedTuple):
    """Members of one page for whom something fell due; the last id of the page, None at the end."""

    due: list[str]
    last: str | None


def listened(session: Session) -> list[str]:
    """The programs that somebody listens to."""
    return [one for one in program.program_ids(session) if endpoints.listening(session, one)]


def look(session: Session, program_id: str, after: str) -> Look:
    """The page of a program's accounts after a member's id."""
    rows = session.execute(
        select(Account.member_id, Account.next_due_at)
        .where(Account.program_id == program_id, Account.member_id > after)
        .order_by(Account.member_id)
        .limit(PAGE)
    ).all()
    now = clock.now()
    due = [member_id for member_id, due_at in rows if due_at and due_at <= now]
    return Look(due, rows[-1][0] if len(rows) == PAGE else None)
