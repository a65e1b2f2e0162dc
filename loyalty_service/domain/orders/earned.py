"""What an order earns, decided once; and what it is due when it is evaluated again."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from loyalty_service import canonical
from loyalty_service.domain import calendar, crediting, earning, expiry, ledger, program
from loyalty_service.domain.crediting import Account, Change
from loyalty_service.domain.earning import Earned, Left, OrderFacts, Pins, RefundFacts, pinning
from loyalty_service.domain.earning.left import NOTHING
from loyalty_service.domain.earning.lots import points_in
from loyalty_service.domain.earning.pins import from_json
from loyalty_service.domain.orders.table import Order, earns_at
from loyalty_service.domain.program.document import ORDER, Activity
from loyalty_service.errors import CurrencyNotPriced, PointsTooMany, RefundExceedsOrder


@dataclass(frozen=True, slots=True)
class Decided:
    """What an order earns at its moment, by which rules, and what was known then."""

    moment: datetime
    rules: program.InForce
    pins: Pins
    earned: Earned

    @property
    def matures_at(self) -> datetime:
        """When its points become available."""
        rules = self.rules.rules
        return calendar.matures_at(self.moment, rules.pending_days, rules.zone)


@dataclass(frozen=True, slots=True)
class Pinned:
    """What an order's earning is evaluated with again: just what decided at first."""

    moment: datetime
    version: int
    rules: program.Program
    pins: Pins
    # False where it was recorded before anything was credited to tiers.
    is_credited: bool = True


def require_priced(rules: program.Program, currency: str) -> None:
    """Only one currency is priced; raises CurrencyNotPriced."""
    if currency != rules.currency:
        raise CurrencyNotPriced(
            f"The program prices {rules.currency}, not {currency}.", param="currency"
        )


def decide(account: Account, rules: program.InForce, left: Left, moment: datetime) -> Decided:
    """Decide what an order (or what is left of it) earns at its moment; raises PointsTooMany.

    `rules` are those in force when it was placed: they price its currency and say which moment.
    """
    pins = pinning.pins(
        account.book,
        rules.rules,
        account.member,
        tier=crediting.tier_at(account, moment),
        on=ORDER,
        at=moment,
    )
    return decided_by(rules, pins, left, moment)


def decided_by(rules: program.InForce, pins: Pins, left: Left, moment: datetime) -> Decided:
    """What these rules and pins make of what is left of an order; raises PointsTooMany."""
    return Decided(moment, rules, pins, _earn(rules.rules, left, pins, moment))


def change(order_id: str, decided: Decided, transaction_id: str, now: datetime) -> Change:
    """The earning as it is posted now."""
    rules, earned = decided.rules.rules, decided.earned
    occurred_at = min(decided.moment, now)
    context: dict[str, Any] = {
        "cause": "order",
        "order": order_id,
        "program_version": decided.rules.version,
        "currency": rules.currency,
        "explanation": earned.explanation,
        "pinned": decided.pins.as_json(),
        "moment": canonical.timestamp(decided.moment),
    }
    moves, lots = points_in(
        earned.points,
        earned_at=occurred_at,
        matures_at=decided.matures_at,
        expires_at=expiry.lot_end(rules, decided.pins.tier, decided.moment),
        at=occurred_at,
    )
    return Change(
        cause="order",
        entry=ledger.Entry("earn", moves, occurred_at, context, new_lots=lots, id=transaction_id),
        version=decided.rules.version,
        day=calendar.local_date(decided.moment, rules.zone),
        used_at=decided.moment,
        tier_credit=earned.tier_credit,
        uses=earned.uses,
        activity=Activity.ORDER,
    )


def pinned(session: Session, order: Order) -> Pinned | None:
    """What decided an order's points; None where it has not earned yet."""
    if order.earning_id is None:
        return None
    kept = ledger.require_transaction(session, order.program_id, order.earning_id)
    context = json.loads(kept.context)
    number = context["program_version"]
    rules = program.version(session, order.program_id, number)
    # Pinned, since those rules may wait for another moment of an order than the ones that were in
    # force when it was placed, which said when this one earns. Older contexts have no moment.
    known = context.get("moment")
    told = earns_at(rules.earn_when, order.placed_at, order.paid_at, order.fulfilled_at)
    moment = datetime.fromisoformat(known) if known else told or kept.occurred_at
    pins = from_json(context.get("pinned", {}))
    # Whoever pins credits, too.
    is_credited = "pinned" in context
    return Pinned(moment, number, rules, pins, is_credited)


def due(known: Pinned, left: Left) -> Earned:
    """What is due for what is left of an order: by what was pinned and nothing else."""
    return _earn(known.rules, left, known.pins, known.moment)


def left(facts: OrderFacts, refunds: Iterable[RefundFacts], *, is_cancelled: bool = False) -> Left:
    """What is left of an order; raises RefundExceedsOrder where refunds are more than it."""
    if is_cancelled:
        return NOTHING
    try:
        return earning.left_of(facts, refunds)
    except earning.RefundedTooMuch as error:
        if error.sku is not None:
            raise RefundExceedsOrder(_bought(error.sku, error.at_most), param="lines") from error
        detail = (
            f"All refunds of this order may give back at most {error.at_most} by amount "
            f"({facts.currency}, minor units), beside the items that came back."
        )
        raise RefundExceedsOrder(detail, param="amount") from error


def _bought(sku: str, at_most: int) -> str:
    if not at_most:
        return f"No {sku!r} can come back: the order has none."
    return f"At most {at_most} of {sku!r} can come back: the order has no more."


def _earn(rules: program.Program, left: Left, pins: Pins, moment: datetime) -> Earned:
    on = calendar.local_date(moment, rules.zone)
    try:
        return earning.earn_left(rules, left, pins, on=on)
    except earning.PointsOutOfRange as error:
        raise PointsTooMany(str(error), param="lines") from error
