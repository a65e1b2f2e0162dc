"""What follows of Stripe's events: codes used, orders paid, money given back."""

import re
from collections.abc import Callable
from datetime import timedelta
from enum import Enum, auto
from typing import NamedTuple

from sqlalchemy.orm import Session

from loyalty_service import clock
from loyalty_service.domain import coded, inbox, members, orders, payments, program
from loyalty_service.domain.earning import Line, OrderFacts
from loyalty_service.domain.program.document import StripeFact
from loyalty_service.gateways import stripe_objects
from loyalty_service.gateways.payments import Checkout, Event, PaidInvoice, Unreadable

SKU = "stripe"
# How long an invoice waits for the checkout that it pays: both are told of within moments.
PATIENCE = timedelta(minutes=10)
# A checkout begins a subscription, or has an invoice made of what was paid at once; nothing but the
# checkout says which invoice that is.
OF_CHECKOUTS = ("subscription_create", "manual")
# What the API takes as an id of an order.
_NAME = re.compile(r"(?!\.+$)[^\x00-\x1f\x7f/]{1,200}")


class Later(Enum):
    """What an event waits for."""

    CUSTOMER = auto()
    MOMENT = auto()


class Learnt(NamedTuple):
    """What became of an event, and why nothing did; `note` names the customer it waits for."""

    status: str = inbox.DONE
    note: str = ""
    later: Later | None = None


Step = Callable[[Session, str, Event], Learnt]
"""One thing that an event tells: safe to repeat, whatever came before it. Raises LoyaltyError where
the rules refuse it, and Unreadable."""


def steps_of(type_: str) -> tuple[Step, ...]:
    """What there is to learn from a type of event; each stands for itself."""
    return _LEARNERS[type_]


def _code(session: Session, program_id: str, event: Event) -> Learnt:
    code = stripe_objects.code_state(event.object)
    if code is None or code.program_id != program_id or not coded.is_known(code.subject_id):
        return Learnt(inbox.IGNORED, "not a code of this program")
    noun = coded.noun_of(code.subject_id)
    if code.times_redeemed:
        noun.learn_use(session, program_id, code.subject_id, code.promotion_code_id)
    elif not code.active:
        # Withdrawn by a person at Stripe: a dead code is no reward.
        noun.learn_withdrawal(session, program_id, code.subject_id)
    return Learnt()


def _codes_used(session: Session, program_id: str, event: Event) -> Learnt:
    for code in stripe_objects.checkout(event.object).promotion_code_ids:
        if found := coded.find_by_code(session, program_id, code):
            coded.noun_of(found.id).learn_use(session, program_id, found.id, code)
    return Learnt()


def _checkout(session: Session, program_id: str, event: Event) -> Learnt:
    checkout = stripe_objects.checkout(event.object)
    if checkout.metadata.get("loyalty_program", program_id) != program_id:
        return Learnt(note="it is an order of another program")
    if not _earns(session, program_id, StripeFact.CHECKOUTS) and not checkout.recurring:
        return Learnt(note="nothing is earned by checkouts")
    order_id = _order_id(checkout)
    if checkout.recurring or _is_invoiced(session, program_id, checkout):
        # Its invoice earns, as the order that the shop knows the checkout by.
        if checkout.invoice_id:
            payments.name(session, program_id, checkout.invoice_id, order_id)
        if checkout.invoice_id and checkout.payment_intent_id:
            payments.pays_invoice(
                session, program_id, checkout.payment_intent_id, checkout.invoice_id
            )
        return Learnt(note="its invoice earns")
    if not checkout.paid:
        return Learnt(inbox.IGNORED, "not paid yet; Stripe tells when it is")
    paid = _Paid(
        order_id,
        event,
        checkout,
        checkout.metadata.get("loyalty_member"),
    )
    learnt = _earn(session, program_id, paid)
    if learnt.status == inbox.DONE and not learnt.later and checkout.payment_intent_id:
        payments.belongs_to(
            session, program_id, checkout.payment_intent_id, order_id, checkout.total_minor
        )
    return learnt


def _invoice(session: Session, program_id: str, event: Event) -> Learnt:
    invoice = stripe_objects.paid_invoice(event.object)
    if invoice.total_minor <= 0:
        return Learnt(inbox.IGNORED, "nothing was paid")
    told = _name(invoice.metadata.get("order_id"))
    named = told or payments.named(session, program_id, invoice.invoice_id)
    is_young = clock.wall() < event.created_at + PATIENCE
    if named is None and invoice.reason in OF_CHECKOUTS and is_young:
        return Learnt(note="its checkout is not here yet", later=Later.MOMENT)
    order_id = named or invoice.invoice_id
    payments.name(session, program_id, invoice.invoice_id, order_id)
    who = {**invoice.subscription_metadata, **invoice.metadata}.get("loyalty_member")
    learnt = _earn(session, program_id, _Paid(order_id, event, invoice, who))
    if learnt.status == inbox.DONE and not learnt.later:
        payments.paid_by_invoice(
            session, program_id, invoice.invoice_id, order_id, invoice.total_minor
        )
    return learnt


