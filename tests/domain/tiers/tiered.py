"""A shop with tiers, and facts that count, written to it as the verbs write them."""

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from sqlalchemy.orm import Session

from loyalty_service import db
from loyalty_service.domain import calendar, crediting
from loyalty_service.domain.crediting import Change
from loyalty_service.domain.earning import TierCredit
from loyalty_service.domain.ledger import Entry
from loyalty_service.domain.opening import Ahead
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
    return of(shop, lambda s: _spend(s, shop.program_id, member_id, amount_minor, at))


def _spend(
    session: Session, program_id: str, member_id: str, amount_minor: int, at: datetime | None
) -> str:
    account, _ = crediting.open_account(session, program_id, member_id, Ahead.LOTS)
    now = account.history.newest
    at = at or account.book.now
    change = Change(
        cause="test",
        # Of a kind behind which the books ask for nothing.
        entry=Entry("expiry_change", [], at, {"cause": "test", "program_version": now.version}),
        version=now.version,
        day=calendar.local_date(at, now.rules.zone),
        used_at=at,
        tier_credit=TierCredit(spend_minor=amount_minor, orders=1),
        uses={},
    )
    crediting.post(account, change)
    return change.entry.id
