"""`expand[]`: an id rendered as the object that it names, and what is shown only when asked for."""

from collections.abc import Callable

from loyalty_service.sandbox import coupons, customers, invoices, payments, promotion_codes
from loyalty_service.sandbox.messages import Refusal, Resource, missing
from loyalty_service.sandbox.state import State


def _discount(state: State, discount_id: str) -> Resource:
    found = state.get("discounts", discount_id)
    if found is None:
        raise missing("discount", discount_id, param="expand")
    return found


_READERS: dict[str, Callable[[State, str], Resource]] = {
    "charge": payments.charge,
    "coupon": coupons.retrieve,
    "customer": customers.retrieve,
    "discounts": _discount,
    "invoice": invoices.retrieve,
    "latest_charge": payments.charge,
    "payment_intent": payments.intent,
    "promotion_code": promotion_codes.retrieve,
}
_INCLUDED: dict[str, Callable[[State, Resource], Resource]] = {"payments": invoices.payments_of}
_OF = {
    "/v1/promotion_codes": ("promotion.coupon", "customer"),
    "/v1/checkout/sessions": ("customer", "discounts.promotion_code", "invoice", "payment_intent"),
    "/v1/payment_intents": ("customer", "latest_charge"),
    "/v1/charges": ("customer", "payment_intent"),
    "/v1/refunds": ("charge", "payment_intent"),
    "/v1/disputes": ("charge", "payment_intent"),
    "/v1/invoices": ("customer", "discounts", "payments"),
    "/v1/invoice_payments": ("invoice",),
}


def check(endpoint: str, paths: list[str]) -> None:
    """Refuse a path that the endpoint cannot expand, before anything is executed."""
    method, _, path = endpoint.partition(" ")
    known = _OF.get(path.removesuffix("/{id}"), ())
    if method == "GET" and not path.endswith("/{id}"):
        known = tuple(f"data.{each}" for each in known)
    for asked in paths:
        if asked not in known:
            raise Refusal(f"This property cannot be expanded ({asked}).", param="expand")


def expanded(state: State, resource: Resource, paths: list[str]) -> Resource:
    """Return a copy of the resource with each checked path expanded."""
    for path in paths:
        resource = _at(state, resource, path.split("."))
    return resource


def _at(state: State, node: Resource, steps: list[str]) -> Resource:
    name, rest = steps[0], steps[1:]
    if name in _INCLUDED:
        return node | {name: _INCLUDED[name](state, node)}
    below = node[name]
    if rest and isinstance(below, list):
        return node | {name: [_at(state, each, rest) for each in below]}
    if rest:
        return node | {name: _at(state, below, rest)}
    if isinstance(below, list):
        return node | {name: [_read(state, name, each) for each in below]}
    return node | {name: _read(state, name, below)}


def _read(state: State, name: str, below: object) -> object:
    return _READERS[name](state, below) if isinstance(below, str) else below
