"""The ledger against a plain model of its rules, in whatever order things happen.

`MACHINE_EXAMPLES` runs more lives than the few of `make test`; `MACHINE_SEED` other ones.
"""

import os

from flask import Flask
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.machines.ledger_machine import LedgerMachine

EXAMPLES = int(os.environ.get("MACHINE_EXAMPLES", "30"))
SEED = int(os.environ.get("MACHINE_SEED", "20261121"))

lives = settings(
    max_examples=EXAMPLES,
    stateful_step_count=30,
    deadline=None,
    # What broke is found again by its seed; shrinking it is worth the wait, explaining is not.
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)


def test_whatever_happens_the_ledger_does_what_its_rules_say(app: Flask) -> None:
    @seed(SEED)
    class Machine(LedgerMachine):
        def __init__(self) -> None:
            super().__init__(app)

    run_state_machine_as_test(Machine, settings=lives)
