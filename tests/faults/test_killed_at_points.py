"""The whole service killed while each of its processes is held at the worst moment.

One round holds twelve requests and nine workers, each at another point between its first write
and its answer, kills them all at once, starts them again and lets the callers ask again.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests import postgres
from tests.faults import world
from tests.faults.clients import Checkout, Told, Working, in_threads
from tests.faults.gate import Gate
from tests.faults.outcomes import CODES, POINTS
from tests.faults.points import BEFORE_ANSWER, BEFORE_CALL, BEFORE_SETTLING, BEFORE_TRANSACTION
from tests.faults.sizes import seeded, size
from tests.faults.world import World

IN_CALL = ("hold_before", "hold_after")
REQUEST_POINTS = (BEFORE_TRANSACTION, BEFORE_CALL, *IN_CALL, BEFORE_SETTLING, BEFORE_ANSWER)
WORKER_POINTS = (BEFORE_CALL, *IN_CALL, BEFORE_SETTLING)
# What is asked, and the call at Stripe that it leads to.
VERBS = {"redeem": CODES, "cancel": f"{CODES}/*"}
WORKERS = 1 + len(WORKER_POINTS) * len(VERBS)
# What is held keeps its thread, its slot and its lease until the kill, however slow the machine.
PATIENT = {
    "LOYALTY_STRIPE_DEADLINE_MS": "600000",
    "LOYALTY_STRIPE_WORKER_TIMEOUT_MS": "600000",
    "LOYALTY_STRIPE_CALLS_AT_ONCE": "64",
}


def test_a_kill_at_any_point_between_request_and_answer_loses_and_doubles_nothing(
    held: "Held", capsys: pytest.CaptureFixture[str]
) -> None:
    seed, draw = seeded()
    rounds = size("KILLS", 1)
    for _ in range(rounds):
        held.everywhere(draw)
        held.kill_and_restart(draw)
        held.world.assert_true()
    held.world.assert_verified()
    at_once = len(REQUEST_POINTS) * len(VERBS) + WORKERS
    with capsys.disabled():
        print(f"\n{rounds} kills, {at_once} held at each; FAULT_SEED={seed}")  # noqa: T201


@pytest.fixture
def held(tmp_path: Path) -> Iterator["Held"]:
    gate = Gate()
    with (
        postgres.running(durable=True) as server,
        world.opened(tmp_path, "postgresql", server, settings=PATIENT, workers=WORKERS) as opened,
    ):
        opened.service.settings["FAULT_GATE"] = gate.address
        opened.service.start()
        opened.service.wait_until_ready()
        made = Held(opened, gate, opened.client())
        # The first code makes the coupon; from now on a code is one call.
        made.a_redemption()
        yield made
        gate.close()


@dataclass
class Held:
    """A service of which every process is stopped at a point of its own."""

    world: World
    gate: Gate
    calm: Checkout
    under_way: list[Working] = field(default_factory=list)
    put_off: list[tuple[Checkout, Told]] = field(default_factory=list)
    held_at_stripe: int = 0

    def everywhere(self, draw: Random) -> None:
        """Hold a request at each of its points and a worker at each of its own, in any order."""
        steps = [self.a_worker_before_its_claim]
        for verb in VERBS:
            steps += [partial(self.a_request, verb, point) for point in REQUEST_POINTS]
            steps += [partial(self.a_worker, verb, point) for point in WORKER_POINTS]
        draw.shuffle(steps)
        for step in steps:
            step()

    def kill_and_restart(self, draw: Random) -> None:
        """Kill all. What Stripe holds goes on before the restart, or while it is asked again."""
        early = draw.random() < 0.5
        self.world.restart(meanwhile=self.let_go if early else self.gate.forget)
        self.world.service.wait_until_ready()
        self.let_go()
        again = in_threads([partial(client.until_final, told) for client, told in self.put_off])
        for client in (*self.under_way, *again):
            client.finish()
        self.under_way, self.put_off = [], []

    def let_go(self) -> None:
        """Whoever is still held is Stripe's."""
        self.gate.forget()
        self.world.stripe.clear()
        self.held_at_stripe = 0

    def a_request(self, verb: str, point: str) -> None:
        """A caller whose request is stopped at a point."""
        ask = self._prepared(verb)
        self._arm("serve", verb, point)
        self.under_way += in_threads([partial(self.world.client().post, *ask)])
        self._wait_for_held("serve", point)

    def a_worker(self, verb: str, point: str) -> None:
        """A caller whom Stripe puts off, and the worker that takes over, stopped at a point."""
        path, body = self._prepared(verb)
        self.world.stripe.fault("conflict_409", path=VERBS[verb], method="POST")
        client = self.world.client()
        told = client.once(path, body)
        assert told.status == 202, told
        self.put_off.append((client, told))
        self._arm("worker", verb, point)
        self.world.end_leases(told.final["id"])
        self._wait_for_held("worker", point)

    def a_worker_before_its_claim(self) -> None:
        """A worker that looks for work."""
        self._arm("worker", "redeem", BEFORE_TRANSACTION)
        self._wait_for_held("worker", BEFORE_TRANSACTION)

    def a_redemption(self) -> str:
        """A redemption whose code is there; its id."""
        return str(self.calm.post(*self._prepared("redeem")).final["id"])

    def _prepared(self, verb: str) -> tuple[str, dict[str, Any]]:
        """Path and body of a request that will be done."""
        if verb == "cancel":
            return f"/v1/redemptions/{self.a_redemption()}/cancel", {}
        number = len(self.calm.told)
        member = self.calm.post("/v1/members", {"external_id": f"held-{number}"}).final["id"]
        gift = {"member": member, "points": POINTS, "reason": "correction"}
        self.calm.post("/v1/adjustments", gift, who="admin")
        return "/v1/redemptions", {"member": member, "reward": "money_off"}

    def _arm(self, role: str, verb: str, point: str) -> None:
        if point in IN_CALL:
            self.held_at_stripe += 1
            self.world.stripe.fault(point, path=VERBS[verb], method="POST")
        else:
            self.gate.arm(f"{role}.{point}")

    def _wait_for_held(self, role: str, point: str) -> None:
        if point in IN_CALL:
            self.world.stripe.wait_for_held(self.held_at_stripe)
        else:
            self.gate.wait_for_held(f"{role}.{point}")
