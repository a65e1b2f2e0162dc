"""Stripe's objects as plain mappings, read into our own words. Pure; the library is not needed.

The same readers serve what an event carries and what a list answers.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import wraps
from typing import Any, TypeVar

from loyalty_service.gateways import stripe_sums
from loyalty_service.gateways.payments import (
    Charge,
    Checkout,
    CodeState,
    Dispute,
    Event,
    InvoicePart,
    PaidInvoice,
    Refund,
    Unreadable,
)
from loyalty_service.gateways.stripe_sums import minor

Object = Mapping[str, Any]
Read = TypeVar("Read")
# What Python says of a field that is missing, of another type, or of an impossible amount or time.
_MEANINGLESS = (KeyError, TypeError, AttributeError, ValueError, OverflowError, OSError)
_FAILED = ("failed", "canceled")
# What no database keeps: a NUL, half of a surrogate pair.
_UNFIT = re.compile("[\x00\ud800-\udfff]")
_ID_LENGTH_MAX = 80
# The year 3000: before it no calendar ends, whatever is added.
_MOMENT_MAX = 32_503_680_000
_DISPUTES_CLOSED = ("won", "lost", "warning_closed", "prevented")
_DISPUTES_WITH_THE_MONEY = (
    "needs_response",
    "under_review",
    "lost",
    "appeal_needs_response",
    "appeal_under_review",
)

SUBJECT_KEYS = {"rdm": "loyalty_redemption", "dsc": "loyalty_discount"}
"""Under which word the metadata of a code names whose it is, by how that id begins."""


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
        id=_text(given["id"]),
        type=_text(given["type"]),
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
    subject_id = next((metadata[key] for key in SUBJECT_KEYS.values() if key in metadata), None)
    if subject_id is None or "loyalty_program" not in metadata:
        return None
    return CodeState(
        promotion_code_id=_own_id(given),
        code=_text(given["code"]),
        program_id=metadata["loyalty_program"],
        subject_id=subject_id,
        times_redeemed=_count(given["times_redeemed"]),
        active=_flag(given["active"]),
        created_at=_moment(given["created"]),
    )


def program_named(given: Object) -> str | None:
    """Return the program that an object, or its subscription, names; None where it makes no
    sense."""
    try:
        details = (given.get("parent") or {}).get("subscription_details") or {}
        return (_metadata(details) | _metadata(given)).get("loyalty_program")
    except _MEANINGLESS:
        return None


@_readable
def checkout(given: Object) -> Checkout:
    """Return a checkout session that was completed."""
    currency = _text(given["currency"])
    used = [each.get("promotion_code") for each in given.get("discounts") or []]
    return Checkout(
        session_id=_own_id(given),
        created_at=_moment(given["created"]),
        recurring=given["mode"] == "subscription",
        paid=given["payment_status"] in ("paid", "no_payment_required"),
        currency=currency,
        **stripe_sums.of_checkout(given, currency)._asdict(),
        promotion_code_ids=tuple(filter(None, map(_id, used))),
        customer_id=_id(given.get("customer")),
        email=(given.get("customer_details") or {}).get("email") or given.get("customer_email"),
        client_reference_id=_text_if_any(given.get("client_reference_id")),
        by_payment_link=_id(given.get("payment_link")) is not None,
        metadata=_metadata(given),
        payment_intent_id=_id(given.get("payment_intent")),
        invoice_id=_id(given.get("invoice")),
        subscription_id=_id(given.get("subscription")),
    )


@_readable
def paid_invoice(given: Object) -> PaidInvoice:
    """Return an invoice that was paid."""
    currency = _text(given["currency"])
    details = (given.get("parent") or {}).get("subscription_details") or {}
    paid_at = given["status_transitions"]["paid_at"]
    return PaidInvoice(
        invoice_id=_own_id(given),
        created_at=_moment(given["created"]),
        paid_at=None if paid_at is None else _moment(paid_at),
        reason=given.get("billing_reason"),
        currency=currency,
        **stripe_sums.of_invoice(given, currency)._asdict(),
        paid_minor=minor(given["amount_paid"], currency),
        customer_id=_id(given.get("customer")),
        email=given.get("customer_email"),
        subscription_id=_id(details.get("subscription")),
        metadata=_metadata(given),
        subscription_metadata=_metadata(details),
        promotion_code_ids=tuple(_codes_of(given)),
        payment_intent_ids=tuple(_payments_of(given)),
    )


@_readable
def invoice_payment(given: Object) -> InvoicePart | None:
    """Return which invoice was paid with which PaymentIntent, and how much of it; None for other
    payments."""
    intent = _id(given["payment"].get("payment_intent"))
    invoice_id = _id(given["invoice"])
    if not intent or not invoice_id:
        return None
    currency = _text(given["currency"])
    return InvoicePart(intent, invoice_id, _amount(given["amount_paid"], currency), currency)


@_readable
def charge(given: Object) -> Charge:
    """Return a charge with all that was given back of it."""
    currency = _text(given["currency"])
    return Charge(
        charge_id=_own_id(given),
        payment_intent_id=_id(given.get("payment_intent")),
        created_at=_moment(given["created"]),
        currency=currency,
        amount_minor=_amount(given["amount"], currency),
        refunded_minor=_amount(given["amount_refunded"], currency),
        disputed=given["disputed"],
        customer_id=_id(given.get("customer")),
        metadata=_metadata(given),
    )


@_readable
def refund(given: Object) -> Refund:
    """Return a refund."""
    return Refund(
        refund_id=_own_id(given),
        charge_id=_id(given.get("charge")),
        payment_intent_id=_id(given.get("payment_intent")),
        created_at=_moment(given["created"]),
        currency=_text(given["currency"]),
        amount_minor=_amount(given["amount"], given["currency"]),
        status=given["status"],
        failed=given["status"] in _FAILED,
        metadata=_metadata(given),
    )


@_readable
def dispute(given: Object) -> Dispute:
    """Return a dispute."""
    return Dispute(
        dispute_id=_own_id(given),
        charge_id=_required(given["charge"]),
        payment_intent_id=_id(given.get("payment_intent")),
        created_at=_moment(given["created"]),
        currency=_text(given["currency"]),
        amount_minor=_amount(given["amount"], given["currency"]),
        reason=given["reason"],
        status=given["status"],
        money_is_gone=given["status"] in _DISPUTES_WITH_THE_MONEY,
        closed=given["status"] in _DISPUTES_CLOSED,
    )


def _moment(unix_seconds: Any) -> datetime:
    if _count(unix_seconds) > _MOMENT_MAX:
        raise ValueError("a moment makes no sense")
    return datetime.fromtimestamp(unix_seconds, UTC)


def _amount(given: Any, currency: str) -> int:
    """What was paid or given back: never below zero."""
    amount_minor = minor(given, currency)
    if amount_minor < 0:
        raise ValueError("an amount is below zero")
    return amount_minor


def _own_id(given: Object) -> str:
    return _required(given["id"])


def _required(named: Any) -> str:
    id_ = _id(named)
    if id_ is None:
        raise ValueError("an id is missing")
    return id_


def _id(named: Any) -> str | None:
    """The id of what is named, whether it came as an id or as the object itself."""
    given = named["id"] if isinstance(named, Mapping) else named
    if given is not None and len(_text(given)) > _ID_LENGTH_MAX:
        raise ValueError("an id is too long")
    return _text_if_any(given)


def _text(given: Any) -> str:
    """What is text and can be kept; what it says is left out of the error, since it may be
    personal."""
    if not isinstance(given, str) or not given or _UNFIT.search(given):
        raise ValueError("an id or a name makes no sense")
    return given


def _count(given: Any) -> int:
    if type(given) is not int or given < 0:
        raise ValueError("a count is no whole number")
    return given


def _flag(given: Any) -> bool:
    if not isinstance(given, bool):
        raise ValueError("neither true nor false")
    return given


def _text_if_any(given: Any) -> str | None:
    return None if given is None or given == "" else _text(given)


def _metadata(given: Object) -> dict[str, str]:
    told = dict(given.get("metadata") or {})
    return {name: _text(value) for name, value in told.items() if value != ""}


def _codes_of(invoice: Object) -> list[str]:
    # Not expanded, a discount is an id that says nothing of its code.
    known = [each for each in invoice.get("discounts") or [] if isinstance(each, Mapping)]
    return [code for each in known if (code := _id(each.get("promotion_code")))]


def _payments_of(invoice: Object) -> list[str]:
    listed = (invoice.get("payments") or {}).get("data", [])
    return [intent for each in listed if (intent := _id(each["payment"].get("payment_intent")))]
