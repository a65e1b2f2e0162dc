"""A member's life at chosen moments: the domain's verbs with the clock held still."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count
from typing import TypeVar

from sqlalchemy.orm import Session

from loyalty_service import clock, db, ids
from loyalty_service.domain import adjustments, ledger, members, orders, redemptions, reversals
from loyalty_service.domain.access import Principal
from loyalty_service.domain.earning import Line, OrderFacts
from loyalty_service.domain.ledger import Balance, Standing
from loyalty_service.domain.redemptions import Wish
from loyalty_service.errors import Refusal
from tests.shop import Shop

T = TypeVar("T")
_numbers = count(1)

# Points wait 3 days, last 10, and cost little: much happens in few days.
SHORT_LIVED = """\
id: short
name: Short lives
timezone: Europe/Berlin
currency: eur
late_days: 40
earning:
  - id: purchase
    on: order
    points: 1
    per: 1.00
    counts: [merchandise]
    rounding: floor
    pending_days: 3
expiry:
  after: {days: 10}
refunds:
  when_spent: allow_debt
restored_points:
  past_expiry: original_expiry
rewards:
  - id: slice
    name: A slice off
    type: percent_off
    slabs:
      - {points: 7, percent_off: 5}
goodwill:
  reasons: [correction]
  limits:
    agent: {per_grant: 500, per_month: 5000}
"""


@dataclass
class Walk:
    """One member whose facts are recorded at the moment `now`."""

    shop: Shop
    now: datetime
    member: str = ""
    gifts: list[str] = field(default_factory=list)
    exchanges: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        name = f"walker-{next(_numbers)}"
        self.member = self.member or self.do(
            lambda s: members.enrol(s, self.shop.program_id, name)[0].id
        )

    @property
    def by(self) -> Principal:
        """Somebody without limits."""
        return Principal(self.shop.program_id, "cli_walker", "admin", None, None)

    def do(self, work: Callable[[Session], T]) -> T:
        with self.shop.app.app_context(), clock.stopped_at(self.now):
            return db.transaction(work)

    def balance(self, at: datetime | None = None) -> Balance:
        return self.do(lambda s: ledger.balance(s, self.shop.program_id, self.member, at))

    def order(self, points: int, placed_at: datetime | None = None) -> None:
        facts = OrderFacts("eur", (Line("cream", None, 1, points * 100),), 0, 0, 0)
        told = orders.OrderToRecord(
            f"walk-{next(_numbers)}", self.member, placed_at or self.now, facts
        )
        self.do(lambda s: orders.record(s, self.shop.program_id, told))

    def adjust(self, points: int) -> str | None:
        """Points by hand; None where that is refused. The transaction."""
        gesture = adjustments.Gesture(self.member, points, "correction")
        try:
            made = self.do(
                lambda s: adjustments.give(s, self.by, gesture).adjustment["transaction_id"]
            )
        except Refusal:
            return None
        self.gifts.append(made)
        return made

    def reverse(self, transaction_id: str) -> None:
        self.do(lambda s: reversals.reverse(s, self.by, transaction_id, "correction"))

    def redeem(self) -> str | None:
        """One slice; None where there are too few points. The redemption."""
        wish = Wish(self.member, "slice")
        try:
            made = self.do(
                lambda s: redemptions.place(s, self.shop.program_id, wish, lease_seconds=60)[0].id
            )
        except Refusal:
            return None
        self.exchanges.append(made)
        return made

    def fail(self, redemption_id: str) -> None:
        """Stripe refused for good: the points come back."""
        self.do(
            lambda s: redemptions.failed(s, self.shop.program_id, redemption_id, "not possible")
        )

    def touch(self) -> None:
        """Open the account for writing, which posts what fell due, and do nothing."""
        self.do(lambda s: ledger.open_book(s, self.shop.program_id, self.member))

    def stand(self, standing: Standing) -> None:
        """Another tier, or other moments at which points end: somebody decided so now."""

        def work(session: Session) -> None:
            book = ledger.open_book(session, self.shop.program_id, self.member)
            entry = ledger.Entry("tier_change", [], book.now, {"cause": "review"})
            ledger.post(book, replace(entry, standing=standing))

        self.do(work)

    def open_lots(self, count: int, *, points_each: int) -> str:
        """Lots with distinct dates, the soonest first, in one credit; its transaction."""
        return self.do(lambda session: _open_lots(session, self, count, points_each))


def _open_lots(session: Session, walk: Walk, count: int, points_each: int) -> str:
    book = ledger.open_book(session, walk.shop.program_id, walk.member)
    lots = [
        ledger.NewLot(ids.new("lot"), book.now, book.now, book.now + timedelta(days=1 + number))
        for number in range(count)
    ]
    moves = [ledger.Move(ledger.ADJUSTED, ledger.available(lot.id), points_each) for lot in lots]
    entry = ledger.Entry("credit", moves, book.now, {"cause": "adjustment"}, new_lots=lots)
    transaction_id = ledger.post(book, entry)
    session.add(
        adjustments.Adjustment(
            program_id=book.program_id,
            id=ids.new("adj"),
            member_id=book.member_id,
            points=count * points_each,
            reason="correction",
            actor_id="the tests",
            transaction_id=transaction_id,
            created_at=book.now,
        )
    )
    return transaction_id
