"""What an object of Stripe's must look like by the pinned library's own declarations."""

import types
from decimal import Decimal
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import stripe
import stripe.checkout

CLASSES: dict[str, type] = {
    "checkout.session": stripe.checkout.Session,
    **{
        name: getattr(stripe, "".join(word.capitalize() for word in name.split("_")))
        for name in (
            "charge coupon customer discount dispute event invoice invoice_payment payment_intent"
            " promotion_code refund webhook_endpoint"
        ).split()
    },
}


class _Names(dict[str, Any]):
    """The library imports what it names for checkers only: unknown here, and anything fits."""

    def __missing__(self, name: str) -> Any:
        return Any


def faults(given: dict[str, Any]) -> list[str]:
    """What is wrong with an object: fields that are unknown, missing or of another type."""
    return _object_faults(given, CLASSES[given["object"]], given["object"])


@cache
def _fields(declared: type) -> dict[str, Any]:
    hints = get_type_hints(declared, localns=_Names(vars(stripe)))
    return {name: hint for name, hint in hints.items() if not name.startswith("_")}


def _object_faults(given: dict[str, Any], declared: type, path: str) -> list[str]:
    fields = _fields(declared)
    found = [f"{path}.{name} is not declared" for name in given if name not in fields]
    for name, hint in fields.items():
        if name in given:
            found += _faults(given[name], hint, f"{path}.{name}")
        elif not _may_be_none(hint) and name != "OBJECT_NAME":
            found.append(f"{path}.{name} is missing")
    return found


def _may_be_none(hint: Any) -> bool:
    return hint is Any or type(None) in get_args(hint)


def _faults(given: Any, hint: Any, path: str) -> list[str]:
    origin, arguments = get_origin(hint), get_args(hint)
    if hint is Any:
        return []
    if origin in (Union, types.UnionType):
        each = [_faults(given, option, path) for option in arguments]
        return [] if [] in each else min(each, key=len)
    if origin is Literal:
        return [] if given in arguments else [f"{path} is {given!r}"]
    if origin is list:
        return _all_faults(given, arguments[0], path)
    if _is(origin, "ListObject"):
        return _all_faults(given.get("data"), arguments[0], path)
    if _is(origin, "UntypedStripeObject"):
        return [] if isinstance(given, dict) else [f"{path} is {given!r}"]
    if hint in (str, int, bool, float, Decimal, type(None)):
        return [] if _is_leaf(given, hint) else [f"{path} is {given!r}, not {hint.__name__}"]
    if not isinstance(given, dict):
        return [f"{path} is {given!r}, not {hint.__name__}"]
    return _object_faults(given, hint, path)


def _is(origin: Any, name: str) -> bool:
    return getattr(origin, "__name__", "") == name


def _is_leaf(given: Any, hint: type) -> bool:
    if hint is float:
        return type(given) in (int, float)
    return type(given) is (str if hint is Decimal else hint)


def _all_faults(given: Any, hint: Any, path: str) -> list[str]:
    if not isinstance(given, list):
        return [f"{path} is {given!r}, not a list"]
    return [fault for each in given for fault in _faults(each, hint, f"{path}[]")]
