"""`expand[]`: an id rendered as the object that it names."""

from collections.abc import Callable

from loyalty_service.sandbox import coupons, customers, promotion_codes
from loyalty_service.sandbox.messages import Refusal, Resource
from loyalty_service.sandbox.state import State

_READERS: dict[str, Callable[[State, str], Resource]] = {
    "coupon": coupons.retrieve,
    "customer": customers.retrieve,
    "promotion_code": promotion_codes.retrieve,
}
_PATHS = {
    "GET /v1/promotion_codes": ("data.promotion.coupon", "data.customer"),
    "POST /v1/promotion_codes": ("promotion.coupon", "customer"),
    "GET /v1/promotion_codes/{id}": ("promotion.coupon", "customer"),
    "POST /v1/promotion_codes/{id}": ("promotion.coupon", "customer"),
    "POST /v1/checkout/sessions": ("customer", "discounts.promotion_code"),
    "GET /v1/checkout/sessions/{id}": ("customer", "discounts.promotion_code"),
}


def check(endpoint: str, paths: list[str]) -> None:
    """Refuse a path that the endpoint cannot expand, before anything is executed."""
    for path in paths:
        if path not in _PATHS.get(endpoint, ()):
            raise Refusal(f"This property cannot be expanded ({path}).", param="expand")


def expanded(state: State, resource: Resource, paths: list[str]) -> Resource:
    """Return a copy of the resource with each checked path expanded."""
    for path in paths:
        resource = _at(state, resource, path.split("."))
    return resource


def _at(state: State, node: Resource, steps: list[str]) -> Resource:
    name, rest = steps[0], steps[1:]
    below = node[name]
    if rest and isinstance(below, list):
        return node | {name: [_at(state, each, rest) for each in below]}
    if rest:
        return node | {name: _at(state, below, rest)}
    return node | {name: _READERS[name](state, below) if isinstance(below, str) else below}
