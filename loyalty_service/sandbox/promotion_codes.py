"""Promotion codes: what a customer types. Unique in any case among a customer's active codes."""

import re
import secrets
from typing import Any

from loyalty_service.sandbox import coupons
from loyalty_service.sandbox.messages import Refusal, Resource, missing, refuse_unsupported
from loyalty_service.sandbox.state import State, new_id

_CODE = re.compile(r"[A-Za-z0-9-]{1,500}")
_SUPPORTED = (
    "active code customer expand expires_at max_redemptions metadata promotion restrictions"
)
_FILTERS = ("active", "coupon", "customer")
_SUPPORTED_RESTRICTIONS = "minimum_amount minimum_amount_currency"


def create(state: State, params: dict[str, Any]) -> Resource:
    """Keep a new promotion code and return it."""
    refuse_unsupported(params, _SUPPORTED)
    restrictions = _restrictions(params.get("restrictions", {}))
    _check(state, params)
    customer = params.get("customer")
    text = params.get("code") or secrets.token_hex(4).upper()
    active = params.get("active", True)
    if active:
        _refuse_taken(state, text, customer)
    return state.put(
        "promotion_codes",
        {
            "id": new_id("promo"),
            "object": "promotion_code",
            "active": active,
            "code": text,
            "created": state.now(),
            "customer": customer,
            "customer_account": None,
            "expires_at": params.get("expires_at"),
            "livemode": False,
            "max_redemptions": params.get("max_redemptions"),
            "metadata": params.get("metadata", {}),
            "promotion": {"coupon": params["promotion"]["coupon"], "type": "coupon"},
            "restrictions": restrictions,
            "times_redeemed": 0,
        },
    )


def retrieve(state: State, promotion_code_id: str) -> Resource:
    """Return a promotion code as it stands now."""
    return as_it_stands(state, _known(state, promotion_code_id))


def update(state: State, promotion_code_id: str, params: dict[str, Any]) -> Resource:
    """Change `active` or `metadata`; what is used up or past cannot be activated again."""
    refuse_unsupported(params, "active expand metadata")
    code = dict(_known(state, promotion_code_id))
    if params.get("active") and not retrieve(state, promotion_code_id)["active"]:
        if not as_it_stands(state, code | {"active": True})["active"]:
            raise Refusal("This promotion code cannot be activated.", param="active")
        _refuse_taken(state, code["code"], code["customer"])
    code["active"] = params.get("active", code["active"])
    if "metadata" in params:
        given = params["metadata"] or dict.fromkeys(code["metadata"], "")
        code["metadata"] = {k: v for k, v in (code["metadata"] | given).items() if v != ""}
    return as_it_stands(state, state.put("promotion_codes", code))


def listed(state: State, params: dict[str, Any]) -> Resource:
    """Return one page of promotion codes in Stripe's list shape, newest first."""
    refuse_unsupported(
        params,
        "active code coupon customer ending_before expand limit starting_after",
    )
    limit = params.get("limit", 10)
    if not 1 <= limit <= 100:
        raise Refusal("Invalid integer: limit must be from 1 to 100", param="limit")
    given = params.get("code")
    codes = state.every("promotion_codes") if given is None else state.codes_named(given)
    found = [as_it_stands(state, each) for each in reversed(codes)]
    found = [each for each in found if _matches(each, params)]
    page, has_more = _page(found, params, limit)
    return {"object": "list", "data": page, "has_more": has_more, "url": "/v1/promotion_codes"}


def as_it_stands(state: State, code: Resource) -> Resource:
    """Return the code with `active` as it is now: a code that is past or used up is not active."""
    past = code["expires_at"] and code["expires_at"] <= state.now()
    used_up = code["max_redemptions"] and code["times_redeemed"] >= code["max_redemptions"]
    coupon = coupons.retrieve(state, code["promotion"]["coupon"])
    return code | {"active": bool(code["active"] and coupon["valid"] and not past and not used_up)}


def _known(state: State, promotion_code_id: str) -> Resource:
    code = state.get("promotion_codes", promotion_code_id)
    if code is None:
        raise missing("promotion code", promotion_code_id, param="promotion_code", status=404)
    return code


def _check(state: State, params: dict[str, Any]) -> None:
    coupon_id = params["promotion"].get("coupon")
    if not coupon_id:
        raise Refusal(
            "Missing required param: promotion[coupon].",
            code="parameter_missing",
            param="promotion[coupon]",
        )
    if state.get("coupons", coupon_id) is None:
        raise missing("coupon", coupon_id, param="promotion[coupon]")
    customer = params.get("customer")
    if customer and state.get("customers", customer) is None:
        raise missing("customer", customer, param="customer")
    if not _CODE.fullmatch(params.get("code", "x")):
        raise Refusal("Promotion codes may only contain letters, digits and dashes.", param="code")
    if params.get("max_redemptions", 1) < 1:
        raise Refusal("Invalid positive integer", param="max_redemptions")
    if params.get("expires_at", state.now() + 1) <= state.now():
        raise Refusal("expires_at must be in the future.", param="expires_at")


def _restrictions(given: dict[str, Any]) -> Resource:
    refuse_unsupported(given, _SUPPORTED_RESTRICTIONS)
    if ("minimum_amount" in given) != ("minimum_amount_currency" in given):
        raise Refusal(
            "minimum_amount and minimum_amount_currency go together.", param="restrictions"
        )
    return {
        "first_time_transaction": False,
        "minimum_amount": given.get("minimum_amount"),
        "minimum_amount_currency": given.get("minimum_amount_currency"),
    }


def _refuse_taken(state: State, text: str, customer: str | None) -> None:
    for other in state.codes_named(text):
        # A code for everyone stands in the way of every customer's, and the other way round.
        apart = customer and other["customer"] and customer != other["customer"]
        if not apart and as_it_stands(state, other)["active"]:
            raise Refusal(
                f"An active promotion code with `code: {text}` already exists.",
                code="resource_already_exists",
                param="code",
            )


def _matches(code: Resource, params: dict[str, Any]) -> bool:
    shown = code | {"coupon": code["promotion"]["coupon"]}
    return all(params.get(name, shown[name]) == shown[name] for name in _FILTERS)


def _page(found: list[Resource], params: dict[str, Any], limit: int) -> tuple[list[Resource], bool]:
    ids = [each["id"] for each in found]
    if (after := params.get("starting_after")) is not None:
        found = found[ids.index(after) + 1 :] if after in ids else []
    if (before := params.get("ending_before")) is not None:
        found = found[: ids.index(before)] if before in ids else []
        return found[-limit:], len(found) > limit
    return found[:limit], len(found) > limit
