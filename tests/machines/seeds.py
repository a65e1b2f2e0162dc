"""Seeds: one that never changes, and one drawn anew at each run that is told, to be sent again.

What a seed draws depends on what is loaded: Hypothesis picks some values from the constants of the
modules it finds. So all of them are loaded first, and a seed draws the same alone and in a suite.
"""

import importlib
import os
import pkgutil
import secrets

import pytest

import loyalty_service

FIXED = 20261121
KINDS = ("fixed_seed", "seed_of_this_run")
TOLD = "told_at_the_end"


def of(kind: str, variable: str) -> int:
    """The fixed seed, or the one that the environment names, or any."""
    load_everything()
    if kind == KINDS[0]:
        return FIXED
    return int(os.environ.get(variable) or secrets.randbelow(2**32))


def tell(request: pytest.FixtureRequest, words: str) -> None:
    """Have it said at the end of the run, of a success as well."""
    request.node.user_properties.append((TOLD, f"{request.node.name}: {words}"))


def load_everything() -> None:
    for module in pkgutil.walk_packages(loyalty_service.__path__, "loyalty_service."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
