"""What follows of Stripe's events: codes used, orders paid, money given back.

The table below is the only list of the types of events that are used.
"""

from enum import Enum, auto

from loyalty_service.learning import codes, orders, payments
from loyalty_service.learning.learnt import Later, Learnt, Step

__all__ = ["TYPES", "About", "Later", "Learnt", "Step", "about", "steps_of"]


class About(Enum):
    """What kind of object an event tells of."""

    CODE = auto()
    CHECKOUT = auto()
    INVOICE = auto()
    PAYMENT = auto()


_LEARNT: dict[str, tuple[About, tuple[Step, ...]]] = {
    "promotion_code.created": (About.CODE, (codes.code,)),
    "promotion_code.updated": (About.CODE, (codes.code,)),
    "checkout.session.completed": (About.CHECKOUT, (codes.used, orders.checkout)),
    "checkout.session.async_payment_succeeded": (About.CHECKOUT, (codes.used, orders.checkout)),
    "invoice.paid": (About.INVOICE, (orders.invoice,)),
    "invoice_payment.paid": (About.PAYMENT, (payments.invoice_payment,)),
    "charge.refunded": (About.PAYMENT, (payments.charge,)),
    "refund.failed": (About.PAYMENT, (payments.failed_refund,)),
    "charge.dispute.created": (About.PAYMENT, (payments.dispute,)),
    "charge.dispute.funds_withdrawn": (About.PAYMENT, (payments.dispute,)),
    "charge.dispute.funds_reinstated": (About.PAYMENT, (payments.dispute,)),
    "charge.dispute.closed": (About.PAYMENT, (payments.dispute,)),
}
TYPES = tuple(_LEARNT)


def about(type_: str) -> About:
    """What a type of event tells of."""
    return _LEARNT[type_][0]


def steps_of(type_: str) -> tuple[Step, ...]:
    """What there is to learn from a type of event; each stands for itself."""
    return _LEARNT[type_][1]
