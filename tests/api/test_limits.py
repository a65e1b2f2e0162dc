"""What the contract says of a field is what the field refuses: no limit is told or kept alone."""

from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import marshmallow as ma
import pytest
from flask import Flask

from loyalty_service import create_app
from loyalty_service.api import (
    adjustments,
    approvals,
    events,
    members,
    openapi,
    orders,
    quotes,
    redemptions,
    refunds,
    transactions,
)
from loyalty_service.config import Config

BODIES: tuple[type[ma.Schema], ...] = (
    adjustments.AdjustmentIn,
    approvals.RejectIn,
    events.EventIn,
    members.MemberChange,
    members.MemberIn,
    orders.AmendmentIn,
    orders.LineIn,
    orders.OrderIn,
    orders.QuotedIn,
    quotes.QuoteIn,
    quotes.QuotedOrderIn,
    redemptions.RedemptionIn,
    refunds.ItemsIn,
    refunds.RefundIn,
    transactions.ReverseIn,
)
FIELDS = [(body, name) for body in BODIES for name in body().fields if name != "lines"]
TEXTS = [
    "",
    "a",
    "ab",
    "abc",
    "a b",
    "a/b",
    "/a",
    "a\nb",
    "a\tb",
    "a\x00b",
    "a\x1fb",
    "a\x7fb",
    "a\x0bb",
    "ü",
    "日本",
    "🎂" * 35,
    "ana@example.com",
    "@example.com",
    "ana@",
    "a@b@c",
    "a b@example.com",
    "ana@example.com\n",
    f"{'x' * 64}@example.com",
    f"{'x' * 65}@example.com",
    "active",
    "Active",
    "1990-03-01",
    "1990-02-30",
    "1990-3-1",
    "2026-03-01T09:30:00Z",
    "2026-03-01T09:30:00+01:00",
    "2026-03-01T09:30:00",
    "2026-03-01 09:30",
    *("x" * size for size in (2, 3, 4, 35, 36, 40, 41, 200, 201, 210, 211, 320, 321, 500, 501)),
    *("x" * size for size in (2000, 2001)),
]
OBJECTS: list[Any] = [
    {},
    {"a": 1},
    {"stars": 5, "kind": "b", "is_new": True},
    {"Stars": 5},
    {"stars": 1.5},
    {"stars": None},
    {"stars": 2**53},
    {"kind": "b" * 500},
    {"kind": "b" * 501},
    {f"field{number}": 1 for number in range(50)},
    {f"field{number}": 1 for number in range(51)},
    {"program_version": 1, "account_sequence": 0},
    {"program_version": 0, "account_sequence": 0},
    {"currency": "eur", "lines": [{"sku": "a", "quantity": 1, "unit_amount": 1}]},
]
OTHERS: list[Any] = [
    *OBJECTS,
    None,
    True,
    [],
    1.5,
    *(sign * size for size in (0, 1, 2, 10**6, 10**6 + 1, 10**12, 10**12 + 1) for sign in (1, -1)),
    2**53 - 1,
    2**53,
]


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("limits")
    app: Flask = create_app(
        Config(database_url=f"sqlite:///{folder / 'none.db'}", log_level="error")
    )
    with app.app_context():
        return openapi.document(app)


@pytest.mark.parametrize(
    ("body", "name"), FIELDS, ids=[f"{body.__name__}.{name}" for body, name in FIELDS]
)
def test_a_field_takes_just_what_the_contract_says(
    document: dict[str, Any], body: type[ma.Schema], name: str
) -> None:
    schema = document["components"]["schemas"][body.__name__]["properties"][name]
    said = jsonschema_rs.validator_for(
        {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "components": document["components"],
            **schema,
        },
        validate_formats=True,
    )
    field = body().fields[name]
    apart = [value for value in (*TEXTS, *OTHERS) if said.is_valid(value) != takes(field, value)]
    assert apart == []


def test_a_list_takes_just_as_many_as_the_contract_says(document: dict[str, Any]) -> None:
    said = document["components"]["schemas"]["OrderIn"]["properties"]["lines"]
    field = orders.OrderIn().fields["lines"]
    line = {"sku": "cream", "quantity": 1, "unit_amount": 100}
    sizes = (said["minItems"] - 1, said["minItems"], said["maxItems"], said["maxItems"] + 1)
    assert [takes(field, [line] * size) for size in sizes] == [False, True, True, False]


def test_a_query_takes_just_what_the_contract_says(document: dict[str, Any]) -> None:
    for name, said in queries(document):
        field = members.MemberQuery().fields.get(name) or members.BalanceQuery().fields.get(name)
        if field is None or said["type"] != "string":
            continue
        checked = jsonschema_rs.validator_for(said, validate_formats=True)
        assert [text for text in TEXTS if checked.is_valid(text) != takes(field, text)] == []
    limit = dict(queries(document))["limit"]
    edges = (limit["minimum"] - 1, limit["minimum"], limit["maximum"], limit["maximum"] + 1)
    field = members.MemberQuery().fields["limit"]
    assert [takes(field, str(edge)) for edge in edges] == [False, True, True, False]


def queries(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for item in document["paths"].values():
        for operation in item.values():
            for parameter in operation.get("parameters", []) if isinstance(operation, dict) else ():
                if parameter["in"] == "query":
                    yield parameter["name"], parameter["schema"]


def takes(field: ma.fields.Field[Any], value: Any) -> bool:
    try:
        field.deserialize(value)
    except ma.ValidationError:
        return False
    return True
