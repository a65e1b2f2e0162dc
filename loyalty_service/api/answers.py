"""Every good answer's JSON is written here, so that one resource looks the same from each route."""

import json
from typing import Any

from flask import Response


def text_of(body: dict[str, Any]) -> str:
    """A body's JSON, ending in a line break for whoever reads it in a terminal."""
    return json.dumps(body, ensure_ascii=False) + "\n"


def ok(body: dict[str, Any], status: int = 200) -> Response:
    """An answer of JSON-able values, as a schema dumped them."""
    return Response(text_of(body), status, content_type="application/json")
