"""The served contract with the links between its calls, and what a caller knows beside it.

Who is enrolled and which rewards there are stands in no schema: without it nearly every drawn
request would end at "there is no such member". So many a drawn value is replaced by a known one.
"""

import contextlib
import copy
import random
import re
from collections.abc import MutableMapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from schemathesis import Case

from loyalty_service.domain import members
from loyalty_service.domain.notices import types
from tests.shop import Shop, moment

KNOWN_SHARE = 0.9
APPROVALS = 3
A_WEEK_SECONDS = 604800
SHORT = re.compile(r"[^\x00-\x1f\x7f]{1,35}")
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII)
# What these fields hold when they are surely not what is wrong with a request.
RIGHT = {
    **dict.fromkeys(("member", "ref", "reason", "reward"), SHORT),
    "id": re.compile(r"[^\x00-\x1f\x7f/][^\x00-\x1f\x7f]{0,34}"),
    "external_id": re.compile(r"[^\x00-\x1f\x7f/]{1,35}"),
    **dict.fromkeys(("transaction_id", "redemption_id", "order_id"), SHORT),
    **dict.fromkeys(("event_id", "approval_id"), SHORT),
    "currency": re.compile(r"[^\x00-\x1f\x7f]{3}"),
    **dict.fromkeys(("placed_at", "occurred_at", "paid_at", "fulfilled_at"), MOMENT),
}
OUR_IDS = ("mem_", "ltx_", "rdm_", "apr_")


@dataclass
class Known:
    """Good values by the name of a field or parameter."""

    values: dict[str, list[Any]] = field(default_factory=dict)

    @classmethod
    def of(cls, shop: Shop) -> "Known":
        """A shop with a little of everything in it."""
        member, suspended = shop.a_member(points=90000), shop.a_member(points=300)
        shop.call("PATCH", f"/v1/members/{suspended}", {"status": "suspended"})
        order = shop.order(member)
        redemption = shop.redeem(member)["id"]
        gift = shop.give(member, 10)["transaction"]
        event = shop.event(member)
        refund = shop.refund(order["id"], amount=1)["id"]
        now = shop.now()
        nine_days_ago = now - timedelta(days=9)
        external = shop.get(f"/v1/members/{member}")["external_id"]
        members = [member, suspended, f"ext:{external}"]
        return cls(
            {
                "id": [f"order-of-{number}" for number in range(500)],
                "external_id": [f"customer-of-{number}" for number in range(500)],
                "currency": ["eur"],
                "placed_at": [moment(now), moment(nine_days_ago)],
                "occurred_at": [moment(now), moment(nine_days_ago)],
                "paid_at": [moment(now)],
                "fulfilled_at": [moment(now)],
                "type": ["sign_up", "review", "birthday"],
                "data": [{}],
                "amount": [1, 100],
                "reason": ["appreciation"],
                "reward": ["money_off"],
                "points": [100, 250, 1000],
                "unit_amount": [0, 1999],
                "quantity": [1, 2],
                "discount": [0, 100],
                "tax": [0, 100],
                "shipping": [0, 490],
                "email": ["ana@example.com"],
                "birthday": ["1990-03-01"],
                "status": ["active", "suspended", "active"],
                "member": members,
                "ref": members,
                "transaction_id": [gift, order["transaction"]],
                "redemption_id": [redemption],
                "order_id": [order["id"]],
                "event_id": [event["id"]],
                "hold_id": _standing(shop, member),
                "approval_id": _waiting(shop, member),
                "at": [moment(nine_days_ago), moment(now + timedelta(days=99))],
                "starting_after": [member, redemption, gift, refund],
                "ending_before": [suspended, redemption, gift, refund],
                "q": [external, member, "an"],
            }
        )

    def put_into(self, case: Case[Any], chosen: random.Random) -> None:
        """Replace most fields that the case has by known values, or clean them."""
        for place in (case.path_parameters, case.query, case.body):
            for fields in _objects(place):
                for name, value in sorted(fields.items()):
                    if chosen.random() < KNOWN_SHARE:
                        fields[name] = self._better(name, value, chosen)

    def put_beside_the_fault(self, case: Case[Any], chosen: random.Random) -> None:
        """Known values for what a wrong request has right, so that nothing but its fault is left.

        Else an unknown member would be the reason why a wrong number of points was refused.
        """
        for place in (case.path_parameters, case.query, case.body):
            for fields in _objects(place):
                for name, value in sorted(fields.items()):
                    if isinstance(value, str) and is_right(name, value):
                        fields[name] = chosen.choice(self.values[name])

    def _better(self, name: str, value: Any, chosen: random.Random) -> Any:
        if isinstance(value, str) and value.startswith(OUR_IDS):
            # It came along a link from the answer before.
            return value
        if name == "status" and value not in members.TRANSITIONS:
            # The known ones are a member's.
            return value
        if name == "type" and value in types.names():
            # The known ones are an event's.
            return value
        if name in self.values:
            return chosen.choice(self.values[name])
        return value


