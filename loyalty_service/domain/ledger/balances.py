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
from loyalty_service.domain.ledger import history, reserved, state
from loyalty_service.domain.ledger.entries import Book, Expiring
from loyalty_service.domain.ledger.lots import ENDING_BY, EXPIRING_NEXT, lot_states, lots_of
from loyalty_service.domain.ledger.moments import has_fallen_due
from loyalty_service.domain.ledger.standing import Standing, of_account
from loyalty_service.domain.ledger.state import Held, LotState
from loyalty_service.domain.ledger.tables import Account, Lot
from loyalty_service.errors import MemberNotFound


@dataclass(frozen=True, slots=True)
class Balance:
    """A member's points at a moment, and the tier that is held then."""

    at: datetime
    available: int
    pending: int
    held: int
    debt: int
    lifetime_earned: int
    expiring_next: Expiring | None
    tier: str | None


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
        lots, debt, lifetime, moves = history.as_of(session, program_id, member_id, at)
        holds = reserved.standing_of(session, program_id, moves)
        standing = history.standing_as_of(session, program_id, member_id, at)
        return _advanced(lots, debt, lifetime, standing, at, holds)
    return _from_account(session, account, at or now)


def balance_of(book: Book) -> Balance:
    """The balance of a locked account as the book stands."""
    if book.is_expiring_known:
        expiring = _held_back(book.session, book, book.standing, book.expiring)
    else:
        expiring = _soonest(book.session, book, book.standing)
    return _as_it_stands(book, book.now, expiring, book.standing.tier)


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
    standing = of_account(account)
    if not has_fallen_due(account.next_due_at, at):
        return _as_it_stands(account, at, _soonest(session, account, standing), standing.tier)
    still_open = or_(Lot.available > 0, Lot.pending > 0, Lot.held > 0)
    lots = lots_of(account.program_id, account.member_id).where(still_open)
    states = lot_states(session.execute(lots))
    whose = account.program_id, account.member_id
    holds = reserved.standing(session, *whose) if account.held else []
    return _advanced(states, account.debt, account.lifetime_earned, standing, at, holds)


def _as_it_stands(
    figures: Book | Account, at: datetime, expiring: Expiring | None, tier: str | None
) -> Balance:
    return Balance(
        at=at,
        available=figures.available,
        pending=figures.pending,
        held=figures.held,
        debt=figures.debt,
        lifetime_earned=figures.lifetime_earned,
        expiring_next=expiring,
        tier=tier,
    )


def _soonest(session: Session, whose: Book | Account, standing: Standing) -> Expiring | None:
    if standing.expiry_paused:
        return None
    row = EXPIRING_NEXT.first(session, of_program=whose.program_id, of_member=whose.member_id)
    return _held_back(session, whose, standing, Expiring(int(row[0]), row[1]) if row else None)


def _held_back(
    session: Session, whose: Book | Account, standing: Standing, by_date: Expiring | None
) -> Expiring | None:
    """What expires next as things stand, from what does by the lots' own dates."""
    floor = standing.expires_not_before
    if standing.expiry_paused or by_date is None:
        return None
    if floor is None or floor <= by_date.expires_at:
        return by_date
    mine = {"of_program": whose.program_id, "of_member": whose.member_id}
    (points,) = ENDING_BY.first(session, **mine, at=floor)
    return Expiring(int(points), floor)


def _advanced(
    lots: list[LotState],
    debt: int,
    lifetime: int,
    standing: Standing,
    at: datetime,
    holds: list[Held],
) -> Balance:
    lots, debt, standing, _ = state.advance(lots, debt, standing, at, holds)
    # A moment may lie between a credit and the repayment it brings about: they are one.
    debt -= sum(move.points for due in state.repay(lots, debt, at) for move in due.moves)
    return Balance(
        at=at,
        available=sum(lot.available for lot in lots),
        pending=sum(lot.pending for lot in lots),
        held=sum(lot.held for lot in lots),
        debt=debt,
        lifetime_earned=lifetime,
        expiring_next=_expiring(lots, standing),
        tier=standing.tier,
    )


def _expiring(lots: Iterable[LotState], standing: Standing) -> Expiring | None:
    """Available points that share the soonest end; pending points are not named yet."""
    ends = [(state.ends_at(lot, standing), lot.available) for lot in lots if lot.available]
    soonest = min((at for at, _ in ends if at), default=None)
    if soonest is None:
        return None
    return Expiring(sum(points for at, points in ends if at == soonest), soonest)
