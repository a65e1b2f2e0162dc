"""How large the kill tests are, and from which seed: small ones unless the environment says more.

`make faults` sets the full sizes. What is drawn from the seed is what is done, to whom and when
to kill; how the threads and processes meet is the machine's.
"""

import os
import random
from random import Random


def size(name: str, small: int) -> int:
    """A size from the environment, such as `FAULT_KILLS=10`."""
    return int(os.environ.get(f"FAULT_{name}", small))


def seeded() -> tuple[int, Random]:
    """A seed, from `FAULT_SEED` or fresh, and its generator; pytest shows it on failure."""
    seed = int(os.environ.get("FAULT_SEED") or random.SystemRandom().randrange(10**6))
    print(f"FAULT_SEED={seed}")  # noqa: T201
    return seed, Random(seed)
