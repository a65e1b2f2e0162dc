"""Who is thanked by the clock: each account notes when to look at it next, so that nobody looks at
all of them each time.

A program that has no such offer lets its members go in slices; one that changes them asks for
everybody again.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from loyalty_service import clock
from loyalty_service.domain import calendar, jobs, opening, program
from loyalty_service.domain.discounts.days import BY_THE_CLOCK, Life, outlook
from loyalty_service.domain.discounts.giving import Thanks, give_once
from loyalty_service.domain.ledger import Account
from loyalty_service.domain.members import ACTIVE, CLOSED, Known, Member
from loyalty_service.domain.opening import Ahead
from loyalty_service.domain.orders.table import Order
from loyalty_service.domain.program.versions import LOOK_AGAIN

PUT_OFF = timedelta(hours=1)
SLICE = 500

_ITS_MEMBER = (Member.program_id == Account.program_id) & (Member.id == Account.member_id)


def thank_due(session: Session) -> int:
    """Look at the member whose moment came first, and give what is due; returns how many.

    Two workers never take the same member.
    """
    found = _first_due(session, clock.now())
    if found is None:
        return 0
    program_id, member_id = found
    rules = program.in_force(session, program_id).rules
    if not rules.offers_for(*BY_THE_CLOCK):
        return _let_go(session, program_id)
    _look(session, program_id, member_id)
    return 1


def put_off(session: Session) -> None:
    """Let the member who comes first wait an hour: one whose books are broken holds up nobody."""
    now = clock.now()
    if found := _first_due(session, now):
        program_id, member_id = found
        _set(session, program_id, [member_id], now + PUT_OFF)


def look_again(session: Session, job: jobs.Claimed) -> None:
    """Look at every member anew, because the offers changed: some, and a promise for the rest."""
    version, _, after = job.subject_id.partition(":")
    ids = session.scalars(
        select(Account.member_id)
        .where(Account.program_id == job.program_id, Account.member_id > after)
        .order_by(Account.member_id)
        .limit(SLICE)
    ).all()
    _set(session, job.program_id, ids, clock.now())
    if len(ids) == SLICE:
        rest = f"{version}:{ids[-1]}"
        jobs.promise(session, job.program_id, LOOK_AGAIN, rest, lease_seconds=0)
    jobs.done(session, job)


def _look(session: Session, program_id: str, member_id: str) -> None:
    member, book, newest, _ = opening.open_for(session, program_id, member_id, Ahead.EXPIRING)
    rules = program.as_of(session, program_id, newest, book.now)
    if member.status == CLOSED:
        return _set(session, program_id, [member_id], None)
    seen = outlook(_life(session, program_id, member, rules.rules), rules.rules, book.now)
    if member.status == ACTIVE:
        for due in seen.due:
            give_once(Thanks(book, rules, due.offer, due.cause))
    return _set(session, program_id, [member_id], seen.next_at)


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
        last_order=calendar.local_date(last, rules.zone) if last else None,
    )


def _first_due(session: Session, at: datetime) -> tuple[str, str] | None:
    """The member whose moment came first, locked; whom somebody else has locked comes later."""
    row = session.execute(
        select(Account.program_id, Account.member_id)
        .join(Member, _ITS_MEMBER)
        .where(Account.thanks_at <= at)
        .order_by(Account.thanks_at)
        .limit(1)
        # Both rows, as every verb takes them.
        .with_for_update(skip_locked=True, key_share=True, of=[Member, Account])
    ).first()
    return (row[0], row[1]) if row else None


def _let_go(session: Session, program_id: str) -> int:
    rows = session.scalars(
        select(Account.member_id)
        .where(Account.program_id == program_id, Account.thanks_at.is_not(None))
        .limit(SLICE)
        .with_for_update(skip_locked=True, key_share=True)
    ).all()
    _set(session, program_id, rows, None)
    return len(rows)


def _set(session: Session, program_id: str, member_ids: Sequence[str], at: Any) -> None:
    session.execute(
        update(Account)
        .where(Account.program_id == program_id, Account.member_id.in_(member_ids))
        .values(thanks_at=at)
        .execution_options(synchronize_session=False)
    )
