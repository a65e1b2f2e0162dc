"""The whole service killed while each of its processes is held at the worst moment.

One round holds nineteen requests and nine workers, each at another point between its first write
and its answer, kills them all at once, starts them again and lets the callers ask again.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.faults import world
from tests.faults.clients import Checkout, Told, Working, in_threads
from tests.faults.gate import Gate
from tests.faults.outcomes import CODES, COUPONS, POINTS
from tests.faults.points import (
    AFTER_COMMIT,
    BEFORE_ANSWER,
    BEFORE_CALL,
    BEFORE_SETTLING,
    BEFORE_TRANSACTION,
)
from tests.faults.sizes import seeded, size
from tests.faults.world import World
from tests.shop import DEFAULT_PROGRAM

REDEEM, CANCEL, GIVE, FIRST = "redeem", "cancel", "give", "redeem what nobody has redeemed before"
IN_CALL = ("hold_before", "hold_after")
WITHOUT_STRIPE = (BEFORE_TRANSACTION, AFTER_COMMIT, BEFORE_ANSWER)
WITH_STRIPE = (*WITHOUT_STRIPE, BEFORE_CALL, *IN_CALL, BEFORE_SETTLING)
REQUESTS = {REDEEM: WITH_STRIPE, CANCEL: WITH_STRIPE, GIVE: WITHOUT_STRIPE, FIRST: IN_CALL}
AFTER_ITS_CLAIM = (BEFORE_CALL, *IN_CALL, BEFORE_SETTLING)
WORKERS = {REDEEM: AFTER_ITS_CLAIM, CANCEL: AFTER_ITS_CLAIM}
WORKER_COUNT = 1 + sum(map(len, WORKERS.values()))
# The call at Stripe in which each is held.
CALLS = {REDEEM: CODES, CANCEL: f"{CODES}/*", FIRST: COUPONS}
# A kind of discount is made once at Stripe: many prices, so that each round has two new kinds. A
# program has at most a hundred.
NEW_PRICES = range(102, 102 + 95)
SLABS = "".join(f"      - {{points: {n}, amount_off: 3.{n - 100:02}}}\n" for n in NEW_PRICES)
PROGRAM = DEFAULT_PROGRAM.replace("      - {points: 250,", f"{SLABS}      - {{points: 250,")
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
    assert rounds * len(IN_CALL) <= len(NEW_PRICES), "FAULT_KILLS is at most 47"
    for _ in range(rounds):
        held.everywhere(draw)
        held.kill_and_restart(draw)
        held.world.assert_true()
    held.world.assert_verified()
    at_once = sum(map(len, REQUESTS.values())) + WORKER_COUNT
    with capsys.disabled():
        print(f"\n{rounds} kills, {at_once} held at each; FAULT_SEED={seed}")  # noqa: T201


@pytest.fixture
def held(tmp_path: Path) -> Iterator["Held"]:
    gate = Gate()
    with (
        world.durable() as server,
        world.opened(
            tmp_path,
            "postgresql",
            server,
            document=PROGRAM,
            settings=PATIENT,
            workers=WORKER_COUNT,
        ) as opened,
    ):
        opened.service.settings["FAULT_GATE"] = gate.address
        opened.service.start()
        opened.service.wait_until_ready()
        made = Held(opened, gate, opened.client())
        # The first code makes the coupon; from now on such a code is one call.
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
    prices: Iterator[int] = field(default_factory=lambda: iter(NEW_PRICES))

    def everywhere(self, draw: Random) -> None:
        """Hold a request at each of its points and a worker at each of its own, in any order."""
        steps = [self.a_worker_before_its_claim]
        for act, held_in in ((self.a_request, REQUESTS), (self.a_worker, WORKERS)):
            steps += [partial(act, verb, at) for verb, points in held_in.items() for at in points]
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
        ask = self._prepared(verb)
        self.world.stripe.fault("conflict_409", path=CALLS[verb], method="POST")
        client = self.world.client()
        told = client.once(*ask)
        assert told.status == 202, told
        self.put_off.append((client, told))
        self._arm("worker", verb, point)
        self.world.end_leases(told.final["id"])
        self._wait_for_held("worker", point)

    def a_worker_before_its_claim(self) -> None:
        """A worker that looks for work."""
        self._arm("worker", REDEEM, BEFORE_TRANSACTION)
        self._wait_for_held("worker", BEFORE_TRANSACTION)

    def a_redemption(self) -> str:
        """A redemption whose code is there; its id."""
        return str(self.calm.post(*self._prepared(REDEEM)).final["id"])

    def _prepared(self, verb: str) -> tuple[str, dict[str, Any], str]:
        """Path, body and sender of a request that will be done."""
        if verb == CANCEL:
            return f"/v1/redemptions/{self.a_redemption()}/cancel", {}, "checkout"
        name = f"held-{len(self.calm.told)}"
        member = self.calm.post("/v1/members", {"external_id": name}).final["id"]
        gift = {"member": member, "points": POINTS, "reason": "correction"}
        if verb == GIVE:
            return "/v1/adjustments", gift, "admin"
        self.calm.post("/v1/adjustments", gift, "admin")
        points = next(self.prices) if verb == FIRST else 100
        wish = {"member": member, "reward": "money_off", "points": points}
        return "/v1/redemptions", wish, "checkout"

    def _arm(self, role: str, verb: str, point: str) -> None:
        if point in IN_CALL:
            self.held_at_stripe += 1
            self.world.stripe.fault(point, path=CALLS[verb], method="POST")
        else:
            self.gate.arm(f"{role}.{point}")

    def _wait_for_held(self, role: str, point: str) -> None:
        if point in IN_CALL:
            self.world.stripe.wait_for_held(self.held_at_stripe)
        else:
            self.gate.wait_for_held(f"{role}.{point}")
