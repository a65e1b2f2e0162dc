"""Payment intents and their charges: money that a customer paid by card, at once and in full."""

from typing import Any

from loyalty_service.sandbox import events
from loyalty_service.sandbox.lists import listed as page_of
from loyalty_service.sandbox.messages import Resource, missing
from loyalty_service.sandbox.state import State, new_id

_CARD = {"brand": "visa", "country": "DE", "exp_month": 12, "exp_year": 2034, "last4": "4242"}


def taken(
    state: State,
    amount: int,
    currency: str,
    *,
    customer: str | None,
    email: str | None,
    metadata: dict[str, str],
) -> Resource:
    """Take a payment; return its intent. The charge carries the intent's metadata, as at Stripe."""
    intent = _intent(state, amount, currency, customer, metadata)
    charge = _charge(state, intent, email)
    intent = state.put("payment_intents", intent | {"latest_charge": charge["id"]})
    state.put("charges", charge)
    events.record(state, "charge.succeeded", charge)
    events.record(state, "payment_intent.succeeded", intent)
    return intent


def charge(state: State, charge_id: str) -> Resource:
    """Return a charge."""
    return _known(state, "charges", "charge", charge_id)


def intent(state: State, intent_id: str) -> Resource:
    """Return a payment intent."""
    return _known(state, "payment_intents", "payment_intent", intent_id)


def charges(state: State, params: dict[str, Any]) -> Resource:
    """Return one page of charges, newest first."""
    every = state.every("charges")
    return page_of(every, params, url="/v1/charges", filters="customer payment_intent")


def intents(state: State, params: dict[str, Any]) -> Resource:
    """Return one page of payment intents, newest first."""
    every = state.every("payment_intents")
    return page_of(every, params, url="/v1/payment_intents", filters="customer")


def _known(state: State, kind: str, what: str, resource_id: str) -> Resource:
    found = state.get(kind, resource_id)
    if found is None:
        raise missing(what, resource_id, param="id", status=404)
    return found


def _intent(
    state: State, amount: int, currency: str, customer: str | None, metadata: dict[str, str]
) -> Resource:
    intent_id = new_id("pi")
    return {
        "id": intent_id,
        "object": "payment_intent",
        "amount": amount,
        "amount_capturable": 0,
        "amount_received": amount,
        "canceled_at": None,
        "capture_method": "automatic_async",
        "client_secret": f"{intent_id}_secret_sandbox",
        "confirmation_method": "automatic",
        "created": state.now(),
        "currency": currency,
        "customer": customer,
        "description": None,
        "latest_charge": None,
        "livemode": False,
        "metadata": metadata,
        "payment_method": new_id("pm"),
        "payment_method_types": ["card"],
        "receipt_email": None,
        "status": "succeeded",
    }


def _charge(state: State, intent: Resource, email: str | None) -> Resource:
    return {
        "id": new_id("ch"),
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": intent["amount"],
        "amount_refunded": 0,
        "balance_transaction": new_id("txn"),
        "billing_details": {
            "address": None,
            "email": email,
            "name": None,
            "phone": None,
            "tax_id": None,
        },
        "captured": True,
        "created": state.now(),
        "currency": intent["currency"],
        "customer": intent["customer"],
        "description": None,
        "disputed": False,
        "failure_code": None,
        "failure_message": None,
        "livemode": False,
        "metadata": intent["metadata"],
        "outcome": {"network_status": "approved_by_network", "reason": None, "type": "authorized"},
        "paid": True,
        "payment_intent": intent["id"],
        "payment_method": intent["payment_method"],
        "payment_method_details": {"card": dict(_CARD), "type": "card"},
        "receipt_email": None,
        "refunded": False,
        "status": "succeeded",
    }
