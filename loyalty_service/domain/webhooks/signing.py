"""Secrets and signatures, as Standard Webhooks has them. Pure.

A secret is derived from the deployment's key, the endpoint and its generation: nothing secret is
stored, and a stolen database signs nothing (docs/decisions/0019).
"""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime

PREFIX = "whsec_"


def secret(key: str, program_id: str, endpoint_id: str, generation: int) -> str:
    """The secret of one generation of an endpoint, as `whsec_` and base64."""
    assert key, "no key to derive secrets from"
    name = f"loyalty webhook\n{program_id}\n{endpoint_id}\n{generation}"
    return PREFIX + base64.b64encode(_hmac(key.encode(), name.encode())).decode()


def headers(message_id: str, at: datetime, body: bytes, secrets: Sequence[str]) -> dict[str, str]:
    """What goes with a body: who it is, when it was sent, and a signature for each secret."""
    sent_at = int(at.timestamp())
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(sent_at),
        "webhook-signature": " ".join(_sign(one, message_id, sent_at, body) for one in secrets),
    }


def _sign(one: str, message_id: str, sent_at: int, body: bytes) -> str:
    signed = f"{message_id}.{sent_at}.".encode() + body
    digest = _hmac(base64.b64decode(one.removeprefix(PREFIX)), signed)
    return f"v1,{base64.b64encode(digest).decode()}"


def _hmac(key: bytes, message: bytes) -> bytes:
    return hmac.new(key, message, hashlib.sha256).digest()
