"""Checkout sessions: where a promotion code is used. Inline prices only, paid once or recurring.

How a session is paid is in `paying`.
"""

from typing import Any

from loyalty_service.sandbox import coupons
from loyalty_service.sandbox.lists import listed as page_of
from loyalty_service.sandbox.messages import Refusal, Resource, missing, refuse_unsupported
from loyalty_service.sandbox.state import State, new_id

_SUPPORTED = (
    "allow_promotion_codes cancel_url client_reference_id currency customer customer_email"
    " discounts expand line_items locale metadata mode payment_intent_data return_url submit_type"
    " subscription_data success_url ui_mode"
)
_SUPPORTED_LINE = "price_data quantity"
_MODES = ("payment", "subscription")
_DAY_SECONDS = 86400
_CANNOT = "This promotion code cannot be redeemed because "


def create(state: State, params: dict[str, Any]) -> Resource:
    """Open a checkout session and return it; its discount is checked now and when it is paid."""
    refuse_unsupported(params, _SUPPORTED)
    mode = params.get("mode")
    if mode not in _MODES:
        raise Refusal("The Stripe sandbox knows mode=payment and subscription.", param="mode")
    customer = params.get("customer")
    if customer and state.get("customers", customer) is None:
        raise missing("customer", customer, param="customer")
    session = _open_session(state, params, *_subtotal(params))
    session = discounted(state, session, _asked_code(state, params))
    state.put("checkout_intentions", {"id": session["id"], **_intentions(params)})
    return state.put("checkout_sessions", session)


def retrieve(state: State, session_id: str) -> Resource:
    """Return a checkout session."""
    session = state.get("checkout_sessions", session_id)
    if session is None:
        raise missing("checkout.session", session_id, param="id", status=404)
    return session


def listed(state: State, params: dict[str, Any]) -> Resource:
    """Return one page of sessions, newest first."""
    return page_of(
        state.every("checkout_sessions"),
        params,
        url="/v1/checkout/sessions",
        filters="customer payment_intent status subscription",
    )


def intentions(state: State, session_id: str) -> Resource:
    """Return what the session was opened with and does not show: the metadata of what follows."""
    return state.get("checkout_intentions", session_id) or _intentions({})


def discounted(state: State, session: Resource, code: Resource | None) -> Resource:
    """Return the session with the code's discount; raise `Refusal` where it can't be used."""
    if code is None:
        return session
    coupon = coupons.retrieve(state, code["promotion"]["coupon"])
    _check_usable(state, code, coupon, session)
    discount = coupons.amount_off(coupon, session["amount_subtotal"])
    return session | {
        "amount_total": session["amount_subtotal"] - discount,
        "discounts": [{"coupon": None, "promotion_code": code["id"]}],
        "total_details": session["total_details"] | {"amount_discount": discount},
    }


def _open_session(state: State, params: dict[str, Any], subtotal: int, currency: str) -> Resource:
    return {
        "id": new_id("cs_test"),
        "object": "checkout.session",
        "allow_promotion_codes": params.get("allow_promotion_codes"),
        "amount_subtotal": subtotal,
        "amount_total": subtotal,
        "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
        "cancel_url": params.get("cancel_url"),
        "client_reference_id": params.get("client_reference_id"),
        "created": state.now(),
        "currency": currency,
        "custom_fields": [],
        "custom_text": {
            "after_submit": None,
            "shipping_address": None,
            "submit": None,
            "terms_of_service_acceptance": None,
        },
        "customer": params.get("customer"),
        "customer_details": None,
        "customer_email": params.get("customer_email"),
        "discounts": [],
        "expires_at": state.now() + _DAY_SECONDS,
        "invoice": None,
        "livemode": False,
        "metadata": params.get("metadata") or {},
        "mode": params["mode"],
        "payment_intent": None,
        "payment_link": None,
        "payment_method_types": ["card"],
        "payment_status": "unpaid",
        "shipping_cost": None,
        "shipping_options": [],
        "status": "open",
        "subscription": None,
        "success_url": params.get("success_url"),
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "ui_mode": "hosted_page",
        "url": None,
    }


def _intentions(params: dict[str, Any]) -> Resource:
    given = {name: params.get(name, {}) for name in ("payment_intent_data", "subscription_data")}
    for name, data in given.items():
        refuse_unsupported(data, "metadata")
        if data and params["mode"] != name.split("_")[0]:
            raise Refusal(f"{name} does not go with mode={params['mode']}.", param=name)
    return {name: data.get("metadata") or {} for name, data in given.items()}


def _subtotal(params: dict[str, Any]) -> tuple[int, str]:
    lines = params.get("line_items") or []
    if not lines:
        raise Refusal("Missing required param: line_items.", param="line_items")
    subtotal, currencies = 0, set()
    for at, line in enumerate(lines):
        refuse_unsupported(line, _SUPPORTED_LINE)
        price = line.get("price_data", {})
        if "unit_amount" not in price or line.get("quantity", 1) < 1:
            raise Refusal(
                "A line item needs price_data[unit_amount] and a quantity.",
                param=f"line_items[{at}]",
            )
        if ("recurring" in price) != (params["mode"] == "subscription"):
            raise Refusal(
                "Prices recur in mode=subscription, and only there.", param=f"line_items[{at}]"
            )
        subtotal += price["unit_amount"] * line.get("quantity", 1)
        currencies.add(price["currency"].lower())
    if len(currencies | {params.get("currency", price["currency"]).lower()}) != 1:
        raise Refusal("All line items must be in one currency.", param="line_items")
    return subtotal, currencies.pop()


def _asked_code(state: State, params: dict[str, Any]) -> Resource | None:
    asked = params.get("discounts", [])
    if not asked:
        return None
    if len(asked) > 1:
        raise Refusal("Only one discount may be specified.", param="discounts")
    refuse_unsupported(asked[0], "promotion_code")
    promotion_code_id = asked[0].get("promotion_code", "")
    code = state.get("promotion_codes", promotion_code_id)
    if code is None:
        raise missing("promotion code", promotion_code_id, param="discounts[0][promotion_code]")
    return code


def _check_usable(state: State, code: Resource, coupon: Resource, session: Resource) -> None:
    limits = code["restrictions"]
    minimum = limits["minimum_amount"] or 0
    same_currency = limits["minimum_amount_currency"] in (None, session["currency"])
    reasons = {
        "it has been used the maximum number of times.": code["max_redemptions"]
        and code["times_redeemed"] >= code["max_redemptions"],
        "it has expired.": code["expires_at"] and code["expires_at"] <= state.now(),
        "it is not active.": not code["active"],
        "the associated coupon is not valid.": not coupon["valid"],
        "it belongs to another customer.": code["customer"]
        and code["customer"] != session["customer"],
        "the associated coupon is in another currency.": coupon["currency"]
        not in (None, session["currency"]),
        "the associated purchase does not meet the minimum amount requirement.": not same_currency
        or session["amount_subtotal"] < minimum,
    }
    for reason, applies in reasons.items():
        if applies:
            raise Refusal(f"{_CANNOT}{reason}", param="discounts[0][promotion_code]")
