"""How many lives are drawn."""

import pytest
from hypothesis import Phase, settings

# What broke is made smaller; explaining it is not worth minutes.
PHASES = (Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink)
EXAMPLES = {"sqlite": 60, "postgresql": 15}


@pytest.fixture
def lives(kind: str, request: pytest.FixtureRequest) -> settings:
    """How many: a life takes a tenth of a second."""
    wanted = 3 if request.config.getoption("--quick") else EXAMPLES[kind]
    return settings(max_examples=wanted, deadline=None, phases=PHASES)
