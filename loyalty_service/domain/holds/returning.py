"""Refunds of an order that was paid with points: money and points come back in proportion.

What is due back is a pure function of the order's lines and of the set of its refunds, so that
however refunds come and are split, and whether the capture or they come first, the end is the same.
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

    Returns how many points that were. Last spent first; nothing is ever taken again.
    """
    holds = _captured(book.session, order)
    total = sum(hold.captured_points for hold in holds)
    if not total:
        return 0
    whole = earning.left_of(order.facts)
    left = NOTHING if is_cancelled else earning.left_of(order.facts, refunds)
    due = due_back(total, whole, left)
    points = wanted = max(0, due - sum(hold.returned_points for hold in holds))
    for hold in holds:
        part = min(points, hold.captured_points - hold.returned_points)
        if part:
            _restore(book, hold, part, {"cause": cause, "order": order.id, **more})
            points -= part
    return wanted


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


def _price_minor(left: Left) -> int:
    return sum(line.paid_minor + line.taken_off_minor for line in left.lines)
