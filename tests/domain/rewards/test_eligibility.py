"""Who may have a reward, and what those who may not are told."""

import dataclasses
from datetime import UTC, date, datetime

import pytest

from loyalty_service.domain import rewards
from loyalty_service.domain.members import Known
from loyalty_service.domain.program.document import BirthdayWindow, Eligibility, Program
from loyalty_service.domain.rewards import Facts
from loyalty_service.errors import Refusal
from tests.domain.program.documents import a_program
from tests.domain.rewards.rewards import a_reward

TIERS = """\
tiers:
  metric: spend
  window: calendar_year
  kept: {windows: 1}
  levels:
    - {id: basic, name: Basic, from: 0}
    - {id: gold, name: Gold, from: 500.00}
    - {id: reserve, name: Reserve Circle, from: 1200.00}
goodwill:
"""
RULES: Program = a_program(("goodwill:\n", TIERS))
# In Berlin it is the 22nd already.
NOW = datetime(2026, 11, 21, 23, 30, tzinfo=UTC)
BIRTHDAY_TODAY = date(1990, 11, 22)
WEEK = BirthdayWindow(tier=None, days=7)


def somebody(
    tier: str | None = "basic",
    birthday: date | None = None,
    enrolled_at: datetime = datetime(2026, 1, 1, tzinfo=UTC),
) -> Facts:
    return Facts(Known("mem_1", "active", birthday, enrolled_at), tier)


def refused(eligible: Eligibility, facts: Facts, at: datetime = NOW) -> Refusal | None:
    return rewards.refusal(a_reward(eligibility=eligible), facts, at, RULES)


def message(eligible: Eligibility, facts: Facts) -> str | None:
    """What the customer is told, after the refusal was checked."""
    found = refused(eligible, facts)
    assert found is not None
    assert (found.code, found.status, found.kept) == ("reward_not_eligible", 409, True)
    assert found.param == "reward"
    return found.customer_message


def test_a_reward_without_conditions_is_for_everybody() -> None:
    assert refused(Eligibility(), somebody(tier=None)) is None


def test_a_reward_of_some_tiers_is_for_those() -> None:
    gold = Eligibility(tiers=("gold", "reserve"))

    assert refused(gold, somebody("gold")) is None
    assert refused(gold, somebody("reserve")) is None
    assert refused(gold, somebody("basic")) is not None
    assert refused(gold, somebody(None)) is not None


def test_the_lowest_tier_is_held_by_whoever_has_no_other() -> None:
    assert refused(Eligibility(tiers=("basic",)), somebody(None)) is None
    assert refused(Eligibility(when='member.tier == "basic"'), somebody(None)) is None
    own_window = Eligibility(birthday=(BirthdayWindow("basic", 7),))
    assert refused(own_window, somebody(None, BIRTHDAY_TODAY)) is None


def test_others_are_told_the_tiers_by_their_names() -> None:
    only = Eligibility(tiers=("gold",))
    both = Eligibility(tiers=("gold", "reserve"))

    assert message(only, somebody()) == "This reward is for Gold members."
    assert message(both, somebody()) == "This reward is for Gold and Reserve Circle members."
    assert "tier gold or reserve; mem_1 has tier basic" in refused(both, somebody()).detail


@pytest.mark.parametrize(
    ("birthday", "may"),
    [
        (BIRTHDAY_TODAY, True),
        (date(1990, 11, 16), True),
        (date(1990, 11, 15), False),
        (date(1990, 11, 23), False),
    ],
)
def test_a_birthday_reward_goes_by_the_local_date_of_the_program(birthday: date, may: bool) -> None:
    found = refused(Eligibility(birthday=(WEEK,)), somebody(birthday=birthday))

    assert (found is None) is may


def test_who_has_no_birthday_today_is_told_when() -> None:
    other = somebody(birthday=date(1990, 6, 10))

    told = {
        days: message(Eligibility(birthday=(BirthdayWindow(None, days),)), other)
        for days in (1, 7, 30)
    }
    assert told == {
        1: "This reward can be had on your birthday.",
        7: "This reward can be had in the week of your birthday.",
        30: "This reward can be had in the 30 days from your birthday on.",
    }


def test_who_never_said_a_birthday_is_asked_for_it() -> None:
    assert message(Eligibility(birthday=(WEEK,)), somebody(birthday=None)) == (
        "This reward can be had in the week of your birthday. Please tell us your birthday first."
    )


