"""What the contract's tests share: wrong requests in a table, problems checked, rows counted."""

import copy
import json
import re
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from loyalty_service import db
from loyalty_service.db import Base
from tests.shop import DEFAULT_PROGRAM, Shop

MISSING = object()
PROBLEM_FIELDS = {
    "type",
    "title",
    "status",
    "detail",
    "code",
    "param",
    "errors",
    "retryable",
    "customer_message",
    "request_id",
}

# Values that are wrong for each type of field, and the code of the rule that they break.
WRONG_TEXTS = [
    (5, "wrong_type"),
    (True, "wrong_type"),
    ([], "wrong_type"),
    ({}, "wrong_type"),
    (None, "wrong_type"),
    ("", "too_short"),
    ("a\x00b", "wrong_format"),
    ("a\x1bb", "wrong_format"),
    ("a\x7fb", "wrong_format"),
    ("\ud800", "wrong_format"),
    ("x" * 2001, "too_long"),
]
WRONG_WHOLES = [
    ("5", "wrong_type"),
    (True, "wrong_type"),
    (False, "wrong_type"),
    (5.5, "wrong_type"),
    ([5], "wrong_type"),
    ({"points": 5}, "wrong_type"),
    (10**30, "above_maximum"),
    (-(10**30), "below_minimum"),
    (2**53, "above_maximum"),
]
WRONG_MOMENTS = [
    (5, "wrong_type"),
    (None, "wrong_type"),
    ("yesterday", "wrong_format"),
    ("2026-03-01", "wrong_format"),
    ("2026-03-01T09:30:00", "wrong_format"),
    ("2026-02-30T09:30:00Z", "wrong_format"),
    ("2026-03-01T25:30:00Z", "wrong_format"),
    ("1066-10-14T09:30:00Z", "below_minimum"),
    ("9999-12-31T23:59:59-12:00", "wrong_format"),
    ("2201-01-01T00:00:00Z", "above_maximum"),
]

Cases = Iterable[tuple[str, Any, str]]


def each(field: str, values: Iterable[tuple[Any, str]]) -> list[tuple[str, Any, str]]:
    """The same wrong values for one field."""
    return [(field, value, code) for value, code in values]


def send(
    shop: Shop,
    method: str,
    path: str,
    raw: str | bytes | None,
    *,
    who: str = "checkout",
    content_type: str | None = "application/json",
    **headers: str,
) -> TestResponse:
    """A call whose body is sent byte for byte."""
    sent = {"Authorization": f"Bearer {shop.keys[who]}", "Idempotency-Key": str(uuid.uuid4())}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    return shop.app.test_client().open(
        path, method=method, data=raw, content_type=content_type, headers=sent
    )


def asked(path: str, **query: str | int) -> str:
    """An address with its query."""
    return f"{path}?{urlencode(query)}"


def problem(answer: TestResponse, status: int, code: str, param: Any = MISSING) -> dict[str, Any]:
    """The problem of a refusal, after its shape, status, code and param were checked."""
    assert (answer.status_code, (answer.json or {}).get("code")) == (status, code), answer.text
    body: dict[str, Any] = answer.json or {}
    assert answer.content_type == "application/problem+json"
    assert set(body) == PROBLEM_FIELDS
    assert body["status"] == status
    assert body["request_id"]
    assert answer.headers["Request-Id"].startswith("req_")
    assert body["detail"] and body["title"] and body["type"].endswith(f"#{code}")
    if param is not MISSING:
        assert body["param"] == param, body
    return body


def require_all_refused(
    shop: Shop, method: str, path: str, good: dict[str, Any], cases: Cases, who: str = "checkout"
) -> None:
    """Each wrong field is 422 naming the field and the rule; nothing at all is written."""
    accepted = []
    with nothing_written(shop.app):
        for field, value, code in cases:
            answer = send(shop, method, path, json.dumps(changed(good, field, value)), who=who)
            told = answer.json or {}
            faults = [(fault["param"], fault["code"]) for fault in told.get("errors", [])]
            found = (answer.status_code, told.get("code"), told.get("param"), faults)
            if found != (422, "validation_failed", field, [(field, code)]):
                accepted.append((field, str(value)[:40], code, found))
    assert accepted == []


def changed(good: dict[str, Any], field: str, value: Any) -> dict[str, Any]:
    """A copy of a body with one field set or missing; `lines[0].sku` reaches inside."""
    body = copy.deepcopy(good)
    *steps, last = [
        int(step) if step.isdecimal() else step for step in re.findall(r"[^.\[\]]+", field)
    ]
    inner: Any = body
    for step in steps:
        inner = inner[step]
    if value is MISSING:
        del inner[last]
    else:
        inner[last] = value
    return body


def contents(app: Flask) -> dict[str, list[str]]:
    """Every row of every table."""
    with app.app_context():
        return db.read(
            lambda session: {
                name: sorted(str(tuple(row)) for row in session.execute(select(table)))
                for name, table in Base.metadata.tables.items()
            }
        )


@contextmanager
def nothing_written(app: Flask, *, except_keys: bool = False) -> Iterator[None]:
    """No row of any table comes, goes or changes; a business refusal may keep its key."""
    before = contents(app)
    yield
    after = contents(app)
    if except_keys:
        before.pop("idempotency_keys")
        after.pop("idempotency_keys")
    assert after == before


def another_program(app: Flask, *edits: tuple[str, str]) -> Shop:
    """A second shop in the same deployment; edits change the text of its program."""
    return Shop.open(app, program_text(("id: default", "id: other"), *edits))


def program_text(*edits: tuple[str, str]) -> str:
    """The default program with some of its text replaced."""
    text = DEFAULT_PROGRAM
    for old, new in edits:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text
