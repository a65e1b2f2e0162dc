"""What a first order gave goes with it: the referral that it settled, and its other side."""

import json
from collections.abc import Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session

from loyalty_service.domain import crediting, jobs, ledger
from loyalty_service.domain.crediting import Account
from loyalty_service.domain.events import other_side
from loyalty_service.domain.events.deciding import minimums
from loyalty_service.domain.events.table import Event, require
from loyalty_service.domain.ledger.tables import Transaction
from loyalty_service.domain.opening import Ahead
from loyalty_service.domain.tiers.tables import Grant

OTHER_SIDE_BACK = "other_side_back"
REASON = "order_returned"


def take_back(account: Account, order_id: str, paid_minor: int) -> None:
    """Take back what events gave for a first order that is no longer as large as they asked for."""
    book = account.book
    for event, given in _settled_with(account, order_id):
        number = json.loads(given.context)["program_version"]
        wanted = minimums(account.history.number(number), event.type)
        if not wanted or paid_minor >= min(wanted) or _is_undone(book.session, given):
            continue
        _undo(account, given)
        jobs.promise(book.session, book.program_id, OTHER_SIDE_BACK, given.id, lease_seconds=0)


def take_other_side_back(session: Session, job: jobs.Claimed) -> None:
    """Take back what the other member got, where it was given; a closed member keeps it."""
    kept = ledger.require_transaction(session, job.program_id, job.subject_id)
    event = require(session, job.program_id, json.loads(kept.context)["event"])
    if event.other_member_id is not None:
        account, _ = crediting.open_account(
            session, job.program_id, event.other_member_id, Ahead.EXPIRING
        )
        # Under the lock: whoever gives it looks for our undoing under the same one.
        key = (job.program_id, event.other_member_id, other_side.cause_of(event))
        grant = session.get(Grant, key)
        if grant is not None:
            given = ledger.require_transaction(session, job.program_id, grant.transaction_id)
            if not _is_undone(session, given):
                _undo(account, given)
    jobs.done(session, job)


def _undo(account: Account, given: Transaction) -> None:
    book = account.book
    rules = account.history.number(json.loads(given.context)["program_version"])
    moves = ledger.moves_of(book.session, book.program_id, [given.id])[given.id]
    crediting.undo(
        account,
        given,
        sum(move.points for move in moves),
        allow_debt=rules.refunds.allow_debt,
        why={"reason": REASON},
    )


def _is_undone(session: Session, given: Transaction) -> bool:
    return ledger.find_reversal(session, given.program_id, given.id) is not None


def _settled_with(account: Account, order_id: str) -> Iterator[tuple[Event, Transaction]]:
    """The events that an order settled, with the transactions that gave."""
    book = account.book
    found = book.session.execute(
        select(Event, Transaction)
        .join(
            Transaction,
            (Transaction.program_id == Event.program_id) & (Transaction.id == Event.settled_by),
        )
        .where(Event.program_id == book.program_id, Event.member_id == book.member_id)
        .where(Event.settled_by.is_not(None))
    )
    for event, given in found:
        if json.loads(given.context).get("order") == order_id:
            yield event, given
