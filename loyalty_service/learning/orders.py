"""What was paid at Stripe as an order: a checkout, or an invoice."""

import re
from functools import partial
from typing import NamedTuple

from sqlalchemy.orm import Session

from loyalty_service.domain import inbox, members, orders, payments, program
from loyalty_service.domain.earning import Line, OrderFacts
from loyalty_service.domain.program.document import StripeFact
from loyalty_service.gateways import stripe_objects
from loyalty_service.gateways.payments import Checkout, Event, PaidInvoice, Unreadable
from loyalty_service.learning.learnt import Later, Learnt, Step
from loyalty_service.learning.patience import is_young
from loyalty_service.learning.payments import belongs, invoiced, settling

SKU = "stripe"
# A checkout begins a subscription, or has an invoice made of what was paid at once; nothing but the
# checkout says which invoice that is.
OF_CHECKOUTS = ("subscription_create", "manual")
# What the API takes as an id of an order.
_NAME = re.compile(r"(?!\.+$)[^\x00-\x1f\x7f/]{1,200}")


def checkout(session: Session, program_id: str, event: Event) -> Learnt:
    """A customer completed a checkout: an order, unless an invoice says the same."""
    told = stripe_objects.checkout(event.object)
    if told.metadata.get("loyalty_program", program_id) != program_id:
        return Learnt(note="it is an order of another program")
    if not _earns(session, program_id, StripeFact.CHECKOUTS) and not told.recurring:
        return Learnt(note="nothing is earned by checkouts")
    order_id = _order_id(told)
    if told.recurring or _is_invoiced(session, program_id, told):
        return _left_to_its_invoice(session, program_id, told, order_id)
    if not told.paid:
        return Learnt(inbox.IGNORED, "not paid yet; Stripe tells when it is")
    paid = _Paid(order_id, event, told, told.metadata.get("loyalty_member"))
    return _earn(session, program_id, paid, _paid_with(told, order_id))


def invoice(session: Session, program_id: str, event: Event) -> Learnt:
    """An invoice was paid: an order, by the name that its checkout gave it."""
    told = stripe_objects.paid_invoice(event.object)
    # What a discount paid for is an order as well; a trial, or money given back, is none.
    if told.total_minor < 0 or not told.subtotal_minor:
        return Learnt(inbox.IGNORED, "nothing was bought")
    named = _name(told.metadata.get("order_id")) or payments.lock_name(
        session, program_id, told.invoice_id
    )
    if named is None and told.reason in OF_CHECKOUTS and is_young(event):
        return Learnt(note="its checkout is not here yet", later=Later.MOMENT)
    order_id = named or told.invoice_id
    payments.name(session, program_id, told.invoice_id, order_id)
    who = {**told.subscription_metadata, **told.metadata}.get("loyalty_member")
    then = partial(
        invoiced,
        invoice_id=told.invoice_id,
        order_id=order_id,
        amount_minor=told.total_minor,
        currency=told.currency,
    )
    return _earn(session, program_id, _Paid(order_id, event, told, who), (then,))


def _paid_with(told: Checkout, order_id: str) -> tuple[Step, ...]:
    if not (payment_id := told.payment_intent_id):
        return ()
    then = partial(
        belongs,
        payment_id=payment_id,
        order_id=order_id,
        amount_minor=told.total_minor,
        currency=told.currency,
    )
    return (then,)


def _left_to_its_invoice(
    session: Session, program_id: str, told: Checkout, order_id: str
) -> Learnt:
    """Its invoice earns, as the order that the shop knows the checkout by."""
    learnt = Learnt(note="its invoice earns")
    if not told.invoice_id:
        return learnt
    payments.name(session, program_id, told.invoice_id, order_id)
    if not told.payment_intent_id:
        return learnt
    payments.pays_invoice(
        session,
        program_id,
        told.payment_intent_id,
        told.invoice_id,
        amount_minor=told.total_minor,
        currency=told.currency,
    )
    return learnt._replace(then=settling([told.payment_intent_id]))


class _Paid(NamedTuple):
    order_id: str
    event: Event
    what: Checkout | PaidInvoice
    member: str | None


def _earn(session: Session, program_id: str, paid: _Paid, then: tuple[Step, ...]) -> Learnt:
    """Record what was paid as an order of the member; it waits for a customer whom none has.

    `then` follows where there is an order.
    """
    what, member = paid.what, paid.member
    if member is None:
        if what.customer_id is None:
            return Learnt(inbox.IGNORED, "names no member and no customer")
        found = _customer(session, program_id, what.customer_id)
        if found is None:
            return Learnt(note=what.customer_id, later=Later.CUSTOMER)
        member = found.id
    line = Line(SKU, None, 1, what.subtotal_minor)
    facts = OrderFacts(
        what.currency, (line,), what.discount_minor, what.tax_minor, what.shipping_minor
    )
    wanted = orders.OrderToRecord(
        paid.order_id,
        member,
        what.created_at,
        facts,
        paid_at=max(what.created_at, paid.event.created_at),
        source=orders.SOURCE_STRIPE,
        made_by=what.session_id if isinstance(what, Checkout) else what.invoice_id,
    )
    recorded = orders.record(session, program_id, wanted)
    if recorded.order["source"] != orders.SOURCE_STRIPE:
        return Learnt(note="the shop has told of this order", then=then)
    return Learnt(then=then)


def _customer(session: Session, program_id: str, customer_id: str) -> members.Member | None:
    """The member who is a customer; looks again in its turn before anything waits for one."""
    found = members.find_by_customer(session, program_id, customer_id)
    if found is None:
        inbox.take_turns(session, program_id, customer_id)
        found = members.find_by_customer(session, program_id, customer_id)
    return found


def _earns(session: Session, program_id: str, fact: StripeFact) -> bool:
    return fact in program.in_force(session, program_id).rules.stripe.earn_from


def _is_invoiced(session: Session, program_id: str, checkout: Checkout) -> bool:
    """Say whether a checkout's money is told of by an invoice that earns as well."""
    return checkout.invoice_id is not None and _earns(session, program_id, StripeFact.INVOICES)


def _order_id(checkout: Checkout) -> str:
    told = checkout.metadata.get("order_id")
    if not told and not checkout.by_payment_link:
        told = checkout.client_reference_id
    return _name(told) or checkout.session_id


def _name(told: str | None) -> str | None:
    """An order's id as it was told; raises Unreadable for one that no order may have."""
    if told is not None and not _NAME.fullmatch(told):
        raise Unreadable("the order's id is too long, or holds a slash or a control character")
    return told
