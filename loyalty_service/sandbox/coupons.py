"""Coupons: how much is taken off."""

import re
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from loyalty_service.sandbox import events
from loyalty_service.sandbox.lists import listed as page_of
from loyalty_service.sandbox.messages import Refusal, Resource, missing, refuse_unsupported
from loyalty_service.sandbox.state import State, new_id

_SUPPORTED = (
    "amount_off currency duration duration_in_months expand id max_redemptions metadata name"
    " percent_off redeem_by"
)
_FIVE_YEARS_SECONDS = 5 * 366 * 86400
_ID = re.compile(r"[A-Za-z0-9_-]{1,200}")


def create(state: State, params: dict[str, Any]) -> Resource:
    """Keep a new coupon and return it."""
    refuse_unsupported(params, _SUPPORTED)
    _check_amounts(params)
    _check_rest(state, params)
    coupon_id = params.get("id") or new_id("cpn").removeprefix("cpn_")[:8]
    if state.get("coupons", coupon_id):
        raise Refusal("Coupon already exists.", code="resource_already_exists", param="id")
    percent = params.get("percent_off")
    coupon = state.put(
        "coupons",
        {
            "id": coupon_id,
            "object": "coupon",
            "amount_off": params.get("amount_off"),
            "created": state.now(),
            "currency": params["currency"].lower() if params.get("amount_off") else None,
            "duration": params.get("duration", "once"),
            "duration_in_months": params.get("duration_in_months"),
            "livemode": False,
            "max_redemptions": params.get("max_redemptions"),
            "metadata": params.get("metadata") or {},
            "name": params.get("name"),
            # Stripe renders a JSON number; two decimals come back from it exactly.
            "percent_off": None if percent is None else float(percent),
            "redeem_by": params.get("redeem_by"),
            "times_redeemed": 0,
            "valid": True,
        },
    )
    events.record(state, "coupon.created", coupon)
    return coupon


def listed(state: State, params: dict[str, Any]) -> Resource:
    """Return one page of coupons, newest first."""
    found = [as_it_stands(state, each) for each in state.every("coupons")]
    return page_of(found, params, url="/v1/coupons")


def retrieve(state: State, coupon_id: str) -> Resource:
    """Return a coupon as it stands now."""
    coupon = state.get("coupons", coupon_id)
    if coupon is None:
        raise missing("coupon", coupon_id, param="coupon", status=404)
    return as_it_stands(state, coupon)


def as_it_stands(state: State, coupon: Resource) -> Resource:
    """Return the coupon with `valid` as it is now."""
    used_up = coupon["max_redemptions"] and coupon["times_redeemed"] >= coupon["max_redemptions"]
    past = coupon["redeem_by"] and coupon["redeem_by"] <= state.now()
    return coupon | {"valid": not (used_up or past)}


def amount_off(coupon: Resource, subtotal: int) -> int:
    """Return what the coupon takes off a subtotal, in Stripe's units, never more than it is."""
    if coupon["amount_off"] is not None:
        return min(int(coupon["amount_off"]), subtotal)
    share = Decimal(str(coupon["percent_off"])) / 100
    return int((subtotal * share).quantize(Decimal(1), ROUND_HALF_UP))


def _check_amounts(params: dict[str, Any]) -> None:
    amount, percent = params.get("amount_off"), params.get("percent_off")
    if (amount is None) == (percent is None):
        raise Refusal("You must pass either percent_off or amount_off, and not both.")
    if amount is not None and amount < 1:
        raise Refusal("Invalid positive integer", param="amount_off")
    if amount is not None and not params.get("currency"):
        raise Refusal("You must pass currency when passing amount_off", param="currency")
    if percent is not None and not 0 < percent <= 100:
        raise Refusal("percent_off must be above 0 and at most 100", param="percent_off")
    if percent is not None and percent * 100 % 1:
        raise Refusal("percent_off takes at most two decimals", param="percent_off")


def _check_rest(state: State, params: dict[str, Any]) -> None:
    if not _ID.fullmatch(params.get("id", "x")):
        raise Refusal("Invalid coupon id", param="id")
    if len(params.get("name", "")) > 40:
        raise Refusal("Invalid string: must be at most 40 characters", param="name")
    if (params.get("duration") == "repeating") != ("duration_in_months" in params):
        raise Refusal("duration_in_months goes with duration=repeating", param="duration_in_months")
    redeem_by = params.get("redeem_by")
    if redeem_by and not state.now() < redeem_by <= state.now() + _FIVE_YEARS_SECONDS:
        raise Refusal("redeem_by must be within the next five years", param="redeem_by")
