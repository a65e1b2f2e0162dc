"""Money given back for orders of Stripe's, which tells of sums and never of steps."""

from collections.abc import Callable
from typing import NamedTuple

from sqlalchemy.orm import Session

from loyalty_service.domain import crediting, members
from loyalty_service.domain.opening import Ahead
from loyalty_service.domain.orders import earned, refunding
from loyalty_service.domain.orders.table import CANCELLED, SETTLED, SOURCE_STRIPE, Order, require


class Returned(NamedTuple):
    """How much is gone of what was paid, in minor units of the order's currency."""

    gone_minor: int
    paid_minor: int


def told_minor(session: Session, order: Order) -> int:
    """Merchandise money that was told to be given back of an order: all of it, once cancelled."""
    refunds = refunding.of_order(session, order.program_id, order.id)
    settled = [one.facts for one in refunds if one.status == SETTLED]
    is_cancelled = order.status == CANCELLED
    left = earned.left(order.facts, settled, is_cancelled=is_cancelled)
    return earned.left(order.facts, ()).paid_minor - left.paid_minor


def set_returned(
    session: Session,
    program_id: str,
    order_id: str,
    payment_id: str,
    returned: Callable[[], Returned],
) -> bool:
    """Know how much of what was paid for an order of Stripe's is gone, all in all; safe to repeat.

    `returned` is asked under the account's lock, `payment_id` of what it was learnt. The
    merchandise goes with the money in proportion, rounded down, and whole with the last cent.
    What is more than before, or less (a refund that failed, a dispute that was won), is a refund of
    its own, above or below zero. False for an order that the shop told of: its refunds are the
    shop's to tell, and nothing is done.
    Raises OrderNotFound, PointsTooMany, RefundExceedsOrder, and MemberClosed where something would
    be given.
    """
    found = require(session, program_id, order_id)
    if found.source != SOURCE_STRIPE:
        return False
    account, _ = crediting.open_account(session, program_id, found.member_id, Ahead.EXPIRING)
    order = require(session, program_id, order_id)
    merchandise_minor = earned.left(order.facts, ()).paid_minor
    known = refunding.of_order(session, program_id, order_id)
    step_minor = _due(merchandise_minor, returned()) - sum(
        one.facts.amount_minor
        for one in known
        if one.id.startswith(f"{SOURCE_STRIPE}/") and one.status == SETTLED
    )
    if step_minor < 0:
        members.require_earning(account.member)
    if step_minor:
        # A shop's ids hold no slash: none of them can be this one.
        prefix = f"{SOURCE_STRIPE}/{payment_id}/"
        number = 1 + sum(one.id.startswith(prefix) for one in known)
        wanted = refunding.RefundToRecord(f"{prefix}{number}", order_id, step_minor, ())
        refunding.post(account, order, wanted)
    return True


def _due(merchandise_minor: int, returned: Returned) -> int:
    gone_minor, paid_minor = returned
    return merchandise_minor * gone_minor // paid_minor if paid_minor else 0
