"""Whether a member could have a reward now: the checks of a redemption, without one."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from loyalty_service.domain import members
from loyalty_service.domain.program.document import Program, Reward
from loyalty_service.domain.rewards.eligibility import Facts, refusal
from loyalty_service.domain.rewards.limits import limits
from loyalty_service.domain.rewards.prices import price
from loyalty_service.errors import InsufficientPoints, Refusal


@dataclass(frozen=True, slots=True)
class Usable:
    """Whether a reward can be had at its lowest price, `points`; if not, the refusal's code and
    what a customer may be told."""

    id: str
    usable: bool
    code: str | None
    customer_message: str | None
    points: int


def usable(
    reward: Reward,
    facts: Facts,
    balance: int,
    at: datetime,
    rules: Program,
    counters: Mapping[str, int],
) -> Usable:
    """Say whether a member with `balance` available points could have the reward at `at`.

    `counters` says by name how much of each counter is used; one that is missing is unused.
    """
    points = price(reward, None).points
    refused = next(_refusals(reward, facts, balance, points, at, rules, counters), None)
    if refused is None:
        return Usable(reward.id, True, None, None, points)
    return Usable(reward.id, False, refused.code, refused.customer_message, points)


def _refusals(
    reward: Reward,
    facts: Facts,
    balance: int,
    points: int,
    at: datetime,
    rules: Program,
    counters: Mapping[str, int],
) -> Iterator[Refusal]:
    """Every refusal, in the order in which a redemption would meet them."""
    try:
        members.require_spending(facts.member)
    except Refusal as refused:
        yield refused
    by_rules = refusal(reward, facts, at, rules)
    if by_rules:
        yield by_rules
    if balance < points:
        yield InsufficientPoints(needed=points, available=balance)
    for limit in limits(reward, facts.member.id, at, rules.zone):
        if counters.get(limit.counter, 0) >= limit.at_most:
            yield limit.refusal
