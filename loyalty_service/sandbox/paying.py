"""How a customer pays: the code is used up, money is taken, and everybody is told.

The events come in Stripe's order: the payment, the invoice where there is one, the session.
"""

from dataclasses import dataclass
from typing import Any

from loyalty_service.sandbox import checkout, customers, events, invoices, payments, promotion_codes
from loyalty_service.sandbox.messages import Refusal, Resource
from loyalty_service.sandbox.state import State, new_id

_SHOPPER = "shopper@example.com"


@dataclass(frozen=True, slots=True)
class Purchase:
    """A whole visit to a checkout; `amount` is in Stripe's units of the currency."""

    amount: int
    currency: str = "eur"
    code: str | None = None
    customer: str | None = None
    email: str | None = None
    client_reference_id: str | None = None
    metadata: dict[str, str] | None = None
    mode: str = "payment"

    def __post_init__(self) -> None:
        if type(self.amount) is not int or self.amount < 1:
            raise ValueError("amount is a whole number above 0, in Stripe's units of the currency")


def buy(state: State, purchase: Purchase) -> Resource:
    """Open a session and pay it; return it complete."""
    price: dict[str, Any] = {"currency": purchase.currency, "unit_amount": purchase.amount}
    if purchase.mode == "subscription":
        price["recurring"] = {"interval": "month"}
    params = {
        "mode": purchase.mode,
        "allow_promotion_codes": True,
        "line_items": [{"price_data": price, "quantity": 1}],
        "customer": purchase.customer,
        "client_reference_id": purchase.client_reference_id,
        "metadata": purchase.metadata or {},
    }
    session = checkout.create(state, params)
    try:
        return pay(state, session["id"], purchase.code, purchase.email)
    except Refusal:
        state.remove("checkout_sessions", session["id"])
        raise


def pay(
    state: State, session_id: str, code: str | None = None, email: str | None = None
) -> Resource:
    """Complete a session as a customer does, who may type a `code` where the session allows it."""
    session = checkout.retrieve(state, session_id)
    if session["status"] != "open" or session["expires_at"] <= state.now():
        raise Refusal("This Checkout Session is no longer open.", code="checkout_session_closed")
    used = _typed_code(state, session, code) if code else _code_of(state, session)
    session = checkout.discounted(state, session, used)
    if used is not None:
        promotion_codes.count_use(state, used)
    session = _with_customer(state, session, email)
    paid = _subscribed(state, session, used) if _recurs(session) else _paid_once(state, session)
    session = state.put("checkout_sessions", session | paid | {"status": "complete"})
    events.record(state, "checkout.session.completed", session)
    return session


def renew(state: State, subscription_id: str) -> Resource:
    """Bill a subscription's next period; return the paid invoice."""
    subscription = state.get("subscriptions", subscription_id)
    if subscription is None:
        raise Refusal(f"No such subscription: '{subscription_id}'", param="subscription")
    return invoices.paid(
        state,
        subscription["amount"],
        subscription["currency"],
        customer=subscription["customer"],
        reason="subscription_cycle",
        subscription=subscription,
    )


def _recurs(session: Resource) -> bool:
    return bool(session["mode"] == "subscription")


def _paid_once(state: State, session: Resource) -> Resource:
    if session["amount_total"] == 0:
        return {"payment_status": "no_payment_required"}
    intent = payments.taken(
        state,
        session["amount_total"],
        session["currency"],
        customer=session["customer"],
        email=session["customer_details"]["email"],
        metadata=checkout.intentions(state, session["id"])["payment_intent_data"],
    )
    return {"payment_intent": intent["id"], "payment_status": "paid"}


def _subscribed(state: State, session: Resource, code: Resource | None) -> Resource:
    subscription: Resource = {
        "id": new_id("sub"),
        "amount": session["amount_subtotal"],
        "currency": session["currency"],
        "customer": session["customer"],
        "metadata": checkout.intentions(state, session["id"])["subscription_data"],
    }
    state.put("subscriptions", subscription)
    invoice = invoices.paid(
        state,
        session["amount_subtotal"],
        session["currency"],
        customer=session["customer"],
        reason="subscription_create",
        subscription=subscription,
        code=code,
        discount=session["total_details"]["amount_discount"],
    )
    return {
        "invoice": invoice["id"],
        "payment_status": "paid",
        "subscription": subscription["id"],
    }


def _with_customer(state: State, session: Resource, email: str | None) -> Resource:
    known = state.get("customers", session["customer"] or "")
    email = email or (known or {}).get("email") or session["customer_email"] or _SHOPPER
    details: Resource = {
        "address": None,
        "email": email,
        "name": (known or {}).get("name"),
        "phone": None,
        "tax_exempt": "none",
        "tax_ids": [],
    }
    customer = session["customer"]
    if customer is None and _recurs(session):
        # A subscription needs somebody to bill next month.
        customer = customers.create(state, {"email": email})["id"]
    return session | {"customer": customer, "customer_details": details}


def _typed_code(state: State, session: Resource, text: str) -> Resource:
    if not session["allow_promotion_codes"] or session["discounts"]:
        raise Refusal("This Checkout Session takes no promotion code.", param="code")
    for code in state.codes_named(text):
        if promotion_codes.as_it_stands(state, code)["active"]:
            return code
    raise Refusal("This code is invalid.", code="promotion_code_invalid", param="code")


def _code_of(state: State, session: Resource) -> Resource | None:
    if not session["discounts"]:
        return None
    return state.get("promotion_codes", session["discounts"][0]["promotion_code"])
