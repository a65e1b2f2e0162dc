"""SIGKILL between commit, call and settle: after a restart each promise is kept, once."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

import pytest
from flask import Flask

from loyalty_service import create_app, migrating
from loyalty_service.config import Config
from loyalty_service.db import database
from tests import postgres
from tests.conftest import differences
from tests.databases import empty_postgresql
from tests.faults.outcomes import (
    CODES,
    COUPONS,
    POINTS,
    a_customer,
    assert_one_code,
    assert_restored,
    get,
    make_the_coupon,
    open_jobs,
)
from tests.shop import Shop
from tests.stripe_control import StripeControl

NAME = "kills"
WAIT_SECONDS = 60


@pytest.fixture(scope="module")
def durable() -> Iterator[Flask]:
    """The service on a PostgreSQL that keeps what it committed, power cut or not."""
    with postgres.running(durable=True) as server:
        server.drop_database(NAME)
        server.create_database(NAME)
        app = create_app(Config(database_url=server.url(NAME), log_level="error"))
        app.config["DSN"] = server.dsn(NAME)
        with app.app_context():
            migrating.upgrade()
        yield app
        with app.app_context():
            database.engine.dispose()


@pytest.fixture
def app(durable: Flask) -> Iterator[Flask]:
    empty_postgresql(durable.config["DSN"])
    yield durable
    assert differences(durable) == []


@pytest.fixture
def killed(shop: Shop, stripe: StripeControl) -> "Killed":
    return Killed(shop, stripe)


@dataclass
class Killed:
    """Processes of the service, started and killed."""

    shop: Shop
    stripe: StripeControl

    def redeeming(self, members: list[str]) -> list[dict[str, Any]]:
        return [
            self.call("/v1/redemptions", {"member": member, "reward": "money_off"}, key)
            for key, member in enumerate(members)
        ]

    def cancelling(self, redemption: Any) -> list[dict[str, Any]]:
        return [self.call(f"/v1/redemptions/{redemption['id']}/cancel", {}, "cancel")]

    def call(self, path: str, body: Any, key: Any) -> dict[str, Any]:
        headers = {
            "Authorization": f"Bearer {self.shop.keys['checkout']}",
            "Idempotency-Key": f"kill-{key}",
        }
        return {"path": path, "body": body, "headers": headers}

    def in_the_held_call(self, calls: list[dict[str, Any]]) -> None:
        """Start the service, and kill it while Stripe holds its call open."""
        with self.process(calls):
            self.stripe.wait_for_held()
        self.stripe.clear()

    def after_answers(self, calls: list[dict[str, Any]], count: int) -> None:
        """Start the service, and kill it once it has given `count` answers."""
        with self.process(calls) as process:
            assert process.stdout is not None
            for _ in range(count):
                assert json.loads(process.stdout.readline())["status"] == 201

    def restarted(self, calls: list[dict[str, Any]]) -> list[Any]:
        """Start it again, let it work off what is open, and send the same requests again."""
        with self.process(calls, until_idle=True) as process:
            said, _ = process.communicate(timeout=WAIT_SECONDS)
        assert process.returncode == 0
        assert open_jobs(self.shop) == []
        answers = [json.loads(line) for line in said.splitlines()]
        assert len(answers) == len(calls)
        assert {answer["status"] for answer in answers} <= {200, 201}, answers
        return [answer["json"] for answer in answers]

    @contextlib.contextmanager
    def process(
        self, calls: list[dict[str, Any]], until_idle: bool = False
    ) -> Iterator[subprocess.Popen[bytes]]:
        config = replace(
            self.shop.app.config["LOYALTY"], stripe_deadline_ms=30000, worker_poll_ms=20
        )
        order = {
            "config": asdict(config),
            "program": self.shop.program_id,
            "calls": calls,
            "until_idle": until_idle,
        }
        command = [sys.executable, "-m", "tests.faults.child", json.dumps(order)]
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
        )
        try:
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(WAIT_SECONDS)
            assert process.stdin is not None and process.stdout is not None
            process.stdin.close()
            process.stdout.close()


@pytest.mark.parametrize("hold", ["hold_before", "hold_after"])
@pytest.mark.parametrize("path", [CODES, COUPONS])
def test_a_kill_while_stripe_makes_the_code_ends_in_one_code(
    killed: Killed, path: str, hold: str
) -> None:
    if path == CODES:
        make_the_coupon(killed.shop)
    killed.stripe.fault(hold, path=path, method="POST")
    calls = killed.redeeming([a_customer(killed.shop)])
    killed.in_the_held_call(calls)
    assert [job.status for job in open_jobs(killed.shop)] == ["due"]
    (redemption,) = killed.restarted(calls)
    assert_one_code(killed.shop, killed.stripe, redemption)


@pytest.mark.parametrize("hold", ["hold_before", "hold_after"])
def test_a_kill_while_stripe_withdraws_the_code_ends_with_the_points_back(
    killed: Killed, hold: str
) -> None:
    redemption = killed.shop.redeem(a_customer(killed.shop))
    killed.stripe.fault(hold, path=f"{CODES}/*", method="POST")
    calls = killed.cancelling(redemption)
    killed.in_the_held_call(calls)
    assert get(killed.shop, redemption)["status"] == "cancelling"
    killed.restarted(calls)
    assert_restored(killed.shop, killed.stripe, redemption)


@pytest.mark.parametrize("hold", ["hold_before", "hold_after"])
def test_a_kill_in_the_workers_call_ends_in_one_code(killed: Killed, hold: str) -> None:
    killed.stripe.fault("conflict_409", path=CODES)
    redemption = killed.shop.redeem(a_customer(killed.shop))
    killed.stripe.fault(hold, path=CODES, method="POST")
    killed.in_the_held_call([])
    assert get(killed.shop, redemption)["status"] == "pending"
    killed.restarted([])
    assert_one_code(killed.shop, killed.stripe, redemption)


@pytest.mark.parametrize("answers", [1, 4, 9])
def test_a_kill_in_the_middle_of_many_redemptions_loses_and_doubles_none(
    killed: Killed, answers: int
) -> None:
    members = [a_customer(killed.shop) for _ in range(5)]
    # Two clicks each: the second redeems once more.
    calls = killed.redeeming(members * 2)
    killed.after_answers(calls, answers)
    redeemed = killed.restarted(calls)
    for member in members:
        assert killed.shop.available(member) == POINTS - 200
    for redemption in redeemed:
        assert get(killed.shop, redemption)["status"] == "issued"
        assert [code["active"] for code in killed.stripe.codes(redemption["id"])] == [True]
    assert len({redemption["code"] for redemption in redeemed}) == len(calls)
