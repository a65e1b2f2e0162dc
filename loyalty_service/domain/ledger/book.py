"""An account under lock, and the one way to write to it.

Lock, read, plan, write: the account row is locked in one statement and its lots are read in the
NEXT (a joined lock returns the lots as they were before the wait, and two tills overspend); `now`
is taken after the lock; lots and account are changed relatively.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Table, and_, insert, or_, select, update
from sqlalchemy.orm import Session

from loyalty_service import clock
from loyalty_service.domain.ledger import chain, reserved, state
from loyalty_service.domain.ledger.entries import Book, Entry
from loyalty_service.domain.ledger.lots import (
    ALL_TO_SPEND,
    FIRST_TO_SPEND,
    LOTS_READ_FIRST,
    SPEND_ORDER,
    lot_states,
    lots_of,
)
from loyalty_service.domain.ledger.moments import has_fallen_due, set_next_due
from loyalty_service.domain.ledger.moves import Move, Side, available, change
from loyalty_service.domain.ledger.sending import MY_ACCOUNT
from loyalty_service.domain.ledger.standing import Standing, from_columns
from loyalty_service.domain.ledger.state import Due, Held, LotState, spend
from loyalty_service.domain.ledger.tables import Account, Lot
from loyalty_service.domain.ledger.writing import write
from loyalty_service.errors import MemberNotFound
from loyalty_service.statements import Statement, Values

_STANDING = (
    Account.tier,
    Account.tier_since,
    Account.tier_steps,
    Account.expiry_paused,
    Account.expires_not_before,
)
# What `book_of` makes a book of, in this order.
LOCKED_COLUMNS = (
    Account.program_id,
    Account.member_id,
    Account.available,
    Account.pending,
    Account.held,
    Account.debt,
    Account.lifetime_earned,
    Account.sequence,
    Account.lots_opened,
    Account.head_hash,
    Account.recorded_at,
    Account.next_due_at,
    Account.warn_at,
    *_STANDING,
)
# Lock before reading anything else: two tills may redeem at once.
_LOCK = Statement(select(*LOCKED_COLUMNS).where(*MY_ACCOUNT).with_for_update(key_share=True))


def open_account(session: Session, program_id: str, member_id: str) -> None:
    """Insert a new member's account: no points, an empty chain."""
    session.execute(
        insert(Account).values(
            program_id=program_id,
            member_id=member_id,
            head_hash=chain.GENESIS,
            recorded_at=clock.now(),
        )
    )


def look_for_thanks(session: Session, program_id: str, member_id: str) -> None:
    """What the clock makes due to a member has changed: let the worker look now."""
    session.execute(
        update(Account)
        .where(Account.program_id == program_id, Account.member_id == member_id)
        .values(thanks_at=clock.now())
        .execution_options(synchronize_session=False)
    )


def open_book(session: Session, program_id: str, member_id: str) -> Book:
    """Lock the member's account, post what fell due until now, and hand the book over.

    Raises MemberNotFound.
    """
    row = _LOCK.first(session, of_program=program_id, of_member=member_id)
    if row is None:
        raise MemberNotFound(f"There is no account for member {member_id}.", param="member")
    return opened(book_of(session, row))


def book_of(session: Session, row: Sequence[Any]) -> Book:
    """The book of an account that was just locked, from its `LOCKED_COLUMNS`; `now` is taken."""
    standing = from_columns(*row[-len(_STANDING) :])
    return Book(session, clock.now(), standing, *row[: -len(_STANDING)])


def opened(book: Book) -> Book:
    """The book of an account that the transaction has just locked, once what fell due is posted."""
    _post_due(book)
    return book


def bring_up_to_date(session: Session, program_id: str, member_id: str) -> None:
    """Post what fell due until now, so that the history says what became of every point."""
    open_book(session, program_id, member_id)


def is_due(session: Session, program_id: str, member_id: str) -> bool:
    """True where time has changed something that is not posted yet."""
    account = session.get(Account, (program_id, member_id))
    return account is not None and has_fallen_due(account.next_due_at, clock.now())


def post(book: Book, entry: Entry, beside: Sequence[tuple[Table, Values]] = ()) -> str:
    """Write one transaction and what it brings about at once; returns its id.

    `beside` are rows of other tables that go the same way. A lot that was due before it was
    recorded (an order sent late) is advanced at once.
    """
    write(book, [entry, *_consequences(book, entry)], beside)
    _post_due(book)
    return entry.id


