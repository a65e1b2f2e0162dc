"""An account as it is now, for whoever only looks: nothing is locked and nothing is written.

What fell due is applied, not posted: figures, lots' sums and the sequence are those that a write at
the same moment would find.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import or_
from sqlalchemy.orm import Session

from loyalty_service.domain.ledger import reserved, state
from loyalty_service.domain.ledger.book import book_of
from loyalty_service.domain.ledger.entries import Book
from loyalty_service.domain.ledger.lots import lot_states, lots_of
from loyalty_service.domain.ledger.moments import has_fallen_due
from loyalty_service.domain.ledger.tables import Lot


def peek(session: Session, row: Sequence[Any]) -> Book:
    """The book of an account's row (see `book.LOCKED_COLUMNS`), brought up to date in memory."""
    book = book_of(session, row)
    if not has_fallen_due(book.next_due_at, book.now):
        return book
    still_open = or_(Lot.available > 0, Lot.pending > 0, Lot.held > 0)
    rows = session.execute(lots_of(book.program_id, book.member_id).where(still_open))
    holds = reserved.standing(session, book.program_id, book.member_id) if book.held else ()
    lots, book.debt, book.standing, happened = state.advance(
        lot_states(rows), book.debt, book.standing, book.now, holds
    )
    book.available = sum(lot.available for lot in lots)
    book.pending = sum(lot.pending for lot in lots)
    book.held = sum(lot.held for lot in lots)
    book.sequence += len(happened)
    book.unposted = [due.standing for due in happened if due.standing]
    return book
