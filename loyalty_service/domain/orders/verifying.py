"""What orders and refunds say of the ledger, rebuilt from their own contents and compared."""

from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam, case, func, select
from sqlalchemy.orm import Session

from loyalty_service.domain.earning import RefundFacts
from loyalty_service.domain.ledger.tables import Posting, Transaction
from loyalty_service.domain.ledger.verify import Difference
from loyalty_service.domain.orders import earned
from loyalty_service.domain.orders.table import CANCELLED, RECORDED, SETTLED, Order, Refund
from loyalty_service.errors import LoyaltyError
from loyalty_service.statements import OF_PROGRAM

_AT_ONCE = 500

# Made once: to build them costs more than to run them.
_NEXT_ORDERS = (
    select(Order)
    .where(Order.program_id == OF_PROGRAM, Order.id > bindparam("after"))
    .order_by(Order.id)
    .limit(_AT_ONCE)
)
_REFUNDS = (
    select(Refund)
    .where(Refund.program_id == OF_PROGRAM, Refund.status == SETTLED)
    .where(Refund.order_id.in_(bindparam("order_ids", expanding=True)))
)


def differences(session: Session, program_id: str) -> Iterator[Difference]:
    """Every order whose points are not what its contents and the postings give."""
    yield from _issued(session, program_id)
    yield from _due(session, program_id)
    yield from _refunds(session, program_id)


def _issued(session: Session, program_id: str) -> Iterator[Difference]:
    """All that was ever issued for an order stands in the transactions that earned for it."""
    for order_id, points, posted in session.execute(_wrong(), {"of_program": program_id}):
        yield Difference(f"order {order_id}", f"points_issued is {points}, postings give {posted}")


@cache
def _wrong() -> Select[Any]:
    # An amendment that gives more names the earning that it corrects.
    root = func.coalesce(Transaction.corrects_id, Transaction.id)
    given = (
        select(root.label("root"), func.sum(Posting.points).label("points"))
        .join(
            Posting,
            (Posting.program_id == Transaction.program_id)
            & (Posting.transaction_id == Transaction.id),
        )
        .where(Transaction.program_id == OF_PROGRAM, Transaction.kind == "earn")
        .where(Posting.debit_kind == "issued")
        .group_by(root)
        .subquery()
    )
    truth = func.coalesce(given.c.points, 0)
    # The version before this schema notes neither, during a rollout.
    is_older = Order.earned_by.is_(None) & (Order.status == RECORDED)
    earning = case((is_older, Order.transaction_id), else_=Order.earned_by)
    issued = case((is_older, Order.points_earned), else_=Order.points_issued)
    return (
        select(Order.id, issued, truth)
        .outerjoin(given, given.c.root == earning)
        .where(Order.program_id == OF_PROGRAM, issued != truth)
    )


def _due(session: Session, program_id: str) -> Iterator[Difference]:
    """What an order is due follows from its lines, what was pinned, and the set of its refunds."""
    last = ""
    while True:
        rows = session.scalars(_NEXT_ORDERS, {"of_program": program_id, "after": last}).all()
        if not rows:
            return
        refunds = _settled(session, program_id, [row.id for row in rows])
        for row in rows:
            yield from _due_of(session, row, refunds[row.id])
        last = rows[-1].id


def _due_of(session: Session, order: Order, refunds: list[RefundFacts]) -> Iterator[Difference]:
    try:
        known = earned.pinned(session, order)
        left = earned.left(order.facts, refunds, is_cancelled=order.status == CANCELLED)
        due = earned.due(known, left).points if known else 0
    except (LoyaltyError, KeyError, TypeError, ValueError) as error:
        # A content or a context that was tampered with is no reason to stop looking.
        yield Difference(f"order {order.id}", f"can't be evaluated again: {error!r}")
        return
    if due != order.points_earned:
        yield Difference(
            f"order {order.id}", f"points_earned is {order.points_earned}, its contents give {due}"
        )


def _settled(
    session: Session, program_id: str, order_ids: list[str]
) -> dict[str, list[RefundFacts]]:
    found: dict[str, list[RefundFacts]] = defaultdict(list)
    for row in session.scalars(_REFUNDS, {"of_program": program_id, "order_ids": order_ids}):
        found[row.order_id].append(row.facts)
    return found


def _refunds(session: Session, program_id: str) -> Iterator[Difference]:
    """A settled refund has an order, and a transaction of the order's member."""
    for refund_id in session.scalars(_strays(), {"of_program": program_id}):
        yield Difference(f"refund {refund_id}", "has no transaction of its order's member")


@cache
def _strays() -> Select[tuple[str]]:
    theirs = (
        select(Transaction.id)
        .join(
            Order,
            (Order.program_id == Transaction.program_id)
            & (Order.member_id == Transaction.member_id),
        )
        .where(Transaction.program_id == OF_PROGRAM, Transaction.id == Refund.transaction_id)
        .where(Order.id == Refund.order_id)
    )
    return select(Refund.id).where(
        Refund.program_id == OF_PROGRAM, Refund.status == SETTLED, ~theirs.exists()
    )
