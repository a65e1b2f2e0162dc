"""A shop as its callers see it: keys, and the calls of the checkout and of staff over HTTP."""

import itertools
import re
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from loyalty_service import clock, db, delivering, shipped, worker
from loyalty_service.domain import access, program

DEFAULT_PROGRAM = (shipped.folder("programs") / "default.yaml").read_text()
# A reward that the shop gives itself, without Stripe.
SAMPLE = """\
  - id: sample
    name: A sample of your choice
    type: free_product
    points: 20
    gives: sample
"""
# A thank-you that the shop gives itself, without Stripe.
TEA = """\
  - {id: tea, name: A tea on the house, trigger: staff, type: custom, gives: tea}
"""
_numbers = itertools.count(1)


@dataclass
class Shop:
    """One program with its keys."""

    app: Flask
    program_id: str
    keys: dict[str, str]

    @classmethod
    def open(cls, app: Flask, document: str = DEFAULT_PROGRAM) -> "Shop":
        """Apply a program and make a key for each kind of caller."""
        with app.app_context():
            return db.transaction(lambda session: cls._open(session, app, document))

    @classmethod
    def _open(cls, session: Any, app: Flask, document: str) -> "Shop":
        applied, _ = program.apply(session, document)
        people = {
            "checkout": ("checkout", None, None),
            "agent": ("staff", "ana@shop.example", "agent"),
            "other_agent": ("staff", "ben@shop.example", "agent"),
            "manager": ("staff", "mia@shop.example", "manager"),
            "reporting": ("reporting", None, None),
            "admin": ("admin", None, None),
        }
        keys = {
            name: access.create_client(
                session, applied.rules.id, name=name, scope=scope, person=person, role=role
            ).token
            for name, (scope, person, role) in people.items()
        }
        return cls(app, applied.rules.id, keys)

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        who: str = "checkout",
        key: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> TestResponse:
        """One call; a POST gets a fresh Idempotency-Key unless one is given."""
        sent = {"Authorization": f"Bearer {self.keys[who]}"}
        if method == "POST":
            sent["Idempotency-Key"] = key or str(uuid.uuid4())
        sent |= headers or {}
        if body is None:
            return self.app.test_client().open(path, method=method, headers=sent, buffered=True)
        return self.app.test_client().open(path, method=method, json=body, headers=sent)

    def get(self, path: str, who: str = "checkout") -> Any:
        """A GET that must succeed; its JSON."""
        answer = self.call("GET", path, who=who)
        assert answer.status_code == 200, answer.text
        return answer.json

    def post(self, path: str, body: Any = None, **more: Any) -> Any:
        """A POST that must succeed; its JSON."""
        answer = self.call("POST", path, body, **more)
        assert answer.status_code in (200, 201, 202), answer.text
        return answer.json

    def a_member(self, points: int = 0, **particulars: Any) -> str:
        """A new member with points that can be spent at once; the member's id."""
        number = next(_numbers)
        body = {"external_id": f"customer-{number}", **particulars}
        member_id = str(self.post("/v1/members", body)["id"])
        if points:
            self.give(member_id, points)
        return member_id

    def give(self, member: str, points: int, who: str = "admin", **more: Any) -> Any:
        """An adjustment that must succeed."""
        body = {"member": member, "points": points, "reason": "appreciation", **more}
        return self.post("/v1/adjustments", body, who=who)

    def an_order(self, member: str, amount_minor: int = 10000, **more: Any) -> dict[str, Any]:
        """An order's body: one line of merchandise, placed now."""
        return {
            "id": f"order-{next(_numbers)}",
            "member": member,
            "placed_at": moment(more.pop("placed_at", None) or self.now()),
            "currency": "eur",
            "lines": [{"sku": "cream", "quantity": 1, "unit_amount": amount_minor}],
            **more,
        }

    def order(self, member: str, amount_minor: int = 10000, **more: Any) -> Any:
        """An order that must be recorded; the answer."""
        return self.post("/v1/orders", self.an_order(member, amount_minor, **more))

    def a_cart(self, amount_minor: int = 10000, **more: Any) -> dict[str, Any]:
        """An order as a quote takes it."""
        order = self.an_order("", amount_minor, **more)
        return {name: order[name] for name in order if name not in ("id", "member")}

    def an_event(self, member: str, type: str = "sign_up", **more: Any) -> dict[str, Any]:
        """An event's body: something that happened just now."""
        return {
            "id": f"event-{next(_numbers)}",
            "type": type,
            "member": member,
            "occurred_at": moment(more.pop("occurred_at", None) or self.now()),
            **more,
        }

    def event(self, member: str, type: str = "sign_up", **more: Any) -> Any:
        """An event that must be recorded; the answer."""
        return self.post("/v1/events", self.an_event(member, type, **more))

    def refund(self, order_id: str, **more: Any) -> Any:
        """A refund of an order, by `amount` or `lines`, that must be taken; the answer."""
        return self.post(f"/v1/orders/{order_id}/refunds", self.a_refund(**more))

    def a_refund(self, **more: Any) -> dict[str, Any]:
        """A refund's body, by `amount` or `lines`."""
        return {"id": f"refund-{next(_numbers)}", **more}

    def redeem(self, member: str, reward: str = "money_off", **more: Any) -> Any:
        """A redemption that must be taken; the answer."""
        return self.post("/v1/redemptions", {"member": member, "reward": reward, **more})

    def a_hold(self, member: str, points: int = 100, **more: Any) -> dict[str, Any]:
        """A hold's body, for an order of its own."""
        order_id = more.pop("order_id", None) or f"order-{next(_numbers)}"
        return {"member": member, "points": points, "order_id": order_id, **more}

    def hold(self, member: str, points: int = 100, **more: Any) -> Any:
        """A hold that must be placed; the answer."""
        return self.post("/v1/holds", self.a_hold(member, points, **more))

    def capture(self, hold_id: str, points: int | None = None) -> Any:
        """A capture that must be taken; the answer."""
        body = {} if points is None else {"points": points}
        return self.post(f"/v1/holds/{hold_id}/capture", body)

    def release(self, hold_id: str) -> Any:
        """A release that must be taken; the answer."""
        return self.post(f"/v1/holds/{hold_id}/release", {})

    def balance(self, member: str, at: datetime | None = None) -> Any:
        """A balance now or at a moment."""
        asked = f"?at={moment(at)}" if at else ""
        return self.get(f"/v1/members/{member}/balance{asked}")

    def apply(self, document: str) -> None:
        """Put another version of the program in force."""
        with self.app.app_context():
            db.transaction(lambda session: program.apply(session, document))

    def add_rewards(self, rewards: str) -> None:
        """Put a version in force that has more rewards."""
        with self.app.app_context():
            text = db.read(lambda session: program.document_in_force(session, self.program_id))
        self.apply(with_rewards(text, rewards))

    def add_offers(self, offers: str) -> None:
        """Put a version in force that has more thank-you discounts."""
        with self.app.app_context():
            text = db.read(lambda session: program.document_in_force(session, self.program_id))
        self.apply(with_offers(text, offers))

    def thank(self, member: str, offer: str = "sorry", **more: Any) -> Any:
        """A thank-you discount by staff that must be given; the answer."""
        body = {"member": member, "offer": offer, "reason": "appreciation", **more}
        return self.post("/v1/discounts", body, who="agent")

    def available(self, member: str) -> int:
        return int(self.balance(member)["available"])

    def work(self, at: datetime | None = None) -> int:
        """One round of the worker; `at` is the machine's time by which jobs must be due."""
        with self.app.app_context():
            return worker.run_once(at=at)

    def tell(self) -> int:
        """Tell what waits to be told; for how many members."""
        with self.app.app_context():
            return delivering.tell()

    def deliver(self, at: datetime | None = None) -> int:
        """One turn for every endpoint; `at` is the machine's time by which something is due."""
        with self.app.app_context():
            return delivering.deliver_once(at=at)

    def advance(self, days: int = 0, *, seconds: int = 0) -> None:
        """Move business time, as `loyalty clock advance` does."""
        with self.app.app_context():
            db.transaction(lambda session: db.move_clock(session, days * 86400 + seconds))

    def now(self) -> datetime:
        """Business time as the service sees it."""
        with self.app.app_context():
            return db.read(lambda session: clock.now())


def with_rewards(text: str, rewards: str) -> str:
    """A program's text with more rewards at the end of its list."""
    return _with_more(text, "rewards", rewards)


def with_offers(text: str, offers: str) -> str:
    """A program's text with more thank-you discounts at the end of its list."""
    return _with_more(text, "thank_you", offers)


def _with_more(text: str, section: str, entries: str) -> str:
    before, after = text.split(f"\n{section}:\n")
    end = re.search(r"^\S", after, re.MULTILINE)
    assert end is not None
    return f"{before}\n{section}:\n{after[: end.start()]}{entries}{after[end.start() :]}"


def moment(at: datetime) -> str:
    """A moment as the API takes it."""
    return at.isoformat().replace("+00:00", "Z")
