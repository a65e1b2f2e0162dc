"""Which endpoint does what: the table between the API and the nouns."""

import re
from collections.abc import Callable
from typing import Any

from loyalty_service.sandbox import (
    checkout,
    coupons,
    customers,
    disputes,
    endpoints,
    events,
    invoices,
    payments,
    promotion_codes,
    refunds,
)
from loyalty_service.sandbox.messages import Call, Refusal, Resource
from loyalty_service.sandbox.state import State

Verb = Callable[[State, str, dict[str, Any]], Resource]
_PATH = re.compile(r"(/v1/(?:checkout/)?[a-z_]+)(?:/([A-Za-z0-9_-]+))?/?")


def _of_all(verb: Callable[[State, dict[str, Any]], Resource]) -> Verb:
    return lambda state, _, params: verb(state, params)


def _of_one(verb: Callable[[State, str], Resource]) -> Verb:
    return lambda state, resource_id, _: verb(state, resource_id)


ROUTES: dict[str, Verb] = {
    "POST /v1/coupons": _of_all(coupons.create),
    "GET /v1/coupons": _of_all(coupons.listed),
    "GET /v1/coupons/{id}": _of_one(coupons.retrieve),
    "POST /v1/promotion_codes": _of_all(promotion_codes.create),
    "GET /v1/promotion_codes": _of_all(promotion_codes.listed),
    "GET /v1/promotion_codes/{id}": _of_one(promotion_codes.retrieve),
    "POST /v1/promotion_codes/{id}": promotion_codes.update,
    "POST /v1/customers": _of_all(customers.create),
    "GET /v1/customers": _of_all(customers.listed),
    "GET /v1/customers/{id}": _of_one(customers.retrieve),
    "POST /v1/customers/{id}": customers.update,
    "POST /v1/checkout/sessions": _of_all(checkout.create),
    "GET /v1/checkout/sessions": _of_all(checkout.listed),
    "GET /v1/checkout/sessions/{id}": _of_one(checkout.retrieve),
    "GET /v1/payment_intents": _of_all(payments.intents),
    "GET /v1/payment_intents/{id}": _of_one(payments.intent),
    "GET /v1/charges": _of_all(payments.charges),
    "GET /v1/charges/{id}": _of_one(payments.charge),
    "POST /v1/refunds": _of_all(refunds.create),
    "GET /v1/refunds": _of_all(refunds.listed),
    "GET /v1/refunds/{id}": _of_one(refunds.retrieve),
    "GET /v1/disputes": _of_all(disputes.listed),
    "GET /v1/disputes/{id}": _of_one(disputes.retrieve),
    "GET /v1/invoices": _of_all(invoices.listed),
    "GET /v1/invoices/{id}": _of_one(invoices.retrieve),
    "GET /v1/invoice_payments": _of_all(invoices.payments_listed),
    "GET /v1/events": _of_all(events.listed),
    "GET /v1/events/{id}": _of_one(events.retrieve),
    "POST /v1/webhook_endpoints": _of_all(endpoints.create),
    "GET /v1/webhook_endpoints": _of_all(endpoints.listed),
    "GET /v1/webhook_endpoints/{id}": _of_one(endpoints.retrieve),
    "POST /v1/webhook_endpoints/{id}": endpoints.update,
    "DELETE /v1/webhook_endpoints/{id}": _of_one(endpoints.delete),
}


def named(call: Call) -> tuple[str, str]:
    """Return a call's endpoint and the id in its path; raise `Refusal` where there is none."""
    match = _PATH.fullmatch(call.path)
    collection, resource_id = match.groups() if match else (call.path, None)
    endpoint = f"{call.method} {collection}" + ("/{id}" if resource_id else "")
    if endpoint not in ROUTES:
        raise Refusal(f"Unrecognized request URL ({call.method}: {call.path}).", status=404)
    return endpoint, resource_id or ""
