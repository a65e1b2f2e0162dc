"""When a reward can be had: windows of local days, codes that end, birthdays."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty_service.domain import calendar, rewards
from loyalty_service.domain.rewards import dates
from tests.domain.rewards.rewards import MONEY_OFF, a_reward

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)
LEAP = date(1992, 2, 29)


@pytest.mark.parametrize(
    ("at", "sold"),
    [
        # Berlin is an hour ahead: the first day begins at 23:00 of the day before in UTC.
        ("2025-12-31T22:59:59.999999", False),
        ("2025-12-31T23:00:00", True),
        ("2026-06-01T12:00:00", True),
        ("2026-12-31T22:59:59.999999", True),
        ("2026-12-31T23:00:00", False),
    ],
)
def test_a_window_includes_its_first_and_last_local_day(at: str, sold: bool) -> None:
    reward = a_reward(available_from=date(2026, 1, 1), available_until=date(2026, 12, 31))

    moment = datetime.fromisoformat(at).replace(tzinfo=UTC)
    assert rewards.on_sale(reward, moment, BERLIN) is sold


def test_a_window_may_be_open_at_either_end() -> None:
    assert rewards.on_sale(MONEY_OFF, NOW, BERLIN)
    assert rewards.on_sale(a_reward(available_from=date(2026, 11, 21)), NOW, BERLIN)
    assert not rewards.on_sale(a_reward(available_from=date(2026, 11, 22)), NOW, BERLIN)
    assert rewards.on_sale(a_reward(available_until=date(2026, 11, 21)), NOW, BERLIN)
    assert not rewards.on_sale(a_reward(available_until=date(2026, 11, 20)), NOW, BERLIN)


def test_a_code_is_good_through_the_local_day_its_lifetime_later() -> None:
    reward = a_reward(code_lifetime_days=90)

    expires_at = rewards.code_expires_at(reward, NOW, BERLIN)

    assert expires_at == datetime(2027, 2, 19, 23, tzinfo=UTC)
    assert expires_at.astimezone(BERLIN).isoformat() == "2027-02-20T00:00:00+01:00"


def test_a_code_without_a_lifetime_does_not_end() -> None:
    assert rewards.code_expires_at(MONEY_OFF, NOW, BERLIN) is None


@pytest.mark.parametrize(
    ("birthday", "days", "today", "within"),
    [
        (date(1990, 6, 10), 1, date(2026, 6, 9), False),
        (date(1990, 6, 10), 1, date(2026, 6, 10), True),
        (date(1990, 6, 10), 1, date(2026, 6, 11), False),
        (date(1990, 6, 10), 7, date(2026, 6, 16), True),
        (date(1990, 6, 10), 7, date(2026, 6, 17), False),
        # Over New Year.
        (date(1990, 12, 29), 7, date(2027, 1, 4), True),
        (date(1990, 12, 29), 7, date(2027, 1, 5), False),
        (date(1990, 12, 29), 7, date(2026, 12, 28), False),
        # 29 February is the 28th in other years, and itself in a leap year.
        (LEAP, 1, date(2026, 2, 28), True),
        (LEAP, 1, date(2026, 3, 1), False),
        (LEAP, 1, date(2028, 2, 28), False),
        (LEAP, 1, date(2028, 2, 29), True),
        (LEAP, 7, date(2026, 3, 6), True),
        (LEAP, 7, date(2026, 3, 7), False),
        (LEAP, 7, date(2028, 3, 6), True),
        (LEAP, 7, date(2028, 3, 7), False),
    ],
)
def test_a_birthday_window_is_the_day_and_those_after_it(
    birthday: date, days: int, today: date, within: bool
) -> None:
    assert dates.is_within_birthday(birthday, days, today) is within


@given(
    st.dates(date(1900, 1, 1), date(2020, 12, 31)),
    st.integers(1, 365),
    st.integers(2021, 2199),
    st.data(),
)
def test_a_window_has_just_its_days_in_any_year(
    birthday: date, days: int, year: int, data: st.DataObject
) -> None:
    begins = calendar.anniversary_in(birthday, year)
    nth = data.draw(st.integers(0, days - 1))

    assert dates.is_within_birthday(birthday, days, begins + timedelta(days=nth))
    if days < 365:
        assert not dates.is_within_birthday(birthday, days, begins - timedelta(days=1))


@given(st.dates(date(1900, 1, 1), date(2020, 12, 31)), st.dates(date(2021, 1, 1)))
def test_a_window_of_a_year_and_a_day_is_always_open(birthday: date, today: date) -> None:
    assert dates.is_within_birthday(birthday, 367, today)
