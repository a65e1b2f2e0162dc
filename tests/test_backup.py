"""A backup of PostgreSQL comes back as books that balance, with its promises kept once."""

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from loyalty_service import create_app
from loyalty_service.db import database
from tests import postgres, running
from tests.databases import Databases
from tests.faults.outcomes import later as tomorrow
from tests.shop import Shop
from tests.stripe_control import StripeControl

pytestmark = [pytest.mark.slow, pytest.mark.parametrize("kind", ["postgresql"])]

CODES = "/v1/promotion_codes"


@pytest.fixture
def empty(databases: Databases) -> Iterator[str]:
    """The name of a database that nothing is in."""
    name = f"{databases.name}_restored"
    databases.server.drop_database(name)
    databases.server.create_database(name)
    yield name
    databases.server.drop_database(name)


def test_a_restored_backup_balances_and_keeps_its_promises(
    shop: Shop, stripe: StripeControl, databases: Databases, empty: str, tmp_path: Path
) -> None:
    member = shop.a_member(points=100)
    stripe.fault("timeout_after_success", path=CODES, method="POST")
    pending = shop.redeem(member)
    assert pending["status"] == "pending"
    earlier, dump, later = (tmp_path / name for name in ("earlier", "dump", "later"))
    loyalty(databases, databases.name, "ledger", "checkpoint", str(earlier))
    tool(databases, "pg_dump", databases.name, "--format=custom", f"--file={dump}")
    shop.a_member(points=50)
    loyalty(databases, databases.name, "ledger", "checkpoint", str(later))
    tool(databases, "pg_restore", empty, "--no-owner", "--exit-on-error", str(dump))
    assert differences(databases, empty, earlier) == []
    assert differences(databases, empty, later) != []
    restored = reopened(shop, databases, empty)
    assert keeps(restored, pending["id"]) == "issued"
    assert len(stripe.codes(pending["id"])) == 1
    assert differences(databases, empty, earlier) == []


def reopened(shop: Shop, databases: Databases, name: str) -> Shop:
    """The same shop on another database."""
    config = databases.config("postgresql")
    config = replace(config, database_url=databases.server.url(name))
    return Shop(create_app(config), shop.program_id, shop.keys)


def keeps(restored: Shop, redemption_id: str) -> str:
    """Let the worker do what was promised; what became of a redemption."""
    with restored.app.app_context():
        try:
            restored.work(at=tomorrow())
            return str(restored.get(f"/v1/redemptions/{redemption_id}")["status"])
        finally:
            database.engine.dispose()


def differences(databases: Databases, name: str, checkpoint: Path) -> list[Any]:
    ran = loyalty(databases, name, "ledger", "verify", "--since", str(checkpoint), "--json")
    found: list[Any] = json.loads(ran)["differences"]
    return found


def loyalty(databases: Databases, name: str, *arguments: str) -> str:
    environment = {
        **running.CLEAN,
        "LOYALTY_DATABASE_URL": databases.server.url(name),
        "LOYALTY_CHECKPOINT_KEY": "x" * 32,
    }
    ran = subprocess.run(
        [*running.LOYALTY, *arguments], env=environment, capture_output=True, text=True, timeout=120
    )
    # 1 is a difference found.
    assert ran.returncode in (0, 1) and ran.stdout, ran.stderr
    return ran.stdout


def tool(databases: Databases, program: str, name: str, *arguments: str) -> None:
    """Run one of PostgreSQL's own programs against a database."""
    path = postgres.installation() / postgres.PACKAGE / "pginstall18" / "bin" / program
    where = ("--dbname", databases.server.dsn(name))
    ran = subprocess.run(
        [path, *where, *arguments], env={"PATH": os.defpath}, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr
