"""The domain's verbs on a program of its own, with the clock held still; refusals as their code."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import TypeVar

from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from loyalty_service import clock, db
from loyalty_service.domain import (
    adjustments,
    audit,
    holds,
    ledger,
    members,
    orders,
    program,
    redemptions,
    reversals,
)
from loyalty_service.domain.access import Principal
from loyalty_service.domain.earning import Line, OrderFacts
from loyalty_service.domain.events import recording as events
from loyalty_service.domain.ledger import Balance, Lot, Standing, Step
from loyalty_service.errors import LoyaltyError
from tests.machines.accounts import Figures, Tier
from tests.machines.buying import Back, Basket
from tests.machines.programs import REASON

T = TypeVar("T")
_numbers = count(1)


@dataclass
class Verbs:
    """One program in a database, at the moment `now`."""

    app: Flask
    now: datetime
    program_id: str = field(default_factory=lambda: f"machine-{next(_numbers)}")
    members: list[str] = field(default_factory=list)
    gifts: list[str] = field(default_factory=list)
    exchanges: list[str] = field(default_factory=list)
    holds: list[str] = field(default_factory=list)

    def do(self, work: Callable[[Session], T]) -> T:
        with self.app.app_context(), clock.stopped_at(self.now):
            return db.transaction(work)

    def read(self, work: Callable[[Session], T]) -> T:
        with self.app.app_context(), clock.stopped_at(self.now):
            return db.read(work)

    def tried(self, work: Callable[[Session], object]) -> str:
        """The code of the refusal, or "" where it is done."""
        try:
            self.do(work)
        except LoyaltyError as refusal:
            return refusal.code
        return ""

    def apply(self, document: str) -> None:
        self.do(lambda session: program.apply(session, document))

    def enrol(self, external_id: str) -> None:
        made = self.do(lambda s: members.enrol(s, self.program_id, external_id)[0].id)
        self.members.append(made)

    def record(
        self, order_id: str, member: str, placed_at: datetime, basket: Basket, off: int
    ) -> str:
        facts = OrderFacts("eur", _lines(basket), off, 0, 0)
        told = orders.OrderToRecord(order_id, member, placed_at, facts)
        return self.tried(lambda s: orders.record(s, self.program_id, told))

    def refund_of(self, refund_id: str, order_id: str, back: Back) -> str:
        amount, items = (back, ()) if isinstance(back, int) else (None, (back,))
        wanted = orders.RefundToRecord(refund_id, order_id, amount, items)
        return self.tried(lambda s: orders.refund(s, self.program_id, wanted))

    def amended(self, order_id: str, basket: Basket, off: int) -> str:
        wanted = orders.Amendment(_lines(basket), off)
        return self.tried(lambda s: orders.amend(s, self.program_id, order_id, wanted))

    def cancelled(self, order_id: str) -> str:
        return self.tried(lambda s: orders.cancel(s, self.program_id, order_id))

    def visit(self, event_id: str, member: str, at: datetime) -> str:
        told = events.EventToRecord(event_id, "visit", member, at, {})
        return self.tried(lambda s: events.record(s, self.program_id, told))

    def due(self, order_id: str) -> int:
        """By how many points an order is due, as it stands."""
        return self.read(lambda s: orders.require(s, self.program_id, order_id).points_earned)

    def give(self, member: str, points: int, person: str) -> str:
        gesture = adjustments.Gesture(member, points, REASON)

        def work(session: Session) -> str:
            return adjustments.give(session, self._by(person), gesture).adjustment["transaction_id"]

        return self._made(self.gifts, work)

    def undo(self, gift: str, person: str) -> str:
        return self.tried(lambda s: reversals.reverse(s, self._by(person), gift, REASON))

    def place(self, member: str, reward: str, points: int) -> str:
        wish = redemptions.Wish(member, reward, points)

        def work(session: Session) -> str:
            return redemptions.place(session, self.program_id, wish, lease_seconds=60)[0].id

        return self._made(self.exchanges, work)

    def issued(self, redemption: str) -> None:
        self.do(lambda s: redemptions.issued(s, self.program_id, redemption, "promo_1"))

    def failed(self, redemption: str) -> None:
        self.do(lambda s: redemptions.failed(s, self.program_id, redemption, "not possible"))

    def ask_to_cancel(self, redemption: str) -> str:
        return self.tried(
            lambda s: redemptions.ask_to_cancel(s, self.program_id, redemption, lease_seconds=60)
        )

    def withdrawn(self, redemption: str, times_used: int) -> None:
        self.do(lambda s: redemptions.withdrawn(s, self.program_id, redemption, times_used))

    def hold(self, member: str, points: int, order_id: str, lasting: timedelta) -> str:
        wish = holds.Wish(member, points, order_id, int(lasting.total_seconds()))
        return self._made(self.holds, lambda s: holds.place(s, self.program_id, wish).id)

    def captured(self, hold: str, points: int | None) -> str:
        """A late one that fails is refused and noted at once: the refusal is no error."""
        refused = []

        def work(session: Session) -> None:
            made = holds.capture(session, self.program_id, hold, points)
            refused[:] = [made.refusal.code] if made.refusal else []

        return self.tried(work) or "".join(refused)

    def released(self, hold: str) -> str:
        return self.tried(lambda s: holds.release(s, self.program_id, hold))

    def told_of_holds(self) -> list[tuple[str, int, int]]:
        """How each stands, what was captured, and what of it is back."""

        def work(session: Session) -> list[tuple[str, int, int]]:
            rows = [holds.require(session, self.program_id, hold) for hold in self.holds]
            return [
                (holds.status_at(row, self.now), row.captured_points, row.returned_points)
                for row in rows
            ]

        return self.read(work)

    def status_of(self, redemption: str) -> str:
        return self.read(lambda s: redemptions.require(s, self.program_id, redemption).status)

    def change_status(self, member: str, status: str) -> str:
        return self.tried(
            lambda s: members.change(s, members.require(s, self.program_id, member), status=status)
        )

    def stand(self, member: str, tiers: list[Tier]) -> str:
        """The first tier from now on, the others when they begin."""
        now, *ahead = tiers
        steps = [Step(one.begins, one.name, one.holds_back, one.floor) for one in ahead]
        standing = Standing(now.name, now.begins, tuple(steps), now.holds_back, now.floor)

        def work(session: Session) -> None:
            book = ledger.open_book(session, self.program_id, member)
            entry = ledger.Entry("tier_change", [], book.now, {}, standing=standing)
            ledger.post(book, entry)

        return self.tried(work)

    def touch(self, member: str) -> None:
        """Open the account for writing, which posts what fell due, and do nothing."""
        self.do(lambda s: ledger.open_book(s, self.program_id, member))

    def balance(self, member: str, at: datetime | None = None) -> Balance:
        return self.read(lambda s: ledger.balance(s, self.program_id, member, at))

    def balances(self) -> list[Balance]:
        """All members' now, in one read."""
        return self.read(
            lambda s: [ledger.balance(s, self.program_id, member) for member in self.members]
        )

    def many(self, asked: list[tuple[str, datetime]]) -> list[Balance]:
        """Balances at several moments, in one read."""
        return self.read(
            lambda s: [ledger.balance(s, self.program_id, member, at) for member, at in asked]
        )

    def lots(self, member: str) -> list[tuple[int, int, datetime | None]]:
        """What each lot holds (available, pending, its end), as the rows have it, in order."""
        mine = (
            select(Lot)
            .where(Lot.program_id == self.program_id, Lot.member_id == member)
            .order_by(Lot.number)
        )
        return self.read(
            lambda s: [(lot.available, lot.pending, lot.expires_at) for lot in s.scalars(mine)]
        )

    def differences(self) -> list[object]:
        return self.read(lambda s: list(audit.verify(s, self.program_id)))

    def _made(self, made: list[str], work: Callable[[Session], str]) -> str:
        return self.tried(lambda session: made.append(work(session)))

    def _by(self, person: str) -> Principal:
        """The admin key, or an agent of staff."""
        if person == "admin":
            return Principal(self.program_id, "cli_machine", "admin", None, None)
        return Principal(self.program_id, f"cli_{person}", "staff", f"stf_{person}", "agent")


def _lines(basket: Basket) -> tuple[Line, ...]:
    count, unit, soap = basket
    creams = Line("cream", None, count, unit)
    return (creams, Line("soap", None, 1, soap)) if soap else (creams,)


def figures(seen: Balance) -> Figures:
    """A balance as the model tells it."""
    ending = seen.expiring_next
    expiring = (ending.points, ending.expires_at) if ending else None
    return (
        seen.available,
        seen.pending,
        seen.held,
        seen.debt,
        seen.lifetime_earned,
        expiring,
        seen.tier,
    )
