"""Who is thanked by the clock: each account notes when to look at it next, so that nobody looks at
all of them each time.

A program that has no such offer lets its members go in slices; one that changes them asks for
everybody again. Rules are read after the locks of those for whom they decide, so that neither
undoes what the other did.
"""

from collections.abc import Sequence
from datetime import timedelta
from itertools import takewhile
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from loyalty_service import clock
from loyalty_service.domain import calendar, jobs, opening, program
from loyalty_service.domain.discounts.days import Life, outlook
from loyalty_service.domain.discounts.giving import give_due
from loyalty_service.domain.ledger import Account
from loyalty_service.domain.members import ACTIVE, CLOSED, Known, Member
from loyalty_service.domain.opening import Ahead
from loyalty_service.domain.orders.table import Order
from loyalty_service.domain.program.document import BY_THE_CLOCK
from loyalty_service.domain.program.versions import LOOK_AGAIN, NEWEST, Newest

PUT_OFF = timedelta(hours=1)
SLICE = 100

_ITS_MEMBER = (Member.program_id == Account.program_id) & (Member.id == Account.member_id)


class Looks:
    """Looks at one member after the other; knows whom the last one was at, should it fail."""

    def __init__(self) -> None:
        self._at: tuple[str, str] | None = None

    def thank_due(self, session: Session) -> int:
        """Look at the member whose moment came first, and give what is due; returns how many.

        Two workers never take the same member.
        """
        self._at = _first_due(session)
        if self._at is None:
            return 0
        program_id, member_id = self._at
        if not _thanks_by_the_clock(session, program_id):
            return _let_go(session, program_id)
        _look(session, program_id, member_id)
        return 1

    def put_off(self, session: Session) -> None:
        """Let the member of the look that failed wait an hour: broken books hold up nobody.

        One whom somebody else has looked at meanwhile keeps the moment.
        """
        if self._at:
            program_id, member_id = self._at
            now = clock.now()
            _set(session, program_id, [member_id], now + PUT_OFF, Account.thanks_at <= now)


def look_again(session: Session, job: jobs.Claimed) -> None:
    """Look at every member anew, because the offers changed: some, and a promise for the rest.

    Only one account is ever waited for, and none is held by then.
    """
    version, _, after = job.subject_id.partition(":")
    ids = session.scalars(
        select(Account.member_id)
        .where(Account.program_id == job.program_id, Account.member_id > after)
        .order_by(Account.member_id)
        .limit(SLICE)
    ).all()
    # The one that may have to be waited for comes first and alone, so that each step gets on.
    _set(session, job.program_id, ids[:1], clock.now())
    among = (Account.program_id == job.program_id, Account.member_id.in_(ids))
    free = set(_lock_free(session, *among))
    # The rest begins with the first that is not free.
    taken = list(takewhile(free.__contains__, ids))
    _set(session, job.program_id, taken, clock.now())
    if taken and (len(taken) < len(ids) or len(ids) == SLICE):
        rest = f"{version}:{taken[-1]}"
        jobs.promise(session, job.program_id, LOOK_AGAIN, rest, lease_seconds=0)
    jobs.done(session, job)


def _look(session: Session, program_id: str, member_id: str) -> None:
    member, book, newest, _ = opening.open_for(session, program_id, member_id, Ahead.EXPIRING)
    # The newest, whatever this machine's clock says of its moment: everybody is looked at once it
    # is there, and nothing may be noted by an older one after that.
    rules = program.history(session, program_id, newest).newest
    if member.status == CLOSED:
        _set(session, program_id, [member_id], None)
        return
    seen = outlook(_life(session, program_id, member, rules.rules), rules.rules, book.now)
    _set(session, program_id, [member_id], seen.next_at)
    if member.status == ACTIVE:
        give_due(book, rules, seen.due)


def _life(session: Session, program_id: str, member: Known, rules: program.Program) -> Life:
    # One that was cancelled is a sign of life, too.
    last = session.scalar(
        select(func.max(Order.placed_at)).where(
            Order.program_id == program_id, Order.member_id == member.id
        )
    )
    return Life(
        born=member.birthday,
        enrolled=calendar.local_date(member.enrolled_at, rules.zone),
        last_order_at=last,
    )


def _first_due(session: Session) -> tuple[str, str] | None:
    """The member whose moment came first, locked; whom somebody else has locked comes later."""
    row = session.execute(
        select(Account.program_id, Account.member_id)
        .join(Member, _ITS_MEMBER)
        .where(Account.thanks_at <= clock.now())
        .order_by(Account.thanks_at)
        .limit(1)
        # Both rows, as every verb takes them.
        .with_for_update(skip_locked=True, key_share=True, of=[Member, Account])
    ).first()
    return (row[0], row[1]) if row else None


def _thanks_by_the_clock(session: Session, program_id: str) -> bool:
    newest = NEWEST.first(session, of_program=program_id)
    if newest is None:
        return False
    rules = program.history(session, program_id, Newest(*newest)).newest.rules
    return bool(rules.offers_for(*BY_THE_CLOCK))


def _let_go(session: Session, program_id: str) -> int:
    """Look at some members no more, while the program has no offers by the clock."""
    is_noted = (Account.program_id == program_id, Account.thanks_at.is_not(None))
    rows = _lock_free(session, *is_noted)
    # Asked again under the locks: a version that was applied meanwhile may have looked at them.
    if not _thanks_by_the_clock(session, program_id):
        _set(session, program_id, rows, None)
    return len(rows)


def _lock_free(session: Session, *conditions: Any) -> Sequence[str]:
    """Lock some accounts that nobody else has locked; returns their members' ids."""
    free = select(Account.member_id).where(*conditions).limit(SLICE)
    return session.scalars(free.with_for_update(skip_locked=True, key_share=True)).all()


def _set(
    session: Session, program_id: str, member_ids: Sequence[str], at: Any, *conditions: Any
) -> None:
    session.execute(
        update(Account)
        .where(Account.program_id == program_id, Account.member_id.in_(member_ids), *conditions)
        .values(thanks_at=at)
        .execution_options(synchronize_session=False)
    )
