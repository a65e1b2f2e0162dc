"""/openapi.json: the whole contract, well formed, and the same as the committed copy."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from loyalty_service import create_app
from loyalty_service.api import openapi
from loyalty_service.api.guard import PUBLIC, declared
from loyalty_service.config import Config

COMMITTED = Path(__file__).resolve().parents[2] / "docs" / "openapi.json"
METHODS = {"GET", "POST", "PATCH", "PUT", "DELETE"}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """The service; the contract needs no database."""
    folder = tmp_path_factory.mktemp("contract")
    return create_app(Config(database_url=f"sqlite:///{folder / 'none.db'}", log_level="error"))


@pytest.fixture(scope="module")
def document(app: Flask) -> dict[str, Any]:
    served = app.test_client().get("/openapi.json")
    assert (served.status_code, served.mimetype) == (200, "application/json")
    return dict(served.json or {})


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method.upper() in METHODS:
                yield method.upper(), path, operation


def test_the_committed_copy_is_what_the_service_serves(document: dict[str, Any]) -> None:
    assert json.loads(COMMITTED.read_text()) == document, (
        "the contract changed: write it with `python -m tests.api.test_openapi`"
    )


def test_it_is_served_the_same_however_often(app: Flask, document: dict[str, Any]) -> None:
    assert app.test_client().get("/openapi.json").json == document


def test_it_has_the_frame_of_openapi_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"] == "3.1.0"
    assert document["info"]["title"] and document["info"]["version"]
    assert set(document) <= {"openapi", "info", "paths", "components", "tags", "servers"}
    assert all(path.startswith("/") for path in document["paths"])


def test_every_route_is_in_it_and_nothing_else(app: Flask, document: dict[str, Any]) -> None:
    routes = {
        (method, re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule))
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) & METHODS
    }
    assert {(method, path) for method, path, _ in operations(document)} == routes


def test_every_operation_says_what_it_does_and_who_may(
    app: Flask, document: dict[str, Any]
) -> None:
    guards = openapi._guards(app)
    for method, path, operation in operations(document):
        assert operation["summary"].strip(), path
        guard = guards[(path, method.lower())]
        assert operation["security"] == ([] if guard == PUBLIC else [{"key": []}])
        if guard != PUBLIC:
            assert all(scope in operation["description"] for scope in guard)
    assert document["components"]["securitySchemes"]["key"]["scheme"] == "bearer"


def test_every_operation_answers_a_schema_or_a_problem(document: dict[str, Any]) -> None:
    for method, path, operation in operations(document):
        responses = operation["responses"]
        assert responses["default"] == {"$ref": "#/components/responses/Problem"}
        good = {status: said for status, said in responses.items() if status != "default"}
        assert good and all(status.startswith("2") for status in good), (method, path)
        for said in good.values():
            assert all(content["schema"] for content in said["content"].values())


def test_the_other_good_answers_are_there(document: dict[str, Any]) -> None:
    for path, statuses in (
        ("/v1/members", {"200", "201"}),
        ("/v1/orders", {"200", "201"}),
        ("/v1/adjustments", {"201"}),
        ("/v1/redemptions", {"201", "202"}),
        ("/v1/redemptions/{redemption_id}/cancel", {"200", "202"}),
        ("/v1/transactions/{transaction_id}/reverse", {"201"}),
    ):
        found = set(document["paths"][path]["post"]["responses"]) - {"default"}
        assert found == statuses, path


def test_every_post_and_no_other_call_takes_an_idempotency_key(document: dict[str, Any]) -> None:
    for method, path, operation in operations(document):
        keys = [
            parameter
            for parameter in operation.get("parameters", [])
            if parameter["name"] == "Idempotency-Key"
        ]
        assert len(keys) == (1 if method == "POST" else 0), path
        assert all(key["required"] and key["in"] == "header" for key in keys)


def test_every_reference_and_every_path_parameter_resolves(document: dict[str, Any]) -> None:
    for reference in set(re.findall(r'"\$ref": "([^"]+)"', json.dumps(document))):
        found: Any = document
        for step in reference.removeprefix("#/").split("/"):
            found = found[step]
        assert found
    for path, item in document["paths"].items():
        named = {p["name"] for p in item.get("parameters", []) if p["in"] == "path"}
        for operation in (item[method] for method in item if method.upper() in METHODS):
            own = {p["name"] for p in operation.get("parameters", []) if p["in"] == "path"}
            assert named | own == set(re.findall(r"{(\w+)}", path)), path


def test_every_field_of_a_body_has_a_type_and_its_bounds(document: dict[str, Any]) -> None:
    for name, schema in document["components"]["schemas"].items():
        if not name.endswith(("In", "Change")):
            continue
        assert schema["additionalProperties"] is False, name
        for field, said in schema["properties"].items():
            types = [said["type"]] if isinstance(said["type"], str) else said["type"]
            assert types, (name, field)
            if "integer" in types:
                assert {"minimum", "maximum"} <= set(said), (name, field)
            if "string" in types and not {"format", "enum"} & set(said):
                assert {"minLength", "maxLength"} <= set(said), (name, field)


def test_the_patterns_are_ecma(document: dict[str, Any]) -> None:
    for pattern in re.findall(r'"pattern": "([^"]+)"', json.dumps(document)):
        assert "\\\\Z" not in pattern and "(?P<" not in pattern


def test_every_guard_is_one_that_was_declared(app: Flask) -> None:
    assert all(declared(view) for view in app.view_functions.values())


if __name__ == "__main__":
    made = create_app(Config(database_url="sqlite:////nowhere/contract.db", log_level="error"))
    with made.app_context():
        text = json.dumps(openapi.document(made), indent=1, ensure_ascii=False, sort_keys=True)
    COMMITTED.write_text(text + "\n")
