"""In which language an answer speaks: what the request asks for, else the member's own.

A route that speaks says so with `@speaks`; its answers carry `Content-Language` and
`Vary: Accept-Language`. What is kept under an idempotency key does not depend on the header.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask, Response, current_app, g, request

from loyalty_service import wording
from loyalty_service.wording import Voice

View = TypeVar("View", bound=Callable[..., Any])
ACCEPT_LANGUAGE, CONTENT_LANGUAGE = "Accept-Language", "Content-Language"


def speaks(view: View) -> View:
    """Declare a route whose answers hold sentences in the language that is asked for."""
    view._speaks = True  # type: ignore[attr-defined]
    return view


def is_speaking(view: Callable[..., Any]) -> bool:
    """Say whether a view's answers hold sentences in the language that is asked for."""
    return getattr(view, "_speaks", False)


def voice(own: str | None = None) -> Voice:
    """The voice of this answer: as the request asks, else `own` (the member's), else English.

    Where the route does not speak, the request is not asked.
    """
    found = (_asked() if _is_speaking_now() else None) or wording.voice(own)
    g.setdefault("spoken", set()).add(found.language)
    return found


def register(app: Flask) -> None:
    """Say with each answer which language it speaks."""
    app.after_request(_tell)


def _asked() -> Voice | None:
    """The first language of the header that is spoken here."""
    wanted = (tag for tag, quality in request.accept_languages if quality > 0)
    return next((found for tag in wanted if (found := wording.find(tag))), None)


def _is_speaking_now() -> bool:
    view = current_app.view_functions.get(request.endpoint or "")
    return view is not None and is_speaking(view)


def _tell(response: Response) -> Response:
    if _is_speaking_now() and response.status_code < 400:
        # A list without members says nothing in any language.
        spoken = g.get("spoken") or {voice().language}
        response.headers[CONTENT_LANGUAGE] = ", ".join(sorted(spoken))
        response.vary.add(ACCEPT_LANGUAGE)
    return response
