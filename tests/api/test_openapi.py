"""/openapi.json: the whole contract, well formed, and the same as the committed copy."""

import copy
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openapi_spec_validator
import pytest
from flask import Flask
from jsonschema import Draft202012Validator, FormatChecker
from openapi_spec_validator.validation.exceptions import OpenAPIValidationError

from loyalty_service import create_app, errors
from loyalty_service.api import openapi, refusing
from loyalty_service.api.guard import PUBLIC, declared
from loyalty_service.config import Config
from loyalty_service.domain import codes, members
from loyalty_service.domain.earning import explained
from loyalty_service.domain.events import table as event_table
from loyalty_service.domain.ledger.moves import KINDS
from loyalty_service.domain.notices import types
from loyalty_service.domain.orders import table
from loyalty_service.domain.program.document import RewardType

COMMITTED = Path(__file__).resolve().parents[2] / "docs" / "openapi.json"
FORMATS = FormatChecker()
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


def test_it_is_made_once_and_served_the_same_however_often(app: Flask) -> None:
    client = app.test_client()
    first, second = client.get("/openapi.json"), client.get("/openapi.json")
    assert first.data == second.data
    assert set(app.extensions["loyalty_contract"]) == {"text"}
    known = {"If-None-Match": first.headers["ETag"]}
    again = client.get("/openapi.json", headers=known)
    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["Request-Id"] != first.headers["Request-Id"]


def test_it_is_valid_openapi_3_1(document: dict[str, Any]) -> None:
    openapi_spec_validator.validate(document)
    broken = copy.deepcopy(document)
    broken["paths"]["/v1/orders"]["post"]["responses"]["201"].pop("description")
    with pytest.raises(OpenAPIValidationError):
        openapi_spec_validator.validate(broken)


def test_it_has_the_frame_of_openapi_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"] == "3.1.0"
    info = document["info"]
    assert info["title"] and info["version"] and info["description"]
    assert info["license"]["identifier"] == "Apache-2.0"
    assert "contact" not in info
    assert [server["url"] for server in document["servers"]] == ["/"]
    parts = {"openapi", "info", "paths", "webhooks", "components", "tags", "servers"}
    assert set(document) == parts
    assert all(path.startswith("/") for path in document["paths"])


def test_every_route_is_in_it_and_nothing_else(app: Flask, document: dict[str, Any]) -> None:
    routes = {
        (method, re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule))
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) & METHODS
        if not rule.endpoint.startswith(("docs.", "metrics.", "openapi."))
    }
    assert {(method, path) for method, path, _ in operations(document)} == routes


def is_writing(method: str, path: str) -> bool:
    """A quote writes nothing, and what Stripe tells is named by Stripe."""
    return method == "POST" and path not in ("/v1/quotes", "/webhooks/stripe")


def test_every_operation_says_what_it_does_and_who_may(
    app: Flask, document: dict[str, Any]
) -> None:
    guards = {(one.method.upper(), one.path): one.guard for one in openapi.operations(app)}
    for method, path, operation in operations(document):
        assert operation["summary"].strip(), path
        guard = guards[(method, path)]
        assert operation["security"] == ([] if guard == PUBLIC else [{"key": []}])
        if guard != PUBLIC:
            assert all(scope in operation["description"] for scope in guard)
            assert set(operation["x-scopes"]) == guard
    assert document["components"]["securitySchemes"]["key"]["scheme"] == "bearer"


def test_every_operation_answers_a_schema_or_a_problem(document: dict[str, Any]) -> None:
    for method, path, operation in operations(document):
        responses = operation["responses"]
        assert responses["default"] == {"$ref": "#/components/responses/Problem"}
        assert any(status.startswith("2") for status in responses), (method, path)
        for status, told in responses.items():
            said = resolved(document, told)
            (media_type,) = said["content"]
            assert said["content"][media_type]["schema"]
            is_good = status.startswith("2")
            assert media_type == ("application/json" if is_good else "application/problem+json")
            assert "Request-Id" in said["headers"]


