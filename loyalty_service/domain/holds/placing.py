"""Placing a hold: points are reserved, soonest to expire first, and priced by the program."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from loyalty_service import ids
from loyalty_service.domain import ledger, members, opening, program, restoring, rewards
from loyalty_service.domain.holds import pricing
from loyalty_service.domain.holds.table import CAPTURED, HELD, Hold
from loyalty_service.domain.opening import Ahead
from loyalty_service.domain.program.document import Reward
from loyalty_service.domain.rewards import Facts
from loyalty_service.errors import InsufficientPoints
from loyalty_service.statements import table_of

SECONDS_DEFAULT = 900
SECONDS_MAX = 7 * 24 * 60 * 60


@dataclass(frozen=True, slots=True)
class Wish:
    """Whose points, how many, for which order and how long; `order_amount` is checked where it is
    given."""

    member: str
    points: int
    order_id: str
    expires_in_seconds: int = SECONDS_DEFAULT
    reward: str | None = None
    order_amount: pricing.OrderAmount | None = None


def place(session: Session, program_id: str, wish: Wish) -> Hold:
    """Reserve points for an order until they are captured or released, or the hold ends.

    Raises MemberNotFound, MemberClosed, MemberSuspended, RewardNotFound, PointsNotOffered,
    PointsExceedOrder, CurrencyNotPriced, RewardNotOnSale, RewardNotEligible, InsufficientPoints,
    RewardSoldOut, RewardLimitReached, ProgramNotApplied.
    """
    member, book, newest, _ = opening.open_for(session, program_id, wish.member, Ahead.LOTS)
    rules = program.as_of(session, program_id, newest, book.now)
    reward = pricing.reward_for(rules.rules, wish.reward)
    members.require_spending(member)
    row = _row(book, rules, wish, reward)
    if reward:
        refused = rewards.refusal(reward, Facts(member, book.standing.tier), book.now, rules.rules)
        if refused:
            raise refused
    if book.available < wish.points:
        raise InsufficientPoints(needed=wish.points, available=book.available)
    ledger.post(book, _entry(book, row, reward), [(table_of(Hold), row)])
    if reward:
        rewards.use(book, reward, rules.rules, row["id"])
    return Hold(**row)


def _entry(book: ledger.Book, row: dict[str, Any], reward: Reward | None) -> ledger.Entry:
    lots = ledger.lots_to_spend(book, row["points"])
    moves = [
        ledger.Move(ledger.available(lot.id), ledger.held(lot.id, row["id"]), part)
        for lot, part in ledger.spend(lots, row["points"])
    ]
    context = {
        "cause": "hold",
        "hold": row["id"],
        "order": row["order_id"],
        "program_version": row["program_version"],
    }
    if reward:
        context |= {"reward": reward.id, "reward_name": reward.name}
    return ledger.Entry(
        "hold", moves, book.now, context, ends_at=row["expires_at"], id=row["transaction_id"]
    )


def _row(
    book: ledger.Book, rules: program.InForce, wish: Wish, reward: Reward | None
) -> dict[str, Any]:
    ends_at = book.now + timedelta(seconds=wish.expires_in_seconds)
    return {
        "program_id": book.program_id,
        "id": ids.new("hold"),
        "member_id": book.member_id,
        "order_id": wish.order_id,
        "status": HELD,
        "points": wish.points,
        "captured_points": 0,
        "returned_points": 0,
        "program_version": rules.version,
        **_priced(book, rules.rules, wish, reward),
        "created_at": book.now,
        "expires_at": ends_at,
        **_past(book, rules.rules, ends_at),
        "transaction_id": ids.new("ltx"),
        "captured_by": None,
        "captured_at": None,
        "released_by": None,
        "capture_failed_at": None,
    }


def _priced(
    book: ledger.Book, rules: program.Program, wish: Wish, reward: Reward | None
) -> dict[str, Any]:
    """What the points take off, and on which orders."""
    amount_minor = minimum_minor = None
    if reward:
        amount_minor = pricing.worth_minor(reward, wish.points)
        minimum_minor = pricing.minimum_order_minor(reward, wish.points)
        if wish.order_amount:
            whole = replace(wish.order_amount, others_minor=_taken_off(book, wish.order_id))
            pricing.require_order(rules, reward, wish.points, whole)
    return {
        "reward_id": reward.id if reward else None,
        "currency": rules.currency,
        "amount_minor": amount_minor,
        "minimum_order_minor": minimum_minor,
    }


def _taken_off(book: ledger.Book, order_id: str) -> int:
    """What the member's other holds of an order take off it, or have; minor units."""
    stands = or_(Hold.status == CAPTURED, and_(Hold.status == HELD, Hold.expires_at > book.now))
    total = book.session.scalar(
        select(func.sum(Hold.amount_minor))
        .where(Hold.program_id == book.program_id, Hold.order_id == order_id)
        .where(Hold.member_id == book.member_id, stands)
    )
    return int(total or 0)


def _past(book: ledger.Book, rules: program.Program, ends_at: datetime) -> dict[str, Any]:
    """Decided now, so that a forecast knows it: by the rules and the tier of this moment."""
    past = restoring.when_expired(ends_at, rules, book.standing.tier)
    return {
        "past_expires_at": past.new_expiry,
        "past_opens_a_lot": past.opens_a_lot,
        "past_is_anew": past.earned_anew,
    }
