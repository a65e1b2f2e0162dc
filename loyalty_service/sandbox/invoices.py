"""Invoices that were paid, those of subscriptions above all.

In this API version an invoice names no payment: that is `payments`, only where it is expanded, and
a list of its own.
"""

from typing import Any

from loyalty_service.sandbox import events, payments
from loyalty_service.sandbox.lists import listed as page_of
from loyalty_service.sandbox.messages import Resource, missing
from loyalty_service.sandbox.state import State, new_id

_PERIOD_SECONDS = 30 * 86400


def paid(
    state: State,
    amount: int,
    currency: str,
    *,
    customer: str,
    reason: str,
    subscription: Resource | None = None,
    metadata: dict[str, str] | None = None,
    code: Resource | None = None,
    discount: int = 0,
) -> Resource:
    """Write an invoice over `amount` less `discount`, take its payment, and return it.

    `reason` is Stripe's billing reason; `code` is the promotion code behind the discount.
    """
    invoice = _invoice(state, amount, discount, currency, customer, reason)
    invoice["metadata"] = metadata or {}
    if subscription is not None:
        invoice["parent"] = _parent(subscription)
    if code is not None:
        _discounted(state, invoice, code, discount)
    payment = _take_payment(state, invoice) if invoice["total"] else None
    state.put("invoices", invoice)
    if payment is not None:
        events.record(state, "invoice_payment.paid", payment)
    events.record(state, "invoice.paid", invoice)
    return invoice


def retrieve(state: State, invoice_id: str) -> Resource:
    """Return an invoice."""
    invoice = state.get("invoices", invoice_id)
    if invoice is None:
        raise missing("invoice", invoice_id, param="invoice", status=404)
    return invoice


def listed(state: State, params: dict[str, Any]) -> Resource:
    """Return one page of invoices, newest first."""
    return page_of(
        state.every("invoices"),
        params,
        url="/v1/invoices",
        filters="collection_method customer status subscription",
        shown=lambda each: each | {"subscription": _subscription_of(each)},
    )


def payments_listed(state: State, params: dict[str, Any]) -> Resource:
    """Return one page of the payments of invoices, newest first."""
    asked = dict(params)
    if payment := asked.pop("payment", None):
        asked["payment_intent"] = payment.get("payment_intent")
    return page_of(
        state.every("invoice_payments"),
        asked,
        url="/v1/invoice_payments",
        filters="invoice payment_intent status",
        shown=lambda each: each | {"payment_intent": each["payment"]["payment_intent"]},
    )


def payments_of(state: State, invoice: Resource) -> Resource:
    """Return the payments of one invoice, as `payments` shows them where it is expanded."""
    return payments_listed(state, {"invoice": invoice["id"]})


def _subscription_of(invoice: Resource) -> str | None:
    details = (invoice["parent"] or {}).get("subscription_details") or {}
    subscription: str | None = details.get("subscription")
    return subscription


def _invoice(
    state: State, amount: int, discount: int, currency: str, customer: str, reason: str
) -> Resource:
    invoice_id, now, total = new_id("in"), state.now(), amount - discount
    return {
        "id": invoice_id,
        "object": "invoice",
        "amount_due": total,
        "amount_overpaid": 0,
        "amount_paid": total,
        "amount_remaining": 0,
        "amount_shipping": 0,
        "attempt_count": 1 if total else 0,
        "attempted": True,
        "automatic_tax": {
            "disabled_reason": None,
            "enabled": False,
            "liability": None,
            "provider": None,
            "status": None,
        },
        "billing_reason": reason,
        "collection_method": "charge_automatically",
        "created": now,
        "currency": currency,
        "customer": customer,
        "customer_email": (state.get("customers", customer) or {}).get("email"),
        "default_tax_rates": [],
        "description": None,
        "discounts": [],
        "ending_balance": 0,
        "issuer": {"type": "self"},
        "lines": _lines(invoice_id, amount, currency, now),
        "livemode": False,
        "metadata": {},
        "number": f"SANDBOX-{len(state.every('invoices')) + 1:04d}",
        "parent": None,
        "payment_settings": {
            "default_mandate": None,
            "payment_method_options": None,
            "payment_method_types": None,
        },
        "period_end": now,
        "period_start": now,
        "post_payment_credit_notes_amount": 0,
        "pre_payment_credit_notes_amount": 0,
        "shipping_cost": None,
        "starting_balance": 0,
        "status": "paid",
        "status_transitions": {
            "finalized_at": now,
            "marked_uncollectible_at": None,
            "paid_at": now,
            "voided_at": None,
        },
        "subtotal": amount,
        "total": total,
        "total_discount_amounts": [],
        "total_excluding_tax": total,
        "total_taxes": [],
    }


def _lines(invoice_id: str, amount: int, currency: str, now: int) -> Resource:
    line: Resource = {
        "id": new_id("il"),
        "object": "line_item",
        "amount": amount,
        "currency": currency,
        "description": "Subscription",
        "discount_amounts": [],
        "discountable": True,
        "discounts": [],
        "invoice": invoice_id,
        "livemode": False,
        "metadata": {},
        "parent": None,
        "period": {"end": now + _PERIOD_SECONDS, "start": now},
        "quantity": 1,
        "subtotal": amount,
    }
    url = f"/v1/invoices/{invoice_id}/lines"
    return {"object": "list", "data": [line], "has_more": False, "total_count": 1, "url": url}


def _parent(subscription: Resource) -> Resource:
    details = {"metadata": subscription["metadata"], "subscription": subscription["id"]}
    return {
        "quote_details": None,
        "subscription_details": details,
        "type": "subscription_details",
    }


def _discounted(state: State, invoice: Resource, code: Resource, amount: int) -> None:
    discount: Resource = {
        "id": new_id("di"),
        "object": "discount",
        "checkout_session": None,
        "customer": invoice["customer"],
        "end": None,
        "invoice": invoice["id"],
        "invoice_item": None,
        "promotion_code": code["id"],
        "source": {"coupon": code["promotion"]["coupon"], "type": "coupon"},
        "start": state.now(),
        "subscription": None,
        "subscription_item": None,
    }
    state.put("discounts", discount)
    invoice["discounts"] = [discount["id"]]
    invoice["total_discount_amounts"] = [{"amount": amount, "discount": discount["id"]}]


def _take_payment(state: State, invoice: Resource) -> Resource:
    intent = payments.taken(
        state,
        invoice["total"],
        invoice["currency"],
        customer=invoice["customer"],
        email=invoice["customer_email"],
        # Stripe copies nothing from an invoice to its payment.
        metadata={},
    )
    payment = {
        "id": new_id("inpay"),
        "object": "invoice_payment",
        "amount_paid": invoice["total"],
        "amount_requested": invoice["total"],
        "created": state.now(),
        "currency": invoice["currency"],
        "invoice": invoice["id"],
        "is_default": True,
        "livemode": False,
        "payment": {"payment_intent": intent["id"], "type": "payment_intent"},
        "status": "paid",
        "status_transitions": {"canceled_at": None, "paid_at": state.now()},
    }
    state.put("invoice_payments", payment)
    return payment
