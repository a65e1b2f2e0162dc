"""A member's balance in one look: one statement, outside any transaction."""

from typing import Any

from sqlalchemy import bindparam, func, select

from loyalty_service import clock
from loyalty_service.db import ask
from loyalty_service.domain import ledger, members
from loyalty_service.domain.ledger.moments import has_fallen_due
from loyalty_service.domain.ledger.tables import Account, Lot
from loyalty_service.domain.members import EXTERNAL, Member
from loyalty_service.statements import ZERO, Statement


def balance_now(program_id: str, ref: str) -> ledger.Balance | None:
    """The balance now; None where it takes more than a look: what fell due is not posted yet, or
    points end later than by their own dates.

    Raises MemberNotFound.
    """
    statement = _BY_EXTERNAL_ID if ref.startswith(EXTERNAL) else _BY_ID
    row = ask(statement, of_program=program_id, ref=ref.removeprefix(EXTERNAL))
    if row is None:
        raise members.not_found(ref, "ref")
    available, pending, held, debt, lifetime_earned, *when = row
    next_due_at, tier, is_paused, floor, soonest, points = when
    now = clock.now()
    if has_fallen_due(next_due_at, now):
        return None
    if soonest and floor and soonest < floor and not is_paused:
        return None
    return ledger.Balance(
        at=now,
        available=available,
        pending=pending,
        held=held,
        debt=debt,
        lifetime_earned=lifetime_earned,
        expiring_next=ledger.Expiring(int(points), soonest) if soonest and not is_paused else None,
        tier=tier,
    )


def _look(column: Any) -> Statement:
    its_open = (Lot.program_id == Member.program_id) & (Lot.member_id == Member.id)
    its_open &= Lot.available > ZERO
    soonest = select(func.min(Lot.expires_at)).where(its_open).correlate(Member).scalar_subquery()
    ending = select(func.sum(Lot.available)).where(its_open, Lot.expires_at == soonest)
    its_account = (Account.program_id == Member.program_id) & (Account.member_id == Member.id)
    return Statement(
        select(
            Account.available,
            Account.pending,
            Account.held,
            Account.debt,
            Account.lifetime_earned,
            Account.next_due_at,
            Account.tier,
            Account.expiry_paused,
            Account.expires_not_before,
            soonest,
            ending.correlate(Member).scalar_subquery(),
        )
        .select_from(Member)
        .join(Account, its_account)
        .where(Member.program_id == bindparam("of_program"), column == bindparam("ref"))
    )


_BY_ID, _BY_EXTERNAL_ID = _look(Member.id), _look(Member.external_id)
