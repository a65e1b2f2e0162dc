"""One letter: an event as the bytes that are sent, and the signature over them.

A letter can be spoiled on purpose, to see what the receiver says.
"""

import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import UTC, datetime

import requests

from loyalty_service.sandbox.messages import Resource
from loyalty_service.sandbox.state import new_id

_TIMEOUT_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Spoiled:
    """What is wrong with a letter; by default nothing."""

    wrong_secret: bool = False
    # The signature is that old.
    age_seconds: int = 0
    # Of another account, as a Connect platform receives them.
    account: str | None = None
    # A thin event: it only names what happened.
    thin: bool = False
    padding_bytes: int = 0


FLAWLESS = Spoiled()


def body(event: Resource, spoiled: Spoiled = FLAWLESS) -> bytes:
    """Return the bytes of an event as Stripe sends them."""
    if spoiled.thin:
        event = _thin(event)
    if spoiled.account:
        event = event | {"account": spoiled.account}
    if spoiled.padding_bytes:
        event = event | {"padding": "x" * spoiled.padding_bytes}
    return json.dumps(event, indent=2, ensure_ascii=False).encode()


def signature(payload: bytes, secret: str, at: int) -> str:
    """Return the `Stripe-Signature` header; `at` is unix seconds by the machine's clock."""
    signed = str(at).encode() + b"." + payload
    digest = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


def post(url: str, payload: bytes, header: str) -> int | None:
    """Send a letter; return the HTTP status, or None where no answer came."""
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "Stripe-Signature": header,
        "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
    }
    with requests.Session() as session:
        # The receiver is on this machine, never behind the proxy of the environment.
        session.trust_env = False
        try:
            answer = session.post(
                url,
                data=payload,
                headers=headers,
                timeout=_TIMEOUT_SECONDS,
                allow_redirects=False,
                stream=True,
            )
        except (requests.RequestException, ValueError):
            return None
        return answer.status_code


def _thin(event: Resource) -> Resource:
    named = event["data"]["object"]
    created = datetime.fromtimestamp(event["created"], UTC)
    return {
        "id": new_id("evt_test"),
        "object": "v2.core.event",
        "context": None,
        "created": f"{created:%Y-%m-%dT%H:%M:%S}.000Z",
        "livemode": False,
        "reason": None,
        "related_object": {
            "id": named["id"],
            "type": named["object"],
            "url": f"/v1/{named['object']}s/{named['id']}",
        },
        "type": f"v1.{event['type']}",
    }
