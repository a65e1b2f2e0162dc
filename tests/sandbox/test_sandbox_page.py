"""The page about the sandbox, word for word: every command works, every table is complete."""

import re
import subprocess
from pathlib import Path

import pytest

from loyalty_service.sandbox import faults, outbox
from tests.gateways import fixtures

from .conftest import Caller

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "sandbox.md").read_text(encoding="utf-8")
BEFORE = """
set -euo pipefail
JSON='Content-Type: application/json' STRIPE='-u sk_test_sandbox:'
field() { python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"; }
"""


@pytest.mark.slow
def test_the_page_runs_as_pasted(stripe: Caller, tmp_path: Path) -> None:
    blocks = re.findall(r"```bash\n(.*?)```", PAGE, re.DOTALL)
    assert len(blocks) > 6
    script = f"SANDBOX={stripe.server.url}\n{BEFORE}" + "\n".join(blocks)
    ran = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    said = re.sub(r"\s", "", ran.stdout)
    for promised in (
        '"amount_total":4500',
        '"failure_reason":"lost_or_stolen_card"',
        '"status":"lost"',
        '"billing_reason":"subscription_cycle"',
        '"secret":"whsec_',
        '"mode":"held"',
        '"kind":"slow"',
    ):
        assert promised in said, promised


def test_the_page_names_every_event_mode_and_fault() -> None:
    types = {fixtures.event(name)["type"] for name in fixtures.NAMES}
    for word in (*types, *outbox.MODES, *faults.KINDS):
        assert f"`{word}`" in PAGE, word