def test_each_tier_has_its_own_window_and_the_rest_have_theirs() -> None:
    windows = (BirthdayWindow("gold", 7), BirthdayWindow("reserve", 30), BirthdayWindow(None, 1))
    eligible = Eligibility(birthday=windows)
    ten_days_ago = date(1990, 11, 12)

    assert refused(eligible, somebody("reserve", ten_days_ago)) is None
    assert refused(eligible, somebody("gold", ten_days_ago)) is not None
    assert refused(eligible, somebody("gold", date(1990, 11, 20))) is None
    assert refused(eligible, somebody("basic", date(1990, 11, 20))) is not None
    assert refused(eligible, somebody("basic", BIRTHDAY_TODAY)) is None


def test_a_tier_without_a_window_is_told_who_has_one() -> None:
    eligible = Eligibility(birthday=(BirthdayWindow("gold", 7), BirthdayWindow("reserve", 30)))

    assert message(eligible, somebody("basic", BIRTHDAY_TODAY)) == (
        "This reward can be had by Gold members in the week of their birthday and "
        "by Reserve Circle members in the 30 days from their birthday on."
    )


@pytest.mark.parametrize(
    ("when", "may"),
    [
        ('member.tier == "gold"', True),
        ("member.is_birthday", True),
        ("member.is_birthday_month", True),
        # Enrolled on the 22nd of October, in Berlin.
        ("member.enrolled_days == 31", True),
        ("member.enrolled_days >= 32", False),
        ('member.tier != "gold" || !member.is_birthday', False),
    ],
)
def test_a_condition_is_asked_of_the_member(when: str, may: bool) -> None:
    enrolled = datetime(2026, 10, 21, 22, 30, tzinfo=UTC)
    found = refused(Eligibility(when=when), somebody("gold", BIRTHDAY_TODAY, enrolled))

    assert (found is None) is may


def test_without_tiers_the_tier_is_empty_and_without_a_birthday_it_is_never() -> None:
    when = 'member.tier == "" && !member.is_birthday && !member.is_birthday_month'
    reward = a_reward(eligibility=Eligibility(when=when))

    assert rewards.refusal(reward, somebody(None, None), NOW, a_program()) is None


def test_who_does_not_meet_a_condition_is_told_that_there_is_one() -> None:
    told = message(Eligibility(when="member.enrolled_days > 1000"), somebody())

    assert told == "This reward is for certain members only."


def test_all_that_is_given_must_hold() -> None:
    eligible = Eligibility(tiers=("gold",), birthday=(WEEK,), when="member.enrolled_days > 30")

    assert refused(eligible, somebody("gold", BIRTHDAY_TODAY)) is None
    late = datetime(2026, 11, 20, tzinfo=UTC)
    for short in (
        somebody("basic", BIRTHDAY_TODAY),
        somebody("gold", date(1990, 6, 10)),
        somebody("gold", BIRTHDAY_TODAY, enrolled_at=late),
    ):
        assert refused(eligible, short) is not None


def test_a_reward_that_is_not_on_sale_is_nobodys() -> None:
    ended = a_reward(available_until=date(2026, 11, 21), eligibility=Eligibility(tiers=("gold",)))

    found = rewards.refusal(ended, somebody("basic"), NOW, RULES)
    assert found is not None and found.code == "reward_not_on_sale"


def test_a_tier_that_the_rules_no_longer_have_is_called_by_its_id() -> None:
    reward = a_reward(eligibility=Eligibility(tiers=("gold",)))
    without = dataclasses.replace(RULES, tiers=None)

    found = rewards.refusal(reward, somebody("basic"), NOW, without)
    assert found is not None and found.customer_message == "This reward is for gold members."


def test_who_may_is_said_in_words() -> None:
    def said(**eligible: object) -> str | None:
        made = Eligibility(**eligible)  # type: ignore[arg-type]
        return rewards.who_may(a_reward(eligibility=made), RULES)

    assert said() is None
    assert said(tiers=("gold",)) == "This reward is for Gold members."
    assert said(tiers=("gold",), birthday=(WEEK,), when="member.is_birthday") == (
        "This reward is for Gold members. This reward can be had in the week of your birthday. "
        "This reward is for certain members only."
    )
