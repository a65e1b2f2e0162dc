"""An object that makes no sense is called unreadable, whatever is wrong with it."""

from collections.abc import Callable
from typing import Any

import pytest

from loyalty_service.gateways import stripe_objects
from loyalty_service.gateways.payments import Unreadable
from tests.gateways import fixtures

READERS: dict[str, Callable[[Any], Any]] = {
    "promotion_code.updated": stripe_objects.code_state,
    "checkout.session.completed": stripe_objects.checkout,
    "invoice.paid": stripe_objects.paid_invoice,
    "invoice_payment.paid": stripe_objects.invoice_payment,
    "charge.refunded": stripe_objects.charge,
    "refund.failed": stripe_objects.refund,
    "charge.dispute.closed": stripe_objects.dispute,
}
NEEDED = {
    "promotion_code.updated": ("id", "code", "times_redeemed", "active", "created"),
    "checkout.session.completed": ("id", "currency", "amount_total", "payment_status", "mode"),
    "invoice.paid": ("id", "currency", "total", "amount_paid", "status_transitions"),
    "invoice_payment.paid": ("payment", "invoice", "amount_paid", "currency"),
    "charge.refunded": ("id", "currency", "amount", "amount_refunded", "disputed"),
    "refund.failed": ("id", "currency", "amount", "status"),
    "charge.dispute.closed": ("id", "charge", "currency", "amount", "status"),
}


def read(name: str, change: dict[str, Any]) -> Any:
    given = fixtures.event(name)["data"]["object"] | change
    kept = {field: value for field, value in given.items() if value != "left out"}
    return READERS[name](kept)


@pytest.mark.parametrize(("name", "field"), [(n, f) for n in NEEDED for f in NEEDED[n]])
def test_what_is_needed_and_missing_is_named(name: str, field: str) -> None:
    assert read(name, {}) is not None
    with pytest.raises(Unreadable, match=field):
        read(name, {field: "left out"})


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("charge.refunded", {"amount": "45.00"}),
        ("charge.refunded", {"amount": True}),
        ("charge.refunded", {"amount_refunded": 10.5}),
        ("charge.refunded", {"created": "now"}),
        ("charge.refunded", {"created": 10**18}),
        ("charge.refunded", {"created": 10**30}),
        ("charge.refunded", {"created": 253402300799}),
        ("charge.refunded", {"created": -1}),
        ("charge.refunded", {"created": True}),
        ("charge.refunded", {"id": "c" * 81}),
        ("charge.refunded", {"amount_refunded": -1}),
        ("charge.refunded", {"metadata": "order"}),
        ("charge.refunded", {"metadata": [1]}),
        ("charge.refunded", {"payment_intent": 7}),
        ("charge.refunded", {"payment_intent": {}}),
        ("charge.refunded", {"currency": "isk", "amount": 4550}),
        ("charge.dispute.closed", {"charge": None}),
        ("charge.dispute.closed", {"id": "d" * 81}),
        ("charge.dispute.closed", {"amount": -1}),
        ("refund.failed", {"id": "r" * 81}),
        ("refund.failed", {"amount": -1}),
        ("checkout.session.completed", {"id": "c" * 81}),
        ("promotion_code.updated", {"id": "p" * 81}),
        ("promotion_code.updated", {"times_redeemed": "0"}),
        ("promotion_code.updated", {"active": "false"}),
        ("promotion_code.updated", {"code": 7}),
        ("invoice.paid", {"id": "i" * 81}),
        ("invoice_payment.paid", {"invoice": "i" * 81}),
        ("invoice_payment.paid", {"amount_paid": -1}),
        ("checkout.session.completed", {"discounts": 5}),
        ("checkout.session.completed", {"total_details": {"amount_discount": "5"}}),
        ("invoice.paid", {"parent": "sub_1"}),
        ("invoice.paid", {"total_taxes": [{"sum": 5}]}),
        ("invoice.paid", {"payments": {"data": [{}]}}),
    ],
)
def test_what_makes_no_sense_is_unreadable(name: str, change: dict[str, Any]) -> None:
    with pytest.raises(Unreadable):
        read(name, change)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("charge.refunded", {"payment_intent": None, "customer": None, "metadata": {}}),
        ("charge.refunded", {"customer": {"id": "cus_1", "object": "customer"}}),
        ("checkout.session.completed", {"customer_details": None, "discounts": None}),
        ("checkout.session.completed", {"total_details": None, "metadata": None}),
        ("invoice.paid", {"parent": None, "discounts": [], "total_taxes": None}),
        ("refund.failed", {"charge": None, "payment_intent": None}),
    ],
)
def test_what_may_be_absent_may_be_absent(name: str, change: dict[str, Any]) -> None:
    assert read(name, change) is not None
