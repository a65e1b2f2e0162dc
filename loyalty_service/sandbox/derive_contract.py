"""Derives what Stripe accepts from the Stripe library's own request types.

`python -m loyalty_service.sandbox.derive_contract` writes `contract.json`. Run it after the pinned
library changes; a test fails until it was. The types live in private modules of the library, which
is why their outcome is committed and the sandbox itself never imports them.
"""

import json
import sys
import types
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import (
    Any,
    Literal,
    NotRequired,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

CONTRACT_PATH = Path(__file__).with_name("contract.json")

# Endpoint: the library's module below stripe.params, and the type in it.
_SOURCES = {
    "POST /v1/coupons": ("_coupon_create_params", "CouponCreateParams"),
    "GET /v1/coupons": ("_coupon_list_params", "CouponListParams"),
    "GET /v1/coupons/{id}": ("_coupon_retrieve_params", "CouponRetrieveParams"),
    "POST /v1/promotion_codes": ("_promotion_code_create_params", "PromotionCodeCreateParams"),
    "GET /v1/promotion_codes": ("_promotion_code_list_params", "PromotionCodeListParams"),
    "GET /v1/promotion_codes/{id}": (
        "_promotion_code_retrieve_params",
        "PromotionCodeRetrieveParams",
    ),
    "POST /v1/promotion_codes/{id}": ("_promotion_code_update_params", "PromotionCodeUpdateParams"),
    "POST /v1/customers": ("_customer_create_params", "CustomerCreateParams"),
    "GET /v1/customers": ("_customer_list_params", "CustomerListParams"),
    "GET /v1/customers/{id}": ("_customer_retrieve_params", "CustomerRetrieveParams"),
    "POST /v1/customers/{id}": ("_customer_update_params", "CustomerUpdateParams"),
    "POST /v1/checkout/sessions": ("checkout._session_create_params", "SessionCreateParams"),
    "GET /v1/checkout/sessions": ("checkout._session_list_params", "SessionListParams"),
    "GET /v1/checkout/sessions/{id}": (
        "checkout._session_retrieve_params",
        "SessionRetrieveParams",
    ),
    "GET /v1/payment_intents": ("_payment_intent_list_params", "PaymentIntentListParams"),
    "GET /v1/payment_intents/{id}": (
        "_payment_intent_retrieve_params",
        "PaymentIntentRetrieveParams",
    ),
    "GET /v1/charges": ("_charge_list_params", "ChargeListParams"),
    "GET /v1/charges/{id}": ("_charge_retrieve_params", "ChargeRetrieveParams"),
    "POST /v1/refunds": ("_refund_create_params", "RefundCreateParams"),
    "GET /v1/refunds": ("_refund_list_params", "RefundListParams"),
    "GET /v1/refunds/{id}": ("_refund_retrieve_params", "RefundRetrieveParams"),
    "GET /v1/disputes": ("_dispute_list_params", "DisputeListParams"),
    "GET /v1/disputes/{id}": ("_dispute_retrieve_params", "DisputeRetrieveParams"),
    "GET /v1/invoices": ("_invoice_list_params", "InvoiceListParams"),
    "GET /v1/invoices/{id}": ("_invoice_retrieve_params", "InvoiceRetrieveParams"),
    "GET /v1/invoice_payments": ("_invoice_payment_list_params", "InvoicePaymentListParams"),
    "GET /v1/events": ("_event_list_params", "EventListParams"),
    "GET /v1/events/{id}": ("_event_retrieve_params", "EventRetrieveParams"),
    "POST /v1/webhook_endpoints": (
        "_webhook_endpoint_create_params",
        "WebhookEndpointCreateParams",
    ),
    "GET /v1/webhook_endpoints": ("_webhook_endpoint_list_params", "WebhookEndpointListParams"),
    "GET /v1/webhook_endpoints/{id}": (
        "_webhook_endpoint_retrieve_params",
        "WebhookEndpointRetrieveParams",
    ),
    "POST /v1/webhook_endpoints/{id}": (
        "_webhook_endpoint_update_params",
        "WebhookEndpointUpdateParams",
    ),
    "DELETE /v1/webhook_endpoints/{id}": (
        "_webhook_endpoint_delete_params",
        "WebhookEndpointDeleteParams",
    ),
}
_LEAVES = {str: "string", int: "integer", bool: "boolean", float: "number", Decimal: "number"}
Shape = str | dict[str, Any]


def derive() -> dict[str, Any]:
    """Return the contract: the library's versions and, for each endpoint, its parameters."""
    return {
        "api_version": import_module("stripe._api_version")._ApiVersion.CURRENT,
        "stripe_version": import_module("stripe._version").VERSION,
        "endpoints": {name: _endpoint(*source) for name, source in _SOURCES.items()},
    }


def as_text(contract: dict[str, Any]) -> str:
    """Return the contract as the text that is committed."""
    return json.dumps(contract, indent=1, sort_keys=True) + "\n"


def main() -> int:
    """Write the committed contract."""
    CONTRACT_PATH.write_text(as_text(derive()), encoding="utf-8")
    sys.stdout.write(f"{CONTRACT_PATH.name} written\n")
    return 0


def _endpoint(module: str, name: str) -> Shape:
    # Options of the call itself (key, version, headers) travel as headers, not as parameters.
    options = frozenset(_options_module().RequestOptions.__annotations__)
    return _object(getattr(import_module(f"stripe.params.{module}"), name), without=options)


def _options_module() -> Any:
    return import_module("stripe._request_options")


def _object(declared: Any, *, without: frozenset[str] = frozenset()) -> dict[str, Any]:
    fields, required = {}, []
    # The options' annotations are inherited as text; one name is imported for checkers only.
    names = {**vars(_options_module()), "StripeContext": str}
    hints = get_type_hints(declared, localns=names, include_extras=True)
    for name, hint in hints.items():
        if name in without:
            continue
        if get_origin(hint) is NotRequired:
            (hint,) = get_args(hint)
        else:
            required.append(name)
        fields[name] = _shape(hint)
    return {"object": fields, "required": sorted(required)} if required else {"object": fields}


def _shape(hint: Any) -> Shape:
    # The library's TypedDict is typing_extensions', which typing.is_typeddict does not know.
    if hasattr(hint, "__required_keys__"):
        return _object(hint)
    if hint in _LEAVES:
        return _LEAVES[hint]
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        return {"enum": list(arguments)}
    if origin is list:
        return {"list": _shape(arguments[0])}
    if origin is dict:
        return {"map": _shape(arguments[1])}
    if origin in (Union, types.UnionType):
        return _union(arguments)
    raise TypeError(f"the library has a type that is not known here: {hint!r}")


def _union(arguments: tuple[Any, ...]) -> Shape:
    """Return one shape: Stripe refuses values outside the enumerations that the types leave open.

    An empty text clears a value; a library object beside a dict is the same thing on the wire.
    """
    shapes = [_shape(each) for each in arguments if not _is_library_object(each)]
    clearable = {"enum": [""]} in shapes
    enums = [value for each in shapes if isinstance(each, dict) for value in each.get("enum", [])]
    others = [each for each in shapes if not (isinstance(each, dict) and "enum" in each)]
    named = [value for value in enums if value != ""]
    if named:
        values = [*named, ""] if clearable else named
        others = [{"enum": values}, *(each for each in others if each != "string")]
    elif clearable:
        others = [{"enum": [""]}, *others]
    return others[0] if len(others) == 1 else {"any": others}


def _is_library_object(hint: Any) -> bool:
    return getattr(get_origin(hint), "__name__", "") == "UntypedStripeObject"


if __name__ == "__main__":
    raise SystemExit(main())
