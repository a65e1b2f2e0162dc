"""How a verb that a caller asks for begins: lock, bring up to date, know the rules."""

from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any, NamedTuple

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from loyalty_service.domain import ledger, members
from loyalty_service.domain.ledger.book import LOCKED_COLUMNS, book_of, opened
from loyalty_service.domain.ledger.lots import expiring_next, first_to_spend, lot_states
from loyalty_service.domain.ledger.peeking import peek as peeked
from loyalty_service.domain.ledger.tables import Account
from loyalty_service.domain.members import EXTERNAL, Member
from loyalty_service.domain.program.versions import NEWEST, Newest, not_applied
from loyalty_service.statements import Statement, Values, together


class Ahead(Enum):
    """What the verb will want to know of the lots: it comes with the lock."""

    EXPIRING = "expiring"
    LOTS = "lots"


class Opened(NamedTuple):
    """A locked member, the account's book, the newest version of the rules, and what else was
    asked for."""

    member: members.Known
    book: ledger.Book
    newest: Newest
    also: Sequence[Sequence[Any]]


def open_for(
    session: Session,
    program_id: str,
    ref: str,
    ahead: Ahead,
    *also: tuple[Statement, Values],
) -> Opened:
    """Lock the member named by `mem_…` or `ext:…` and the account, and post what fell due.

    Nobody closes the membership or writes to the account until the transaction ends. `also` is
    read under the lock, too. Raises MemberNotFound and ProgramNotApplied.
    """
    lock, reading = _BY_EXTERNAL_ID if ref.startswith(EXTERNAL) else _BY_ID
    whose = {"of_program": program_id, "ref": ref.removeprefix(EXTERNAL)}
    asked = [(lock, whose), (NEWEST, {"of_program": program_id}), (reading[ahead], whose), *also]
    found, newest, lots, *others = together(session, asked)
    if not found:
        raise members.not_found(ref)
    if not newest:
        raise not_applied(program_id)
    row, known = found[0], len(members.KNOWN_COLUMNS)
    book = book_of(session, row[known:])
    if ahead is Ahead.LOTS:
        book.first_lots = lot_states(lots)
    else:
        book.is_expiring_known = True
        book.expiring = ledger.Expiring(int(lots[0][0]), lots[0][1]) if lots else None
    return Opened(members.Known(*row[:known]), opened(book), Newest(*newest[0]), others)


def peek(session: Session, program_id: str, ref: str) -> tuple[members.Known, ledger.Book, Newest]:
    """A member, the account as it is now and the newest rules, without a lock and writing nothing.

    Raises MemberNotFound and ProgramNotApplied.
    """
    statement = _PEEK_BY_EXTERNAL_ID if ref.startswith(EXTERNAL) else _PEEK_BY_ID
    row = statement.first(session, of_program=program_id, ref=ref.removeprefix(EXTERNAL))
    if row is None:
        raise members.not_found(ref)
    newest = NEWEST.first(session, of_program=program_id)
    if newest is None:
        raise not_applied(program_id)
    known = len(members.KNOWN_COLUMNS)
    return members.Known(*row[:known]), peeked(session, row[known:]), Newest(*newest)


def _looking(column: Any) -> Any:
    its_account = (Account.program_id == Member.program_id) & (Account.member_id == Member.id)
    return (
        select(*members.KNOWN_COLUMNS, *LOCKED_COLUMNS)
        .join(Account, its_account)
        .where(Member.program_id == bindparam("of_program"), column == bindparam("ref"))
    )


def _locking(column: Any) -> Statement:
    # Both rows are locked, so that both come as they stand after the wait: a row that is only
    # joined would come as it stood before. Whatever else is read comes after the lock.
    return Statement(_looking(column).with_for_update(key_share=True, of=[Member, Account]))


def _reading(member_id: Any) -> dict[Ahead, Statement]:
    of_program: Any = bindparam("of_program")
    return {
        Ahead.EXPIRING: Statement(expiring_next(of_program, member_id)),
        Ahead.LOTS: Statement(first_to_spend(of_program, member_id)),
    }


def either(statement: Callable[[Any], Statement]) -> Callable[[str, str], tuple[Statement, Values]]:
    """Make a statement about a member's id into one about `mem_…` or `ext:…`, with its values."""
    by_id, by_external_id = statement(bindparam("ref")), statement(_ITS_ID)

    def asked(program_id: str, ref: str) -> tuple[Statement, Values]:
        chosen = by_external_id if ref.startswith(EXTERNAL) else by_id
        return chosen, {"of_program": program_id, "ref": ref.removeprefix(EXTERNAL)}

    return asked


_ITS_ID = (
    select(Member.id)
    .where(Member.program_id == bindparam("of_program"), Member.external_id == bindparam("ref"))
    .scalar_subquery()
)
_PEEK_BY_ID = Statement(_looking(Member.id))
_PEEK_BY_EXTERNAL_ID = Statement(_looking(Member.external_id))
_BY_ID = _locking(Member.id), _reading(bindparam("ref"))
_BY_EXTERNAL_ID = _locking(Member.external_id), _reading(_ITS_ID)
