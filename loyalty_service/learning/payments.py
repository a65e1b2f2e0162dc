"""Money given back: refunds, refunds that failed, disputes, and what each payment paid.

What is known of a payment is written first, what follows for its order in a step of its own: what
is refused there is known all the same.
"""

from collections.abc import Callable, Iterable
from functools import partial

from sqlalchemy.orm import Session

from loyalty_service.domain import inbox, payments
from loyalty_service.domain.given_back import GivenBack
from loyalty_service.domain.payments import Settled
from loyalty_service.gateways import stripe_objects
from loyalty_service.gateways.payments import Event
from loyalty_service.learning.learnt import Learnt, Step

_NOTES = {
    Settled.DONE: "",
    Settled.NOT_KNOWN: "kept until an order is known that was paid with it",
    Settled.THE_SHOPS: "the shop has told of this order, and tells of its refunds",
}


def invoice_payment(session: Session, program_id: str, event: Event) -> Learnt:
    """An invoice, or a part of it, was paid with a payment."""
    paid = stripe_objects.invoice_payment(event.object)
    if paid is None:
        return Learnt(inbox.IGNORED, "no payment intent")
    payments.pays_invoice(
        session,
        program_id,
        paid.payment_intent_id,
        paid.invoice_id,
        amount_minor=paid.amount_minor,
        currency=paid.currency,
    )
    return Learnt(then=settling([paid.payment_intent_id]))


def charge(session: Session, program_id: str, event: Event) -> Learnt:
    """Something was given back of a charge."""
    told = stripe_objects.charge(event.object)
    return _know(
        session,
        program_id,
        told.payment_intent_id or told.charge_id,
        told.currency,
        lambda known: known.with_refunded(told.refunded_minor, event.created_at),
    )


def failed_refund(session: Session, program_id: str, event: Event) -> Learnt:
    """A refund never reached the customer."""
    refund = stripe_objects.refund(event.object)
    payment_id = refund.payment_intent_id or refund.charge_id
    if not refund.failed or payment_id is None:
        return Learnt(inbox.IGNORED, "not a refund that has failed")
    return _know(
        session,
        program_id,
        payment_id,
        refund.currency,
        lambda known: known.with_failed(refund.refund_id, refund.amount_minor, event.created_at),
    )


def dispute(session: Session, program_id: str, event: Event) -> Learnt:
    """A customer's bank takes money back, or has given it up."""
    told = stripe_objects.dispute(event.object)
    gone = told.amount_minor if told.money_is_gone else 0
    return _know(
        session,
        program_id,
        told.payment_intent_id or told.charge_id,
        told.currency,
        lambda known: known.with_disputed(told.dispute_id, gone, event.created_at),
    )


def belongs(
    session: Session,
    program_id: str,
    event: Event,
    *,
    payment_id: str,
    order_id: str,
    amount_minor: int,
    currency: str,
) -> Learnt:
    """An order was paid with a payment."""
    payments.belongs_to(
        session, program_id, payment_id, order_id, amount_minor=amount_minor, currency=currency
    )
    return Learnt(then=settling([payment_id]))


def invoiced(
    session: Session,
    program_id: str,
    event: Event,
    *,
    invoice_id: str,
    order_id: str,
    amount_minor: int,
    currency: str,
) -> Learnt:
    """An invoice came to so much; all payments of it are for its order."""
    parts = payments.paid_by_invoice(
        session, program_id, invoice_id, order_id, amount_minor=amount_minor, currency=currency
    )
    return Learnt(then=settling(parts))


def settling(payment_ids: Iterable[str]) -> tuple[Step, ...]:
    """The steps that give or take what follows of payments for their orders."""
    return tuple(partial(_settle, payment_id=one) for one in payment_ids)


def _know(
    session: Session,
    program_id: str,
    payment_id: str,
    currency: str,
    learnt: Callable[[GivenBack], GivenBack],
) -> Learnt:
    payments.know(session, program_id, payment_id, currency, learnt)
    return Learnt(then=settling([payment_id]))


def _settle(session: Session, program_id: str, event: Event, *, payment_id: str) -> Learnt:
    return Learnt(note=_NOTES[payments.settle(session, program_id, payment_id)])