def _invoice_payment(session: Session, program_id: str, event: Event) -> Learnt:
    paid = stripe_objects.invoice_payment(event.object)
    if paid is None:
        return Learnt(inbox.IGNORED, "no payment intent")
    payments.pays_invoice(session, program_id, *paid)
    return Learnt()


class _Paid(NamedTuple):
    order_id: str
    event: Event
    what: Checkout | PaidInvoice
    member: str | None


def _earn(session: Session, program_id: str, paid: _Paid) -> Learnt:
    """Record what was paid as an order of the member; it waits for a customer whom none has."""
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
    )
    recorded = orders.record(session, program_id, wanted)
    if recorded.order["source"] != orders.SOURCE_STRIPE:
        return Learnt(note="the shop has told of this order")
    return Learnt()


def _customer(session: Session, program_id: str, customer_id: str) -> members.Member | None:
    """The member who is a customer; looks again in its turn before anything waits for one."""
    found = members.find_by_customer(session, program_id, customer_id)
    if found is None:
        inbox.take_turns(session, program_id, customer_id)
        found = members.find_by_customer(session, program_id, customer_id)
    return found


def _charge(session: Session, program_id: str, event: Event) -> Learnt:
    charge = stripe_objects.charge(event.object)
    return _known(
        session,
        program_id,
        charge.payment_intent_id or charge.charge_id,
        lambda known: known.with_refunded(charge.refunded_minor, event.created_at),
    )


def _failed_refund(session: Session, program_id: str, event: Event) -> Learnt:
    refund = stripe_objects.refund(event.object)
    payment_id = refund.payment_intent_id or refund.charge_id
    if not refund.failed or payment_id is None:
        return Learnt(inbox.IGNORED, "not a refund that has failed")
    return _known(
        session,
        program_id,
        payment_id,
        lambda known: known.with_failed(refund.refund_id, refund.amount_minor, event.created_at),
    )


def _dispute(session: Session, program_id: str, event: Event) -> Learnt:
    dispute = stripe_objects.dispute(event.object)
    gone = dispute.amount_minor if dispute.money_is_gone else 0
    return _known(
        session,
        program_id,
        dispute.payment_intent_id or dispute.charge_id,
        lambda known: known.with_disputed(dispute.dispute_id, gone, event.created_at),
    )


def _known(
    session: Session,
    program_id: str,
    payment_id: str,
    learnt: Callable[[payments.GivenBack], payments.GivenBack],
) -> Learnt:
    if payments.know(session, program_id, payment_id, learnt):
        return Learnt()
    return Learnt(note="kept until an order is known that was paid with it")


def _earns(session: Session, program_id: str, fact: StripeFact) -> bool:
    return fact in program.in_force(session, program_id).rules.stripe.earn_from


def _is_invoiced(session: Session, program_id: str, checkout: Checkout) -> bool:
    """Say whether a checkout's money is told of by an invoice that earns as well."""
    return checkout.invoice_id is not None and _earns(session, program_id, StripeFact.INVOICES)


def _order_id(checkout: Checkout) -> str:
    told = checkout.metadata.get("order_id") or checkout.client_reference_id
    return _name(told) or checkout.session_id


def _name(told: str | None) -> str | None:
    """An order's id as it was told; raises Unreadable for one that no order may have."""
    if told is not None and not _NAME.fullmatch(told):
        raise Unreadable("the order's id is too long, or holds a slash or a control character")
    return told


_LEARNERS: dict[str, tuple[Step, ...]] = {
    "promotion_code.created": (_code,),
    "promotion_code.updated": (_code,),
    "checkout.session.completed": (_codes_used, _checkout),
    "checkout.session.async_payment_succeeded": (_codes_used, _checkout),
    "invoice.paid": (_invoice,),
    "invoice_payment.paid": (_invoice_payment,),
    "charge.refunded": (_charge,),
    "refund.failed": (_failed_refund,),
    "charge.dispute.created": (_dispute,),
    "charge.dispute.funds_withdrawn": (_dispute,),
    "charge.dispute.funds_reinstated": (_dispute,),
    "charge.dispute.closed": (_dispute,),
}
TYPES = tuple(_LEARNERS)
