"""The sandbox's own routes: order faults, release held calls, pay a session, look inside.

They need no key: the sandbox is reachable from this machine only.
"""

from collections.abc import Callable
from typing import Any

from loyalty_service.sandbox import checkout, promotion_codes
from loyalty_service.sandbox.api import Api
from loyalty_service.sandbox.faults import Fault
from loyalty_service.sandbox.messages import Answer, Refusal, Resource
from loyalty_service.sandbox.state import KINDS

PREFIX = "/_sandbox/"
_SESSIONS = f"{PREFIX}checkout/sessions/"


def answer(api: Api, method: str, path: str, given: dict[str, Any]) -> Answer:
    """Return the answer to a control call; `given` is its query or its JSON body."""
    try:
        if method == "POST" and path.startswith(_SESSIONS) and path.endswith("/pay"):
            session_id = path.removeprefix(_SESSIONS).removesuffix("/pay")
            return Answer(200, _pay(api, session_id, given))
        route = _ROUTES.get(f"{method} {path}")
        if route is None:
            raise Refusal(f"The sandbox has no {method} {path}.", status=404)
        return Answer(200, route(api, given))
    except Refusal as refusal:
        return refusal.answer()
    except (TypeError, ValueError) as error:
        return Refusal(str(error)).answer()


def _order(api: Api, given: dict[str, Any]) -> Resource:
    fault = Fault(**given)
    if fault.kind == "forget_keys":
        api.keys.forget()
    else:
        api.faults.order(fault)
    return {"kind": fault.kind, "times": fault.times}


def _clear(api: Api, _: dict[str, Any]) -> Resource:
    api.faults.clear()
    return {"cleared": True}


def _held(api: Api, given: dict[str, Any]) -> Resource:
    at_least, seconds = int(given.get("at_least", 0)), float(given.get("seconds", 0))
    return {"held": api.faults.held(at_least=at_least, seconds=seconds)}


def _release(api: Api, _: dict[str, Any]) -> Resource:
    return {"released": api.faults.release()}


def _calls(api: Api, _: dict[str, Any]) -> Resource:
    return {"calls": list(api.calls)}


def _everything(api: Api, _: dict[str, Any]) -> Resource:
    with api.state.lock:
        shown: Resource = {kind: api.state.every(kind) for kind in KINDS}
        shown["promotion_codes"] = [
            promotion_codes.as_it_stands(api.state, code) for code in shown["promotion_codes"]
        ]
        return shown


def _advance(api: Api, given: dict[str, Any]) -> Resource:
    with api.state.lock:
        api.state.advance(int(given["advance_seconds"]))
        api.state.commit()
        return {"now": api.state.now()}


def _pay(api: Api, session_id: str, given: dict[str, Any]) -> Resource:
    with api.state.lock:
        session = checkout.pay(api.state, session_id, given.get("code"))
        api.state.commit()
        return session


_ROUTES: dict[str, Callable[[Api, dict[str, Any]], Resource]] = {
    "POST /_sandbox/faults": _order,
    "DELETE /_sandbox/faults": _clear,
    "GET /_sandbox/held": _held,
    "POST /_sandbox/release": _release,
    "GET /_sandbox/calls": _calls,
    "GET /_sandbox/state": _everything,
    "POST /_sandbox/clock": _advance,
}
