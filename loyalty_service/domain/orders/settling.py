"""What an order is due now, less what it was due before: posted, and only that.

What is due is a pure function of the lines, of what was pinned and of the set of refunds
(`earning.left`): however refunds come and are split, the end is the same. What is taken back comes
from the order's own lots first; points of them that expired unspent count as returned.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from loyalty_service.domain import calendar, crediting, expiry, ledger
from loyalty_service.domain.crediting import Account, Change
from loyalty_service.domain.earning import NO_CREDIT, Earned, Left, pinning
from loyalty_service.domain.earning.lots import points_in
from loyalty_service.domain.events import undoing
from loyalty_service.domain.ledger.returning import Returned
from loyalty_service.domain.ledger.tables import Transaction
from loyalty_service.domain.orders import earned
from loyalty_service.domain.orders.earned import Pinned
from loyalty_service.domain.orders.limited import require_room
from loyalty_service.domain.orders.table import Order


@dataclass(frozen=True, slots=True)
class Settled:
    """The transaction that was posted, and by how much it changed what the order is due."""

    transaction_id: str
    points: int


def settle(
    account: Account,
    order: Order,
    *,
    cause: str,
    before: Left,
    after: Left,
    more: dict[str, Any],
) -> Settled:
    """Post what changes where `before` was left of an order and `after` is left now.

    An order that has not earned yet gets a transaction that moves nothing. Raises PointsTooMany
    and, for an amendment, AmendmentAboveLimits.
    """
    session = account.book.session
    known = earned.pinned(session, order)
    if known is None:
        noted = {"cause": cause, "order": order.id, **more}
        entry = ledger.Entry("claw_back", [], account.book.now, noted, order.transaction_id)
        ledger.post(account.book, entry)
        return Settled(entry.id, 0)
    was, due = earned.due(known, before), earned.due(known, after)
    assert was.points == order.points_earned, f"{order.id} is due {was.points}"
    if cause == "amendment":
        require_room(account, order.id, known, was, due)
    change = due.points - was.points
    context = {
        "cause": cause,
        "order": order.id,
        "program_version": known.version,
        "currency": order.currency,
        "due_before": was.points,
        "due_after": due.points,
        "explanation": due.explanation,
        **more,
    }
    # What was forgiven is still there: it is not given again.
    set_off = min(max(change, 0), order.points_short)
    issued = max(change, 0) - set_off
    entry = issue(known, issued, str(order.earning_id), context, account.book.now)
    taken, short = -set_off, -set_off
    if change <= 0:
        crediting.withdraw_ahead(account, change_of(cause, entry, known, was, due))
        entry, taken, short = _take(account, order, known, due.points, context)
    crediting.post(account, change_of(cause, entry, known, was, due))
    _note(session, order, due, issued=issued, taken=taken, short=short)
    if after.paid_minor < before.paid_minor:
        undoing.take_back(account, order.id, after.paid_minor)
    return Settled(entry.id, change)


def issue(
    known: Pinned, points: int, earned_by: str, context: dict[str, Any], now: datetime
) -> ledger.Entry:
    """More is due than before: it goes where it would have gone at first."""
    rules = known.rules
    matures_at = calendar.matures_at(known.moment, rules.pending_days, rules.zone)
    moves, lots = points_in(
        points,
        earned_at=min(known.moment, now),
        matures_at=matures_at,
        expires_at=expiry.lot_end(rules, known.pins.tier, known.moment),
        at=now,
    )
    return ledger.Entry("earn", moves, now, context, earned_by, lots)


def _take(
    account: Account, order: Order, known: Pinned, due_points: int, context: dict[str, Any]
) -> tuple[ledger.Entry, int, int]:
    """Less is due than before; returns how much of it is asked of the member, and forgiven."""
    book = account.book
    taken: Returned = ledger.claw_back(
        book,
        _earned_by(book.session, order),
        order.issued - due_points,
        ledger.ISSUED,
        allow_debt=known.rules.refunds.allow_debt,
        asked_before=order.points_taken,
    )
    figures = {"short": taken.short, "owed": taken.owed}
    entry = ledger.Entry(
        "claw_back", taken.moves, book.now, {**context, **figures}, order.earning_id
    )
    return entry, taken.asked, taken.short


def change_of(cause: str, entry: ledger.Entry, known: Pinned, was: Earned, due: Earned) -> Change:
    """The entry with what changes beside the points: tier credits and the uses of limited rules."""
    return Change(
        cause=cause,
        entry=entry,
        version=known.version,
        day=calendar.local_date(known.moment, known.rules.zone),
        used_at=known.moment,
        # What never counted is not taken back.
        tier_credit=due.tier_credit.less(was.tier_credit) if known.is_credited else NO_CREDIT,
        uses=pinning.change(was.uses, due.uses),
    )


def _earned_by(session: Session, order: Order) -> Sequence[str]:
    """The transactions that issued an order's points."""
    more = session.scalars(
        select(Transaction.id).where(
            Transaction.program_id == order.program_id,
            # Found by the index of a member's transactions: there is none over corrections.
            Transaction.member_id == order.member_id,
            Transaction.corrects_id == order.earning_id,
            Transaction.kind == "earn",
        )
    )
    return [str(order.earning_id), *more]


def _note(
    session: Session, order: Order, due: Earned, *, issued: int, taken: int, short: int
) -> None:
    session.execute(
        update(Order)
        .where(Order.program_id == order.program_id, Order.id == order.id)
        .values(
            points_earned=due.points,
            earned_by=order.earning_id,
            points_issued=order.issued + issued,
            points_taken=Order.points_taken + taken,
            points_short=Order.points_short + short,
        )
        .execution_options(synchronize_session=False)
    )
    session.refresh(order)
