"""The sandbox's own routes: order faults, play the customer and the bank, look inside.

They need no key: the sandbox is reachable from this machine only. Those of the webhooks are in
`control_webhooks`.
"""

import re
from collections.abc import Callable
from typing import Any

from loyalty_service.sandbox import (
    control_webhooks,
    disputes,
    invoices,
    paying,
    payments,
    promotion_codes,
    refunds,
)
from loyalty_service.sandbox.api import Api
from loyalty_service.sandbox.faults import Fault
from loyalty_service.sandbox.messages import Answer, Refusal, Resource
from loyalty_service.sandbox.state import KINDS, State

PREFIX = "/_sandbox/"
_PATH = re.compile(r"(/_sandbox/(?:checkout/)?[a-z]+)(?:/([A-Za-z0-9_-]+)/([a-z]+))?")
Route = Callable[[Api, str, dict[str, Any]], Resource]


def answer(api: Api, method: str, path: str, given: dict[str, Any]) -> Answer:
    """Return the answer to a control call; `given` is its query or its JSON body."""
    match = _PATH.fullmatch(path)
    noun, resource_id, verb = match.groups() if match else (path, None, None)
    route = _ROUTES.get(f"{method} {noun}" + (f"/{{id}}/{verb}" if verb else ""))
    try:
        if route is None:
            raise Refusal(f"The sandbox has no {method} {path}.", status=404)
        return Answer(200, route(api, resource_id or "", given))
    except Refusal as refusal:
        return refusal.answer()
    except KeyError as error:
        return Refusal(f"Missing: {error.args[0]}").answer()
    except (TypeError, ValueError) as error:
        return Refusal(str(error)).answer()


def _order(api: Api, _: str, given: dict[str, Any]) -> Resource:
    fault = Fault(**given)
    if fault.kind == "forget_keys":
        api.keys.forget()
    else:
        api.faults.order(fault)
    return {"kind": fault.kind, "times": fault.times}


def _clear(api: Api, _: str, given: dict[str, Any]) -> Resource:
    api.faults.clear()
    return {"cleared": True}


def _held(api: Api, _: str, given: dict[str, Any]) -> Resource:
    at_least, seconds = int(given.get("at_least", 0)), float(given.get("seconds", 0))
    return {"held": api.faults.held(at_least=at_least, seconds=seconds)}


def _release(api: Api, _: str, given: dict[str, Any]) -> Resource:
    return {"released": api.faults.release()}


def _calls(api: Api, _: str, given: dict[str, Any]) -> Resource:
    return {"calls": list(api.calls)}


def _everything(api: Api, _: str, given: dict[str, Any]) -> Resource:
    with api.state.lock:
        shown: Resource = {kind: api.state.every(kind) for kind in KINDS}
        shown["promotion_codes"] = [
            promotion_codes.as_it_stands(api.state, code) for code in shown["promotion_codes"]
        ]
        return shown


def _advance(api: Api, _: str, given: dict[str, Any]) -> Resource:
    with api.state.lock:
        api.state.advance(int(given["advance_seconds"]))
        api.state.commit()
        return {"now": api.state.now()}


def _happens(work: Callable[[State, str, dict[str, Any]], Resource]) -> Route:
    """Let something happen that nobody asked for over the API, and tell whom it concerns."""

    def route(api: Api, resource_id: str, given: dict[str, Any]) -> Resource:
        with api.state.lock:
            api.state.request = {"id": None, "idempotency_key": None}
            made = work(api.state, resource_id, given)
            api.state.commit()
        api.postman.look()
        return made

    return route


def _pay(state: State, session_id: str, given: dict[str, Any]) -> Resource:
    return paying.pay(state, session_id, given.get("code"), given.get("email"))


def _buy(state: State, _: str, given: dict[str, Any]) -> Resource:
    return paying.buy(state, paying.Purchase(**given))


def _invoice(state: State, _: str, given: dict[str, Any]) -> Resource:
    if "subscription" in given:
        return paying.renew(state, given["subscription"])
    return invoices.paid(
        state,
        int(given["amount"]),
        str(given.get("currency", "eur")),
        customer=given["customer"],
        reason="manual",
        metadata=given.get("metadata"),
    )


def _dispute(state: State, _: str, given: dict[str, Any]) -> Resource:
    charge = given.get("charge") or payments.intent(state, given["payment_intent"])["latest_charge"]
    return disputes.open_(state, charge, given.get("amount"), given.get("reason", "general"))


def _close_dispute(state: State, dispute_id: str, given: dict[str, Any]) -> Resource:
    return disputes.close(state, dispute_id, given["outcome"])


def _fail_refund(state: State, refund_id: str, given: dict[str, Any]) -> Resource:
    return refunds.fail(state, refund_id, given.get("reason", "unknown"))


_ROUTES: dict[str, Route] = {
    "POST /_sandbox/faults": _order,
    "DELETE /_sandbox/faults": _clear,
    "GET /_sandbox/held": _held,
    "POST /_sandbox/release": _release,
    "GET /_sandbox/calls": _calls,
    "GET /_sandbox/state": _everything,
    "POST /_sandbox/clock": _advance,
    "POST /_sandbox/checkout/sessions/{id}/pay": _happens(_pay),
    "POST /_sandbox/purchases": _happens(_buy),
    "POST /_sandbox/invoices": _happens(_invoice),
    "POST /_sandbox/disputes": _happens(_dispute),
    "POST /_sandbox/disputes/{id}/close": _happens(_close_dispute),
    "POST /_sandbox/refunds/{id}/fail": _happens(_fail_refund),
    "GET /_sandbox/deliveries": control_webhooks.deliveries,
    "POST /_sandbox/deliveries": control_webhooks.change_mode,
    "GET /_sandbox/settled": control_webhooks.settled,
    "POST /_sandbox/deliver": control_webhooks.release,
    "POST /_sandbox/events/{id}/send": control_webhooks.send,
}