def _standing(shop: Shop, member: str) -> list[str]:
    """Holds that nobody has captured; more than one, as most calls end theirs."""
    return [shop.hold(member, 100, expires_in_seconds=A_WEEK_SECONDS)["id"] for _ in range(20)]


def _waiting(shop: Shop, member: str) -> list[str]:
    """Approvals that nobody has decided; few, as a month's pool has to do for a whole run."""
    waiting = shop.get("/v1/approvals?status=pending", who="agent")["data"]
    missing = range(APPROVALS - len(waiting))
    waiting += [shop.give(member, 600, who="agent") for _ in missing]
    return [one["id"] for one in waiting]


def is_right(name: str, value: str) -> bool:
    """Surely not what is wrong with a request."""
    right = RIGHT.get(name)
    if not right or not right.fullmatch(value):
        return False
    if right is not MOMENT:
        return True
    with contextlib.suppress(ValueError):
        return bool(datetime.fromisoformat(value))
    return False


def _objects(value: Any) -> list[Any]:
    """A mapping, and those inside it, in lists too."""
    if not isinstance(value, MutableMapping):
        return []
    inside = [one for entry in value.values() if isinstance(entry, list) for one in entry]
    inside += value.values()
    return [value, *(found for one in inside for found in _objects(one))]


def prepared(document: dict[str, Any]) -> dict[str, Any]:
    """A copy of the contract with links, without what the fuzzer itself sends with each call."""
    made = copy.deepcopy(document)
    for item in made["paths"].values():
        for verb, operation in item.items():
            if verb != "parameters":
                # The keys, of both kinds, have tests of their own; here they are always right.
                operation["security"] = []
                operation["parameters"] = [
                    one
                    for one in operation.get("parameters", [])
                    if one["name"] != "Idempotency-Key"
                ]
    for name in ("MemberIn", "MemberChange"):
        # A hint for people: what is refused stands in the pattern beside it.
        made["components"]["schemas"][name]["properties"]["email"].pop("format")
    _link(made)
    return made


def _link(document: dict[str, Any]) -> None:
    """What one call's answer gives to the next call."""
    paths = document["paths"]
    of_member = {"ref": "$response.body#/id"}
    to_member = {
        f"{verb} {path}": _to(path, verb, of_member)
        for path, item in paths.items()
        if path.startswith("/v1/members/{ref}")
        for verb in item
        if verb != "parameters"
    }
    to_body = {
        path: _to(path, "post", body={"member": "$response.body#/id"})
        for path in ("/v1/orders", "/v1/adjustments", "/v1/redemptions", "/v1/holds")
    }
    _add(paths["/v1/members"]["post"], {**to_member, **to_body})
    for path in ("/v1/orders", "/v1/adjustments", "/v1/redemptions"):
        transaction = {"transaction_id": "$response.body#/transaction"}
        _add(
            paths[path]["post"],
            {
                "transaction": _to("/v1/transactions/{transaction_id}", "get", transaction),
                "undo": _to("/v1/transactions/{transaction_id}/reverse", "post", transaction),
                "redeem": _to("/v1/redemptions", "post", body={"member": "$response.body#/member"}),
            },
        )
    of_order = {"order_id": "$response.body#/id"}
    _add(
        paths["/v1/orders"]["post"],
        {
            f"{verb} {path}": _to(path, verb, of_order)
            for path, item in paths.items()
            if path.startswith("/v1/orders/{order_id}")
            for verb in item
            if verb != "parameters"
        },
    )
    _add(
        paths["/v1/events"]["post"],
        {"event": _to("/v1/events/{event_id}", "get", {"event_id": "$response.body#/id"})},
    )
    hold = {"hold_id": "$response.body#/id"}
    _add(
        paths["/v1/holds"]["post"],
        {
            "read": _to("/v1/holds/{hold_id}", "get", hold),
            "capture": _to("/v1/holds/{hold_id}/capture", "post", hold),
            "release": _to("/v1/holds/{hold_id}/release", "post", hold),
        },
    )
    one = {"redemption_id": "$response.body#/id"}
    _add(
        paths["/v1/redemptions"]["post"],
        {
            "read": _to("/v1/redemptions/{redemption_id}", "get", one),
            "cancel": _to("/v1/redemptions/{redemption_id}/cancel", "post", one),
        },
    )


def _add(operation: dict[str, Any], links: dict[str, Any]) -> None:
    for status, answer in operation["responses"].items():
        if status.startswith("2"):
            answer.setdefault("links", {}).update(copy.deepcopy(links))


def _to(
    path: str,
    verb: str,
    parameters: dict[str, str] | None = None,
    body: dict[str, str] | None = None,
) -> dict[str, Any]:
    place = path.replace("~", "~0").replace("/", "~1")
    made: dict[str, Any] = {"operationRef": f"#/paths/{place}/{verb}"}
    if parameters:
        made["parameters"] = parameters
    if body:
        made["requestBody"] = body
    return made
