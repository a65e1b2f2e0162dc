"""A shop with tiers, and facts that count, written to it as the verbs write them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy.orm import Session

from loyalty_service import clock, db
from loyalty_service.domain import calendar, ledger, members, program
from loyalty_service.domain.ledger import Book, Entry
from loyalty_service.domain.ledger.entries import Standing
from loyalty_service.domain.program.versions import InForce
from loyalty_service.domain.tiers import credits, entry, grants, holding
from loyalty_service.domain.tiers.counting import Credit
from tests.domain.program.documents import changed
from tests.shop import Shop

T = TypeVar("T")
LEVELS = """\
tiers:
  metric: spend
  window: calendar_year
  kept: {windows: 1}
  levels:
    - {id: member, name: Member, from: 0}
    - {id: platinum, name: Platinum, from: 500.00, multiplier: 1.25, entry_points: 100}
    - {id: diamond, name: Diamond, from: 1200.00, multiplier: 1.5, expiry: never}
"""
EXPIRY = "  after: {months: 12}\n"
TIERED = (
    changed(
        ("reasons: [correction]", "reasons: [correction, appreciation]"),
        (EXPIRY, EXPIRY + "  after_downgrade: quarter\n"),
    )
    + LEVELS
)


def of(shop: Shop, work: Callable[[Session], T]) -> T:
    """The result of one transaction."""
    with shop.app.app_context():
        return db.transaction(work)


def spend(shop: Shop, member_id: str, amount_minor: int, at: datetime | None = None) -> str:
    """Something that counts (or takes back) at a moment, now if none is given: its transaction."""
    return of(shop, lambda s: Fact.of(s, shop.program_id, member_id, at).write(amount_minor))


@dataclass
class Fact:
    """A fact under the lock of its member's account."""

    book: Book
    rules: InForce
    enrolled_at: datetime
    at: datetime

    @classmethod
    def of(cls, session: Session, program_id: str, member_id: str, at: datetime | None) -> "Fact":
        book = ledger.open_book(session, program_id, member_id)
        member = members.require(session, program_id, member_id)
        rules = program.in_force(session, program_id)
        return cls(book, rules, member.enrolled_at, at or book.now)

    @property
    def whose(self) -> tuple[Session, str, str]:
        return self.book.session, self.book.program_id, self.book.member_id

    def write(self, amount_minor: int) -> str:
        day = calendar.local_date(self.at, self.rules.rules.zone)
        credit = Credit(day, self.rules.version, amount_minor, 0, 0, 1)
        context: dict[str, Any] = {"cause": "test", "program_version": self.rules.version}
        # Of a kind behind which the books ask for nothing.
        context[credits.PINNED] = credits.as_plain(credit)
        made = Entry("claw_back", [], self.at, context)
        ledger.post(self.book, made, [credits.row(*self.whose[1:], made.id, credit)])
        self.change_tier()
        return made.id

    def change_tier(self) -> None:
        session, program_id, member_id = self.whose
        known = credits.of_members(session, program_id, [member_id])[member_id]
        numbers = {one.program_version for one in known} | {self.rules.version}
        versions = {n: program.version(session, program_id, n) for n in numbers}
        held = holding.hold(known, versions, self.enrolled_at, self.book.now)
        before = self.book.standing
        after = holding.standing(before, held, self.rules.rules, self.at)
        if after != before:
            context = {"cause": "test", "from": before.tier, "to": after.tier}
            ledger.post(self.book, Entry("tier_change", [], self.at, context, standing=after))
            self.give(before, after)
            self.take(before, after)

    def give(self, before: Standing, after: Standing) -> None:
        given = grants.of_member(*self.whose)
        facts = self.rules.rules, self.enrolled_at, self.at
        for gift in entry.planned(before.tier, after.tier, *facts, given):
            made = entry.gift_entry(gift, self.rules, after.tier, self.at)
            if gift.again:
                ledger.post(self.book, made)
                grants.note(*self.whose, gift)
            else:
                row = grants.row(*self.whose[1:], gift, made, clock.now())
                ledger.post(self.book, made, [row])

    def take(self, before: Standing, after: Standing) -> None:
        given = grants.of_member(*self.whose)
        lots = grants.lots_of(*self.whose, given)
        facts = self.rules.rules, self.enrolled_at, self.at
        for one in entry.withdrawals(before, after.tier, *facts, given, lots):
            ledger.post(self.book, entry.withdrawal_entry(one, self.rules, self.at))
            grants.note(*self.whose, one)
