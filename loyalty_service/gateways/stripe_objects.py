"""Stripe's objects as plain mappings, read into our own words. Pure; the library is not needed.

The same readers serve what an event carries and what a list answers.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import wraps
from typing import Any, TypeVar

from loyalty_service.gateways import stripe_amounts
from loyalty_service.gateways.payments import (
    Charge,
    Checkout,
    CodeState,
    Dispute,
    Event,
    PaidInvoice,
    Refund,
    Unreadable,
)

Object = Mapping[str, Any]
Read = TypeVar("Read")
# What Python says of a field that is missing, of another type, or of an impossible amount or time.
_MEANINGLESS = (KeyError, TypeError, AttributeError, ValueError, OverflowError, OSError)
_FAILED = ("failed", "canceled")
_DISPUTES_CLOSED = ("won", "lost", "warning_closed", "prevented")
_DISPUTES_WITH_THE_MONEY = (
    "needs_response",
    "under_review",
    "lost",
    "appeal_needs_response",
    "appeal_under_review",
)


def _readable(read: Callable[[Object], Read]) -> Callable[[Object], Read]:
    @wraps(read)
    def reading(given: Object) -> Read:
        try:
            return read(given)
        except _MEANINGLESS as error:
            raise Unreadable(f"{read.__name__}: {error!r}") from error

    return reading


@_readable
def event(given: Object) -> Event:
    """Return an event; like all readers here it raises `Unreadable`."""
    data = given["data"]
    return Event(
        id=given["id"],
        type=given["type"],
        created_at=_moment(given["created"]),
        account=given.get("account"),
        api_version=given.get("api_version"),
        livemode=given["livemode"],
        object=dict(data["object"]),
        previous=dict(data.get("previous_attributes") or {}),
    )


@_readable
def code_state(given: Object) -> CodeState | None:
    """Return a promotion code of ours, or None for one that is somebody else's."""
    metadata = _metadata(given)
    if "loyalty_redemption" not in metadata or "loyalty_program" not in metadata:
        return None
    return CodeState(
        promotion_code_id=given["id"],
        code=given["code"],
        program_id=metadata["loyalty_program"],
        redemption_id=metadata["loyalty_redemption"],
        times_redeemed=given["times_redeemed"],
        active=given["active"],
        created_at=_moment(given["created"]),
    )


@_readable
def checkout(given: Object) -> Checkout:
    """Return a checkout session that was completed."""
    currency = given["currency"]
    details = given["total_details"] or {}
    used = [each.get("promotion_code") for each in given.get("discounts") or []]
    return Checkout(
        session_id=given["id"],
        created_at=_moment(given["created"]),
        recurring=given["mode"] == "subscription",
        paid=given["payment_status"] in ("paid", "no_payment_required"),
        currency=currency,
        subtotal_minor=_minor(given["amount_subtotal"], currency),
        discount_minor=_minor(details.get("amount_discount"), currency),
        tax_minor=_minor(details.get("amount_tax"), currency),
        shipping_minor=_minor(details.get("amount_shipping"), currency),
        total_minor=_minor(given["amount_total"], currency),
        promotion_code_ids=tuple(filter(None, map(_id, used))),
        customer_id=_id(given.get("customer")),
        email=(given.get("customer_details") or {}).get("email") or given.get("customer_email"),
        client_reference_id=given.get("client_reference_id"),
        metadata=_metadata(given),
        payment_intent_id=_id(given.get("payment_intent")),
        invoice_id=_id(given.get("invoice")),
        subscription_id=_id(given.get("subscription")),
    )


