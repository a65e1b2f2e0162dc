"""Customers: kept as sent."""

from typing import Any

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
    return state.put("customers", customer)


def retrieve(state: State, customer_id: str) -> Resource:
    """Return a customer."""
    customer = state.get("customers", customer_id)
    if customer is None:
        raise missing("customer", customer_id, param="id", status=404)
    return customer
