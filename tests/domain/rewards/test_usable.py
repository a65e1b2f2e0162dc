"""Whether a reward can be had now: the first refusal that a redemption would meet."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from loyalty_service.domain import rewards
from loyalty_service.domain.members import Known
from loyalty_service.domain.program.document import Eligibility, Reward, Span
from loyalty_service.domain.rewards import Facts, Usable
from tests.domain.program.documents import a_program
from tests.domain.rewards.rewards import a_reward, at_a_rate

RULES = a_program()
# In Berlin it is the 1st of December already.
NOW = datetime(2026, 11, 30, 23, 30, tzinfo=UTC)


def facts(status: str = "active") -> Facts:
    return Facts(Known("mem_1", status, None, NOW - timedelta(days=90)))


def asked(reward: Reward, balance: int = 1000, status: str = "active", **counters: int) -> Usable:
    used = {name.replace("__", ":"): count for name, count in counters.items()}
    return rewards.usable(reward, facts(status), balance, NOW, RULES, used)


def test_what_nothing_speaks_against_is_usable_at_its_lowest_price() -> None:
    assert asked(a_reward(), 100) == Usable("money_off", True, None, None, 100)
    assert asked(at_a_rate(minimum=500, step=100)).points == 500


@pytest.mark.parametrize(
    ("balance", "told"),
    [(99, "You need 1 more point for this."), (0, "You need 100 more points for this.")],
)
def test_whoever_has_too_few_points_is_told_how_many_are_missing(balance: int, told: str) -> None:
    assert asked(a_reward(), balance) == Usable(
        "money_off", False, "insufficient_points", told, 100
    )


def test_the_first_refusal_is_that_of_a_redemption() -> None:
    limited = a_reward(per_member=1, stock=1)
    for_gold = replace(limited, eligibility=Eligibility(tiers=("gold",)))
    ended = replace(for_gold, available_until=date(2026, 11, 30))
    used = {"reward__money_off__member__mem_1": 1, "reward__money_off__stock": 1}

    assert asked(ended, 0, "closed", **used).code == "member_closed"
    assert asked(ended, 0, "suspended", **used).code == "member_suspended"
    assert asked(ended, 0, **used).code == "reward_not_on_sale"
    assert asked(for_gold, 0, **used).code == "reward_not_eligible"
    assert asked(limited, 0, **used).code == "insufficient_points"
    assert asked(limited, **used).code == "reward_limit_reached"
    assert asked(limited, reward__money_off__stock=1).code == "reward_sold_out"
    assert asked(limited).usable


def test_a_limit_counts_up_to_its_number() -> None:
    reward = a_reward(stock=3)

    assert asked(reward, reward__money_off__stock=2).usable
    assert not asked(reward, reward__money_off__stock=3).usable
    # It may have been lowered since.
    assert not asked(reward, reward__money_off__stock=4).usable


@pytest.mark.parametrize(
    ("span", "counter", "told"),
    [
        (Span.EVER, "reward:money_off:member:mem_1", "You have already had this reward."),
        (
            Span.YEAR,
            "reward:money_off:member:mem_1:2026",
            "You have already had this reward this year.",
        ),
        (
            Span.MONTH,
            "reward:money_off:member:mem_1:2026-12",
            "You have already had this reward this month.",
        ),
        (
            Span.DAY,
            "reward:money_off:member:mem_1:2026-12-01",
            "You have already had this reward today.",
        ),
    ],
)
def test_a_counter_carries_its_local_period(span: Span, counter: str, told: str) -> None:
    reward = a_reward(per_member=2, per_member_span=span)

    (limit,) = rewards.limits(reward, "mem_1", NOW, RULES.zone)
    assert (limit.counter, limit.at_most) == (counter, 2)
    assert limit.refusal.customer_message == told


def test_the_members_counter_comes_before_the_stock() -> None:
    """Whoever takes two counters takes them by name, so that nobody waits in a circle."""
    names = [limit.counter for limit in limits_of(a_reward(per_member=1, stock=1))]

    assert names == sorted(names) == ["reward:money_off:member:mem_1", "reward:money_off:stock"]


def test_a_reward_without_limits_uses_no_counter() -> None:
    assert limits_of(a_reward()) == ()


def limits_of(reward: Reward) -> tuple[rewards.Limit, ...]:
    return rewards.limits(reward, "mem_1", NOW, RULES.zone)
