"""Reversals: an adjustment or what an event gave, taken back once, by a new transaction that names
the old one.

A credit is clawed back (spent points follow the program's policy); a debit is restored to the lots
it came from. Other kinds have a way back of their own, which the refusal names.
"""

import json
from typing import Any

from sqlalchemy.orm import Session

from loyalty_service.domain import adjustments, counters, crediting, ledger, program, restoring
from loyalty_service.domain.access import Principal
from loyalty_service.domain.ledger.returning import Returned
from loyalty_service.domain.ledger.tables import Transaction
from loyalty_service.domain.opening import Ahead
from loyalty_service.errors import AlreadyReversed, NotReversible

EVENTS = ("event", "other_side")
OWN_WAY_BACK = {
    "earn": "cancel or refund the order: POST /v1/orders/{id}/cancel",
    "claw_back": "points go back with their order; make an adjustment",
    "tier_change": "a tier follows from what counts towards it; make an adjustment",
    "redemption": "cancel the redemption: POST /v1/redemptions/{id}/cancel",
    "hold": "release the hold: POST /v1/holds/{id}/release",
    "capture": "refund or cancel the order that was paid: POST /v1/orders/{id}/refunds",
    "release": "points that were released are there again; place a new hold",
    "restoration": "points given back are not taken again by hand; make an adjustment",
    "reversal": "a reversal is final; make a new adjustment",
    "maturity": "time has no way back",
    "expiry": "time has no way back; give the points again with an adjustment",
    "repayment": "a repaid debt stays repaid; make an adjustment",
}


def reverse(session: Session, by: Principal, transaction_id: str, reason: str) -> Transaction:
    """Take back an adjustment, or what an event gave; returns the reversing transaction.

    Raises TransactionNotFound, AlreadyReversed, NotReversible, ReasonNotKnown, LimitExceeded.
    """
    original = ledger.require_transaction(session, by.program_id, transaction_id)
    if original.kind == "earn" and _context(original).get("cause") in EVENTS:
        if _context(original).get("waiting_for"):
            raise NotReversible(
                f"{original.id} gave nothing yet: its event waits for a first order. Reverse the "
                "transaction that comes with that order.",
                param="id",
            )
        return _reverse_event(session, by, original, reason)
    if original.kind not in ("credit", "debit"):
        way = OWN_WAY_BACK.get(original.kind, "it has its own way back")
        raise NotReversible(f"{original.id} is of kind {original.kind}: {way}.", param="id")
    book = ledger.open_book(session, by.program_id, original.member_id)
    # Looked for under the lock: two people may undo the same thing at once.
    _require_not_reversed(session, by.program_id, original.id)
    rules = program.in_force(session, by.program_id)
    adjustments.require_reason(rules.rules, reason)
    planned = _plan(session, by, book, original, rules.rules)
    context = {
        "cause": "reversal",
        "reverses": original.id,
        "short": planned.short,
        "program_version": rules.version,
        **_why(by, reason),
    }
    made = ledger.post(
        book,
        ledger.Entry("reversal", planned.moves, book.now, context, original.id, planned.new_lots),
    )
    # Only what really came back makes room in the month: points that were spent stay given.
    counters.give_back(session, by.program_id, original.id, keep=planned.short + planned.owed)
    return ledger.require_transaction(session, by.program_id, made)


def _reverse_event(
    session: Session, by: Principal, original: Transaction, reason: str
) -> Transaction:
    """Take back what an event gave: the points, and what they counted for."""
    account, _ = crediting.open_account(session, by.program_id, original.member_id, Ahead.EXPIRING)
    _require_not_reversed(session, by.program_id, original.id)
    now = account.history.newest
    adjustments.require_reason(now.rules, reason)
    moves = ledger.moves_of(session, by.program_id, [original.id])[original.id]
    points = sum(move.points for move in moves)
    adjustments.require_role_may(by, points, now.rules)
    made = crediting.undo(
        account,
        original,
        points,
        allow_debt=now.rules.refunds.allow_debt,
        why=_why(by, reason),
    )
    return ledger.require_transaction(session, by.program_id, made)


def _context(original: Transaction) -> dict[str, Any]:
    context: dict[str, Any] = json.loads(original.context)
    return context


def _why(by: Principal, reason: str) -> dict[str, Any]:
    return {"reason": reason, "actor": by.actor_id, "role": by.role}


def _require_not_reversed(session: Session, program_id: str, transaction_id: str) -> None:
    before = ledger.find_reversal(session, program_id, transaction_id)
    if before:
        raise AlreadyReversed(f"{transaction_id} was reversed by {before}.", param="id")


def _plan(
    session: Session,
    by: Principal,
    book: ledger.Book,
    original: Transaction,
    rules: program.Program,
) -> Returned:
    moves = ledger.moves_of(session, book.program_id, [original.id])[original.id]
    points = sum(move.points for move in moves)
    # Undoing is an act of the same size: an agent does not undo what only a manager may give.
    adjustments.require_role_may(by, points, rules)
    if original.kind == "debit":
        past = restoring.when_expired(book.now, rules, book.standing.tier)
        return ledger.restore(book, original.id, points, past)
    return ledger.claw_back(
        book,
        [original.id],
        points,
        ledger.ADJUSTED,
        allow_debt=rules.refunds.allow_debt,
    )
