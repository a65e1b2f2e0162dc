"""What we ask of whoever makes discount codes, in our own words.

The domain and the worker speak this protocol only. Its invariant: a `GatewayRefused` means that
nothing was created, and whatever is not known for certain is a `GatewayUnclear`, never a failure.
"""

from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Protocol


@dataclass(frozen=True, slots=True)
class CodeRequest:
    """One code to be made for one subject; asking twice with equal content makes one code.

    Amounts are ISO 4217 minor units of `currency` (lower case). Exactly one of
    `amount_off_minor` and `percent_off` (12.5 per cent is `Fraction(25, 2)`) is given.
    """

    program_id: str
    # The redemption, or the thank-you discount.
    subject_id: str
    # Deterministic, made by the caller: equal discounts share one coupon.
    coupon_id: str
    # What the customer sees at the checkout.
    name: str
    # Our own code, [A-Z0-9-].
    code: str
    amount_off_minor: int | None
    percent_off: Fraction | None
    currency: str
    minimum_amount_minor: int | None
    # Aware, UTC.
    expires_at: datetime | None
    stripe_customer_id: str | None
    # Part of the idempotency key: a new generation is a new try in the issuer's eyes.
    key_generation: int = 0
    # An earlier try was unclear: look the code up before creating it.
    look_first: bool = False

    def __post_init__(self) -> None:
        if (self.amount_off_minor is None) == (self.percent_off is None):
            raise ValueError("exactly one of amount_off_minor and percent_off is needed")


@dataclass(frozen=True, slots=True)
class IssuedCode:
    """A code as the issuer sees it now."""

    promotion_code_id: str
    coupon_id: str
    code: str
    times_redeemed: int
    active: bool


class GatewayError(Exception):
    """The issuer did not do what was asked, or we do not know that it did."""


class GatewayRefused(GatewayError):
    """A definite no: nothing was created or changed. `code` is the issuer's, or our own word."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class GatewayUnclear(GatewayError):
    """It may have happened: ask again.

    `finished` says that the issuer ANSWERED a 5xx: nothing of that try is still under way, and its
    idempotency key would replay that answer for ever, so look first and then use the next
    generation of the key. Otherwise the same key is the right one to ask again with.
    """

    def __init__(
        self, reason: str, *, finished: bool, retry_after_seconds: int | None = None
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.finished = finished
        self.retry_after_seconds = retry_after_seconds


class CodeIssuer(Protocol):
    """Makes, finds and withdraws discount codes. Every method raises only `GatewayError`.

    `timeout_seconds` is the budget of the whole call, however many requests it takes.
    """

    def issue(self, request: CodeRequest, *, timeout_seconds: float) -> IssuedCode:
        """Make the code, or return the one that this subject already has."""
        ...

    def find(
        self, *, program_id: str, subject_id: str, code: str, timeout_seconds: float
    ) -> IssuedCode | None:
        """Return this subject's code, an inactive one too; None where there is none."""
        ...

    def withdraw(self, promotion_code_id: str, *, timeout_seconds: float) -> IssuedCode:
        """Make the code unusable, then return what the issuer says now, its uses included."""
        ...
