"""Promotion codes: what a customer types. Unique in any case among a customer's active codes."""

import re
import secrets
from typing import Any

from loyalty_service.sandbox import coupons, events
from loyalty_service.sandbox.customers import merged
from loyalty_service.sandbox.lists import listed as page_of
from loyalty_service.sandbox.messages import Refusal, Resource, missing, refuse_unsupported
from loyalty_service.sandbox.state import State, new_id

_CODE = re.compile(r"[A-Za-z0-9-]{1,500}")
_SUPPORTED = (
    "active code customer expand expires_at max_redemptions metadata promotion restrictions"
)
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
    made = state.put(
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
    events.record(state, "promotion_code.created", made)
    return made


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
    before = as_it_stands(state, code)
    code["active"] = params.get("active", code["active"])
    code["metadata"] = merged(code["metadata"], params.get("metadata", {}))
    return _changed(state, code, before)


def count_use(state: State, code: Resource) -> None:
    """Note that a code, and the coupon behind it, was used."""
    before = as_it_stands(state, code)
    coupon = coupons.retrieve(state, code["promotion"]["coupon"])
    state.put("coupons", coupon | {"times_redeemed": coupon["times_redeemed"] + 1})
    _changed(state, code | {"times_redeemed": code["times_redeemed"] + 1}, before)


def listed(state: State, params: dict[str, Any]) -> Resource:
    """Return one page of promotion codes in Stripe's list shape, newest first."""
    given = params.get("code")
    codes = state.every("promotion_codes") if given is None else state.codes_named(given)
    return page_of(
        [as_it_stands(state, each) for each in codes],
        {name: value for name, value in params.items() if name != "code"},
        url="/v1/promotion_codes",
        filters="active coupon customer",
        shown=lambda code: code | {"coupon": code["promotion"]["coupon"]},
    )


def as_it_stands(state: State, code: Resource) -> Resource:
    """Return the code with `active` as it is now: a code that is past or used up is not active."""
    past = code["expires_at"] and code["expires_at"] <= state.now()
    used_up = code["max_redemptions"] and code["times_redeemed"] >= code["max_redemptions"]
    coupon = coupons.retrieve(state, code["promotion"]["coupon"])
    return code | {"active": bool(code["active"] and coupon["valid"] and not past and not used_up)}


def _changed(state: State, code: Resource, before: Resource) -> Resource:
    after = as_it_stands(state, state.put("promotion_codes", code))
    events.record(state, "promotion_code.updated", after, before)
    return after


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
