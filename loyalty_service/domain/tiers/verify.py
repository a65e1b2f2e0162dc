"""`loyalty ledger verify`, the part of tiers: credits, grants and the tier that is held.

Credits stand in the contexts of their transactions, grants in postings, and the tier follows from
credits, rules and the time.
"""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

from sqlalchemy import Select, Subquery, and_, case, func, or_, select
from sqlalchemy.orm import Session

from loyalty_service import clock
from loyalty_service.domain.ledger.standing import Step, of_account
from loyalty_service.domain.ledger.tables import Account, Posting, Transaction
from loyalty_service.domain.ledger.verify import Difference
from loyalty_service.domain.members import Member
from loyalty_service.domain.program import Program
from loyalty_service.domain.program.versions import NEWEST, Newest, numbered
from loyalty_service.domain.tiers import credits, entry
from loyalty_service.domain.tiers.holding import advanced, hold, tier_of
from loyalty_service.domain.tiers.tables import Grant, TierCredit
from loyalty_service.statements import OF_PROGRAM

MEMBERS_AT_ONCE = 500


def verify(session: Session, program_id: str) -> Iterator[Difference]:
    """Every difference in a program's tier credits, grants and tiers."""
    yield from _credits(session, program_id)
    yield from _grants(session, program_id)
    yield from _tiers(session, program_id)


def _credits(session: Session, program_id: str) -> Iterator[Difference]:
    """A transaction has a row if and only if its context pins a credit, and they say the same."""
    rows = session.execute(_credited(), {"of_program": program_id})
    for transaction_id, member_id, context, row in rows:
        told = _told(member_id, context)
        kept = (row.member_id, row.program_version, credits.as_plain(row)) if row else None
        if kept != told:
            yield Difference(f"transaction {transaction_id}", f"tier credit is {kept}, not {told}")


@cache
def _credited() -> Select[Any]:
    same = and_(
        TierCredit.program_id == Transaction.program_id, TierCredit.transaction_id == Transaction.id
    )
    pins = Transaction.context.contains(f'"{credits.PINNED}":', autoescape=True)
    return (
        select(Transaction.id, Transaction.member_id, Transaction.context, TierCredit)
        .outerjoin(TierCredit, same)
        .where(Transaction.program_id == OF_PROGRAM)
        .where(or_(TierCredit.transaction_id.is_not(None), pins))
    )


def _told(member_id: str, text: str) -> tuple[str, Any, Any] | None:
    context = json.loads(text)
    if credits.PINNED not in context:
        return None
    return member_id, context.get("program_version"), context[credits.PINNED]


def _grants(session: Session, program_id: str) -> Iterator[Difference]:
    """What a tier gave is what its first transaction issued; withdrawn what others took, net."""
    rows = session.execute(_wrong_grants(), {"of_program": program_id})
    for member_id, cause, points, issued, noted, taken in rows:
        yield Difference(
            f"grant {cause} of {member_id}",
            f"points is {points} and withdrawn {noted}, postings give {issued} and {taken}",
        )


@cache
def _wrong_grants() -> Select[Any]:
    gave = _issued(Transaction.id)
    changed = _issued(Transaction.corrects_id)
    given, again = func.coalesce(gave.c.points, 0), func.coalesce(changed.c.points, 0)
    return (
        select(Grant.member_id, Grant.cause, Grant.points, given, Grant.withdrawn, -again)
        .outerjoin(gave, gave.c.transaction_id == Grant.transaction_id)
        .outerjoin(changed, changed.c.transaction_id == Grant.transaction_id)
        .where(Grant.program_id == OF_PROGRAM, Grant.cause.startswith(entry.PREFIX))
        .where(or_(Grant.points != given, Grant.withdrawn != -again))
    )


def _issued(by: Any) -> Subquery:
    """By transaction, or by the one that is corrected: points issued, less those taken back."""
    points = case((Posting.debit_kind == "issued", Posting.points), else_=0)
    back = case((Posting.credit_kind == "issued", Posting.points), else_=0)
    same = and_(
        Posting.program_id == Transaction.program_id, Posting.transaction_id == Transaction.id
    )
    return (
        select(by.label("transaction_id"), func.sum(points - back).label("points"))
        .join(Posting, same)
        .where(Transaction.program_id == OF_PROGRAM)
        .group_by(by)
        .subquery()
    )


def _tiers(session: Session, program_id: str) -> Iterator[Difference]:
    """Who was credited under the version in force holds what it gives, and loses it when it says.

    Others may hold what an earlier version gave: a change of the rules touches nobody by itself.
    """
    row = NEWEST.first(session, of_program=program_id)
    if row is None:
        return
    newest = Newest(*row)
    known = numbered(session, program_id, newest, range(1, newest.version))
    if known[newest.version].tiers is None:
        return
    mine = select(TierCredit.member_id).where(
        TierCredit.program_id == program_id, TierCredit.program_version == newest.version
    )
    members = session.scalars(mine.distinct().order_by(TierCredit.member_id)).all()
    for first in range(0, len(members), MEMBERS_AT_ONCE):
        some = list(members[first : first + MEMBERS_AT_ONCE])
        yield from _held(session, program_id, some, known)


def _held(
    session: Session, program_id: str, member_ids: list[str], known: dict[int, Program]
) -> Iterator[Difference]:
    now, rules = clock.now(), known[max(known)]
    credited = credits.of_members(session, program_id, member_ids)
    same = and_(Account.program_id == Member.program_id, Account.member_id == Member.id)
    rows = session.execute(
        select(Account, Member.enrolled_at)
        .join(Member, same)
        .where(Member.program_id == program_id, Member.id.in_(member_ids))
    )
    for account, enrolled_at in rows:
        stands = advanced(of_account(account), now)
        held = hold(credited[account.member_id], known, enrolled_at, now)
        tier = tier_of(rules, stands.tier).id
        if (tier, stands.steps) != (held.tier, held.steps):
            yield Difference(
                f"account {account.member_id}",
                f"tier is {_words(tier, stands.steps)}, credits give "
                f"{_words(held.tier, held.steps)}",
            )


def _words(tier: str, steps: tuple[Step, ...]) -> str:
    ahead = (f", {step.tier} from {step.at.isoformat()}" for step in steps)
    return f"{tier}{''.join(ahead)}"
