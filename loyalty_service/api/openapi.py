"""/openapi.json: the contract as OpenAPI 3.1, made from routes, schemas, refusals and examples.

It is made once, when somebody first asks for it; no other request pays for it.
"""

import copy
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import flask_smorest
from flask import Blueprint, Flask, Response, current_app, request

from loyalty_service import wording
from loyalty_service.api import examples, responses
from loyalty_service.api.guard import PUBLIC, declared, is_reading, public
from loyalty_service.api.problems import Problem
from loyalty_service.api.refusing import Kind, Nature, refusals
from loyalty_service.api.speaking import ACCEPT_LANGUAGE, CONTENT_LANGUAGE, is_speaking
from loyalty_service.api.texts import load
from loyalty_service.domain.notices import types

METHODS = ("get", "post", "patch", "put", "delete")
SETTINGS = {
    "API_TITLE": "Loyalty service",
    "API_VERSION": "v1",
    "OPENAPI_VERSION": "3.1.0",
}
KEY_PARAMETER = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": True,
    "description": "A fresh random value; the same one when the request is repeated.",
    "schema": {
        "type": "string",
        "minLength": 1,
        "maxLength": 255,
        "pattern": "^[\\x21-\\x7e]{1,255}$",
    },
}
LANGUAGE_PARAMETER = {
    "name": ACCEPT_LANGUAGE,
    "in": "header",
    "required": False,
    "description": "In which languages the sentences are wanted, as browsers send it. Spoken: "
    f"{', '.join(wording.languages())}. Otherwise they are in the member's own, else in English.",
    "schema": {"type": "string"},
    "example": "de-AT, de;q=0.9, en;q=0.5",
}

blueprint = Blueprint("openapi", __name__)


class Api(flask_smorest.Api):  # type: ignore[misc]
    """flask-smorest without its error handlers: errors have one shape, made in `problems`."""

    ERROR_SCHEMA = Problem

    def _register_error_handlers(self) -> None:
        """Leave errors to `problems.register`."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of the contract and the view behind it."""

    id: str
    path: str
    method: str
    view: Callable[..., Any]
    said: dict[str, Any]

    @property
    def guard(self) -> frozenset[str]:
        """Who may call it."""
        return declared(self.view) or frozenset()

    @property
    def is_writing_post(self) -> bool:
        """Whether it needs an Idempotency-Key."""
        return self.method == "post" and not is_reading(self.view)

    @property
    def is_speaking(self) -> bool:
        """Whether its answers hold sentences in the language that is asked for."""
        return is_speaking(self.view)

    @property
    def refusals(self) -> list[Kind]:
        """What it may refuse."""
        parameters = self.said.get("parameters", [])
        return refusals(
            self.view,
            Nature(
                is_guarded=self.guard != PUBLIC,
                is_post=self.is_writing_post,
                has_body="requestBody" in self.said,
                has_query=any(one["in"] == "query" for one in parameters),
                has_path="{" in self.path,
            ),
        )


@blueprint.get("/openapi.json")
@public
def contract() -> Response:
    """The contract."""
    kept: dict[str, str] = current_app.extensions.setdefault("loyalty_contract", {})
    if "text" not in kept:
        kept["text"] = json.dumps(document(current_app), ensure_ascii=False) + "\n"
    response = Response(kept["text"], content_type="application/json")
    response.headers["Cache-Control"] = "no-cache"
    response.add_etag()
    response.make_conditional(request)
    return response


def document(app: Flask) -> dict[str, Any]:
    """The whole OpenAPI document of an app."""
    words = load("openapi.yaml")
    made = _bare(app)
    made["info"] |= words["info"]
    made["servers"] = [{"url": "/", "description": "This service"}]
    made["tags"] = [{"name": name, "description": text} for name, text in words["tags"].items()]
    for operation in operations(app, made):
        _complete(operation)
    for item in made["paths"].values():
        for parameter in item.get("parameters", []):
            parameter["description"] = words["parameters"][parameter["name"]]
    components = made["components"]
    components["securitySchemes"] = {"key": words["key"]}
    components["headers"] = words["headers"]
    components["responses"] = responses.shared()
    # flask-smorest's own paging, which we don't use.
    components["schemas"].pop("PaginationMetadata", None)
    for name, more in words["schemas"].items():
        components["schemas"][name] |= copy.deepcopy(more)
    examples.put_into(made)
    made["webhooks"] = {one.name: _webhook(one, words["webhook"]) for one in _types()}
    return made


def operations(app: Flask, made: dict[str, Any] | None = None) -> Iterator[Operation]:
    """Every operation of the contract, each once."""
    paths = (made or _bare(app))["paths"]
    for rule in app.url_map.iter_rules():
        path = rule.rule
        for argument in rule.arguments:
            path = path.replace(f"<path:{argument}>", f"{{{argument}}}")
            path = path.replace(f"<{argument}>", f"{{{argument}}}")
        for method in METHODS:
            if method.upper() in (rule.methods or ()) and method in paths.get(path, {}):
                view = app.view_functions[rule.endpoint]
                yield Operation(rule.endpoint, path, method, view, paths[path][method])


def _types() -> Iterable[types.Type]:
    return types.catalogue().values()


def _webhook(type_: types.Type, words: dict[str, Any]) -> dict[str, Any]:
    """What an endpoint receives of one type."""
    parameters = [
        {"name": name, "in": "header", "required": True, **copy.deepcopy(told)}
        for name, told in words["headers"].items()
    ]
    content = {
        "schema": copy.deepcopy(types.message(type_)),
        "example": types.example(type_),
    }
    body = {"required": True, "content": {"application/json": content}}
    told = {"summary": type_.says, "operationId": f"webhook.{type_.name}", "security": []}
    responses_ = copy.deepcopy(words["responses"])
    return {
        "post": {**told, "parameters": parameters, "requestBody": body, "responses": responses_}
    }


def _bare(app: Flask) -> dict[str, Any]:
    api: Api = app.extensions["loyalty_api"]
    # A copy: the spec hands out its own dictionaries.
    made: dict[str, Any] = copy.deepcopy(api.spec.to_dict())
    return made


def _complete(operation: Operation) -> None:
    """Add what no schema says: name, guard, idempotency key, every refusal, headers."""
    said, guard = operation.said, operation.guard
    said["operationId"] = operation.id
    said["security"] = [] if guard == PUBLIC else [{"key": []}]
    if guard != PUBLIC:
        scopes = f"Scopes: {', '.join(sorted(guard))}."
        said["description"] = "\n\n".join(filter(None, (said.get("description"), scopes)))
        said["x-scopes"] = sorted(guard)
    for parameter in said.get("parameters", []):
        _without_null(parameter["schema"])
    if operation.is_writing_post:
        said.setdefault("parameters", []).append(copy.deepcopy(KEY_PARAMETER))
    if operation.is_speaking:
        said.setdefault("parameters", []).append(copy.deepcopy(LANGUAGE_PARAMETER))
    told = (CONTENT_LANGUAGE, "Vary") if operation.is_speaking else ()
    good = {status: one for status, one in said["responses"].items() if status.startswith("2")}
    for one in good.values():
        one["headers"] = responses.headers(*told, replayed=operation.is_writing_post)
    said["responses"] = good | responses.of(operation.refusals)


def _without_null(schema: dict[str, Any]) -> None:
    # A query string has no null: a parameter is left out instead.
    if isinstance(schema.get("type"), list):
        (schema["type"],) = [one for one in schema["type"] if one != "null"]
    if schema.get("default", True) is None:
        del schema["default"]
