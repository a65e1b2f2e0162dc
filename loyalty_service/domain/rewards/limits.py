"""How often a reward can be had: the counters that its limits use, and what is said at the end.

A counter's name carries the period it counts; the one for ever has no period, as it always was.
"""

from datetime import date, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from loyalty_service.domain import calendar
from loyalty_service.domain.program.document import Reward, Span
from loyalty_service.errors import Refusal, RewardLimitReached, RewardSoldOut

_PERIODS = {Span.DAY: "%Y-%m-%d", Span.MONTH: "%Y-%m", Span.YEAR: "%Y"}
_IN_THE_PERIOD = {Span.DAY: " today", Span.MONTH: " this month", Span.YEAR: " this year"}


class Limit(NamedTuple):
    """A counter of which one is used, how far it may go, and the refusal above that."""

    counter: str
    at_most: int
    refusal: Refusal


def limits(reward: Reward, member_id: str, at: datetime, zone: ZoneInfo) -> tuple[Limit, ...]:
    """Return what a redemption at `at` uses, in the order of the counters' names."""
    found: list[Limit] = []
    if reward.per_member is not None:
        name = f"reward:{reward.id}:member:{member_id}"
        period = _period(reward.per_member_span, calendar.local_date(at, zone))
        found.append(Limit(name + period, reward.per_member, _had(reward, reward.per_member)))
    if reward.stock is not None:
        gone = RewardSoldOut(f"All {reward.stock} of {reward.id} are taken.", param="reward")
        found.append(Limit(stock_counter(reward.id), reward.stock, gone))
    return tuple(found)


def stock_counter(reward_id: str) -> str:
    """Name the counter of what all members together have had."""
    return f"reward:{reward_id}:stock"


def _period(span: Span, day: date) -> str:
    return f":{day.strftime(_PERIODS[span])}" if span in _PERIODS else ""


def _had(reward: Reward, at_most: int) -> RewardLimitReached:
    span = reward.per_member_span
    each = f" and {span}" if span in _PERIODS else ""
    return RewardLimitReached(
        f"{reward.id} is limited to {at_most} per member{each}.",
        param="reward",
        customer_message=f"You have already had this reward{_IN_THE_PERIOD.get(span, '')}.",
    )
