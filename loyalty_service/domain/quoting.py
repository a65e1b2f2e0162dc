"""Quotes: what an order would earn, and what points could do for it, without writing anything.

The same functions decide as when the order is recorded, so the answers are equal while the version
of the rules and the account's sequence stand.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from loyalty_service import clock
from loyalty_service.domain import crediting, earning, expiry, members, rewards
from loyalty_service.domain.crediting import Account
from loyalty_service.domain.earning import OrderFacts
from loyalty_service.domain.orders import earned, recording
from loyalty_service.domain.orders.earned import Decided
from loyalty_service.domain.orders.table import earns_at
from loyalty_service.domain.redemptions import offering
from loyalty_service.domain.rewards import Facts, Usable


@dataclass(frozen=True, slots=True)
class Pay:
    """The most that points can pay of an order, and the reward that does it."""

    reward: str
    points: int
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Quote:
    """What an order earns, and what the answer is based on.

    `decided` holds why; `ends_at` is the first instant at which the points may be gone, None for
    never. `locale` is the member's, for whoever puts it into words.
    """

    points: int
    available_at: datetime
    ends_at: datetime | None
    decided: Decided
    currency: str
    locale: str | None
    program_version: int
    account_sequence: int
    rewards: list[Usable]
    pay: Pay | None


def quote(
    session: Session,
    program_id: str,
    ref: str,
    facts: OrderFacts,
    placed_at: datetime | None = None,
    paid_at: datetime | None = None,
    fulfilled_at: datetime | None = None,
) -> Quote:
    """What an order placed at `placed_at` (default now) earns.

    Where the rules wait for a moment that is not given, it is taken for that of the placing.
    Raises MemberNotFound, MemberClosed, CurrencyNotPriced, OrderInFuture, OrderTooLate,
    PointsTooMany, ProgramNotApplied, ValidationFailed.
    """
    account = crediting.peek(session, program_id, ref)
    placed_at = placed_at or clock.now()
    rules = account.history.as_of(placed_at)
    recording.require_in_range(facts)
    earned.require_priced(rules.rules, facts.currency)
    recording.require_in_time(placed_at, paid_at, fulfilled_at, rules.rules.late_days)
    moment = earns_at(rules.rules.earn_when, placed_at, paid_at, fulfilled_at) or placed_at
    members.require_earning(account.member)
    left = earning.left_of(facts)
    decided = earned.decide(account, rules, left, moment)
    offers = _offers(session, account)
    return Quote(
        points=decided.earned.points,
        available_at=decided.matures_at,
        ends_at=expiry.lot_end(decided.rules.rules, decided.pins.tier, moment),
        decided=decided,
        currency=rules.rules.currency,
        locale=account.member.locale,
        program_version=account.history.newest.version,
        account_sequence=account.book.sequence,
        rewards=offers,
        pay=_pay(account, offers, left.paid_minor),
    )


def _offers(session: Session, account: Account) -> list[Usable]:
    book, rules = account.book, account.history.newest.rules
    facts = Facts(account.member, book.standing.tier)
    return offering.offers(session, book.program_id, facts, book.available, rules, book.now)


def _pay(account: Account, offers: list[Usable], order_minor: int) -> Pay | None:
    """The most that a reward which the member can have takes off this order."""
    usable = {offer.id for offer in offers if offer.usable}
    found = [
        Pay(reward.id, most.points, most.amount_minor)
        for reward in account.history.newest.rules.rewards
        if reward.id in usable
        and (most := rewards.pay_with_points(reward, account.book.available, order_minor))
    ]
    return max(found, key=lambda pay: pay.amount_minor, default=None)
