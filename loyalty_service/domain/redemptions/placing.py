"""Placing a redemption: points leave, and the code is promised, in one transaction.

A reward that the shop applies itself promises nothing: its code is good as soon as points left.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from loyalty_service import ids
from loyalty_service.domain import (
    counters,
    expiry,
    jobs,
    ledger,
    members,
    opening,
    program,
    rewards,
)
from loyalty_service.domain.opening import Ahead
from loyalty_service.domain.program.document import Activity, Reward, Settlement, Slab
from loyalty_service.domain.redemptions.table import ISSUE_CODE, ISSUED, PENDING, Redemption
from loyalty_service.domain.rewards import Facts
from loyalty_service.errors import InsufficientPoints, PointsNotOffered, RewardNotFound
from loyalty_service.statements import table_of


@dataclass(frozen=True, slots=True)
class Wish:
    """What a member wants: a reward of the program, and which of its prices."""

    member: str
    reward: str
    points: int | None = None


class Placed(NamedTuple):
    """A redemption, the promise of its code (None where it has one), the variable that names the
    issuer's key, and the issuer's own name for the member."""

    redemption: Redemption
    promise: jobs.Claimed | None
    api_key_env: str | None
    customer_id: str | None = None


def place(session: Session, program_id: str, wish: Wish, *, lease_seconds: int) -> Placed:
    """Take the points and promise the code; the caller holds the promise's lease.

    Raises MemberNotFound, MemberClosed, MemberSuspended, RewardNotFound, PointsNotOffered,
    RewardNotOnSale, RewardNotEligible, InsufficientPoints, RewardSoldOut, RewardLimitReached.
    """
    member, book, newest, _ = opening.open_for(session, program_id, wish.member, Ahead.LOTS)
    rules = program.as_of(session, program_id, newest, book.now)
    reward, slab = _choose(rules.rules, wish)
    members.require_spending(member)
    refused = rewards.refusal(reward, Facts(member, book.standing.tier), book.now, rules.rules)
    if refused:
        raise refused
    redemption_id = ids.new("rdm")
    entry = _entry(book, redemption_id, reward, slab, rules)
    row = _row(book, redemption_id, reward, slab, rules, entry.id)
    beside = [(table_of(Redemption), row)]
    promise = None
    if row["status"] == PENDING:
        promise, job = jobs.promised(
            program_id, ISSUE_CODE, redemption_id, lease_seconds=lease_seconds
        )
        beside.append((table_of(jobs.Job), job))
    ledger.post(book, entry, beside)
    _use_counters(session, book, reward, rules.rules, redemption_id)
    account = rules.rules.stripe.api_key_env
    return Placed(Redemption(**row), promise, account, member.stripe_customer_id)


def _choose(rules: program.Program, wish: Wish) -> tuple[Reward, Slab]:
    reward = rules.reward(wish.reward)
    if reward is None:
        known = ", ".join(reward.id for reward in rules.rewards) or "none"
        raise RewardNotFound(
            f"There is no reward {wish.reward!r}; the program has: {known}.", param="reward"
        )
    try:
        return reward, rewards.price(reward, wish.points)
    except rewards.NoSuchSlab as error:
        raise PointsNotOffered(
            f"{reward.id} can't be had for {error.points} points; it costs {error.offered}.",
            param="points",
        ) from error


def _entry(
    book: ledger.Book, redemption_id: str, reward: Reward, slab: Slab, rules: program.InForce
) -> ledger.Entry:
    if book.available < slab.points:
        raise InsufficientPoints(needed=slab.points, available=book.available)
    # A gift leaves a transaction without moves: it happened, and cost nothing.
    lots = ledger.lots_to_spend(book, slab.points) if slab.points else []
    moves = [
        ledger.Move(ledger.available(lot.id), ledger.REDEEMED, part)
        for lot, part in ledger.spend(lots, slab.points)
    ]
    context = {
        "cause": "redemption",
        "redemption": redemption_id,
        "reward": reward.id,
        "reward_name": reward.name,
        "program_version": rules.version,
    }
    alive = expiry.after_activity(book.standing, rules.rules, Activity.REDEMPTION, book.now)
    standing = alive if alive != book.standing else None
    return ledger.Entry("redemption", moves, book.now, context, standing=standing)


def _use_counters(
    session: Session,
    book: ledger.Book,
    reward: Reward,
    rules: program.Program,
    redemption_id: str,
) -> None:
    for limit in rewards.limits(reward, book.member_id, book.now, rules.zone):
        if not counters.use(
            session,
            book.program_id,
            limit.counter,
            1,
            limit=limit.at_most,
            cause_id=redemption_id,
        ):
            raise limit.refusal


def _row(
    book: ledger.Book,
    redemption_id: str,
    reward: Reward,
    slab: Slab,
    rules: program.InForce,
    transaction_id: str,
) -> dict[str, Any]:
    currency = rules.rules.currency
    is_settled_here = reward.settlement is Settlement.APP_APPLIED
    return {
        "program_id": book.program_id,
        "id": redemption_id,
        "member_id": book.member_id,
        "reward_id": reward.id,
        "reward_name": reward.name,
        "program_version": rules.version,
        "status": ISSUED if is_settled_here else PENDING,
        "points": slab.points,
        "code": ids.code(),
        "currency": currency,
        "amount_off_minor": slab.amount_off_minor,
        "percent_off": str(slab.percent_off) if slab.percent_off is not None else None,
        "minimum_order_minor": rewards.minimum_order_minor(reward, slab),
        "coupon_id": ""
        if is_settled_here
        else rewards.coupon_id(book.program_id, reward, slab, currency),
        "promotion_code_id": None,
        "failure": None,
        "transaction_id": transaction_id,
        "restored_by": None,
        "created_at": book.now,
        "settlement": reward.settlement.value,
        "gives": reward.gives,
        "used_at": None,
        "expires_at": rewards.code_expires_at(reward, book.now, rules.rules.zone),
    }
