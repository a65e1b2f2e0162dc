"""Every call of the service as its url map has it, with ids that exist and a body that is taken."""

import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from flask import Flask

from loyalty_service.api.guard import PUBLIC, declared, is_reading, is_signed
from tests.shop import SAMPLE, TEA, Shop

ARGUMENT = re.compile(r"<(?:\w+:)?(\w+)>")
AN_ENDPOINT = {"url": "https://shop.example/hooks", "types": ["*"]}
ASSET = re.compile(r"/docs/assets/(\w+)/([\w./-]+)")
# Who holds a key of each scope; see `Shop.open`.
DECIDING = ("/approve", "/reject")
HOLDERS = {"checkout": "checkout", "staff": "agent", "reporting": "reporting", "admin": "admin"}


@dataclass(frozen=True)
class Call:
    """A method and a rule of the url map, with the guard that it declares."""

    method: str
    rule: str
    guard: frozenset[str]
    is_reading: bool = False

    @property
    def arguments(self) -> list[str]:
        return ARGUMENT.findall(self.rule)

    @property
    def takes_a_body(self) -> bool:
        return self.method in ("POST", "PATCH", "PUT")

    @property
    def takes_a_key(self) -> bool:
        """Whether it needs an Idempotency-Key."""
        return self.method == "POST" and not self.is_reading

    @property
    def takes_any_order_id(self) -> bool:
        """A refund may be here before its order."""
        return self.method == "POST" and self.rule == "/v1/orders/<path:order_id>/refunds"

    @property
    def is_a_decision(self) -> bool:
        """Whether it takes a role that decides what others ask for."""
        return self.rule.endswith(DECIDING)

    def holder(self, scope: str) -> str:
        """Who holds a key of a scope, with which the call succeeds where the scope may."""
        return "manager" if self.is_a_decision and scope == "staff" else HOLDERS[scope]

    @property
    def is_public(self) -> bool:
        return self.guard == PUBLIC

    def path(self, ids: dict[str, str]) -> str:
        """The address with an id in each place."""
        return ARGUMENT.sub(lambda found: ids[found[1]], self.rule)


