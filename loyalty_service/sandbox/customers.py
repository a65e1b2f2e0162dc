"""Customers: kept as sent."""

from typing import Any

from loyalty_service.sandbox import events
from loyalty_service.sandbox.lists import listed as page_of
from loyalty_service.sandbox.messages import Resource, missing, refuse_unsupported
from loyalty_service.sandbox.state import State, new_id

_SUPPORTED = "address description email expand metadata name phone preferred_locales shipping"


def create(state: State, params: dict[str, Any]) -> Resource:
    """Keep a new customer and return it."""
    refuse_unsupported(params, _SUPPORTED)
    customer: Resource = {
        "id": new_id("cus"),
        "object": "customer",
        "address": params.get("address") or None,
        "created": state.now(),
        "description": params.get("description"),
        "email": params.get("email"),
        "livemode": False,
        "metadata": params.get("metadata") or {},
        "name": params.get("name"),
        "phone": params.get("phone"),
        "preferred_locales": params.get("preferred_locales", []),
        "shipping": params.get("shipping") or None,
    }
    state.put("customers", customer)
    events.record(state, "customer.created", customer)
    return customer


def update(state: State, customer_id: str, params: dict[str, Any]) -> Resource:
    """Change what is given; metadata is merged, and an empty text clears a value."""
    refuse_unsupported(params, _SUPPORTED)
    before = retrieve(state, customer_id)
    after = before | {name: params[name] or None for name in params if name in before}
    after["metadata"] = merged(before["metadata"], params.get("metadata", {}))
    after["preferred_locales"] = after["preferred_locales"] or []
    state.put("customers", after)
    events.record(state, "customer.updated", after, before)
    return after


def listed(state: State, params: dict[str, Any]) -> Resource:
    """Return one page of customers, newest first."""
    return page_of(state.every("customers"), params, url="/v1/customers", filters="email")


def merged(metadata: dict[str, str], given: dict[str, str] | str) -> dict[str, str]:
    """Return metadata as Stripe merges it: an empty value unsets its key, an empty text all."""
    changes = given if isinstance(given, dict) else dict.fromkeys(metadata, "")
    return {name: value for name, value in (metadata | changes).items() if value != ""}


def retrieve(state: State, customer_id: str) -> Resource:
    """Return a customer."""
    customer = state.get("customers", customer_id)
    if customer is None:
        raise missing("customer", customer_id, param="id", status=404)
    return customer
