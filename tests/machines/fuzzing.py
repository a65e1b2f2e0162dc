"""Requests that nobody thought of, good and bad, and what must hold for every answer."""

import contextlib
import random
import re
import uuid
from collections import Counter
from collections.abc import Callable
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import FlakyStrategyDefinition
from schemathesis import Case, CheckContext, GenerationMode, Response
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    allow_header_conformance,
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from loyalty_service import errors
from tests.api.routes import DECIDING
from tests.machines.contract import Known, prepared
from tests.shop import Shop

STATUS_OF_CODE = {kind.code: kind.status for kind in errors.catalogue()}
# Rules that the contract's schemas don't tell, by the code of the fault.
UNTOLD = {
    "wrong_format": "control characters and half surrogate pairs",
    "zero": "an adjustment of no points",
    "conflict": "two ways through a list at once, an amount beside lines",
    "above_maximum": "a moment after the year 2200",
    "below_minimum": "a moment before the year 1900",
}
# Which events there are, and what data each has, is for the program to say.
OF_THE_PROGRAM = re.compile(r"type|data\..*", re.DOTALL)


def settings_of(examples: int, **more: Any) -> settings:
    return settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
        **more,
    )


@schemathesis.check
def a_success_is_declared(ctx: CheckContext, response: Response, case: Case[Any]) -> None:
    """Every operation declares `default` for its problems: successes must stand by themselves."""
    if response.status_code < 400:
        declared = case.operation.definition.raw["responses"]
        assert str(response.status_code) in declared, f"{response.status_code} is not declared"


@schemathesis.check
def an_error_is_one_of_ours(ctx: CheckContext, response: Response, case: Case[Any]) -> None:
    """A problem with a code of the catalogue, under that code's status."""
    if response.status_code >= 400:
        told = response.json()
        assert STATUS_OF_CODE.get(told["code"]) == response.status_code == told["status"], told
        assert response.headers["request-id"] == [told["request_id"]]


@schemathesis.check
def what_the_contract_allows_is_well_formed(
    ctx: CheckContext, response: Response, case: Case[Any]
) -> None:
    """Good data may be refused by the shop's state, not for a type, a length or a missing field."""
    if is_good(case) and response.status_code in (400, 415, 422):
        told = response.json()
        faults = [fault for fault in told["errors"] if not OF_THE_PROGRAM.fullmatch(fault["param"])]
        broken = {fault["code"] for fault in faults} - set(UNTOLD)
        assert not broken and told["code"] not in ("not_json", "unsupported_media_type"), told


TRIES = 5
CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
    allow_header_conformance,
    unsupported_method,
    a_success_is_declared,
    an_error_is_one_of_ours,
    what_the_contract_allows_is_well_formed,
)


class Fuzzer:
    """The API as an admin and a manager meet it, counting what was sent."""

    def __init__(self, shop: Shop, document: dict[str, Any]) -> None:
        self.shop = shop
        self.known = Known.of(shop)
        self.schema = schemathesis.openapi.from_dict(prepared(document), config=config())
        self.schema.app = shop.app
        self.answers: Counter[tuple[str, str, int]] = Counter()
        self.failures: list[FailureGroup] = []

    def headers(self, case: Case[Any]) -> dict[str, str]:
        """The key of the shop's admin, or of a manager; for a POST a fresh Idempotency-Key."""
        # An approval takes a person, and an admin's key has none.
        who = "manager" if case.path.endswith(DECIDING) else "admin"
        sent = {"Authorization": f"Bearer {self.shop.keys[who]}"}
        if case.method.upper() == "POST":
            sent["Idempotency-Key"] = str(uuid.uuid4())
        return sent

    def prepare(self, case: Case[Any], chosen: random.Random) -> None:
        """Put what is known into a drawn request."""
        if is_good(case):
            self.known.put_into(case, chosen)
        else:
            self.known.put_beside_the_fault(case, chosen)

    def note(self, case: Case[Any], response: Response) -> None:
        mode = case.meta.generation.mode.value if case.meta else "unknown"
        self.answers[(case.operation.label, mode, response.status_code)] += 1

    def send(self, case: Case[Any], chosen: random.Random) -> None:
        self.prepare(case, chosen)
        response = case.call(headers=self.headers(case))
        self.check(case, response)

    def check(self, case: Case[Any], response: Response) -> None:
        """Note the answer, and whatever is wrong with it."""
        self.note(case, response)
        try:
            case.validate_response(response, checks=list(CHECKS))
        except FailureGroup as failure:
            self.failures.append(failure)
            raise

    def each_operation(self, chosen_seed: int, examples: int) -> None:
        """Good and bad requests to each operation, `examples` of each."""
        for found in self.schema.get_all_operations():
            assert isinstance(found, Ok), found
            operation = found.ok()
            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
                if mode is GenerationMode.NEGATIVE and not can_be_wrong(operation):
                    continue
                # Requests close members and use up points: each operation finds its own.
                self.known = Known.of(self.shop)
                case = operation.as_strategy(generation_mode=mode)
                drawn = given(case, st.randoms(use_true_random=False))
                run = settings_of(examples)(drawn(self.send))
                again_while_flaky(chosen_seed, lambda one, run=run: seed(one)(run)())

    @property
    def sent(self) -> int:
        return sum(self.answers.values())


def again_while_flaky(chosen_seed: int, run: Callable[[int], None]) -> None:
    """Run from a seed; from the next where the library can't draw the same requests twice.

    What it draws from may depend on answers before. Such a run ends early and says nothing of the
    service; a failure of the service is kept in `Fuzzer.failures` all the same.
    """
    for one_seed in range(chosen_seed, chosen_seed + TRIES):
        with contextlib.suppress(FlakyStrategyDefinition):
            return run(one_seed)


def can_be_wrong(operation: Any) -> bool:
    """Whether there is a field that could be wrong: any text will do for a path."""
    return bool(operation.body or operation.query)


def is_good(case: Case[Any]) -> bool:
    """Drawn as the contract allows, not against it."""
    return case.meta is not None and case.meta.generation.mode.is_positive


def config() -> schemathesis.Config:
    """Nothing learnt from earlier answers: a seed must always draw the same."""
    made = schemathesis.Config()
    made.projects.default.phases.stateful.link_calibration = False
    return made


def machine_of(fuzzer: Fuzzer, open_shop: Callable[[], Shop], chosen_seed: int) -> type[Any]:
    """Whole stories along the contract's links, each in a shop of its own."""
    base: type[Any] = fuzzer.schema.as_state_machine()

    class Story(base):  # type: ignore[misc]
        def setup(self) -> None:
            fuzzer.shop = open_shop()
            fuzzer.known = Known.of(fuzzer.shop)
            self.chosen = random.Random(chosen_seed)

        def before_call(self, case: Case[Any]) -> None:
            fuzzer.prepare(case, self.chosen)

        def get_call_kwargs(self, case: Case[Any]) -> dict[str, Any]:
            return {"headers": fuzzer.headers(case)}

        def validate_response(self, response: Response, case: Case[Any], **more: Any) -> None:
            fuzzer.check(case, response)

    return Story
