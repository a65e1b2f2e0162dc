"""In which stretch of days something counts, and through which day a tier is kept."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty_service.domain.program.document import Kept, Period, Tiers, Window, WindowKind
from loyalty_service.domain.tiers import windows
from tests.domain.tiers.rules import (
    AIRLINE,
    ANNIVERSARY,
    BEAUTY,
    CALENDAR_YEAR,
    LIFETIME,
    MARCH_YEAR,
    STARS,
    TWELVE_MONTHS,
)

LEAP_DAY = date(2024, 2, 29)
DAY = timedelta(days=1)
days = st.dates(date(1990, 1, 1), date(2110, 12, 31))
stretches = st.sampled_from(
    [CALENDAR_YEAR, ANNIVERSARY, *(Window(WindowKind.FISCAL_YEAR, starts_in=n) for n in (1, 3, 12))]
)
rolling = st.integers(1, 60).map(lambda months: Window(WindowKind.ROLLING, months=months))


def told(span: windows.Span) -> tuple[str, str]:
    return span.first.isoformat(), span.last.isoformat()


@pytest.mark.parametrize(
    ("window", "day", "first", "last"),
    [
        (CALENDAR_YEAR, "2026-12-31", "2026-01-01", "2026-12-31"),
        (MARCH_YEAR, "2026-02-28", "2025-03-01", "2026-02-28"),
        (MARCH_YEAR, "2027-03-01", "2027-03-01", "2028-02-29"),
        (ANNIVERSARY, "2025-02-27", "2024-02-29", "2025-02-27"),
        (ANNIVERSARY, "2025-02-28", "2025-02-28", "2026-02-27"),
        (ANNIVERSARY, "2028-02-28", "2027-02-28", "2028-02-28"),
        (ANNIVERSARY, "2028-02-29", "2028-02-29", "2029-02-27"),
        # A fact from before the enrolment, told late.
        (ANNIVERSARY, "2024-02-28", "2023-02-28", "2024-02-28"),
        (TWELVE_MONTHS, "2026-06-15", "2025-06-16", "2026-06-15"),
        (TWELVE_MONTHS, "2028-02-29", "2027-03-01", "2028-02-29"),
        (Window(WindowKind.ROLLING, months=1), "2026-03-31", "2026-03-01", "2026-03-31"),
    ],
)
def test_a_day_lies_in_its_window(window: Window, day: str, first: str, last: str) -> None:
    assert told(windows.span(window, date.fromisoformat(day), LEAP_DAY)) == (first, last)


@given(stretches, days, days)
def test_windows_follow_each_other_without_gap_and_without_overlap(
    window: Window, day: date, enrolled: date
) -> None:
    span = windows.span(window, day, enrolled)
    assert span.first <= day <= span.last
    assert windows.span(window, span.first, enrolled) == span
    assert windows.span(window, span.last, enrolled) == span
    assert windows.span(window, span.last + DAY, enrolled).first == span.last + DAY
    assert 365 <= (span.last - span.first).days + 1 <= 366


@given(days, days)
def test_an_anniversary_window_begins_on_the_day_of_enrolment_or_the_28th_for_the_29th(
    day: date, enrolled: date
) -> None:
    first = windows.span(ANNIVERSARY, day, enrolled).first
    if (first.month, first.day) != (enrolled.month, enrolled.day):
        assert (enrolled.month, enrolled.day, first.month, first.day) == (2, 29, 2, 28)


@given(st.one_of(stretches, rolling), days, days)
def test_a_credit_counts_through_its_last_day_and_no_longer(
    window: Window, credited: date, enrolled: date
) -> None:
    last = windows.counts_through(window, credited, enrolled)
    assert last >= credited
    assert windows.span(window, last, enrolled).first <= credited
    assert windows.span(window, last + DAY, enrolled).first > credited


@pytest.mark.parametrize(
    ("months", "credited", "last"),
    [
        (12, "2026-06-15", "2027-06-14"),
        # The day a month later is missing: then the month's last day is one that still counts.
        (1, "2026-01-31", "2026-02-28"),
        (12, "2028-02-29", "2029-02-28"),
        (1, "2026-02-28", "2026-03-27"),
    ],
)
def test_a_credit_leaves_a_rolling_window(months: int, credited: str, last: str) -> None:
    window = Window(WindowKind.ROLLING, months=months)
    through = windows.counts_through(window, date.fromisoformat(credited), LEAP_DAY)
    assert through.isoformat() == last


def test_credits_of_a_life_count_for_ever() -> None:
    assert windows.counts_through(LIFETIME, LEAP_DAY, LEAP_DAY) == date.max


@pytest.mark.parametrize(
    ("tiers", "reached", "last"),
    [
        (BEAUTY, "2026-01-01", "2027-12-31"),
        (BEAUTY, "2026-12-31", "2027-12-31"),
        (replace(BEAUTY, grace_days=30), "2026-12-31", "2028-01-30"),
        (replace(BEAUTY, kept=Kept(windows=0)), "2026-06-01", "2026-12-31"),
        (STARS, "2026-06-15", "2027-06-15"),
        (STARS, "2028-02-29", "2029-02-28"),
        (replace(STARS, kept=Kept(12, Period.YEAR)), "2026-06-15", "2027-12-31"),
        (replace(STARS, kept=Kept(0, Period.QUARTER)), "2026-05-15", "2026-06-30"),
        # A year from March to February, kept through March: the end of a month stays one.
        (AIRLINE, "2026-06-10", "2028-03-31"),
        (AIRLINE, "2025-06-10", "2027-03-31"),
        (replace(AIRLINE, kept=Kept(windows=0, plus_months=12)), "2026-06-10", "2028-02-29"),
        (replace(BEAUTY, window=ANNIVERSARY), "2024-02-29", "2026-02-27"),
        (replace(BEAUTY, window=ANNIVERSARY), "2026-03-01", "2028-02-28"),
        (replace(BEAUTY, kept=Kept()), "2026-03-01", "9999-12-31"),
        (replace(BEAUTY, kept=Kept(), grace_days=30), "2026-03-01", "9999-12-31"),
    ],
)
def test_a_tier_is_kept_through_its_last_day(tiers: Tiers, reached: str, last: str) -> None:
    through = windows.kept_through(tiers, date.fromisoformat(reached), LEAP_DAY)
    assert through.isoformat() == last


@pytest.mark.parametrize(
    ("window", "name"),
    [
        (CALENDAR_YEAR, "2026"),
        (MARCH_YEAR, "2025-03"),
        (ANNIVERSARY, "2025-02-28"),
        (TWELVE_MONTHS, "2026"),
        (LIFETIME, "ever"),
    ],
)
def test_a_window_has_a_name(window: Window, name: str) -> None:
    assert windows.label(window, date(2026, 2, 27), LEAP_DAY) == name
