"""Idempotency keys as Stripe treats them.

Once execution began the answer is kept, a 500 included, and replayed to the same request. A key
that is being worked on, or was used for something else, is refused. Keys outlive a restart.
"""

import hashlib
import json

from loyalty_service.sandbox.messages import Answer, Call, Refusal
from loyalty_service.sandbox.state import State

_KIND = "kept_answers"


class Keys:
    """The keys of the one account; everything is done under the state's lock."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._in_flight: dict[str, str] = {}

    def claim(self, call: Call) -> Answer | None:
        """Take the call's key, or return the kept answer; raise `Refusal` on a conflict."""
        key = call.idempotency_key
        if key is None:
            return None
        fingerprint = _fingerprint(call)
        with self._state.lock:
            kept = self._state.get(_KIND, key)
            first = kept["fingerprint"] if kept else self._in_flight.get(key, fingerprint)
            if first != fingerprint:
                raise _used_otherwise(key)
            # Executed is not over: until its answer left, the first call is in flight.
            if key in self._in_flight:
                raise in_use(key)
            if kept:
                headers = {"Idempotent-Replayed": "true"}
                return Answer(kept["status"], kept["body"], headers)
            self._in_flight[key] = fingerprint
        return None

    def keep(self, call: Call, answer: Answer) -> None:
        """Keep the answer of an execution; the caller holds the lock and commits."""
        if call.idempotency_key is not None:
            self._state.put(
                _KIND,
                {
                    "id": call.idempotency_key,
                    "fingerprint": _fingerprint(call),
                    "status": answer.status,
                    "body": answer.body,
                },
            )

    def release(self, call: Call) -> None:
        """Say that the call which claimed the key is no longer in flight."""
        with self._state.lock:
            self._in_flight.pop(call.idempotency_key or "", None)

    def forget(self) -> None:
        """Forget all kept answers, as Stripe may after 24 hours."""
        with self._state.lock:
            self._state.drop(_KIND)
            self._state.commit()


def in_use(key: str | None) -> Refusal:
    """Return the 409 for a key whose first request is in flight."""
    return Refusal(
        "There is currently another in-progress request using this Idempotent Key (that probably"
        " means you submitted twice, and the other request is still going through):"
        f" {key or '-'}. Please try again later.",
        status=409,
        code="idempotency_key_in_use",
        kind="idempotency_error",
    )


def _used_otherwise(key: str) -> Refusal:
    return Refusal(
        "Keys for idempotent requests can only be used with the same parameters they were first"
        f" used with. Try using a key other than '{key}' if you meant to execute a different"
        " request.",
        kind="idempotency_error",
    )


def _fingerprint(call: Call) -> str:
    content = json.dumps([call.method, call.path, sorted(call.fields)])
    return hashlib.sha256(content.encode()).hexdigest()