@_readable
def paid_invoice(given: Object) -> PaidInvoice:
    """Return an invoice that was paid."""
    currency = given["currency"]
    details = (given.get("parent") or {}).get("subscription_details") or {}
    paid_at = given["status_transitions"]["paid_at"]
    return PaidInvoice(
        invoice_id=given["id"],
        created_at=_moment(given["created"]),
        paid_at=None if paid_at is None else _moment(paid_at),
        reason=given.get("billing_reason"),
        currency=currency,
        subtotal_minor=_minor(given["subtotal"], currency),
        discount_minor=_sum(given.get("total_discount_amounts"), currency),
        tax_minor=_sum(given.get("total_taxes"), currency),
        shipping_minor=_minor(given.get("amount_shipping"), currency),
        total_minor=_minor(given["total"], currency),
        paid_minor=_minor(given["amount_paid"], currency),
        customer_id=_id(given.get("customer")),
        email=given.get("customer_email"),
        subscription_id=_id(details.get("subscription")),
        metadata=_metadata(given),
        subscription_metadata=_metadata(details),
        promotion_code_ids=tuple(_codes_of(given)),
        payment_intent_ids=tuple(_payments_of(given)),
    )


@_readable
def charge(given: Object) -> Charge:
    """Return a charge with all that was given back of it."""
    currency = given["currency"]
    return Charge(
        charge_id=given["id"],
        payment_intent_id=_id(given.get("payment_intent")),
        created_at=_moment(given["created"]),
        currency=currency,
        amount_minor=_minor(given["amount"], currency),
        refunded_minor=_minor(given["amount_refunded"], currency),
        disputed=given["disputed"],
        customer_id=_id(given.get("customer")),
        metadata=_metadata(given),
    )


@_readable
def refund(given: Object) -> Refund:
    """Return a refund."""
    return Refund(
        refund_id=given["id"],
        charge_id=_id(given.get("charge")),
        payment_intent_id=_id(given.get("payment_intent")),
        created_at=_moment(given["created"]),
        currency=given["currency"],
        amount_minor=_minor(given["amount"], given["currency"]),
        status=given["status"],
        failed=given["status"] in _FAILED,
        metadata=_metadata(given),
    )


@_readable
def dispute(given: Object) -> Dispute:
    """Return a dispute."""
    charge_id = _id(given["charge"])
    if charge_id is None:
        raise KeyError("charge")
    return Dispute(
        dispute_id=given["id"],
        charge_id=charge_id,
        payment_intent_id=_id(given.get("payment_intent")),
        created_at=_moment(given["created"]),
        currency=given["currency"],
        amount_minor=_minor(given["amount"], given["currency"]),
        reason=given["reason"],
        status=given["status"],
        money_is_gone=given["status"] in _DISPUTES_WITH_THE_MONEY,
        closed=given["status"] in _DISPUTES_CLOSED,
    )


def _moment(unix_seconds: int) -> datetime:
    return datetime.fromtimestamp(unix_seconds, UTC)


def _minor(amount: int | None, currency: str) -> int:
    if amount is None:
        return 0
    if type(amount) is not int:
        raise TypeError(f"{amount!r} is no amount")
    return stripe_amounts.from_stripe(amount, currency)


def _sum(parts: list[Object] | None, currency: str) -> int:
    return sum(_minor(part["amount"], currency) for part in parts or [])


def _id(named: Any) -> str | None:
    """The id of what is named, whether it came as an id or as the object itself."""
    given = named["id"] if isinstance(named, Mapping) else named
    if given is None or isinstance(given, str):
        return given
    raise TypeError(f"{given!r} is no id")


def _metadata(given: Object) -> dict[str, str]:
    return dict(given.get("metadata") or {})


def _codes_of(invoice: Object) -> list[str]:
    # Not expanded, a discount is an id that says nothing of its code.
    known = [each for each in invoice.get("discounts") or [] if isinstance(each, Mapping)]
    return [code for each in known if (code := _id(each.get("promotion_code")))]


def _payments_of(invoice: Object) -> list[str]:
    listed = (invoice.get("payments") or {}).get("data", [])
    return [intent for each in listed if (intent := _id(each["payment"].get("payment_intent")))]