def lots_to_spend(book: Book, points: int) -> list[LotState]:
    """Open lots in spending order, enough for `points`: the first 32, the rest only if needed."""
    mine = {"of_program": book.program_id, "of_member": book.member_id}
    lots = book.first_lots
    if lots is None:
        lots = lot_states(FIRST_TO_SPEND.all(book.session, **mine))
    if len(lots) == LOTS_READ_FIRST and sum(lot.available for lot in lots) < points:
        lots = lot_states(ALL_TO_SPEND.all(book.session, **mine))
    return lots


def spending(book: Book, points: int, to: Side) -> list[Move]:
    """The moves that spend so many points, what ends soonest first; none for 0 points."""
    lots = lots_to_spend(book, points) if points else []
    return [Move(available(lot.id), to, part) for lot, part in spend(lots, points)]


def _read_lots(book: Book, condition: Any) -> list[LotState]:
    statement = lots_of(book.program_id, book.member_id).where(condition).order_by(*SPEND_ORDER)
    return lot_states(book.session.execute(statement))


def _post_due(book: Book) -> None:
    """Post what time has brought about until the book's now; costs nothing when nothing is due."""
    if not has_fallen_due(book.next_due_at, book.now):
        return
    condition: Any = and_(Lot.pending > 0, Lot.matures_at <= book.now)
    # A tier may hold back the expiry of very many lots: leave them where they are.
    if state.may_end_by(book.now, book.standing):
        condition = or_(condition, and_(Lot.available > 0, Lot.expires_at <= book.now))
    holds = _ended_holds(book)
    if holds:
        lot_ids = {move.debit.lot_id for hold in holds for move in hold.moves}
        condition = or_(condition, Lot.id.in_(lot_ids))
    lots = _read_lots(book, condition)
    *_, happened = state.advance(lots, book.debt, book.standing, book.now, holds)
    book.next_due_at = None
    if happened:
        entries = _entries_of(happened, book.standing)
        pairs = zip(happened, entries, strict=True)
        ended = [(due.hold, entry.id) for due, entry in pairs if due.hold]
        reserved.note_ended(book.session, book.program_id, ended)
        write(book, entries)
    set_next_due(book)


def _ended_holds(book: Book) -> list[Held]:
    """The holds that time has ended and nobody has written down."""
    if not book.held:
        return []
    holds = reserved.standing(book.session, book.program_id, book.member_id)
    return [hold for hold in holds if hold.ends_at <= book.now]


def _entries_of(happened: Sequence[Due], standing: Standing) -> list[Entry]:
    """What fell due under a standing, as entries."""
    entries = []
    for due in happened:
        context: dict[str, Any] = {"cause": "debt" if due.kind == "repayment" else "time"}
        if due.standing:
            context |= {"from": standing.tier, "to": due.standing.tier}
            standing = due.standing
        if due.hold:
            context |= {"hold": due.hold.id, "order": due.hold.order_id}
        entries.append(
            Entry(
                due.kind,
                list(due.moves),
                due.at,
                context,
                new_lots=list(due.new_lots),
                standing=due.standing,
            )
        )
    return entries


def _consequences(book: Book, entry: Entry) -> list[Entry]:
    """What an entry brings about at once where there is debt: points past their date expire, the
    rest repays."""
    debt = book.debt + change(entry.moves, "debt")
    lots = _gained(book, entry) if debt > 0 else []
    standing = entry.standing or book.standing
    return _entries_of(state.gain(lots, debt, standing, book.now), standing)


def _gained(book: Book, entry: Entry) -> list[LotState]:
    """The lots into which an entry puts points: with debt, nothing else is available."""
    filled = {move.credit.lot_id for move in entry.moves if move.credit.lot_id}
    if not filled:
        return []
    known = _read_lots(book, Lot.id.in_(filled))
    return gained(entry, known, book.lots_opened)


def gained(entry: Entry, known: Sequence[LotState], lots_opened: int) -> list[LotState]:
    """What an entry puts into lots, known ones or new ones, and nothing else of them. Pure."""
    points: Counter[tuple[str, str]] = Counter()
    for move in entry.moves:
        if move.credit.lot_id:
            points[move.credit.lot_id, move.credit.kind] += move.points
    new = [
        LotState(one.id, lots_opened + place, one.earned_at, one.matures_at, one.expires_at)
        for place, one in enumerate(entry.new_lots, start=1)
    ]
    return [
        replace(lot, available=points[lot.id, "available"], pending=points[lot.id, "pending"])
        for lot in [*known, *new]
    ]
