"""What the rewards of a program are to one member now: read, not written."""

from datetime import datetime

from sqlalchemy.orm import Session

from loyalty_service.domain import counters, rewards
from loyalty_service.domain.program.document import Program
from loyalty_service.domain.rewards import Facts, Usable


def offers(
    session: Session,
    program_id: str,
    facts: Facts,
    available: int,
    rules: Program,
    at: datetime,
) -> list[Usable]:
    """Say of each reward, in the program's order, whether the member could have it at `at`.

    `available` are the member's points. The same checks as `place`, in one statement.
    """
    limits = (rewards.limits(reward, facts.member.id, at, rules.zone) for reward in rules.rewards)
    names = [limit.counter for of_reward in limits for limit in of_reward]
    used = counters.used_of(session, program_id, names)
    return [rewards.usable(reward, facts, available, at, rules, used) for reward in rules.rewards]


def stock_left(session: Session, program_id: str, rules: Program) -> dict[str, int]:
    """How many are left of each reward that has a stock, by the reward's id."""
    stocks = {reward.id: reward.stock for reward in rules.rewards if reward.stock is not None}
    names = {reward_id: rewards.stock_counter(reward_id) for reward_id in stocks}
    used = counters.used_of(session, program_id, list(names.values()))
    # A stock may be lowered below what is taken already.
    return {id_: max(0, stock - used.get(names[id_], 0)) for id_, stock in stocks.items()}
