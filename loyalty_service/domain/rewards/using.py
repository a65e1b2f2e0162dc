"""Counting what was had of a reward against its limits: the one verb of rewards."""

from loyalty_service.domain import counters, ledger
from loyalty_service.domain.program.document import Program, Reward
from loyalty_service.domain.rewards.limits import limits


def use(book: ledger.Book, reward: Reward, rules: Program, cause_id: str) -> None:
    """Count a redemption or a hold of the reward, once in each of its limits.

    The counters come last: others share their rows. Raises RewardSoldOut and RewardLimitReached.
    """
    for limit in limits(reward, book.member_id, book.now, rules.zone):
        if not counters.use(
            book.session, book.program_id, limit.counter, 1, limit=limit.at_most, cause_id=cause_id
        ):
            raise limit.refusal
