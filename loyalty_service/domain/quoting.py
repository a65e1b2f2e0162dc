"""Quotes: what an order would earn, and what points could do for it, without writing anything.

The same functions decide as when the order is recorded, so the answers are equal while the version
of the rules and the account's sequence stand.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from loyalty_service import clock
from loyalty_service.domain import crediting, earning, expiry, members
from loyalty_service.domain.crediting import Account
from loyalty_service.domain.earning import OrderFacts
from loyalty_service.domain.orders import earned
from loyalty_service.domain.orders.earned import Decided


@dataclass(frozen=True, slots=True)
class Quote:
    """What an order earns, and what the answer is based on.

    `decided` holds why; `ends_at` is the first instant at which the points may be gone, None for
    never.
    """

    points: int
    available_at: datetime
    ends_at: datetime | None
    decided: Decided
    program_version: int
    account_sequence: int
    account: Account
    order_minor: int


def quote(
    session: Session,
    program_id: str,
    ref: str,
    facts: OrderFacts,
    placed_at: datetime | None = None,
) -> Quote:
    """What an order placed at `placed_at` (default now) earns.

    Raises MemberNotFound, MemberClosed, CurrencyNotPriced, PointsTooMany, ProgramNotApplied.
    """
    account = crediting.peek(session, program_id, ref)
    moment = placed_at or clock.now()
    rules = account.history.as_of(moment).rules
    earned.require_priced(rules, facts.currency)
    members.require_earning(account.member)
    left = earning.left_of(facts)
    decided = earned.decide(account, left, moment)
    return Quote(
        points=decided.earned.points,
        available_at=decided.matures_at,
        ends_at=expiry.lot_end(decided.rules.rules, decided.pins.tier, moment),
        decided=decided,
        program_version=account.history.newest.version,
        account_sequence=account.book.sequence,
        account=account,
        order_minor=left.paid_minor,
    )
