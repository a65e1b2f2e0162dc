"""The sandbox without its HTTP: one call in, one answer out, in Stripe's order of checks.

Key of the account, faults, route, idempotency key, parameters, execution. Execution and the keeping
of its answer happen under one lock and are committed together.
"""

import base64
import threading
from pathlib import Path
from typing import Any

from loyalty_service.sandbox import contract, expand, routes
from loyalty_service.sandbox.faults import Fault, Faults
from loyalty_service.sandbox.idempotency import Keys, in_use
from loyalty_service.sandbox.messages import Answer, Call, Refusal
from loyalty_service.sandbox.postman import Postman
from loyalty_service.sandbox.state import State, new_id

_LONGEST_CLOSE_SECONDS = 5.0


class Api:
    """One Stripe account in miniature, safe to call from many threads."""

    def __init__(self, state_path: Path | None = None) -> None:
        self.state = State(state_path)
        self.faults = Faults()
        self.keys = Keys(self.state)
        self.postman = Postman(self.state)
        # What was received, oldest first; `status` stays None for what was never answered.
        self.calls: list[dict[str, Any]] = []
        self._active = 0
        self._idle = threading.Condition()

    def call(self, call: Call) -> Answer | None:
        """Return the answer to a call, or None where the connection is to be closed without."""
        entry: dict[str, Any] = {
            "method": call.method,
            "path": call.path,
            "idempotency_key": call.idempotency_key,
            "status": None,
        }
        with self._idle:
            self.calls.append(entry)
            self._active += 1
        try:
            answer = self._answer(call)
        except Refusal as refusal:
            answer = refusal.answer()
        finally:
            with self._idle:
                self._active -= 1
                self._idle.notify_all()
        entry["status"] = answer.status if answer else None
        return answer

    def close(self) -> None:
        """End the waits, let running calls finish and close the state."""
        self.faults.close()
        self.postman.close()
        with self._idle:
            self._idle.wait_for(lambda: self._active == 0, _LONGEST_CLOSE_SECONDS)
        with self.state.lock:
            self.state.close()

    def _answer(self, call: Call) -> Answer | None:
        _check_account_key(call.authorization)
        fault = self.faults.take(call.method, call.path)
        if fault is not None and fault.kind == "conflict_409":
            raise in_use(call.idempotency_key)
        if fault is not None and fault.kind == "rate_limit_429":
            return _rate_limited(fault)
        endpoint, resource_id = routes.named(call)
        answer = self._claimed(call, endpoint, resource_id, fault)
        if fault is not None and fault.kind == "timeout_after_success":
            # The answer got lost on its way: by now the key is free and replays it.
            self.faults.wait(fault.wait_seconds)
            return None
        return answer

    def _claimed(self, call: Call, endpoint: str, resource_id: str, fault: Fault | None) -> Answer:
        kind = fault.kind if fault else ""
        kept = self.keys.claim(call) if call.method == "POST" else None
        try:
            if kind == "hold_before":
                self.faults.hold()
            if fault is not None and kind == "slow":
                self.faults.wait(fault.wait_seconds)
            answer = kept or self._executed(call, endpoint, resource_id, kind)
            if kind == "hold_after":
                self.faults.hold()
        finally:
            if kept is None:
                self.keys.release(call)
        return answer

    def _executed(self, call: Call, endpoint: str, resource_id: str, kind: str) -> Answer:
        # What is refused here was never begun, so it is not kept under the key.
        params = contract.read(endpoint, call.fields)
        expand.check(endpoint, params.get("expand", []))
        with self.state.lock:
            self.state.request = {
                "id": new_id("req"),
                "idempotency_key": call.idempotency_key,
            }
            answer = self._run(endpoint, resource_id, params, kind)
            if call.method == "POST":
                self.keys.keep(call, answer)
            self.state.commit()
        self.postman.look()
        return answer

    def _run(self, endpoint: str, resource_id: str, params: dict[str, Any], kind: str) -> Answer:
        if kind == "error_500_before":
            return _broken()
        try:
            resource = routes.ROUTES[endpoint](self.state, resource_id, params)
            answer = Answer(200, expand.expanded(self.state, resource, params.get("expand", [])))
        except Refusal as refusal:
            answer = refusal.answer()
        return _broken() if kind == "error_500_after" else answer


def _check_account_key(authorization: str) -> None:
    key = _account_key(authorization)
    if not key:
        raise Refusal(
            "You did not provide an API key. You need to provide your API key in the Authorization"
            " header, using Bearer auth, or as the user name of HTTP Basic auth.",
            status=401,
        )
    if not key.startswith("sk_test_"):
        # Whatever was sent may be a real secret: it is not repeated.
        raise Refusal("Invalid API Key provided: the sandbox takes sk_test_ keys.", status=401)


def _account_key(authorization: str) -> str:
    """The key of a Bearer header, or the user name of a Basic one (`curl -u sk_test_…:`)."""
    scheme, _, rest = authorization.partition(" ")
    if scheme == "Basic":
        try:
            return base64.b64decode(rest, validate=True).decode().partition(":")[0]
        except ValueError:
            return ""
    return rest if scheme == "Bearer" else ""


def _rate_limited(fault: Fault) -> Answer:
    refusal = Refusal("Too many requests.", status=429, code="rate_limit")
    return refusal.answer({"Retry-After": str(int(fault.wait_seconds))})


def _broken() -> Answer:
    reference = new_id("req")
    return Refusal(
        f"Sorry! There was an error while talking to Stripe. ({reference})",
        status=500,
        kind="api_error",
    ).answer()
