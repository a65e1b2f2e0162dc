"""/docs: the contract for people's eyes, and /docs/errors, which every problem's `type` names.

Everything a browser needs comes from here: no page asks another host for anything, and its policy
says so. The files in `static/` have an address that changes with them, so they are kept for ever.
"""

import hashlib
import mimetypes
import re
from functools import cache
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, render_template, request, url_for
from markupsafe import Markup, escape

from loyalty_service.api import texts
from loyalty_service.api.guard import public
from loyalty_service.errors import NotFound, catalogue

STATIC = Path(__file__).with_name("static")
SERVED = (".css", ".js")
KEPT_SECONDS = 365 * 86400
POLICY = {
    # Swagger UI draws its icons from data: addresses inside its style sheet.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

blueprint = Blueprint("docs", __name__, url_prefix="/docs", template_folder="templates")


@blueprint.get("")
@public
def reference() -> str:
    """The API reference, drawn by Swagger UI from /openapi.json."""
    return render_template("docs/reference.html", asset=_address)


@blueprint.get("/errors")
@public
def errors() -> str:
    """Every error code, each under its own anchor."""
    return render_template(
        "docs/errors.html", asset=_address, kinds=catalogue(), texts=texts.errors()
    )


@blueprint.get("/assets/<version>/<path:name>")
@public
def asset(version: str, name: str) -> Response:
    """A style sheet or a script of these pages."""
    if version != _version() or name not in _files():
        raise NotFound(f"There is no file {name} of this version; load the page again.")
    sent = Response(_files()[name], mimetype=mimetypes.guess_type(name)[0])
    sent.cache_control.public = True
    sent.cache_control.max_age = KEPT_SECONDS
    sent.cache_control.immutable = True
    sent.add_etag()
    sent.make_conditional(request)
    return sent


@blueprint.after_request
def protect(response: Response) -> Response:
    """Send the browser's policy with every page and file."""
    response.headers.update(POLICY)
    response.headers.setdefault("Cache-Control", "no-cache")
    return response


@blueprint.app_template_filter("ticks")
def ticks(text: str) -> Markup:
    """A sentence as HTML, with what stands in `ticks` as code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))  # nosec B704


def _address(name: str) -> Any:
    return url_for("docs.asset", version=_version(), name=name)


@cache
def _version() -> str:
    """Changes when a served file changes."""
    return hashlib.sha256(b"".join(_files().values())).hexdigest()[:16]


@cache
def _files() -> dict[str, bytes]:
    """What is served, by its name below the folder."""
    files = sorted(file for file in STATIC.rglob("*") if file.suffix in SERVED)
    return {file.relative_to(STATIC).as_posix(): file.read_bytes() for file in files}
