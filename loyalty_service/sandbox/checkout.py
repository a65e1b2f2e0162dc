"""Checkout sessions: where a promotion code is used. Mode `payment` with inline prices only."""

from typing import Any

from loyalty_service.sandbox import coupons, promotion_codes
from loyalty_service.sandbox.messages import Refusal, Resource, missing, refuse_unsupported
from loyalty_service.sandbox.state import State, new_id

_SUPPORTED = (
    "allow_promotion_codes cancel_url client_reference_id currency customer customer_email"
    " discounts expand line_items locale metadata mode return_url submit_type success_url"
    " ui_mode"
)
_SUPPORTED_LINE = "price_data quantity"
_DAY_SECONDS = 86400
_CANNOT = "This promotion code cannot be redeemed because "


def create(state: State, params: dict[str, Any]) -> Resource:
    """Open a checkout session and return it; its discount is checked now and when it is paid."""
    refuse_unsupported(params, _SUPPORTED)
    if params.get("mode") != "payment":
        raise Refusal("The Stripe sandbox knows mode=payment only.", param="mode")
    customer = params.get("customer")
    if customer and state.get("customers", customer) is None:
        raise missing("customer", customer, param="customer")
    subtotal, currency = _subtotal(params)
    session: Resource = {
        "id": new_id("cs_test"),
        "object": "checkout.session",
        "allow_promotion_codes": params.get("allow_promotion_codes"),
        "amount_subtotal": subtotal,
        "amount_total": subtotal,
        "cancel_url": params.get("cancel_url"),
        "client_reference_id": params.get("client_reference_id"),
        "created": state.now(),
        "currency": currency,
        "customer": customer,
        "customer_email": params.get("customer_email"),
        "discounts": [],
        "expires_at": state.now() + _DAY_SECONDS,
        "livemode": False,
        "metadata": params.get("metadata", {}),
        "mode": "payment",
        "payment_intent": None,
        "payment_status": "unpaid",
        "status": "open",
        "success_url": params.get("success_url"),
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "url": None,
    }
    return state.put("checkout_sessions", _discounted(state, session, _asked_code(state, params)))


def retrieve(state: State, session_id: str) -> Resource:
    """Return a checkout session."""
    session = state.get("checkout_sessions", session_id)
    if session is None:
        raise missing("checkout.session", session_id, param="id", status=404)
    return session


def pay(state: State, session_id: str, code: str | None = None) -> Resource:
    """Complete a session as a customer does, who may type a `code` where the session allows it."""
    session = retrieve(state, session_id)
    if session["status"] != "open" or session["expires_at"] <= state.now():
        raise Refusal("This Checkout Session is no longer open.", code="checkout_session_closed")
    used = _typed_code(state, session, code) if code else _code_of(state, session)
    session = _discounted(state, session, used)
    if used is not None:
        _count_use(state, used)
    free = session["amount_total"] == 0
    paid = {
        "payment_intent": None if free else new_id("pi"),
        "payment_status": "no_payment_required" if free else "paid",
        "status": "complete",
    }
    return state.put("checkout_sessions", session | paid)


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


def _typed_code(state: State, session: Resource, text: str) -> Resource:
    if not session["allow_promotion_codes"] or session["discounts"]:
        raise Refusal("This Checkout Session takes no promotion code.", param="code")
    for code in state.codes_named(text):
        if promotion_codes.as_it_stands(state, code)["active"]:
            return code
    raise Refusal("This code is invalid.", code="promotion_code_invalid", param="code")


def _code_of(state: State, session: Resource) -> Resource | None:
    if not session["discounts"]:
        return None
    return state.get("promotion_codes", session["discounts"][0]["promotion_code"])


def _discounted(state: State, session: Resource, code: Resource | None) -> Resource:
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


def _count_use(state: State, code: Resource) -> None:
    coupon = coupons.retrieve(state, code["promotion"]["coupon"])
    state.put("coupons", coupon | {"times_redeemed": coupon["times_redeemed"] + 1})
    used = code | {"times_redeemed": code["times_redeemed"] + 1}
    state.put("promotion_codes", promotion_codes.as_it_stands(state, used))
