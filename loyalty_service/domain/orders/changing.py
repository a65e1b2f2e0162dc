"""Amending and cancelling an order: what it is due changes, by what decided at first."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from loyalty_service import canonical, ids
from loyalty_service.domain import crediting, ledger, members
from loyalty_service.domain.crediting import Account
from loyalty_service.domain.earning import Line, OrderFacts
from loyalty_service.domain.events import earned as event_earning
from loyalty_service.domain.holds import returning
from loyalty_service.domain.opening import Ahead
from loyalty_service.domain.orders import earned, refunding, settling
from loyalty_service.domain.orders.recording import (
    require_in_range,
    require_not_before,
)
from loyalty_service.domain.orders.table import (
    CANCELLED,
    RECORDED,
    Order,
    columns,
    earns_at,
    facts_as_json,
    require,
)
from loyalty_service.errors import AmendmentBelowRefunds, OrderCancelled, RefundExceedsOrder


@dataclass(frozen=True, slots=True)
class Amendment:
    """What is another; None is as before. A moment that is known already stays."""

    lines: tuple[Line, ...] | None = None
    discount_minor: int | None = None
    tax_minor: int | None = None
    shipping_minor: int | None = None
    paid_at: datetime | None = None
    fulfilled_at: datetime | None = None

    def of(self, facts: OrderFacts) -> OrderFacts:
        """The facts after it."""
        return OrderFacts(
            facts.currency,
            facts.lines if self.lines is None else self.lines,
            facts.discount_minor if self.discount_minor is None else self.discount_minor,
            facts.tax_minor if self.tax_minor is None else self.tax_minor,
            facts.shipping_minor if self.shipping_minor is None else self.shipping_minor,
        )


@dataclass(frozen=True, slots=True)
class Changed:
    """An order's columns and the member's balance after a change."""

    order: dict[str, Any]
    balance: ledger.Balance


def amend(session: Session, program_id: str, order_id: str, wanted: Amendment) -> Changed:
    """Correct an order, or tell that it was paid or fulfilled; the same again changes nothing.

    Raises OrderNotFound, OrderCancelled, AmendmentBelowRefunds, MemberClosed, OrderInFuture,
    PointsTooMany, ValidationFailed.
    """
    account, order = _open(session, program_id, order_id)
    if order.status == CANCELLED:
        raise OrderCancelled(f"Order {order.id!r} was cancelled; record a new one.", param="id")
    facts = wanted.of(order.facts)
    require_in_range(facts)
    require_not_before(order.placed_at, wanted.paid_at, wanted.fulfilled_at)
    if facts != order.facts:
        _amend_facts(account, order, facts)
    moments = {
        name: getattr(wanted, name)
        for name in ("paid_at", "fulfilled_at")
        if getattr(wanted, name) is not None and getattr(order, name) is None
    }
    if moments:
        _set(session, order, **moments)
        _earn_if_due(account, order)
    return Changed(columns(order), ledger.balance_of(account.book))


def cancel(session: Session, program_id: str, order_id: str) -> Changed:
    """Take back all that an order gave, and give back the points that paid for it; cancelling
    again changes nothing.

    Raises OrderNotFound.
    """
    account, order = _open(session, program_id, order_id)
    if order.status != CANCELLED:
        refunds = refunding.settled_facts(session, order)
        returning.give_back(account.book, order, refunds, cause="cancellation", is_cancelled=True)
        settling.settle(
            account,
            order,
            cause="cancellation",
            before=earned.left(order.facts, refunds),
            after=earned.left(order.facts, refunds, is_cancelled=True),
            more={},
        )
        _set(session, order, status=CANCELLED)
    return Changed(columns(order), ledger.balance_of(account.book))


def _open(session: Session, program_id: str, order_id: str) -> tuple[Account, Order]:
    member_id = require(session, program_id, order_id).member_id
    account, _ = crediting.open_account(session, program_id, member_id, Ahead.EXPIRING)
    # Read again under the lock.
    return account, require(session, program_id, order_id)


def _amend_facts(account: Account, order: Order, facts: OrderFacts) -> None:
    session = account.book.session
    refunds = refunding.settled_facts(session, order)
    before = earned.left(order.facts, refunds)
    try:
        after = earned.left(facts, refunds)
    except RefundExceedsOrder as error:
        raise AmendmentBelowRefunds(
            f"More of order {order.id!r} was given back already than would be left of it. "
            f"{error.detail}",
            param="lines",
        ) from error
    told = facts_as_json(facts)
    amended = canonical.dumps(told)
    # The order's row keeps the last amendment alone; what each one posted is explained by its own.
    more = {"content": canonical.sha256(amended), "facts": told}
    settled = settling.settle(
        account, order, cause="amendment", before=before, after=after, more=more
    )
    if settled.points > 0:
        members.require_earning(account.member)
    _set(session, order, amended=amended)


def _earn_if_due(account: Account, order: Order) -> None:
    """Earn where the moment has come that the program waits for."""
    rules = account.history.as_of(order.placed_at)
    moment = earns_at(rules.rules.earn_when, order.placed_at, order.paid_at, order.fulfilled_at)
    if moment is None or order.earning_id is not None:
        return
    members.require_earning(account.member)
    session = account.book.session
    refunds = refunding.settled_facts(session, order)
    decided = earned.decide(account, rules, earned.left(order.facts, refunds), moment)
    transaction_id = ids.new("ltx")
    change = earned.change(order.id, decided, transaction_id, account.book.now)
    crediting.post(account, change)
    paid_minor = earned.left(order.facts, refunds).paid_minor
    event_earning.settle_waiting(account, order.id, paid_minor, order.placed_at)
    _set(
        session,
        order,
        status=RECORDED,
        earned_by=transaction_id,
        points_earned=decided.earned.points,
        points_issued=decided.earned.points,
        available_at=decided.matures_at,
    )


def _set(session: Session, order: Order, **values: Any) -> None:
    session.execute(
        update(Order)
        .where(Order.program_id == order.program_id, Order.id == order.id)
        .values(values)
        .execution_options(synchronize_session=False)
    )
    session.refresh(order)
