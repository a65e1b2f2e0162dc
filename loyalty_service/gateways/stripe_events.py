"""Stripe's webhooks: is it true, and what does it say.

The signature is checked over the bytes that arrived, before anything in them is read.
"""

import json
from typing import Any

import stripe

from loyalty_service import clock
from loyalty_service.gateways import stripe_objects
from loyalty_service.gateways.payments import (
    BadSignature,
    Event,
    NotAnEvent,
    OldSignature,
    ThinEvent,
    Unreadable,
)

TOLERANCE_SECONDS = 300


def read_event(
    payload: bytes, header: str, secret: str, tolerance_seconds: int = TOLERANCE_SECONDS
) -> Event:
    """Return the event in a webhook's body, once its `Stripe-Signature` header proves it.

    Raises `BadSignature`, `OldSignature` where it was signed more than `tolerance_seconds` ago, or
    as far ahead, by the machine's clock, `ThinEvent`, and `NotAnEvent` for anything else that is
    signed.
    """
    _verify(payload, header, secret, tolerance_seconds)
    given = _json(payload)
    if not isinstance(given, dict):
        raise NotAnEvent("the body is no JSON object")
    if given.get("object") == "v2.core.event":
        raise ThinEvent("the endpoint at Stripe sends thin events: set it up for snapshots")
    if given.get("object") != "event":
        raise NotAnEvent("the body is no event")
    try:
        return stripe_objects.event(given)
    except Unreadable as error:
        raise NotAnEvent(str(error)) from error


def _verify(payload: bytes, header: str, secret: str, tolerance_seconds: int) -> None:
    if not header.isascii() or not _is_text(payload):
        # The library would compare what cannot be compared.
        raise BadSignature("the header or the body is not what Stripe sends")
    check = stripe.WebhookSignature.verify_header
    try:
        check(payload, header, secret, None)
    except stripe.SignatureVerificationError as error:
        raise BadSignature(str(error)) from None
    try:
        check(payload, header, secret, tolerance_seconds)
    except stripe.SignatureVerificationError as error:
        raise OldSignature(str(error)) from None
    # The library looks back only.
    if _signed_at(header) - int(clock.wall().timestamp()) > tolerance_seconds:
        raise OldSignature("it is signed ahead of time")


def _signed_at(header: str) -> int:
    """When a header that proves its body was made, as the library reads it."""
    parts = (part.split("=", 2) for part in header.split(","))
    return next(int(part[1]) for part in parts if part[0] == "t")


def _is_text(payload: bytes) -> bool:
    try:
        payload.decode()
    except UnicodeDecodeError:
        return False
    return True


def _json(payload: bytes) -> Any:
    try:
        # Percentages have decimals; as text they stay what they are.
        return json.loads(payload, parse_float=str)
    except (ValueError, RecursionError) as error:
        raise NotAnEvent("the body is no JSON") from error
