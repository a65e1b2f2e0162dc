"""/docs/errors: what each error code means, at the address that every problem's `type` names."""

from html import escape
from typing import Any

from flask import Response

from loyalty_service.api.guard import public
from loyalty_service.api.parsing import Blueprint
from loyalty_service.errors import LoyaltyError, catalogue

blueprint = Blueprint("docs", __name__, url_prefix="/docs", description="Explanations")


@blueprint.route("/errors", methods=["GET"])
@public
@blueprint.response(200, {"type": "string"}, content_type="text/html")
def errors() -> Any:
    """Every error code, each under its own anchor."""
    rows = "".join(_row(kind) for kind in catalogue())
    return Response(
        "<!doctype html><html lang=en><meta charset=utf-8><title>Error codes</title>"
        "<h1>Error codes</h1><table><tr><th>Code<th>Status<th>Title<th>When" + rows + "</table>",
        content_type="text/html; charset=utf-8",
    )


def _row(kind: type[LoyaltyError]) -> str:
    cells = (kind.code, str(kind.status), kind.title, kind.__doc__ or "")
    return f"<tr id={kind.code}>" + "".join(f"<td>{escape(cell)}" for cell in cells)
