"""Payments at Stripe: which order each is for, and how much of it was given back.

Stripe tells of a payment in any order and more than once. What is kept are facts (`given_back`);
how much is gone is a pure function of them.
"""

from collections.abc import Callable
from enum import Enum, auto
from functools import partial
from itertools import groupby
from typing import NamedTuple

from sqlalchemy import ForeignKeyConstraint, Index, String, Text, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from loyalty_service.db import Base, Points, ProgramId, insert_unless_there
from loyalty_service.domain import given_back, orders
from loyalty_service.domain.given_back import GivenBack
from loyalty_service.domain.orders import Order, Returned


class Payment(Base):
    """One payment, by the id of its PaymentIntent (of its charge, where it has none).

    `order_id` is None until somebody says what was paid with it, `amount_minor` is how much of that
    order it paid. `facts` is canonical JSON. An invoice has a row of its own, by its id, over all
    that it came to, and `invoice_id` names it in those of its payments, of which there may be many.
    """

    __tablename__ = "payments"
    program_id: Mapped[str] = mapped_column(ProgramId, primary_key=True)
    id: Mapped[str] = mapped_column(String(80), primary_key=True)
    order_id: Mapped[str | None] = mapped_column(String(200))
    amount_minor: Mapped[int | None] = mapped_column(Points)
    invoice_id: Mapped[str | None] = mapped_column(String(80))
    facts: Mapped[str] = mapped_column(Text)
    __table_args__ = (
        ForeignKeyConstraint(["program_id"], ["programs.program_id"]),
        Index("ix_payments_invoice", "program_id", "invoice_id"),
    )


def belongs_to(
    session: Session,
    program_id: str,
    payment_id: str,
    order_id: str,
    *,
    amount_minor: int,
    currency: str,
) -> None:
    """Know which order a payment paid, and how much of it; the first order stays.

    Raises CurrencyNotPriced, as all here do that are told an amount of another currency than the
    payment's.
    """
    row = _locked(session, program_id, payment_id)
    _in_currency(session, row, currency)
    _belongs_to(row, order_id, amount_minor)
    session.flush()


def know(
    session: Session,
    program_id: str,
    payment_id: str,
    currency: str,
    learnt: Callable[[GivenBack], GivenBack],
) -> None:
    """Take in a fact, `learnt(known)`, whether or not anybody knows what the payment was for.

    Raises CurrencyNotPriced.
    """
    row = _locked(session, program_id, payment_id)
    row.facts = given_back.text(learnt(_in_currency(session, row, currency)))
    session.flush()


class Settled(Enum):
    """What followed of a payment for its order."""

    DONE = auto()
    # Nobody knows what was paid with it.
    NOT_KNOWN = auto()
    # The shop has told of the order, and tells of its refunds.
    THE_SHOPS = auto()


class Untold(NamedTuple):
    """An order of the shop's of which Stripe has given back more than the shop has told of.

    Minor units of `currency`; `gone_minor` holds tax and shipping, `told_minor` does not.
    """

    order_id: str
    gone_minor: int
    told_minor: int
    currency: str


def untold(session: Session, program_id: str) -> list[Untold]:
    """Orders of the shop's that somebody has to look at: what went back can't all be tax and
    shipping."""
    rows = session.execute(
        select(Order, Payment)
        .join(Payment, (Payment.program_id == Order.program_id) & (Payment.order_id == Order.id))
        .where(Order.program_id == program_id, Order.source == orders.SOURCE_SHOP)
        .where(Payment.amount_minor.is_not(None), Payment.facts != given_back.text(GivenBack()))
        .order_by(Order.id)
    )
    found = []
    for order, pairs in groupby(rows, key=lambda row: row[0]):
        gone_minor = sum(_facts(row).sum_minor(row.amount_minor or 0) for _, row in pairs)
        told_minor, facts = orders.told_minor(session, order), order.facts
        if gone_minor - facts.tax_minor - facts.shipping_minor > told_minor:
            found.append(Untold(order.id, gone_minor, told_minor, facts.currency))
    return found


def settle(session: Session, program_id: str, payment_id: str) -> Settled:
    """Take or give what follows for the order of a payment; safe to repeat.

    Comes in a transaction after the one that wrote what is known: whoever settles last has then
    seen everything. Raises OrderNotFound, PointsTooMany, MemberClosed, and CurrencyNotPriced where
    the payment was of another currency than the order.
    """
    row = session.get(Payment, (program_id, payment_id))
    if row is None or row.order_id is None or row.amount_minor is None:
        return Settled.NOT_KNOWN
    returned = partial(_returned, session, row)
    if orders.set_returned(session, program_id, row.order_id, row.id, returned):
        return Settled.DONE
    return Settled.THE_SHOPS


