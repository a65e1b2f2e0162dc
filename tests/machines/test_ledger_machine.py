"""The ledger against a plain model of its rules, in whatever order things happen.

From a seed that never changes and from one of this run, told at the end: `MACHINE_SEED` lives it
again. `MACHINE_EXAMPLES` runs more lives than the few of `make test`; `make machine` thousands.
"""

import os

import pytest
from flask import Flask
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.machines import seeds
from tests.machines.ledger_machine import LedgerMachine

LIVES = 25

lives = settings(
    stateful_step_count=30,
    deadline=None,
    # A life kept from an earlier run would stand for one that the seed draws.
    database=None,
    # What broke is found again by its seed; shrinking it is worth the wait, explaining is not.
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)


@pytest.mark.parametrize("drawn_from", seeds.KINDS)
def test_whatever_happens_the_ledger_does_what_its_rules_say(
    app: Flask, drawn_from: str, request: pytest.FixtureRequest
) -> None:
    chosen = seeds.of(drawn_from, "MACHINE_SEED")
    wanted = int(os.environ.get("MACHINE_EXAMPLES") or LIVES)
    lived = 0

    @seed(chosen)
    class Machine(LedgerMachine):
        def __init__(self) -> None:
            nonlocal lived
            lived += 1
            super().__init__(app)

    try:
        run_state_machine_as_test(Machine, settings=settings(lives, max_examples=wanted))
    finally:
        seeds.tell(request, f"MACHINE_SEED={chosen}, {lived} lives")