@dataclass(frozen=True)
class Things:
    """One of each thing in a shop: its id by the name that routes give to it."""

    shop: Shop
    ids: dict[str, str]
    external_id: str
    sample_id: str
    tea_id: str
    rejected_id: str
    other_hold_id: str

    @classmethod
    def of(cls, shop: Shop, **particulars: str) -> "Things":
        shop.add_rewards(SAMPLE)
        shop.add_offers(TEA)
        member = shop.a_member(points=900, **particulars)
        ids = {
            "ref": member,
            "order_id": shop.order(member)["id"],
            "transaction_id": shop.give(member, 10)["transaction"],
            "redemption_id": shop.redeem(member)["id"],
            "approval_id": shop.give(member, 600, who="agent")["id"],
            "event_id": shop.event(member)["id"],
            "hold_id": shop.hold(member, 5)["id"],
            "discount_id": shop.thank(member)["id"],
        }
        page = shop.app.test_client().get("/docs").text
        (ids["endpoint_id"], ids["delivery_id"]) = cls._webhooks(shop)
        (ids["version"], ids["name"]), *_ = ASSET.findall(page)
        sample = shop.redeem(member, "sample")["id"]
        to_reject = shop.give(member, 600, who="agent")["id"]
        external_id = shop.get(f"/v1/members/{member}")["external_id"]
        other_hold = shop.hold(member, 5)["id"]
        tea = shop.thank(member, "tea")["id"]
        return cls(shop, ids, external_id, sample, tea, to_reject, other_hold)

    @staticmethod
    def _webhooks(shop: Shop) -> tuple[str, str]:
        """An endpoint, and a delivery that waits for it."""
        endpoint = shop.post("/v1/webhook_endpoints", AN_ENDPOINT, who="admin")["id"]
        shop.a_member(points=1)
        shop.tell()
        waiting = shop.get("/v1/webhook_deliveries", who="admin")["data"]
        return endpoint, waiting[0]["id"]

    def ids_for(self, call: Call) -> dict[str, str]:
        """The ids with which a call succeeds, whatever was called before it."""
        own = {
            # A code of Stripe's is not used here.
            "POST /v1/redemptions/<redemption_id>/use": {"redemption_id": self.sample_id},
            "POST /v1/discounts/<discount_id>/use": {"discount_id": self.tea_id},
            # What is approved is not rejected.
            "POST /v1/approvals/<approval_id>/reject": {"approval_id": self.rejected_id},
            # What was captured is not released.
            "POST /v1/holds/<hold_id>/release": {"hold_id": self.other_hold_id},
        }
        return self.ids | own.get(f"{call.method} {call.rule}", {})

    def body(self, call: Call) -> dict[str, Any] | None:
        """A body that is taken as it stands; a new call needs one here."""
        if not call.takes_a_body:
            return None
        member = self.ids["ref"]
        return {
            "POST /v1/members": {"external_id": str(uuid.uuid4())},
            "PATCH /v1/members/<ref>": {"locale": "de-AT"},
            "POST /v1/quotes": {"member": member, "order": self.shop.a_cart()},
            "POST /v1/orders": self.shop.an_order(member),
            "PATCH /v1/orders/<path:order_id>": {"shipping": 490},
            "POST /v1/orders/<path:order_id>/cancel": {},
            "POST /v1/orders/<path:order_id>/refunds": {"id": str(uuid.uuid4()), "amount": 1},
            "POST /v1/events": self.shop.an_event(member),
            "POST /v1/adjustments": {"member": member, "points": 5, "reason": "correction"},
            "POST /v1/redemptions": {"member": member, "reward": "money_off"},
            "POST /v1/transactions/<transaction_id>/reverse": {"reason": "correction"},
            "POST /v1/redemptions/<redemption_id>/cancel": {},
            "POST /v1/redemptions/<redemption_id>/use": {},
            "POST /v1/webhook_endpoints": AN_ENDPOINT,
            "PATCH /v1/webhook_endpoints/<endpoint_id>": {"description": "The mail"},
            "POST /v1/webhook_endpoints/<endpoint_id>/rotate_secret": {},
            "POST /v1/webhook_deliveries/<delivery_id>/replay": {},
            "POST /v1/approvals/<approval_id>/approve": {},
            "POST /v1/approvals/<approval_id>/reject": {"reason": "Too much."},
            "POST /v1/holds": self.shop.a_hold(member, 5),
            "POST /v1/holds/<hold_id>/capture": {},
            "POST /v1/holds/<hold_id>/release": {},
            "POST /v1/discounts": {"member": member, "offer": "sorry", "reason": "correction"},
            "POST /v1/discounts/<discount_id>/cancel": {},
            "POST /v1/discounts/<discount_id>/use": {},
        }[f"{call.method} {call.rule}"]


def calls(app: Flask) -> list[Call]:
    """Every call of the service; what deletes comes last. What only Stripe can sign has a test of
    its own (tests/test_listening.py)."""
    found = [
        Call(method, rule.rule, declared(view) or frozenset(), is_reading(view))
        for rule in app.url_map.iter_rules()
        for view in (app.view_functions[rule.endpoint],)
        if not is_signed(view)
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
    ]
    return sorted(found, key=lambda call: call.method == "DELETE")


def guarded(app: Flask) -> list[Call]:
    """Every call that needs a key."""
    return [call for call in calls(app) if not call.is_public]


def fields_of(app: Flask, call: Call) -> Iterator[str]:
    """The names of the body's fields in the contract."""
    operation = _operation(app, call)
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    name = schema["$ref"].rpartition("/")[2]
    yield from _contract(app)["components"]["schemas"][name].get("properties", {})


def queries_of(app: Flask, call: Call) -> list[str]:
    """The names of the parameters that a call reads from the address; a page reads none."""
    if ARGUMENT.sub(r"{\1}", call.rule) not in _contract(app)["paths"]:
        return []
    operation = _operation(app, call)
    return [one["name"] for one in operation.get("parameters", []) if one["in"] == "query"]


def _operation(app: Flask, call: Call) -> dict[str, Any]:
    documented = ARGUMENT.sub(r"{\1}", call.rule)
    found: dict[str, Any] = _contract(app)["paths"][documented][call.method.lower()]
    return found


@cache
def _contract(app: Flask) -> dict[str, Any]:
    return dict(app.test_client().get("/openapi.json").json or {})
