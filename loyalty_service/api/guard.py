"""Who may call what. Every route declares it; a test fails on one that does not."""

import re
from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask, current_app, g, request

from loyalty_service.domain import access, idempotency
from loyalty_service.domain.access import Principal
from loyalty_service.errors import ScopeMissing

View = TypeVar("View", bound=Callable[..., Any])
PUBLIC = frozenset({"public"})
IDEMPOTENCY_KEY = "Idempotency-Key"
KEY = re.compile(r"[\x21-\x7e]{1,255}")


def allow(*scopes: str) -> Callable[[View], View]:
    """Declare the scopes that may call a route; `admin` may always."""
    assert scopes and set(scopes) <= set(access.SCOPES), f"unknown scopes {scopes}"
    return _declare(frozenset(scopes) | {"admin"})


def reading(view: View) -> View:
    """Declare a POST that writes nothing, and so takes no Idempotency-Key."""
    view._reading = True  # type: ignore[attr-defined]
    return view


def is_reading(view: Callable[..., Any]) -> bool:
    """Say whether a view writes nothing, whatever its method."""
    return getattr(view, "_reading", False)


def public(view: View) -> View:
    """Declare a route that needs no key."""
    return _declare(PUBLIC)(view)


def signed(view: View) -> View:
    """Declare a route whose caller proves itself by a signature and names each thing it tells.

    It needs neither a key nor an Idempotency-Key.
    """
    view._signed = True  # type: ignore[attr-defined]
    return reading(public(view))


def is_signed(view: Callable[..., Any]) -> bool:
    """Say whether a view's caller proves itself by a signature."""
    return getattr(view, "_signed", False)


def declared(view: Callable[..., Any]) -> frozenset[str] | None:
    """What a view declares, or None."""
    return getattr(view, "_guard", None)


def caller() -> Principal:
    """Who is calling, on a guarded route."""
    principal: Principal = g.principal
    return principal


def register(app: Flask) -> None:
    """Check every request before its route runs."""
    app.before_request(_check)


def _declare(scopes: frozenset[str]) -> Callable[[View], View]:
    def decorate(view: View) -> View:
        view._guard = scopes  # type: ignore[attr-defined]
        return view

    return decorate


def _check() -> None:
    if request.endpoint is None:
        return
    scopes = declared(current_app.view_functions[request.endpoint])
    if scopes == PUBLIC:
        return
    assert scopes is not None, f"{request.endpoint} has no guard"
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    presented = token.strip() if kind.lower() == "bearer" else None
    key = request.headers.get(IDEMPOTENCY_KEY, "")
    if request.method != "POST" or not KEY.fullmatch(key):
        principal = access.authenticate(presented)
    else:
        principal, g.seen = idempotency.authenticate(presented, key)
    if principal.scope not in scopes:
        raise ScopeMissing(
            f"This key has scope {principal.scope}; this call needs {' or '.join(sorted(scopes))}."
        )
    g.principal = principal
