"""The whole API against requests drawn from its own contract, good and bad, alone and in stories.

`FUZZ_EXAMPLES` draws more for each operation than the few of `make test`; `FUZZ_SEED` draws other
ones, or the same again.
"""

import itertools
import os
from typing import Any

import pytest
from flask import Flask
from hypothesis import seed
from schemathesis import checks as theirs

from tests.api.contract import another_program
from tests.machines.fuzzing import CHECKS, LEFT_OUT, Fuzzer, machine_of, settings_of
from tests.shop import Shop

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "4"))
STORIES = int(os.environ.get("FUZZ_STORIES", "6"))
FIXED_SEED = int(os.environ.get("FUZZ_SEED", "20261121"))

pytestmark = pytest.mark.slow


@pytest.fixture
def document(app: Flask) -> dict[str, Any]:
    return dict(app.test_client().get("/openapi.json").json or {})


@pytest.fixture
def fuzzer(shop: Shop, document: dict[str, Any]) -> Fuzzer:
    return Fuzzer(shop, document)


def test_no_request_breaks_the_contract(fuzzer: Fuzzer) -> None:
    fuzzer.each_operation(FIXED_SEED, EXAMPLES)
    assert fuzzer.sent


def test_no_story_breaks_the_contract(shop: Shop, document: dict[str, Any]) -> None:
    numbers = itertools.count(1)

    def open_shop() -> Shop:
        return another_program(shop.app, ("id: other", f"id: story-{next(numbers)}"))

    fuzzer = Fuzzer(shop, document)
    story = seed(FIXED_SEED)(machine_of(fuzzer, open_shop))
    story.run(settings=settings_of(STORIES, stateful_step_count=8))
    assert fuzzer.sent


def test_every_check_is_made_or_left_out_for_a_reason() -> None:
    known = set(theirs.CHECKS.get_all_names())
    made = {check.__name__ for check in CHECKS}
    assert known <= made | set(LEFT_OUT)
    assert not made & set(LEFT_OUT)
