"""The examples of the contract are true: the story is told, and each answer is the one written."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
import requests
from flask import Flask

from loyalty_service import clock
from loyalty_service.api import examples, openapi
from loyalty_service.config import Config
from loyalty_service.fulfilment import issuers_for
from loyalty_service.sandbox import server as stripe_sandbox
from tests.api import storytelling
from tests.shop import DEFAULT_PROGRAM, Shop, with_offers, with_rewards
from tests.stripe_control import StripeControl

STORY = examples.story()
MOST_COMMON = {
    "insufficient_points",
    "validation_failed",
    "idempotency_key_reused",
    "key_missing",
    "scope_missing",
    "member_not_found",
    "body_too_large",
    "unsupported_media_type",
}


@pytest.fixture
def stripe_of_the_story() -> Iterator[StripeControl]:
    """A Stripe that lives on the story's first day."""
    begins_at = datetime.fromisoformat(STORY["begins_at"])
    with stripe_sandbox.serve() as server:
        moved = {"advance_seconds": int((begins_at - clock.wall()).total_seconds())}
        requests.post(f"{server.url}/_sandbox/clock", json=moved, timeout=10)
        yield StripeControl(server.url)


@pytest.fixture
def shop_of_the_story(
    app: Flask, stripe_of_the_story: StripeControl, monkeypatch: pytest.MonkeyPatch
) -> Shop:
    """A new shop on that day."""
    begins_at = datetime.fromisoformat(STORY["begins_at"])
    config: Config = app.config["LOYALTY"]
    issuers = issuers_for(replace(config, stripe_api_base=stripe_of_the_story.url))
    monkeypatch.setitem(app.extensions, "code_issuers", issuers)
    with clock.stopped_at(begins_at):
        return Shop.open(
            app, with_offers(with_rewards(DEFAULT_PROGRAM, STORY["rewards"]), STORY["offers"])
        )


@pytest.mark.slow
def test_every_example_is_what_the_service_answers(
    shop_of_the_story: Shop, stripe_of_the_story: StripeControl
) -> None:
    for step, written, real in storytelling.tell(shop_of_the_story, stripe_of_the_story, STORY):
        assert real == written, step["id"]


def test_every_good_answer_of_every_operation_has_an_example(app: Flask) -> None:
    told = {(step["operation"], str(step["status"])) for step in STORY["steps"]}
    for operation in openapi.operations(app):
        if operation.id == "stripe.receive":
            # An example would have to be signed within five minutes.
            continue
        for status in operation.said["responses"]:
            if status.startswith("2"):
                assert (operation.id, status) in told


def test_the_most_common_refusals_have_an_example() -> None:
    told = {step["answer"]["code"] for step in STORY["steps"] if step["status"] >= 400}
    assert told >= MOST_COMMON


def test_every_example_stands_in_the_contract(app: Flask) -> None:
    with app.app_context():
        document = openapi.document(app)
    found = set(_ids(document))
    assert {step["id"] for step in STORY["steps"]} == found


def test_two_tellings_differ_only_in_what_is_their_own() -> None:
    one, other = storytelling.Names(), storytelling.Names()
    first = {"id": f"mem_{'a' * 26}", "hash": "0" * 64, "again": f"mem_{'a' * 26}"}
    second = {"id": f"mem_{'b' * 26}", "hash": "1" * 64, "again": f"mem_{'b' * 26}"}
    third = second | {"again": f"mem_{'c' * 26}"}
    assert one.plain(first) == other.plain(second)
    assert one.plain(first) != storytelling.Names().plain(third)


def _ids(value: Any) -> Iterator[str]:
    """The name of every example anywhere in the document."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "examples" and isinstance(inner, dict):
                yield from inner
            else:
                yield from _ids(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _ids(inner)
