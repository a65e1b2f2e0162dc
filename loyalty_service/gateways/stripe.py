"""Stripe as an issuer of discount codes.

One coupon per kind of discount, one promotion code per redemption or thank-you discount, found
again by our metadata.
Nothing here retries: asking again belongs to the caller, who knows the deadline and the key.
"""

from typing import cast

import stripe
from stripe.params import CouponCreateParams, PromotionCodeCreateParams

from loyalty_service.gateways import stripe_amounts, stripe_failures
from loyalty_service.gateways.codes import (
    CodeRequest,
    GatewayRefused,
    IssuedCode,
)
from loyalty_service.gateways.stripe_account import Account
from loyalty_service.gateways.stripe_objects import SUBJECT_KEYS

_COUPON_NAME_LENGTH = 40


class StripeCodes:
    """A `CodeIssuer` over Stripe's API, safe to share between threads.

    `api_base` is the address of the Stripe sandbox; None is Stripe itself.
    """

    def __init__(self, api_key: str, api_base: str | None = None) -> None:
        self._account = Account(api_key, api_base)
        self._client = self._account.client

    def close(self) -> None:
        """Close the kept connections."""
        self._account.close()

    def issue(self, request: CodeRequest, *, timeout_seconds: float) -> IssuedCode:
        """Make the code, or return the one that this subject already has, active or not."""
        with self._account.budget(timeout_seconds):
            if request.look_first and (found := self._found(request)):
                return found
            try:
                return self._made(request)
            except GatewayRefused:
                # Whatever the refusal says, an earlier try may have made the code.
                found = self._found(request)
                if found is None:
                    raise
                return found

    def find(
        self, *, program_id: str, subject_id: str, code: str, timeout_seconds: float
    ) -> IssuedCode | None:
        """Return this subject's code, an active one first; None where there is none."""
        with self._account.budget(timeout_seconds):
            return self._named(code, program_id=program_id, subject_id=subject_id)

    def withdraw(self, promotion_code_id: str, *, timeout_seconds: float) -> IssuedCode:
        """Deactivate the code, then return what Stripe says now."""
        codes = self._client.v1.promotion_codes
        with self._account.budget(timeout_seconds):
            self._account.ask(lambda: codes.update(promotion_code_id, {"active": False}))
            # Read afterwards: a checkout may have used the code while it was being withdrawn.
            return _issued(
                self._account.ask(lambda: codes.retrieve(promotion_code_id), reading=True)
            )

    def _made(self, request: CodeRequest) -> IssuedCode:
        key = f"{request.program_id}-{request.subject_id}-{request.key_generation}"
        params = _promotion_code_params(request)
        try:
            return self._create(params, key)
        except stripe_failures.NoSuchCoupon:
            self._make_coupon(request, f"{key}-coupon")
            # The first key would replay the refusal.
            return self._create(params, f"{key}-with-coupon")

    def _create(self, params: PromotionCodeCreateParams, key: str) -> IssuedCode:
        codes = self._client.v1.promotion_codes
        return _issued(self._account.ask(lambda: codes.create(params, {"idempotency_key": key})))

    def _make_coupon(self, request: CodeRequest, key: str) -> None:
        coupons = self._client.v1.coupons
        params = _coupon_params(request)
        try:
            self._account.ask(lambda: coupons.create(params, {"idempotency_key": key}))
        except GatewayRefused as refusal:
            # Another code of the same coupon was faster: the coupon is there.
            if refusal.code != "resource_already_exists":
                raise

    def _found(self, request: CodeRequest) -> IssuedCode | None:
        return self._named(
            request.code, program_id=request.program_id, subject_id=request.subject_id
        )

    def _named(self, code: str, *, program_id: str, subject_id: str) -> IssuedCode | None:
        codes = self._client.v1.promotion_codes
        listed = self._account.ask(lambda: codes.list({"code": code, "limit": 100}), reading=True)
        wanted = _metadata(program_id, subject_id)
        ours = [_issued(one) for one in listed.data if _carries(one, wanted)]
        return min(ours, key=lambda one: not one.active, default=None)


def _promotion_code_params(request: CodeRequest) -> PromotionCodeCreateParams:
    params: PromotionCodeCreateParams = {
        "promotion": {"type": "coupon", "coupon": request.coupon_id},
        "code": request.code,
        "max_redemptions": 1,
        "metadata": _metadata(request.program_id, request.subject_id),
    }
    if request.minimum_amount_minor is not None:
        params["restrictions"] = {
            "minimum_amount": _amount(request.minimum_amount_minor, request.currency),
            "minimum_amount_currency": request.currency,
        }
    if request.expires_at is not None:
        params["expires_at"] = int(request.expires_at.timestamp())
    if request.stripe_customer_id is not None:
        params["customer"] = request.stripe_customer_id
    return params


def _coupon_params(request: CodeRequest) -> CouponCreateParams:
    params: CouponCreateParams = {
        "id": request.coupon_id,
        "duration": "once",
        "name": request.name[:_COUPON_NAME_LENGTH],
        "metadata": {"loyalty_program": request.program_id},
    }
    if request.amount_off_minor is not None:
        params["amount_off"] = _amount(request.amount_off_minor, request.currency)
        params["currency"] = request.currency
    if request.percent_off is not None:
        try:
            percent = stripe_amounts.percent_to_stripe(request.percent_off)
        except stripe_amounts.NotRepresentable as error:
            raise GatewayRefused("percent_not_representable", str(error)) from None
        # Sent as exact text; the library's type says float.
        params["percent_off"] = cast(float, percent)
    return params


def _amount(amount_minor: int, currency: str) -> int:
    try:
        return stripe_amounts.to_stripe(amount_minor, currency)
    except stripe_amounts.NotRepresentable as error:
        raise GatewayRefused("amount_not_representable", str(error)) from None


def _metadata(program_id: str, subject_id: str) -> dict[str, str]:
    kind = subject_id.partition("_")[0]
    return {SUBJECT_KEYS.get(kind, SUBJECT_KEYS["rdm"]): subject_id, "loyalty_program": program_id}


def _carries(code: stripe.PromotionCode, wanted: dict[str, str]) -> bool:
    metadata = code.metadata.to_dict() if code.metadata else {}
    return all(metadata.get(name) == value for name, value in wanted.items())


def _issued(code: stripe.PromotionCode) -> IssuedCode:
    coupon = code.promotion.coupon
    return IssuedCode(
        promotion_code_id=code.id,
        coupon_id=coupon if isinstance(coupon, str) else (coupon.id if coupon else ""),
        code=code.code,
        times_redeemed=code.times_redeemed,
        active=code.active,
    )
