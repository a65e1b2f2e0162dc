"""/openapi.json: the contract as OpenAPI 3.1, made from the routes and their schemas."""

import copy
from typing import Any

import flask_smorest
from flask import Flask, current_app

from loyalty_service.api.guard import PUBLIC, declared, public
from loyalty_service.api.parsing import Blueprint
from loyalty_service.api.problems import MEDIA_TYPE, Problem

blueprint = Blueprint("openapi", __name__, description="This contract")
METHODS = ("get", "post", "patch", "put", "delete")
SETTINGS = {
    "API_TITLE": "Loyalty service",
    "API_VERSION": "v1",
    "OPENAPI_VERSION": "3.1.0",
}


class Api(flask_smorest.Api):  # type: ignore[misc]
    """flask-smorest without its error handlers: errors have one shape, made in `problems`."""

    ERROR_SCHEMA = Problem

    def _register_error_handlers(self) -> None:
        """Leave errors to `problems.register`."""


@blueprint.route("/openapi.json", methods=["GET"])
@public
@blueprint.response(200, {"type": "object"})
def openapi() -> Any:
    """The contract."""
    return document(current_app)


def document(app: Flask) -> dict[str, Any]:
    """The whole OpenAPI document of an app."""
    api: Api = app.extensions["loyalty_api"]
    # A copy: the spec hands out its own dictionaries.
    made: dict[str, Any] = copy.deepcopy(api.spec.to_dict())
    guards = _guards(app)
    for path, operations in made["paths"].items():
        for method in METHODS:
            if method in operations:
                _complete(operations[method], method, guards[(path, method)])
    components = made.setdefault("components", {})
    components["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
    components["responses"] = {"Problem": _problem()}
    # flask-smorest's own paging, which we don't use.
    components["schemas"].pop("PaginationMetadata", None)
    return made


def _guards(app: Flask) -> dict[tuple[str, str], frozenset[str]]:
    """Each operation's guard, by path as OpenAPI writes it."""
    found = {}
    for rule in app.url_map.iter_rules():
        path = rule.rule
        for argument in rule.arguments:
            path = path.replace(f"<path:{argument}>", f"{{{argument}}}")
            path = path.replace(f"<{argument}>", f"{{{argument}}}")
        for method in rule.methods or ():
            guard = declared(app.view_functions[rule.endpoint])
            found[(path, method.lower())] = guard or frozenset()
    return found


def _complete(operation: dict[str, Any], method: str, guard: frozenset[str]) -> None:
    """Add what every operation has: guard, idempotency key, one shape of error."""
    responses = operation["responses"]
    for status in list(responses):
        if status == "default" or status.startswith(("4", "5")):
            del responses[status]
    responses["default"] = {"$ref": "#/components/responses/Problem"}
    operation["security"] = [] if guard == PUBLIC else [{"key": []}]
    if guard != PUBLIC:
        scopes = ", ".join(sorted(guard))
        operation["description"] = f"Scopes: {scopes}."
    if method == "post":
        operation.setdefault("parameters", []).append(
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": True,
                "description": "A fresh random value; the same one when the request is repeated.",
                "schema": {"type": "string", "pattern": "^[\\x21-\\x7e]{1,255}$"},
            }
        )


def _problem() -> dict[str, Any]:
    return {
        "description": "Any error: RFC 9457, one shape.",
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
