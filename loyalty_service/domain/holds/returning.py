"""Refunds of an order that was paid with points: money and points come back in proportion.

What is due back is a pure function of the order's lines and of the set of its refunds, so that
however refunds come and are split, and whether the capture or they come first, the end is the same.
Money that comes back to the shop (a refund that failed, a dispute that was won) takes points again
by the same formula.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from loyalty_service.domain import earning, ledger, program, restoring
from loyalty_service.domain.earning import Left, RefundFacts
from loyalty_service.domain.earning.left import NOTHING
from loyalty_service.domain.holds.table import CAPTURED, Hold
from loyalty_service.domain.ledger import Book
from loyalty_service.domain.orders.table import CANCELLED, SETTLED, Order, Refund

UNDONE = "refund_undone"
"""Why points are taken again: the money that they had come back with stayed with the shop."""


def due_back(points: int, whole: Left, left: Left) -> int:
    """How many of the points that paid for an order come back where this is left of it. Pure.

    In proportion to the merchandise money; where points paid all of it, to its price before
    discounts. What stays is rounded to the nearest point, half up.
    """
    if left.is_nothing:
        return points
    there, still = whole.paid_minor, left.paid_minor
    if not there:
        there, still = _price_minor(whole), _price_minor(left)
    if not there:
        return 0
    return points - (2 * points * still + there) // (2 * there)


def give_back(
    book: Book,
    order: Order,
    refunds: Sequence[RefundFacts],
    *,
    cause: str,
    is_cancelled: bool,
    **more: Any,
) -> int:
    """Post what is due back and was not given back yet, where `refunds` are all of an order's.

    Returns how many points that were. Last spent first; nothing is taken again here.
    """
    holds = _captured(book.session, order)
    points = wanted = max(0, -_too_many(holds, order, refunds, is_cancelled=is_cancelled))
    for hold in holds:
        part = min(points, hold.captured_points - hold.returned_points)
        if part:
            _restore(book, hold, part, {"cause": cause, "order": order.id, **more})
            points -= part
    return wanted


def take_again(
    book: Book,
    order: Order,
    refunds: Sequence[RefundFacts],
    *,
    is_cancelled: bool,
    **more: Any,
) -> int:
    """Take again what came back and is not due back any more: money of the order was not gone
    after all. `refunds` are all of the order's.

    Returns how many points were taken, as debt too. Last given back first; what the program
    forgives, and what expired meanwhile, stays given back.
    """
    holds = _captured(book.session, order)[::-1]
    points = max(0, _too_many(holds, order, refunds, is_cancelled=is_cancelled))
    taken = 0
    for hold in holds:
        if part := min(points, hold.returned_points):
            taken += _spend_again(book, hold, part, {"order": order.id, **more})
            points -= part
    return taken


def catch_up(book: Book, hold: Hold) -> None:
    """Give back what is due already when a hold is captured: refunds may have been faster."""
    session = book.session
    order = session.get(Order, (hold.program_id, hold.order_id), populate_existing=True)
    if order is None or order.member_id != hold.member_id:
        return
    rows = session.scalars(
        select(Refund)
        .where(Refund.program_id == order.program_id, Refund.order_id == order.id)
        .where(Refund.status == SETTLED)
    )
    refunds = [row.facts for row in rows]
    is_cancelled = order.status == CANCELLED
    if refunds or is_cancelled:
        cause = "cancellation" if is_cancelled else "refund"
        give_back(book, order, refunds, cause=cause, is_cancelled=is_cancelled)


def _too_many(
    holds: Sequence[Hold], order: Order, refunds: Sequence[RefundFacts], *, is_cancelled: bool
) -> int:
    """By how much what is back of what some holds paid is more than what is due; below zero where
    it is less."""
    points = sum(hold.captured_points for hold in holds)
    if not points:
        return 0
    whole = earning.left_of(order.facts)
    left = NOTHING if is_cancelled else earning.left_of(order.facts, refunds)
    return sum(hold.returned_points for hold in holds) - due_back(points, whole, left)


def _captured(session: Session, order: Order) -> Sequence[Hold]:
    """The holds that paid for an order, the last one first."""
    return session.scalars(
        select(Hold)
        .where(Hold.program_id == order.program_id, Hold.order_id == order.id)
        .where(Hold.member_id == order.member_id, Hold.status == CAPTURED)
        .order_by(Hold.captured_at.desc(), Hold.id.desc())
        .execution_options(populate_existing=True)
    ).all()


def _restore(book: Book, hold: Hold, points: int, context: dict[str, Any]) -> None:
    rules = program.version(book.session, hold.program_id, hold.program_version)
    past = restoring.when_expired(book.now, rules, book.standing.tier)
    planned = ledger.restore(
        book, str(hold.captured_by), points, past, already=hold.returned_points
    )
    hold.returned_points += points
    book.session.flush()
    noted = {
        **context,
        "hold": hold.id,
        "points": points,
        "program_version": hold.program_version,
    }
    ledger.post(
        book,
        ledger.Entry(
            "restoration", planned.moves, book.now, noted, hold.captured_by, planned.new_lots
        ),
    )


def _spend_again(book: Book, hold: Hold, points: int, context: dict[str, Any]) -> int:
    """Take points that a hold spent and that came back, by the policy of the rules that priced it;
    how many were taken."""
    rules = program.version(book.session, hold.program_id, hold.program_version)
    planned = ledger.take_back_again(
        book, str(hold.captured_by), points, allow_debt=rules.refunds.allow_debt
    )
    taken = planned.asked - planned.short
    hold.returned_points -= taken
    book.session.flush()
    noted = {
        "cause": UNDONE,
        **context,
        "hold": hold.id,
        "points": taken,
        "owed": planned.owed,
        "short": planned.short,
        "program_version": hold.program_version,
    }
    if planned.asked:
        entry = ledger.Entry("claw_back", planned.moves, book.now, noted, hold.captured_by)
        ledger.post(book, entry)
    return taken


def _price_minor(left: Left) -> int:
    return sum(line.paid_minor + line.taken_off_minor for line in left.lines)