def name(session: Session, program_id: str, invoice_id: str, order_id: str) -> None:
    """Know by which order an invoice goes; the first name stays."""
    row = _locked(session, program_id, invoice_id)
    row.order_id = row.order_id or order_id
    session.flush()


def lock_name(session: Session, program_id: str, invoice_id: str) -> str | None:
    """By which order an invoice goes, as far as that is known; nobody else names it meanwhile.

    An invoice that nobody has heard of gets its row.
    """
    return _locked(session, program_id, invoice_id).order_id


def paid_by_invoice(
    session: Session,
    program_id: str,
    invoice_id: str,
    order_id: str,
    *,
    amount_minor: int,
    currency: str,
) -> list[str]:
    """Know what an invoice came to; its payments are for its order. Returns their ids."""
    row = _locked(session, program_id, invoice_id)
    row.order_id, row.amount_minor = order_id, amount_minor
    session.flush()
    mine = (Payment.program_id == program_id, Payment.invoice_id == invoice_id)
    parts = session.scalars(select(Payment.id).where(*mine).order_by(Payment.id)).all()
    for payment_id in parts:
        belongs_to(
            session,
            program_id,
            payment_id,
            order_id,
            amount_minor=amount_minor,
            currency=currency,
        )
    return list(parts)


def pays_invoice(
    session: Session,
    program_id: str,
    payment_id: str,
    invoice_id: str,
    *,
    amount_minor: int,
    currency: str,
) -> None:
    """Know that so much of an invoice was paid with a payment; there may be others.

    The first invoice that a payment is for stays.
    """
    invoice = _locked(session, program_id, invoice_id)
    _in_currency(session, invoice, currency)
    row = _locked(session, program_id, payment_id)
    _in_currency(session, row, currency)
    row.invoice_id = row.invoice_id or invoice_id
    if row.amount_minor is None:
        row.amount_minor = amount_minor
    is_of_it = row.invoice_id == invoice_id
    if is_of_it and invoice.order_id is not None and invoice.amount_minor is not None:
        _belongs_to(row, invoice.order_id, amount_minor)
    session.flush()


def _in_currency(session: Session, row: Payment, currency: str) -> GivenBack:
    """What is known of a payment of a currency, which is that of its order, where there is one."""
    known = _facts(row)
    order = session.get(Order, (row.program_id, row.order_id)) if row.order_id else None
    if order is not None:
        known = known.of_currency(row.id, order.currency)
    return known.of_currency(row.id, currency)


def _belongs_to(row: Payment, order_id: str, amount_minor: int) -> None:
    if row.order_id is None:
        row.order_id = order_id
    if row.amount_minor is None:
        row.amount_minor = amount_minor


def _returned(session: Session, row: Payment) -> Returned:
    """What is gone of all payments of one order, and what it came to, as it stands now.

    One sum for all parts: each by itself would be rounded, and the last cent never come.
    """
    currency = orders.require(session, row.program_id, str(row.order_id)).currency
    invoice = _invoice_of(session, row)
    if invoice is None or invoice.amount_minor is None:
        session.refresh(row)
        paid_minor = row.amount_minor or 0
        return Returned(_gone_minor(row, currency), paid_minor)
    parts = session.scalars(
        select(Payment)
        .where(Payment.program_id == row.program_id, Payment.invoice_id == invoice.id)
        .where(Payment.order_id == invoice.order_id)
        .execution_options(populate_existing=True)
    )
    gone_minor = sum(_gone_minor(part, currency) for part in parts)
    return Returned(min(gone_minor, invoice.amount_minor), invoice.amount_minor)


def _gone_minor(row: Payment, currency: str) -> int:
    return _facts(row).of_currency(row.id, currency).sum_minor(row.amount_minor or 0)


def _invoice_of(session: Session, row: Payment) -> Payment | None:
    """The invoice that a payment is a part of, where that is the order which it paid."""
    if row.invoice_id is None:
        return None
    invoice = session.get(Payment, (row.program_id, row.invoice_id), populate_existing=True)
    return invoice if invoice and invoice.order_id == row.order_id else None


def _locked(session: Session, program_id: str, payment_id: str) -> Payment:
    values = {"program_id": program_id, "id": payment_id, "facts": given_back.text(GivenBack())}
    insert_unless_there(session, Payment, values)
    return session.get_one(
        Payment,
        (program_id, payment_id),
        with_for_update={"key_share": True},
        populate_existing=True,
    )


def _facts(row: Payment) -> GivenBack:
    return given_back.read(row.facts)
