"""Histories made through the domain's verbs, one act after another, with the clock held still."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from flask import Flask
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from loyalty_service.domain import ledger, orders
from loyalty_service.domain.earning import Line, OrderFacts
from loyalty_service.domain.events import other_side
from loyalty_service.domain.events import recording as events
from loyalty_service.domain.jobs import DUE, Claimed, Job
from loyalty_service.domain.ledger import Balance
from loyalty_service.domain.orders.table import SOURCE_SHOP
from tests.machines.verbs import Verbs

# Two verbs never share a moment: what was recorded later came later.
BREATH = timedelta(seconds=7)


@dataclass
class History:
    """Two members of a program and what they do; whatever is refused is no fact."""

    app: Flask
    now: datetime
    orders: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.verbs = Verbs(self.app, self.now)
        self._acts = 0

    @property
    def program_id(self) -> str:
        return self.verbs.program_id

    @property
    def members(self) -> list[str]:
        return self.verbs.members

    def apply(self, document: str) -> None:
        self._breathe()
        self.verbs.apply(document)

    def begin(self, document: str, members: int = 2) -> None:
        self.apply(document)
        for number in range(members):
            self._breathe()
            self.verbs.enrol(f"{self.program_id}-{number}")

    def order(
        self,
        whose: int,
        amount: int,
        *,
        ago: timedelta = timedelta(0),
        paid: bool = True,
        source: str = SOURCE_SHOP,
    ) -> str:
        order_id = f"order-{len(self.orders)}"
        self._breathe()
        placed_at = self.verbs.now - ago
        lines = (Line("cream", "skin", 2, amount // 2), Line("card", None, 1, amount % 7))
        facts = OrderFacts("eur", lines, amount // 10, 19, 490)
        told = orders.OrderToRecord(
            order_id,
            self.members[whose],
            placed_at,
            facts,
            paid_at=placed_at if paid else None,
            source=source,
        )
        self._try(lambda s: orders.record(s, self.program_id, told))
        self.orders.append(order_id)
        return order_id

    def pay(self, number: int) -> None:
        self._breathe()
        self._on(number, orders.amend, orders.Amendment(paid_at=self.verbs.now))

    def amend(self, number: int, amount: int) -> None:
        lines = (Line("cream", "skin", 2, amount // 2), Line("brush", None, 1, amount % 5))
        self._breathe()
        self._on(number, orders.amend, orders.Amendment(lines=lines))

    def cancel(self, number: int) -> None:
        self._breathe()
        self._on(number, orders.cancel)

    def refund(self, order_id: str, amount: int | None, items: int = 0) -> None:
        self._breathe()
        wanted = orders.RefundToRecord(
            f"refund-{self._acts}", order_id, amount, () if amount else (("cream", items or 1),)
        )
        self._try(lambda s: orders.refund(s, self.program_id, wanted))

    def returned(self, number: int, percent: int) -> None:
        """Stripe tells how much of an order's money is gone now."""
        self._breathe()
        gone = partial(orders.Returned, percent, 100)
        payment_id = f"pi_{number % max(1, len(self.orders))}"
        self._on(number, orders.set_returned, payment_id, gone)

    def event(self, whose: int, kind: str, **data: Any) -> None:
        self._breathe()
        told = events.EventToRecord(
            f"event-{self._acts}", kind, self.members[whose], self.verbs.now, data
        )
        self._try(lambda s: events.record(s, self.program_id, told))

    def refer(self, whose: int) -> None:
        self.event(whose, "referral", referrer=self.members[1 - whose])

    def give(self, whose: int, points: int) -> None:
        self._breathe()
        self.verbs.give(self.members[whose], points, "admin")

    def undo(self, number: int) -> None:
        self._breathe()
        if self.verbs.gifts:
            self.verbs.undo(self.verbs.gifts[number % len(self.verbs.gifts)], "admin")

    def undo_event(self, number: int) -> None:
        """Staff take back what an event gave to one side."""
        self._breathe()

        def given(session: Session) -> list[str]:
            causes = ('"cause":"event"', '"cause":"other_side"')
            found = select(ledger.Transaction.id).where(
                ledger.Transaction.program_id == self.program_id,
                or_(*(ledger.Transaction.context.contains(cause) for cause in causes)),
            )
            return list(session.scalars(found.order_by(ledger.Transaction.id)))

        if made := self.verbs.read(given):
            self.verbs.undo(made[number % len(made)], "admin")

    def redeem(self, whose: int, points: int) -> None:
        self._breathe()
        self.verbs.place(self.members[whose], "slice", points)

    def pay_with_points(self, whose: int, number: int, points: int, captured: int) -> None:
        """Points are held for an order, and at once as many of them are captured as are wanted."""
        self._breathe()
        order_id, lasting = f"order-{number}", timedelta(minutes=15)
        if not self.verbs.hold(self.members[whose], points, order_id, lasting):
            self.verbs.captured(self.verbs.holds[-1], min(points, captured))

    def release(self) -> None:
        """The last hold that was placed is released."""
        self._breathe()
        self.verbs.released(self.verbs.holds[-1])

    def fail(self, number: int) -> None:
        """The last redemptions come to nothing."""
        self._breathe()
        if self.verbs.exchanges:
            self.verbs.failed(self.verbs.exchanges[number % len(self.verbs.exchanges)])

    def wait(self, by: timedelta) -> None:
        self.verbs.now += by

    def work(self) -> None:
        """Give the other sides of events what they are promised."""
        self._breathe()

        def one(session: Session) -> None:
            due = select(Job).where(
                Job.program_id == self.program_id,
                Job.kind == other_side.OTHER_SIDE,
                Job.status == DUE,
            )
            for job in session.scalars(due).all():
                claimed = Claimed(job.program_id, job.id, job.kind, job.subject_id, 1, 0)
                other_side.settle(session, claimed)

        self.verbs.do(one)

    def balances(self) -> list[Balance]:
        """What everybody has now."""
        return self.verbs.balances()

    def issued(self) -> int:
        """Points that the ledger issued, whether or not they are still there."""

        def work(session: Session) -> int:
            mine = (
                select(ledger.Posting.points)
                .where(ledger.Posting.program_id == self.program_id)
                .where(ledger.Posting.debit_kind == "issued")
            )
            return sum(session.scalars(mine))

        return self.verbs.read(work)

    def _on(self, number: int, verb: Callable[..., object], *more: object) -> None:
        if self.orders:
            order_id = self.orders[number % len(self.orders)]
            self._try(lambda s: verb(s, self.program_id, order_id, *more))

    def _try(self, work: Callable[[Session], object]) -> None:
        if refusal := self.verbs.tried(work):
            self.refused.append(refusal)
        self.work()

    def _breathe(self) -> None:
        self._acts += 1
        self.verbs.now += BREATH
