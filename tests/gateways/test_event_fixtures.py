"""The written-down events are what the pinned library declares, and what our readers understand."""

import copy
from typing import Any

import pytest
import stripe

from loyalty_service.gateways import stripe_events, stripe_objects
from loyalty_service.sandbox import contract
from tests.gateways import fixtures
from tests.gateways.shapes import faults

SECRET = "whsec_of_the_fixtures"


def read(name: str) -> dict[str, Any]:
    given: dict[str, Any] = fixtures.event(name)["data"]["object"]
    return given


@pytest.mark.parametrize("name", fixtures.NAMES)
def test_the_pinned_library_accepts_the_event(name: str) -> None:
    payload = fixtures.text(name)
    header = stripe.WebhookSignature.generate_signature_header(payload.decode(), SECRET)
    event = stripe.Webhook.construct_event(payload, header, SECRET)
    assert event.api_version == contract.api_version()
    assert name.startswith(event.type)
    assert event.data.object.object == fixtures.event(name)["data"]["object"]["object"]


@pytest.mark.parametrize("name", fixtures.NAMES)
def test_the_event_is_as_the_library_declares_it(name: str) -> None:
    event = fixtures.event(name)
    assert faults(event) == []
    assert faults(event["data"]["object"]) == []


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"payment_intent": "pi_1"}, "invoice.payment_intent is not declared"),
        ({"total": None}, "invoice.total is None, not int"),
        ({"discounts": "di_1"}, "invoice.discounts is 'di_1', not a list"),
        ({"parent": {"type": "subscription_details", "sub": 1}}, "invoice.parent.sub is not"),
    ],
)
def test_an_object_of_another_shape_is_noticed(change: dict[str, Any], fault: str) -> None:
    given = copy.deepcopy(read("invoice.paid"))
    assert fault in " ".join(faults(given | change))
    del given["total"]
    assert faults(given) == ["invoice.total is missing"]


@pytest.mark.parametrize("name", fixtures.NAMES)
def test_our_reader_takes_the_event(name: str) -> None:
    payload = fixtures.text(name)
    header = stripe.WebhookSignature.generate_signature_header(payload.decode(), SECRET)
    event = stripe_events.read_event(payload, header, SECRET)
    written = fixtures.event(name)
    assert (event.id, event.type) == (written["id"], written["type"])
    assert (event.account, event.livemode) == (None, False)
    assert event.object == written["data"]["object"]
    assert event.previous == written["data"].get("previous_attributes", {})
    assert int(event.created_at.timestamp()) == written["created"]


def test_a_completed_checkout_is_read() -> None:
    checkout = stripe_objects.checkout(read("checkout.session.completed"))
    assert (checkout.paid, checkout.recurring) == (True, False)
    assert checkout.promotion_code_ids == ("promo_1SQ0000000000001",)
    amounts = (checkout.subtotal_minor, checkout.discount_minor, checkout.total_minor)
    assert (amounts, checkout.currency) == ((5000, 500, 4500), "eur")
    assert (checkout.client_reference_id, checkout.metadata) == ("A-1001", {"order_id": "A-1001"})
    assert checkout.payment_intent_id == "pi_3SQ0000000000001"
    assert (checkout.customer_id, checkout.email) == ("cus_TQ00000001", "ada@example.com")
    assert "ada@example.com" not in repr(checkout)


def test_a_subscription_checkout_names_its_invoice() -> None:
    checkout = stripe_objects.checkout(read("checkout.session.completed.subscription"))
    invoice = stripe_objects.paid_invoice(read("invoice.paid"))
    assert checkout.recurring
    assert checkout.invoice_id == invoice.invoice_id
    assert checkout.subscription_id == invoice.subscription_id
    assert (invoice.total_minor, invoice.discount_minor, invoice.paid_minor) == (4500, 500, 4500)
    assert invoice.subscription_metadata == {"order_id": "S-1"}
    assert (invoice.promotion_code_ids, invoice.payment_intent_ids) == ((), ())
    assert invoice.paid_at is not None and int(invoice.paid_at.timestamp()) == 1790000002


def test_a_code_of_ours_is_read_and_another_is_not() -> None:
    code = stripe_objects.code_state(read("promotion_code.updated"))
    assert code is not None
    assert (code.program_id, code.subject_id) == ("beauty", "rdm_01")
    assert (code.times_redeemed, code.active) == (1, False)
    thanks = {"loyalty_discount": "dsc_01", "loyalty_program": "beauty"}
    given = stripe_objects.code_state(read("promotion_code.updated") | {"metadata": thanks})
    assert given is not None and given.subject_id == "dsc_01"
    foreign = read("promotion_code.updated") | {"metadata": {}}
    assert stripe_objects.code_state(foreign) is None


def test_a_refunded_charge_says_all_that_was_given_back() -> None:
    charge = stripe_objects.charge(read("charge.refunded"))
    assert (charge.amount_minor, charge.refunded_minor) == (4500, 1500)
    assert charge.payment_intent_id == "pi_3SQ0000000000001"


def test_a_refund_failed_or_did_not() -> None:
    assert stripe_objects.refund(read("refund.failed")).failed
    assert not stripe_objects.refund(read("refund.created")).failed


@pytest.mark.parametrize(
    ("name", "gone", "closed"),
    [
        ("charge.dispute.created", True, False),
        ("charge.dispute.closed", True, True),
        ("charge.dispute.funds_reinstated", False, True),
    ],
)
def test_a_dispute_says_who_has_the_money(name: str, gone: bool, closed: bool) -> None:
    dispute = stripe_objects.dispute(read(name))
    assert (dispute.money_is_gone, dispute.closed) == (gone, closed)


def test_an_inquiry_took_no_money() -> None:
    inquiry = read("charge.dispute.created") | {"status": "warning_needs_response"}
    assert not stripe_objects.dispute(inquiry).money_is_gone
