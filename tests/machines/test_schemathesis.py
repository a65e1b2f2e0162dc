"""The whole API against requests drawn from its own contract, good and bad, alone and in stories.

Each is drawn twice: from a seed that never changes, and from one of this run, which is told at the
end and can be sent again as `FUZZ_SEED`. `FUZZ_EXAMPLES` draws more for each operation than the few
of `make test`, `FUZZ_STORIES` more stories; `make fuzz` sends thousands of requests.
"""

import itertools
import os
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from hypothesis import seed
from schemathesis import checks as theirs

from tests.api.contract import another_program
from tests.machines import seeds
from tests.machines.fuzzing import CHECKS, Fuzzer, again_while_flaky, machine_of, settings_of
from tests.shop import Shop

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "4"))
STORIES = int(os.environ.get("FUZZ_STORIES", "6"))

# What schemathesis could check as well, and why it does not here.
LEFT_OUT = {
    "positive_data_acceptance": "well formed requests are refused by the shop's rules (422) too; "
    "`what_the_contract_allows_is_well_formed` tells the two apart",
    "missing_required_header": "the one such header, Idempotency-Key, is sent by the fuzzer; "
    "tests/api/test_keys.py leaves it out of every POST",
    "ignored_auth": "tests/api/test_security.py tries every call without a key and with unfit ones",
    "object_level_authorization": "needs a second caller; tests/api/test_security.py has one",
    "use_after_free": "nothing can be deleted",
    "ensure_resource_availability": "takes every POST for a creation whose address ends in its "
    "id, and a replayed member or order is 200 with another request's content",
}

slow = pytest.mark.slow


@pytest.fixture(params=seeds.KINDS)
def chosen_seed(request: pytest.FixtureRequest) -> int:
    return seeds.of(request.param, "FUZZ_SEED")


@pytest.fixture
def document(app: Flask) -> dict[str, Any]:
    return dict(app.test_client().get("/openapi.json").json or {})


@pytest.fixture
def fuzzer(
    shop: Shop, document: dict[str, Any], chosen_seed: int, request: pytest.FixtureRequest
) -> Iterator[Fuzzer]:
    made = Fuzzer(shop, document)
    yield made
    seeds.tell(request, f"FUZZ_SEED={chosen_seed}, {made.sent} requests")
    assert made.sent


@slow
def test_no_request_breaks_the_contract(fuzzer: Fuzzer, chosen_seed: int) -> None:
    fuzzer.each_operation(chosen_seed, EXAMPLES)
    assert fuzzer.failures == []


@slow
def test_no_story_breaks_the_contract(fuzzer: Fuzzer, chosen_seed: int) -> None:
    numbers = itertools.count(1)

    def open_shop() -> Shop:
        return another_program(fuzzer.shop.app, ("id: other", f"id: story-{next(numbers)}"))

    def run(one_seed: int) -> None:
        story = seed(one_seed)(machine_of(fuzzer, open_shop, one_seed))
        story.run(settings=settings_of(STORIES, stateful_step_count=8))

    again_while_flaky(chosen_seed, run)
    assert fuzzer.failures == []


def test_the_checks_left_out_are_those_that_are_not_made_each_for_a_reason() -> None:
    known = set(theirs.CHECKS.get_all_names())
    made = {check.__name__ for check in CHECKS}
    assert set(LEFT_OUT) == known - made
    assert all(LEFT_OUT.values())
