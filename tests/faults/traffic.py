"""Customers at the till, drawn from a seed: each asks, and asks again until it has its answer."""

import threading
import uuid
from dataclasses import dataclass, field
from random import Random

from loyalty_service import clock
from tests.faults.clients import Checkout, Working, in_threads
from tests.faults.world import World
from tests.shop import moment

ACTS = ("order", "gift", "redeem", "redeem", "cancel")
WAIT_SECONDS = 240
PRICES = (100, 250, 500)
POINTS = 2000


@dataclass
class Traffic:
    """Some clients that serve the same few members until they are told to close."""

    world: World
    members: list[str]
    answered: int = 0
    closing: threading.Event = field(default_factory=threading.Event)
    changed: threading.Condition = field(default_factory=threading.Condition)
    threads: list[Working] = field(default_factory=list)

    @classmethod
    def opened(cls, world: World, draw: Random, *, clients: int, members: int) -> "Traffic":
        """Enrol the members and start the clients, each with a generator of its own."""
        desk = world.client()
        traffic = cls(world, [enrolled(desk, number) for number in range(members)])
        tills = [Till(traffic, world.client(), Random(draw.random())) for _ in range(clients)]
        traffic.threads = in_threads([till.serve for till in tills])
        return traffic

    def wait_for_answers(self, more: int) -> None:
        """Until so many more requests have their final answer."""
        with self.changed:
            wanted = self.answered + more
            met = self.changed.wait_for(
                lambda: self.answered >= wanted or any(till.error for till in self.threads),
                WAIT_SECONDS,
            )
        assert met and self.answered >= wanted, self.world.service.said()

    def one_more(self) -> None:
        with self.changed:
            self.answered += 1
            self.changed.notify_all()

    def close(self) -> None:
        """Let each client finish what it asked last."""
        self.closing.set()
        for till in self.threads:
            till.finish()


@dataclass
class Till:
    """One client; its acts come from its own generator."""

    traffic: Traffic
    client: Checkout
    draw: Random
    codes: list[str] = field(default_factory=list)

    def serve(self) -> None:
        while not self.traffic.closing.is_set():
            getattr(self, self.draw.choice(ACTS))(self.draw.choice(self.traffic.members))
            self.traffic.one_more()

    def order(self, member: str) -> None:
        line = {"sku": "cream", "quantity": 1, "unit_amount": self.draw.randrange(100, 20000)}
        body = {
            "id": f"order-{uuid.UUID(int=self.draw.getrandbits(128))}",
            "member": member,
            "placed_at": moment(clock.wall()),
            "currency": "eur",
            "lines": [line],
        }
        self.client.post("/v1/orders", body)

    def gift(self, member: str) -> None:
        points = self.draw.randrange(50, 500)
        body = {"member": member, "points": points, "reason": "correction"}
        self.client.post("/v1/adjustments", body, who="admin")

    def redeem(self, member: str) -> None:
        body = {"member": member, "reward": "money_off", "points": self.draw.choice(PRICES)}
        told = self.client.post("/v1/redemptions", body)
        if told.done:
            self.codes.append(told.final["id"])

    def cancel(self, member: str) -> None:
        if not self.codes:
            return self.redeem(member)
        taken = self.codes.pop(self.draw.randrange(len(self.codes)))
        self.client.post(f"/v1/redemptions/{taken}/cancel", {})


def enrolled(desk: Checkout, number: int) -> str:
    """A new member with points for a while; the member's id."""
    member = desk.post("/v1/members", {"external_id": f"busy-{number}"}).final["id"]
    gift = {"member": member, "points": POINTS, "reason": "correction"}
    desk.post("/v1/adjustments", gift, who="admin")
    return str(member)
