"""Each bug that a ledger like this one is known to have, planted, and the check that finds it.

Without the bug these checks pass: they are part of the suite themselves.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.sizes import size

ROOT = Path(__file__).parents[2]
SECONDS_MAX = 300
FAILED = 1

RACES = "tests/api/test_idempotency_races.py::test_an_adjustment_sent_by_all_is_given_once"
WAITED = (
    "tests/domain/ledger/test_waiting_for_the_lock.py"
    "::test_who_waited_for_an_account_spends_from_what_the_other_has_left"
)
KILLED = "tests/faults/test_killed_at_points.py"
DATABASE_KILLED = "tests/faults/test_postgres_killed.py"

# Which check finds it, and in which words: any of them.
FOUND = [
    ("key_after_the_effect", RACES, ("AssertionError: [201]",)),
    ("joined_lock", WAITED, ("ck_lots_available_not_negative",)),
    ("absolute_write", WAITED, ("available is 7, postings give 0",)),
]
# These start the whole service and take minutes: `make faults`.
FOUND_AT_FULL_SIZE = [
    ("key_after_the_effect", KILLED, ("tests/faults/books.py",)),
    ("call_before_the_commit", KILLED, ("codes at Stripe without points spent",)),
    # What was acknowledged and is gone is an order, or the very member who orders.
    (
        "commit_without_the_disk",
        DATABASE_KILLED,
        ("acknowledged, and not in the books", "member_not_found"),
    ),
]
if size("PLANTED", 0):
    FOUND += FOUND_AT_FULL_SIZE


def small() -> dict[str, str]:
    """The environment without the full sizes: a bug is found in small ones."""
    return {name: value for name, value in os.environ.items() if not name.startswith("FAULT_")}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("bug", "check", "words"), FOUND, ids=[f"{bug}-{Path(check).stem}" for bug, check, _ in FOUND]
)
def test_a_planted_bug_is_found(bug: str, check: str, words: tuple[str, ...]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "tests.faults.planted", check],
        cwd=ROOT,
        env=small() | {"FAULT_PLANT": bug},
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
    )
    assert done.returncode == FAILED, done.stdout[-4000:]
    assert any(word in done.stdout for word in words), done.stdout[-4000:]
