"""What we learn of codes, payments and their undoing, in our own words.

Amounts are ISO 4217 minor units of `currency` (lower case), moments aware and in UTC.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Event:
    """Something happened at Stripe: `object` is what it happened to, as it was then.

    `previous` holds the fields that changed, as they were before. Both are plain values; a number
    with a decimal point is kept as text.
    """

    id: str
    type: str
    created_at: datetime
    # Whose it is where several accounts share an endpoint; None is our own.
    account: str | None
    api_version: str | None
    livemode: bool
    object: Mapping[str, Any] = field(repr=False)
    previous: Mapping[str, Any] = field(repr=False)


class EventRefused(ValueError):
    """What arrived is no event that may be believed."""


class BadSignature(EventRefused):
    """It is not signed, or not with our secret, or was changed on its way."""


class OldSignature(EventRefused):
    """It is signed rightly, but too long ago or ahead: somebody may be sending it again."""


class NotAnEvent(EventRefused):
    """It is signed rightly and no event: not JSON, or another object."""


class ThinEvent(EventRefused):
    """It is an event that only names what happened: the endpoint is set up for another kind."""


class Unreadable(ValueError):
    """An object lacks a field, or has an amount, that we cannot do without."""


@dataclass(frozen=True, slots=True)
class CodeState:
    """A code of ours as Stripe sees it now."""

    promotion_code_id: str
    code: str
    program_id: str
    # The redemption, or the thank-you discount.
    subject_id: str
    times_redeemed: int
    active: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Checkout:
    """A checkout that a customer completed; `paid` is false while the money is on its way.

    What was to pay is `total_minor`: `subtotal_minor` less the discount, plus tax and shipping. All
    but the total is without tax, whether or not prices include it.
    """

    session_id: str
    created_at: datetime
    recurring: bool
    paid: bool
    currency: str
    subtotal_minor: int
    discount_minor: int
    tax_minor: int
    shipping_minor: int
    total_minor: int
    promotion_code_ids: tuple[str, ...]
    customer_id: str | None
    email: str | None = field(repr=False)
    client_reference_id: str | None
    # Then whoever opened the link wrote `client_reference_id` into its address, as they liked.
    by_payment_link: bool
    metadata: Mapping[str, str]
    payment_intent_id: str | None
    # A recurring checkout is paid by an invoice, which is told of as well: the same money.
    invoice_id: str | None
    subscription_id: str | None


@dataclass(frozen=True, slots=True)
class PaidInvoice:
    """An invoice that was paid; amounts are as a checkout's.

    Codes and payments are known only where the invoice was read with them (`list_paid_invoices`);
    an event does not carry them.
    """

    invoice_id: str
    created_at: datetime
    paid_at: datetime | None
    # Stripe's billing reason: `subscription_create`, `subscription_cycle`, `manual`, …
    reason: str | None
    currency: str
    subtotal_minor: int
    discount_minor: int
    tax_minor: int
    shipping_minor: int
    total_minor: int
    paid_minor: int
    customer_id: str | None
    email: str | None = field(repr=False)
    subscription_id: str | None
    metadata: Mapping[str, str]
    subscription_metadata: Mapping[str, str]
    promotion_code_ids: tuple[str, ...]
    payment_intent_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class InvoicePart:
    """A payment of an invoice, or of a part of it."""

    payment_intent_id: str
    invoice_id: str
    amount_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class Charge:
    """Money taken once; `refunded_minor` is all that was given back so far, never a step of it."""

    charge_id: str
    payment_intent_id: str | None
    created_at: datetime
    currency: str
    amount_minor: int
    refunded_minor: int
    disputed: bool
    customer_id: str | None
    metadata: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Refund:
    """One giving back; a failed one came back to the shop, and its customer has nothing."""

    refund_id: str
    charge_id: str | None
    payment_intent_id: str | None
    created_at: datetime
    currency: str
    amount_minor: int
    # Stripe's: `succeeded`, `pending`, `requires_action`, `failed`, `canceled`.
    status: str | None
    failed: bool
    metadata: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Dispute:
    """A customer's bank asks for the money back; `money_is_gone` says who has it now."""

    dispute_id: str
    charge_id: str
    payment_intent_id: str | None
    created_at: datetime
    currency: str
    amount_minor: int
    reason: str
    # Stripe's: `needs_response`, `under_review`, `won`, `lost`, `warning_closed`, …
    status: str
    money_is_gone: bool
    closed: bool
