"""Hostile bodies to every call that takes one: the right refusal, and nothing written.

What is answered and logged meanwhile is overheard, and holds nothing secret.
"""

import json
import re
import uuid
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.api.bombs import BOMBS, GOOD, LIMIT_BYTES, UNKNOWN, Bomb, chunked
from tests.api.contract import nothing_written, problem
from tests.api.overheard import CANARY
from tests.api.routes import Call, Things, calls, fields_of, guarded
from tests.shop import Shop

pytestmark = pytest.mark.usefixtures("overheard")

# No field of any call takes these: too great, too long, of the wrong type, or no text.
NEVER_RIGHT = (
    10**400,
    -(10**400),
    json.loads("[" * 300 + "]" * 300),
    {"$ne": None},
    {"email": CANARY},
    [CANARY] * 10000,
    CANARY + "x" * 900000,
    f"{CANARY}\x00",
    f"{CANARY}\ud800",
    f"{CANARY}\x1b[2J",
    True,
    1.5,
)


def drop(shop: Shop, call: Call, path: str, bomb: Bomb, key: str) -> TestResponse:
    headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": str(uuid.uuid4())}
    if bomb.encoding:
        headers["Content-Encoding"] = bomb.encoding
    return shop.app.test_client().open(
        path, method=call.method, data=bomb.raw, content_type=bomb.content_type, headers=headers
    )


def taking_bodies(shop: Shop) -> list[Call]:
    return [call for call in guarded(shop.app) if call.takes_a_body]


@pytest.mark.slow
def test_a_bomb_is_refused_by_every_call_that_takes_a_body(things: Things) -> None:
    shop, wrong = things.shop, []
    with nothing_written(shop.app):
        for call in taking_bodies(shop):
            for name, bomb in BOMBS.items():
                answer = drop(shop, call, call.path(things.ids), bomb, shop.keys["admin"])
                told = answer.json or {}
                found = (answer.status_code, told.get("code"))
                if found != bomb.answer or len(answer.data) > 100_000 or len(told["errors"]) > 100:
                    wrong.append((call, name, found))
    assert wrong == []


@pytest.mark.slow
def test_a_bomb_without_a_key_is_not_even_read(things: Things) -> None:
    shop = things.shop
    with nothing_written(shop.app):
        for call in taking_bodies(shop):
            for bomb in BOMBS.values():
                answer = drop(shop, call, call.path(things.ids), bomb, "lk_default_wrong")
                problem(answer, 401, "key_unknown")


@pytest.mark.slow
def test_a_call_that_takes_no_body_does_not_mind_one(things: Things) -> None:
    shop = things.shop
    with nothing_written(shop.app):
        for call in calls(shop.app):
            if call.takes_a_body or call.method == "DELETE":
                # What is deleted is not there for the next one.
                continue
            path, key = call.path(things.ids), shop.keys["admin"]
            for bomb in BOMBS.values():
                assert drop(shop, call, path, bomb, key).status_code == 200


def test_a_body_in_chunks_meets_the_same_limit(things: Things) -> None:
    shop = things.shop
    long = b'{"bomb": "' + b"x" * LIMIT_BYTES + b'"}'
    with nothing_written(shop.app):
        for call in taking_bodies(shop):
            if call.method == "POST":
                path = call.path(things.ids)
                assert chunked(shop, path, long)["code"] == "body_too_large"
                assert chunked(shop, path, GOOD.encode())["code"] == UNKNOWN[1]


@pytest.mark.slow
@pytest.mark.parametrize("length", ["-1", "abc", "1e3", "", " 5", "5, 5", "99999999999999999999"])
def test_a_length_that_is_a_lie_is_no_bug(things: Things, length: str) -> None:
    shop = things.shop
    with nothing_written(shop.app):
        for call in taking_bodies(shop):
            if call.method == "POST" and things.body(call):
                told = chunked(shop, call.path(things.ids), GOOD.encode(), CONTENT_LENGTH=length)
                assert told["status"] in (400, 413, 422)


@pytest.mark.slow
def test_no_field_of_any_call_takes_what_is_never_right(things: Things) -> None:
    shop = things.shop
    tried = 0
    with nothing_written(shop.app):
        for call in taking_bodies(shop):
            for field in fields_of(shop.app, call):
                for value in NEVER_RIGHT:
                    body = {**(things.body(call) or {}), field: value}
                    told = problem(
                        shop.call(call.method, call.path(things.ids), body, who="admin"),
                        422,
                        "validation_failed",
                    )
                    named = [fault["param"] for fault in told["errors"]]
                    assert named[0] == told["param"]
                    # An object inside the body may be wrong in several places.
                    assert all(re.match(rf"{field}(?![a-z])", param) for param in named), told
                    tried += 1
    assert tried > 200


@pytest.mark.slow
def test_a_number_is_never_made_as_great_as_it_pretends_to_be(things: Things) -> None:
    shop = things.shop
    with nothing_written(shop.app):
        for call in taking_bodies(shop):
            for field in fields_of(shop.app, call):
                for number in ("1e999999", "-1e999999", "1e-999999", "1" * 4000):
                    raw = with_a_field(things, call, field, number)
                    answer = drop(
                        shop,
                        call,
                        call.path(things.ids),
                        Bomb(raw.encode(), UNKNOWN),
                        shop.keys["admin"],
                    )
                    problem(answer, *UNKNOWN)


def with_a_field(things: Things, call: Call, field: str, number: str) -> str:
    """A good body's text with one field as a number that Python would not write so."""
    body: dict[str, Any] = {**(things.body(call) or {}), field: "HERE"}
    return json.dumps(body).replace('"HERE"', number)
