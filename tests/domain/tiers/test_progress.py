"""What a member is shown of a tier."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given

from loyalty_service import wording
from loyalty_service.domain import calendar
from loyalty_service.domain.ledger.entries import Standing
from loyalty_service.domain.program.document import Kept, Metric, Program, Tiers
from loyalty_service.domain.tiers import words
from loyalty_service.domain.tiers.counting import Credit, by_day
from loyalty_service.domain.tiers.holding import hold, standing
from loyalty_service.domain.tiers.progress import Keep, Next, Progress, progress
from tests.domain.tiers.rules import (
    AIRLINE,
    BEAUTY,
    ENROLLED,
    LIFETIME,
    STARS,
    STEP_BY_STEP,
    credit,
    rules,
)
from tests.domain.tiers.test_holding_properties import credits_, enrolments, moments, programs

SINCE = datetime(2026, 3, 1, 10, tzinfo=UTC)


def shown_on(day: str, tiers: Tiers, *credits: Credit, **changes: Any) -> Progress:
    """What is shown at the first moment of a local day to who stands where the credits lead."""
    program = rules(tiers, **changes)
    at = calendar.first_moment(date.fromisoformat(day), program.zone)
    return shown(program, list(credits), ENROLLED, at)


def shown(program: Program, credits: list[Credit], enrolled_at: datetime, at: datetime) -> Progress:
    held = hold(credits, {1: program}, enrolled_at, at)
    stands = standing(Standing(), held, program, SINCE)
    return progress(stands, held, credits, program, enrolled_at, at)


def said(seen: Progress, language: str = "en") -> list[str]:
    return words.sentences(wording.voice(language), seen)


def test_a_member_sees_what_is_missing_for_the_next_tier() -> None:
    seen = shown_on("2026-06-01", BEAUTY, credit("2026-05-01", 44200))
    assert (seen.id, seen.name, seen.until, seen.keep) == ("member", "Member", None, None)
    assert (seen.metric, seen.credits) == (Metric.SPEND, 44200)
    assert seen.next == Next("platinum", "Platinum", 5800, date(2026, 12, 31))
    assert said(seen) == [
        "58.00 EUR more by 31 December 2026 for Platinum; spending points does not lower it.",
    ]


def test_who_has_no_standing_is_in_the_lowest_tier_since_the_enrolment() -> None:
    program = rules(BEAUTY)
    held = hold([], {1: program}, ENROLLED, SINCE)
    seen = progress(Standing(), held, [], program, ENROLLED, SINCE)
    assert (seen.id, seen.since) == ("member", ENROLLED)
    assert shown_on("2026-06-01", BEAUTY, credit("2026-03-01", 1)).since == ENROLLED


def test_a_tier_is_shown_since_it_was_reached() -> None:
    assert shown_on("2026-06-01", BEAUTY, credit("2026-03-01", 50000)).since == SINCE


def test_in_the_year_of_reaching_nothing_is_missing_to_keep_a_tier() -> None:
    seen = shown_on("2026-06-01", BEAUTY, credit("2026-03-01", 50000))
    assert (seen.until, seen.keep) == (date(2027, 12, 31), None)


def test_in_the_last_year_of_a_tier_it_is_said_what_keeps_it() -> None:
    bought = credit("2026-03-01", 50000), credit("2027-02-01", 20001)
    seen = shown_on("2027-06-01", BEAUTY, *bought)
    assert seen.keep == Keep(29999, date(2027, 12, 31))
    assert said(seen) == [
        "999.99 EUR more by 31 December 2027 for Diamond; spending points does not lower it.",
        "299.99 EUR more by 31 December 2027 keeps Platinum.",
    ]


def test_a_tier_kept_beyond_its_window_names_both_days() -> None:
    seen = shown_on("2027-10-01", AIRLINE, credit("2026-06-10", 2500), credit("2027-04-01", 2499))
    assert (seen.until, seen.next) == (date(2028, 3, 31), None)
    assert seen.keep == Keep(1, date(2028, 2, 29))
    assert said(seen) == [
        "1 point more by 29 February 2028 keeps Reserve after 31 March 2028.",
    ]


def test_in_the_month_more_the_new_window_keeps_a_tier_through_the_month_only() -> None:
    seen = shown_on("2028-03-15", AIRLINE, credit("2026-06-10", 2500), credit("2028-03-01", 500))
    assert seen.keep == Keep(2000, date(2028, 3, 31))


def test_one_step_down_a_tier_that_is_kept_anyway_asks_for_nothing_yet() -> None:
    fallen = shown_on("2028-06-01", STEP_BY_STEP, credit("2026-03-01", 120000))
    assert (fallen.id, fallen.until, fallen.keep) == ("platinum", date(2029, 12, 31), None)
    later = shown_on("2029-06-01", STEP_BY_STEP, credit("2026-03-01", 120000))
    assert later.keep == Keep(50000, date(2029, 12, 31))


def test_in_a_rolling_window_stars_count_until_the_first_of_them_leaves() -> None:
    stars = credit("2026-01-10", 100), credit("2026-03-01", 250)
    seen = shown_on("2026-06-01", STARS, *stars)
    assert seen.next == Next("gold", "Gold", 150, date(2027, 1, 9))
    assert said(seen)[0].startswith("150 points more by 9 January 2027 for Gold;")
    assert shown_on("2026-06-01", STARS).next == Next("gold", "Gold", 500, None)


def test_what_was_taken_back_does_not_leave_a_rolling_window() -> None:
    back = credit("2026-01-10", 100), credit("2026-01-10", -100), credit("2026-03-01", 250)
    assert shown_on("2026-06-01", STARS, *back).next == Next("gold", "Gold", 250, date(2027, 2, 28))


def test_in_a_rolling_window_gold_is_to_be_kept_once_its_stars_have_left() -> None:
    stars = credit("2026-01-10", 300), credit("2026-03-01", 250)
    assert shown_on("2027-01-09", STARS, *stars).keep is None
    seen = shown_on("2027-01-11", STARS, *stars)
    assert (seen.credits, seen.keep) == (250, Keep(250, date(2027, 2, 28)))
    assert said(seen)[1] == "250 points more by 28 February 2027 keeps Gold after 1 March 2027."
    later = shown_on("2027-03-01", STARS, *stars)
    assert later.keep == Keep(500, date(2027, 3, 1))


def test_the_highest_tier_of_a_life_has_nothing_to_say() -> None:
    tiers = replace(BEAUTY, window=LIFETIME, kept=Kept())
    seen = shown_on("2026-06-01", tiers, credit("2026-03-01", 120000))
    assert (seen.until, seen.next, seen.keep, said(seen)) == (None, None, None, [])
    lower = shown_on("2026-06-01", tiers, credit("2026-03-01", 50000))
    assert said(lower) == ["700.00 EUR more for Diamond; spending points does not lower it."]


@pytest.mark.parametrize(
    ("tiers", "currency", "amount"),
    [
        (replace(BEAUTY, metric=Metric.ORDERS), "eur", "1 order more"),
        (replace(STARS, window=BEAUTY.window), "eur", "2 points more"),
        (BEAUTY, "jpy", "1 JPY more"),
        (BEAUTY, "kwd", "0.001 KWD more"),
    ],
)
def test_amounts_are_said_in_their_unit(tiers: Tiers, currency: str, amount: str) -> None:
    enough = tiers.levels[1].from_credits - int(amount[0] if amount[0] != "0" else 1)
    seen = shown_on("2026-06-01", tiers, credit("2026-05-01", enough), currency=currency)
    assert said(seen)[0].startswith(f"{amount} by 31 December 2026 for ")


def test_the_same_is_said_in_german() -> None:
    bought = credit("2026-03-01", 50000), credit("2027-02-01", 20001)
    assert said(shown_on("2027-06-01", BEAUTY, *bought), "de") == [
        "Noch 999,99 EUR bis zum 31. Dezember 2027, dann bist du Diamond; "
        "Punkte auszugeben ändert daran nichts.",
        "Noch 299,99 EUR bis zum 31. Dezember 2027, dann bleibst du Platinum.",
    ]
    stars = credit("2026-01-10", 300), credit("2026-03-01", 250)
    assert said(shown_on("2027-01-11", STARS, *stars), "de")[1] == (
        "Noch 250 Punkte bis zum 28. Februar 2027, dann bleibst du auch nach dem 1. März 2027 Gold."
    )
    assert said(shown_on("2026-06-01", STARS), "de") == [
        "Noch 500 Punkte bis Gold; Punkte auszugeben ändert daran nichts."
    ]


def test_rules_that_came_to_ask_less_say_that_enough_is_there() -> None:
    program = rules(BEAUTY)
    credits = [credit("2026-03-01", 60000)]
    held = hold(credits, {1: program}, ENROLLED, SINCE + timedelta(days=9))
    seen = progress(Standing("member", SINCE), held, credits, program, ENROLLED, SINCE)
    assert seen.next == Next("platinum", "Platinum", 0, date(2026, 12, 31))
    assert said(seen) == [
        "You have enough for Platinum: it comes with the next order that counts.",
    ]


def test_more_taken_back_than_given_is_shown_as_nothing() -> None:
    assert shown_on("2026-06-01", BEAUTY, credit("2026-05-01", -100)).credits == 0


@given(credits_, programs(), enrolments, moments)
def test_who_does_by_the_day_what_is_missing_reaches_the_next_tier(
    of: list[Credit], program: Program, since: datetime, at: datetime
) -> None:
    mine = [one._replace(program_version=1) for one in of]
    seen = shown(program, mine, since, at)
    if seen.next and seen.next.missing and seen.next.by:
        day = seen.next.by
        more = [*mine, credit(day.isoformat(), seen.next.missing)]
        assert hold(more, {1: program}, since, at_noon(day)).tier >= seen.next.id
        assert program.tiers
        # A day below nothing, which no order leaves, would make it less when it is past the window.
        if min(by_day(mine, program.tiers).values(), default=0) >= 0:
            less = [*mine, credit(day.isoformat(), seen.next.missing - 1)]
            assert hold(less, {1: program}, since, at_noon(day)).tier < seen.next.id


@given(credits_, programs(), enrolments, moments)
def test_who_does_by_the_day_what_keeps_a_tier_keeps_it_longer(
    of: list[Credit], program: Program, since: datetime, at: datetime
) -> None:
    mine = [one._replace(program_version=1) for one in of]
    seen = shown(program, mine, since, at)
    if seen.keep and seen.until:
        more = [*mine, credit(seen.keep.by.isoformat(), seen.keep.missing)]
        held = hold(more, {1: program}, since, at_noon(seen.keep.by))
        assert held.tier >= seen.id
        assert held.tier > seen.id or held.kept_through is None or held.kept_through > seen.until


def at_noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
