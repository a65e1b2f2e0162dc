"""A balance at any moment: now from the account row, the past from postings, the future in advance.

All three end in the same pure `advance`, so the forecast for a moment is what a read at that
moment will answer.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from loyalty_service import clock
from loyalty_service.domain.ledger import history, state
from loyalty_service.domain.ledger.entries import Book, Expiring
from loyalty_service.domain.ledger.lots import EXPIRING_NEXT, lot_states, lots_of
from loyalty_service.domain.ledger.state import LotState
from loyalty_service.domain.ledger.tables import Account, Lot
from loyalty_service.errors import MemberNotFound


@dataclass(frozen=True, slots=True)
class Balance:
    """A member's points at a moment."""

    at: datetime
    available: int
    pending: int
    held: int
    debt: int
    lifetime_earned: int
    expiring_next: Expiring | None


def balance(
    session: Session, program_id: str, member_id: str, at: datetime | None = None
) -> Balance:
    """The balance at `at` (default now); a past moment answers what we would have answered then.

    Raises MemberNotFound.
    """
    now = clock.now()
    # Accounts are written by statements that a session's own copy does not see: read it afresh.
    account = session.get(Account, (program_id, member_id), populate_existing=True)
    if account is None:
        raise MemberNotFound(f"There is no account for member {member_id}.", param="member")
    if at is not None and at < now:
        lots, debt, lifetime = history.as_of(session, program_id, member_id, at)
        return _advanced(lots, debt, lifetime, at)
    return _from_account(session, account, at or now)


def balance_of(book: Book) -> Balance:
    """The balance of a locked account as the book stands."""
    if book.is_expiring_known:
        return _as_it_stands(book, book.now, book.expiring)
    expiring = _soonest(book.session, book.program_id, book.member_id)
    return _as_it_stands(book, book.now, expiring)


def balances_now(session: Session, program_id: str, member_ids: list[str]) -> dict[str, Balance]:
    """The balances of several members now, each from its account row where nothing is due."""
    accounts = session.scalars(
        select(Account)
        .where(Account.program_id == program_id, Account.member_id.in_(member_ids))
        .execution_options(populate_existing=True)
    )
    now = clock.now()
    return {account.member_id: _from_account(session, account, now) for account in accounts}


def _from_account(session: Session, account: Account, at: datetime) -> Balance:
    if account.next_due_at is None or account.next_due_at > at:
        expiring = _soonest(session, account.program_id, account.member_id)
        return _as_it_stands(account, at, expiring)
    still_open = or_(Lot.available > 0, Lot.pending > 0, Lot.held > 0)
    lots = lots_of(account.program_id, account.member_id).where(still_open)
    states = lot_states(session.execute(lots))
    return _advanced(states, account.debt, account.lifetime_earned, at)


def _as_it_stands(figures: Book | Account, at: datetime, expiring: Expiring | None) -> Balance:
    return Balance(
        at=at,
        available=figures.available,
        pending=figures.pending,
        held=figures.held,
        debt=figures.debt,
        lifetime_earned=figures.lifetime_earned,
        expiring_next=expiring,
    )


def _soonest(session: Session, program_id: str, member_id: str) -> Expiring | None:
    row = EXPIRING_NEXT.first(session, of_program=program_id, of_member=member_id)
    return Expiring(int(row[0]), row[1]) if row else None


def _advanced(lots: list[LotState], debt: int, lifetime: int, at: datetime) -> Balance:
    lots, debt, _ = state.advance(lots, debt, at)
    # A moment may lie between a credit and the repayment it brings about: they are one.
    debt -= sum(move.points for due in state.repay(lots, debt, at) for move in due.moves)
    return Balance(
        at=at,
        available=sum(lot.available for lot in lots),
        pending=sum(lot.pending for lot in lots),
        held=sum(lot.held for lot in lots),
        debt=debt,
        lifetime_earned=lifetime,
        expiring_next=_expiring(lots),
    )


def _expiring(lots: Iterable[LotState]) -> Expiring | None:
    """Available points that share the soonest date; pending points are not named yet."""
    dated = [(lot.expires_at, lot.available) for lot in lots if lot.available and lot.expires_at]
    if not dated:
        return None
    soonest = min(at for at, _ in dated)
    return Expiring(sum(points for at, points in dated if at == soonest), soonest)
