"""A shop and its members in a database, with the clock held still: the domain's verbs, by name."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from loyalty_service.domain import ledger, members, orders, quoting
from loyalty_service.domain.earning import Line, OrderFacts, RefundFacts
from loyalty_service.domain.earning.uses import RuleUse
from loyalty_service.domain.events import recording as events
from loyalty_service.domain.ledger import Transaction
from loyalty_service.domain.orders.recording import Quoted
from tests.domain.earning.told import HEAD
from tests.machines.verbs import Verbs

NOON = datetime(2026, 5, 9, 12, tzinfo=UTC)
GOODWILL = "goodwill:\n  reasons: [correction]\n"
_numbers = count(1)


@dataclass
class Life(Verbs):
    """One program with a member, and what happens there; `head` may be another document's."""

    head: str = field(default=HEAD, kw_only=True)

    @classmethod
    def under(
        cls, app: Flask, sections: str, *, at: datetime = NOON, head: str = HEAD, **about: Any
    ) -> "Life":
        """Open a shop under some sections of a document; `about` is the member."""
        made = cls(app, at, head=head)
        made.rule(sections)
        made.a_member(**about)
        return made

    @property
    def member(self) -> str:
        return self.members[0]

    def rule(self, sections: str) -> None:
        """Another version of the program."""
        head = self.head.replace("id: shop\n", f"id: {self.program_id}\n", 1)
        self.apply(f"{head}{sections}{GOODWILL}")

    def a_member(self, **about: Any) -> str:
        name = f"customer-{next(_numbers)}"
        made = self.do(lambda s: members.enrol(s, self.program_id, name, **about)[0].id)
        self.members.append(made)
        return made

    def go(self, to: datetime | str) -> None:
        """Time passes up to a moment."""
        then = (
            datetime.fromisoformat(to).astimezone(UTC)
            if isinstance(to, str)
            else to.astimezone(UTC)
        )
        assert then >= self.now, f"{then} is over"
        self.now = then

    def wait(self, **by: float) -> None:
        self.now += timedelta(**by)

    def buy(
        self,
        what: int | OrderFacts,
        *,
        placed_at: datetime | str | None = None,
        order_id: str | None = None,
        member: str | None = None,
        quoted: quoting.Quote | None = None,
        **more: Any,
    ) -> dict[str, Any]:
        """An order that must be recorded: its columns."""
        told = orders.OrderToRecord(
            id=order_id or f"order-{next(_numbers)}",
            member=member or self.member,
            placed_at=self._moment(placed_at),
            facts=facts_of(what),
            quoted=quoted and Quoted(quoted.program_version, quoted.account_sequence),
            **more,
        )
        made = self.do(lambda s: orders.record(s, self.program_id, told))
        assert made.created and not made.changed
        return made.order

    def earned(self, what: int | OrderFacts, **more: Any) -> int:
        return int(self.buy(what, **more)["points_earned"])

    def quote(self, what: int | OrderFacts, *, placed_at: datetime | None = None) -> quoting.Quote:
        return self.read(
            lambda s: quoting.quote(s, self.program_id, self.member, facts_of(what), placed_at)
        )

    def refund(
        self, order_id: str, amount_minor: int | None = None, *items: tuple[str, int]
    ) -> orders.Refunded:
        """A refund that must be taken."""
        wanted = orders.RefundToRecord(
            f"refund-{next(_numbers)}", order_id, amount_minor, tuple(items)
        )
        return self.do(lambda s: orders.refund(s, self.program_id, wanted))

    def give_back(self, order_id: str, refund: RefundFacts) -> int:
        """By how many points an order is due less after a refund."""
        done = self.refund(order_id, refund.amount_minor or None, *refund.items)
        return done.refund.points_taken

    def amend(self, order_id: str, **what: Any) -> dict[str, Any]:
        wanted = orders.Amendment(**what)
        return self.do(lambda s: orders.amend(s, self.program_id, order_id, wanted)).order

    def cancel(self, order_id: str) -> dict[str, Any]:
        return self.do(lambda s: orders.cancel(s, self.program_id, order_id)).order

    def tell(
        self,
        type_: str,
        *,
        at: datetime | str | None = None,
        member: str | None = None,
        **data: Any,
    ) -> dict[str, Any]:
        """An event that must be recorded: its columns."""
        event = events.EventToRecord(
            f"event-{next(_numbers)}", type_, member or self.member, self._moment(at), data
        )
        return self.do(lambda s: events.record(s, self.program_id, event)).event

    def points(self, member: str | None = None) -> int:
        """Points that can be spent or wait, less what is owed."""
        balance = self.balance(member or self.member)
        return balance.available + balance.pending - balance.debt

    def tier(self) -> str | None:
        return self.balance(self.member).tier

    def uses(self) -> dict[str, tuple[int, int]]:
        """By rule: what it gave and how often, all in all."""
        found: dict[str, tuple[int, int]] = {}
        for one in self.read(lambda s: list(s.scalars(self._of(RuleUse)))):
            points, times = found.get(one.rule_id, (0, 0))
            found[one.rule_id] = points + one.points, times + one.times
        return found

    def history(self) -> list[tuple[Any, ...]]:
        """What was posted, without ids: kind, moment, and points from where to where."""

        def work(session: Session) -> list[tuple[Any, ...]]:
            made = session.scalars(self._of(Transaction).order_by(Transaction.sequence)).all()
            moves = ledger.moves_of(session, self.program_id, [one.id for one in made])
            lots = list(session.scalars(self._of(ledger.Lot)))
            numbers = {lot.id: lot.number for lot in lots}
            return [
                (
                    one.kind,
                    one.occurred_at,
                    [
                        (
                            move.debit.kind,
                            numbers.get(str(move.debit.lot_id)),
                            move.credit.kind,
                            numbers.get(str(move.credit.lot_id)),
                            move.points,
                        )
                        for move in moves.get(one.id, ())
                    ],
                )
                for one in made
            ]

        return self.read(work)

    def told_later(self) -> tuple[Any, ...]:
        """What anybody may ask about the member: figures now, what is left of each lot, and the
        balance at moments to come."""
        ahead = [self.now + timedelta(days=days) for days in (0, 40, 200, 400, 800)]
        balances = self.many([(self.member, at) for at in ahead])
        open_lots = sorted(
            (available, pending, str(ends))
            for available, pending, ends in self.lots(self.member)
            if available or pending
        )
        return balances, open_lots

    def _of(self, table: Any) -> Any:
        return select(table).where(
            table.program_id == self.program_id, table.member_id == self.member
        )

    def _moment(self, at: datetime | str | None) -> datetime:
        moment = datetime.fromisoformat(at) if isinstance(at, str) else at
        return (moment or self.now).astimezone(UTC)


def facts_of(what: int | OrderFacts) -> OrderFacts:
    """An order of one item, or as it is."""
    if isinstance(what, OrderFacts):
        return what
    return OrderFacts("eur", (Line("cream", None, 1, what),), 0, 0, 0)


def rules(*listed: str, more: str = "") -> str:
    """Sections of a document: some rules in braces, and more."""
    return "earning:\n" + "".join(f"  - {rule}\n" for rule in listed) + more