def test_the_other_good_answers_are_there(document: dict[str, Any]) -> None:
    for path, statuses in (
        ("/v1/members", {"200", "201"}),
        ("/v1/orders", {"200", "201"}),
        ("/v1/orders/{order_id}/cancel", {"200"}),
        ("/v1/orders/{order_id}/refunds", {"200", "201", "202"}),
        ("/v1/events", {"200", "201"}),
        ("/v1/quotes", {"200"}),
        ("/v1/adjustments", {"201", "202"}),
        ("/v1/approvals/{approval_id}/approve", {"200"}),
        ("/v1/approvals/{approval_id}/reject", {"200"}),
        ("/v1/redemptions", {"201", "202"}),
        ("/v1/redemptions/{redemption_id}/cancel", {"200", "202"}),
        ("/v1/transactions/{transaction_id}/reverse", {"201"}),
    ):
        found = document["paths"][path]["post"]["responses"]
        assert {status for status in found if status.startswith("2")} == statuses, path


def test_every_post_that_writes_and_no_other_call_takes_an_idempotency_key(
    document: dict[str, Any],
) -> None:
    for method, path, operation in operations(document):
        keys = [
            parameter
            for parameter in operation.get("parameters", [])
            if parameter["name"] == "Idempotency-Key"
        ]
        assert len(keys) == (1 if is_writing(method, path) else 0), path
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
        for field, told in schema["properties"].items():
            said = told if "type" in told else nested(document, told)
            types = [said["type"]] if isinstance(said["type"], str) else said["type"]
            assert types, (name, field)
            if "integer" in types:
                assert {"minimum", "maximum"} <= set(said), (name, field)
            if "string" in types and not {"format", "enum"} & set(said):
                assert {"minLength", "maxLength", "pattern"} <= set(said), (name, field)


def nested(document: dict[str, Any], told: dict[str, Any]) -> dict[str, Any]:
    """The schema of an object inside another; it may be left out as null."""
    (reference,) = [one["$ref"] for one in (told, *told.get("anyOf", ())) if "$ref" in one]
    return dict(document["components"]["schemas"][reference.rpartition("/")[2]])


def test_the_patterns_are_ecma(document: dict[str, Any]) -> None:
    for pattern in re.findall(r'"pattern": "([^"]+)"', json.dumps(document)):
        assert "\\\\Z" not in pattern and "(?P<" not in pattern


def test_every_operation_has_a_name_a_tag_that_is_explained_and_named_parameters(
    document: dict[str, Any],
) -> None:
    tags = {tag["name"]: tag["description"] for tag in document["tags"]}
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"[a-z]+\.[a-z]+", name) for name in names)
    for _, path, operation in operations(document):
        (tag,) = operation["tags"]
        assert tags[tag].endswith((".", "?"))
        assert operation["operationId"].startswith(f"{tag}.")
        for parameter in document["paths"][path].get("parameters", []):
            assert parameter["description"]
    assert {operation["tags"][0] for _, _, operation in operations(document)} == set(tags)


