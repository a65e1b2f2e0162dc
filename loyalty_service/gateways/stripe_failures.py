"""What an answer of Stripe that is not a success means to us. Pure: plain values in.

A no is definite only when Stripe itself said it: a 4xx in Stripe's own error shape. A conflict, a
limit, a wrong key of ours, a broken connection or a stranger's answer leave the question open.
"""

from collections.abc import Mapping
from typing import Any

from loyalty_service.gateways.codes import GatewayError, GatewayRefused, GatewayUnclear

_STILL_OPEN = {
    401: "credentials",
    403: "credentials",
    409: "conflict",
    429: "rate_limited",
}


class NoSuchCoupon(GatewayRefused):
    """The coupon that the promotion code names does not exist yet."""


def translated(
    *,
    status: int | None,
    body: object,
    headers: Mapping[str, str],
    timed_out: bool = False,
    reading: bool = False,
) -> GatewayError:
    """Return our error for an answer; `status` is None when none came.

    `body` is the parsed answer. `reading` says that the request could not create anything, so
    even an answered 5xx tells nothing about an earlier try.
    """
    if status is None:
        return GatewayUnclear("timeout" if timed_out else "connection", finished=False)
    error = _error(body)
    wait = _retry_after_seconds(headers)
    if status in _STILL_OPEN:
        return GatewayUnclear(_STILL_OPEN[status], finished=False, retry_after_seconds=wait)
    if status >= 500:
        # A gateway in between answers 502 to 504 while Stripe may still be at work.
        answered_by_stripe = error is not None or status == 500
        finished = answered_by_stripe and not reading
        return GatewayUnclear("server_error", finished=finished, retry_after_seconds=wait)
    if error is None or status < 400:
        return GatewayUnclear("unreadable_answer", finished=False)
    if error.get("type") == "idempotency_error":
        # The first try under this key asked for something else; it is over, and may have worked.
        return GatewayUnclear("key_used_otherwise", finished=True)
    return _refused(error)


def _refused(error: Mapping[str, Any]) -> GatewayRefused:
    code = str(error.get("code") or error.get("type") or "refused")
    message = str(error.get("message") or "Stripe refused the request")
    names_coupon = "coupon" in str(error.get("param")) or message.startswith("No such coupon")
    if code == "resource_missing" and names_coupon:
        return NoSuchCoupon(code, message)
    return GatewayRefused(code, message)


def _error(body: object) -> Mapping[str, Any] | None:
    error = body.get("error") if isinstance(body, Mapping) else None
    return error if isinstance(error, Mapping) else None


def _retry_after_seconds(headers: Mapping[str, str]) -> int | None:
    text = next((value for name, value in headers.items() if name.lower() == "retry-after"), "")
    return int(text) if text.isascii() and text.isdigit() else None
