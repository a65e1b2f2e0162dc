"""Placing a redemption: points leave, and the code is promised, in one transaction.

A reward that the shop applies itself promises nothing: its code is good as soon as points left.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from loyalty_service import ids
from loyalty_service.domain import (
    codes,
    expiry,
    jobs,
    ledger,
    members,
    opening,
    program,
    rewards,
)
from loyalty_service.domain.codes import ISSUE_CODE, PENDING, Promised, Worth
from loyalty_service.domain.opening import Ahead
from loyalty_service.domain.program.document import Activity, Reward, Slab
from loyalty_service.domain.redemptions.table import PREFIX, Redemption
from loyalty_service.domain.rewards import Facts
from loyalty_service.errors import InsufficientPoints, RewardNotFound
from loyalty_service.statements import table_of


@dataclass(frozen=True, slots=True)
class Wish:
    """What a member wants: a reward of the program, and which of its prices."""

    member: str
    reward: str
    points: int | None = None


def place(
    session: Session, program_id: str, wish: Wish, *, lease_seconds: int
) -> Promised[Redemption]:
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
    redemption_id = ids.new(PREFIX)
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
    rewards.use(book, reward, rules.rules, redemption_id)
    account = rules.rules.stripe.api_key_env
    return Promised(Redemption(**row), promise, account, member.stripe_customer_id)


def _choose(rules: program.Program, wish: Wish) -> tuple[Reward, Slab]:
    reward = rules.reward(wish.reward)
    if reward is None:
        known = ", ".join(reward.id for reward in rules.rewards) or "none"
        raise RewardNotFound(
            f"There is no reward {wish.reward!r}; the program has: {known}.", param="reward"
        )
    return reward, rewards.require_price(reward, wish.points)


def _entry(
    book: ledger.Book, redemption_id: str, reward: Reward, slab: Slab, rules: program.InForce
) -> ledger.Entry:
    if book.available < slab.points:
        raise InsufficientPoints(needed=slab.points, available=book.available)
    # A gift leaves a transaction without moves: it happened, and cost nothing.
    moves = ledger.spending(book, slab.points, ledger.REDEEMED)
    context = {
        "cause": "redemption",
        "redemption": redemption_id,
        "reward": reward.id,
        "reward_name": reward.name,
        "program_version": rules.version,
    }
    standing = expiry.moved_by(book.standing, rules.rules, Activity.REDEMPTION, book.now)
    return ledger.Entry("redemption", moves, book.now, context, standing=standing)


def _row(
    book: ledger.Book,
    redemption_id: str,
    reward: Reward,
    slab: Slab,
    rules: program.InForce,
    transaction_id: str,
) -> dict[str, Any]:
    currency = rules.rules.currency
    return {
        "program_id": book.program_id,
        "id": redemption_id,
        "member_id": book.member_id,
        "reward_id": reward.id,
        "reward_name": reward.name,
        "program_version": rules.version,
        "points": slab.points,
        "minimum_order_minor": rewards.minimum_order_minor(reward, slab),
        "transaction_id": transaction_id,
        "restored_by": None,
        "created_at": book.now,
        "gives": reward.gives,
        "expires_at": rewards.code_expires_at(reward, book.now, rules.rules.zone),
        **codes.new(
            reward.settlement,
            Worth(slab.amount_off_minor, slab.percent_off),
            currency,
            rewards.coupon_id(book.program_id, reward, slab, currency),
        ),
    }