def test_every_closed_word_is_an_enum(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    for name, field, words in (
        ("MemberOut", "status", tuple(members.TRANSITIONS)),
        ("MemberChange", "status", tuple(members.TRANSITIONS)),
        ("RedemptionOut", "status", tuple(codes.TRANSITIONS)),
        ("TransactionOut", "kind", KINDS),
        ("OrderOut", "status", (table.RECORDED, table.WAITING, table.CANCELLED)),
        ("RefundOut", "status", (table.WAITING, table.SETTLED, table.REFUSED)),
        ("EventOut", "status", (event_table.RECORDED, event_table.WAITING)),
        ("RewardOut", "type", tuple(kind.value for kind in RewardType)),
        ("Problem", "code", tuple(kind.code for kind in errors.catalogue())),
        ("MemberOut", "object", ("member",)),
    ):
        assert tuple(schemas[name]["properties"][field]["enum"]) == words
    for name, schema in schemas.items():
        if "object" in schema.get("properties", {}):
            assert schema["properties"]["object"]["enum"], name
            assert "object" in schema["required"], name


def test_an_explanation_has_just_the_fields_that_the_domain_gives_it(
    document: dict[str, Any],
) -> None:
    schemas = document["components"]["schemas"]
    for name, shape in (
        ("ExplanationOut", explained.Explanation),
        ("RuleShareOut", explained.RuleShare),
        ("PartOut", explained.Part),
        ("BonusOut", explained.Bonus),
    ):
        assert set(schemas[name]["properties"]) == set(shape.__annotations__), name
        assert set(schemas[name]["required"]) == set(shape.__required_keys__), name


def test_a_refund_says_that_it_is_of_an_amount_or_of_lines(document: dict[str, Any]) -> None:
    rooted = {**document["components"]["schemas"]["RefundIn"], "components": document["components"]}
    said = Draft202012Validator(rooted)
    lines = [{"sku": "brush", "quantity": 1}]
    for given, is_right in (
        ({"amount": 5}, True),
        ({"lines": lines}, True),
        ({"lines": lines, "amount": None}, True),
        ({}, False),
        ({"amount": None, "lines": None}, False),
        ({"amount": 5, "lines": lines}, False),
    ):
        assert said.is_valid({"id": "one", **given}) == is_right, given


def test_the_headers_are_where_they_are_sent(document: dict[str, Any]) -> None:
    for method, path, operation in operations(document):
        for status, told in operation["responses"].items():
            names = set(resolved(document, told)["headers"])
            assert ("WWW-Authenticate" in names) == (status == "401")
            assert ("Retry-After" in names) == (status == "503")
            assert ("Allow" in names) == (status == "default")
            if status.startswith("2"):
                assert ("Idempotent-Replayed" in names) == is_writing(method, path)
            assert names <= set(document["components"]["headers"])


def test_every_refusal_stands_under_its_status(document: dict[str, Any]) -> None:
    statuses = {kind.code: kind.status for kind in errors.catalogue()}
    for _, _, operation in operations(document):
        for status, named in codes_by_status(document, operation).items():
            assert {statuses[code] for code in named} == {int(status)}
            told = resolved(document, operation["responses"][status])["description"]
            assert all(f"`{code}`" in told for code in named)


def test_every_refusal_is_declared_somewhere(document: dict[str, Any]) -> None:
    declared_codes = {
        code
        for _, _, operation in operations(document)
        for codes in codes_by_status(document, operation).values()
        for code in codes
    }
    rest = {kind.code for kind in refusing.REST}
    # The root of the refusals by state has a code, and nothing answers it.
    assert declared_codes | rest | {"refused"} == {kind.code for kind in errors.catalogue()}
    assert not declared_codes & rest


def test_every_example_fits_its_schema(document: dict[str, Any]) -> None:
    found = list(examples_of(document))
    assert len(found) > 50
    for where, schema, value in found:
        rooted = {**schema, "components": document["components"]}
        faults = list(Draft202012Validator(rooted, format_checker=FORMATS).iter_errors(value))
        assert faults == [], where


def test_every_type_of_webhook_is_there_with_an_example_that_fits(
    document: dict[str, Any],
) -> None:
    assert list(document["webhooks"]) == list(types.names())
    for name, item in document["webhooks"].items():
        told = item["post"]
        assert {one["name"] for one in told["parameters"]} == {
            "webhook-id",
            "webhook-timestamp",
            "webhook-signature",
        }
        said = told["requestBody"]["content"]["application/json"]
        strict = {**said["schema"], "additionalProperties": False}
        faults = Draft202012Validator(strict, format_checker=FORMATS).iter_errors(said["example"])
        assert list(faults) == [], name
        assert said["example"]["type"] == name


def test_every_guard_is_one_that_was_declared(app: Flask) -> None:
    assert all(declared(view) for view in app.view_functions.values())


def resolved(document: dict[str, Any], told: dict[str, Any]) -> dict[str, Any]:
    """A response, also where it is one that operations share."""
    name = told.get("$ref", "").removeprefix("#/components/responses/")
    return dict(document["components"]["responses"][name] if name else told)


def codes_by_status(document: dict[str, Any], operation: dict[str, Any]) -> dict[str, list[str]]:
    """The codes that an operation may refuse with."""
    found = {}
    for status, told in operation["responses"].items():
        if status[0] in "45":
            schema = resolved(document, told)["content"]["application/problem+json"]["schema"]
            found[status] = schema["allOf"][1]["properties"]["code"]["enum"]
    return found


def examples_of(value: Any, where: str = "") -> Iterator[tuple[str, dict[str, Any], Any]]:
    """Every example beside a schema: where it stands, the schema, the value."""
    if isinstance(value, dict):
        for name, example in value.get("examples", {}).items() if "schema" in value else ():
            yield f"{where}/{name}", value["schema"], example["value"]
        for key, inner in value.items():
            yield from examples_of(inner, f"{where}/{key}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from examples_of(inner, f"{where}/{index}")


if __name__ == "__main__":
    made = create_app(Config(database_url="sqlite:////nowhere/contract.db", log_level="error"))
    with made.app_context():
        text = json.dumps(openapi.document(made), indent=1, ensure_ascii=False, sort_keys=True)
    COMMITTED.write_text(text + "\n")
