"""How every verb about a member's points begins: lock, bring up to date, know the rules."""

from typing import Any, NamedTuple

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session, aliased

from loyalty_service.domain import ledger, members
from loyalty_service.domain.ledger.book import LOCKED_COLUMNS, opened
from loyalty_service.domain.ledger.tables import Account
from loyalty_service.domain.members import EXTERNAL, Member
from loyalty_service.domain.program.versions import NEWEST_COLUMNS, Newest, ProgramVersion
from loyalty_service.statements import Statement


class Opened(NamedTuple):
    """A locked member, the account's book, and the newest version of the rules."""

    member: members.Standing
    book: ledger.Book
    newest: Newest


def _locking(column: Any) -> Statement:
    other = aliased(ProgramVersion)
    of_program: Any = bindparam("of_program")
    newest = select(func.max(other.version)).where(other.program_id == of_program)
    return Statement(
        select(Member.id, Member.status, *NEWEST_COLUMNS, *LOCKED_COLUMNS)
        .join(Account, (Account.program_id == Member.program_id) & (Account.member_id == Member.id))
        .join(ProgramVersion, ProgramVersion.program_id == Member.program_id)
        .where(Member.program_id == of_program, column == bindparam("ref"))
        .where(ProgramVersion.version == newest.scalar_subquery())
        # Both rows are locked, so that both come as they stand after the wait: a row that is only
        # joined would come as it stood before. Lots are read by the next statement.
        .with_for_update(key_share=True, of=[Member, Account])
    )


_LOCK_BY_ID, _LOCK_BY_EXTERNAL_ID = _locking(Member.id), _locking(Member.external_id)
_HERE = 2 + len(NEWEST_COLUMNS)


def open_for(session: Session, program_id: str, ref: str) -> Opened:
    """Lock the member named by `mem_…` or `ext:…` and the account, and post what fell due.

    Nobody closes the membership or writes to the account until the transaction ends. Raises
    MemberNotFound.
    """
    statement = _LOCK_BY_EXTERNAL_ID if ref.startswith(EXTERNAL) else _LOCK_BY_ID
    row = statement.first(session, of_program=program_id, ref=ref.removeprefix(EXTERNAL))
    if row is None:
        raise members.not_found(ref)
    book = opened(session, row[_HERE:])
    return Opened(members.Standing(*row[:2]), book, Newest(*row[2:_HERE]))
