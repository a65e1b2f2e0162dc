"""Which tier credits give at a moment, and what time makes of it."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from loyalty_service.domain import calendar
from loyalty_service.domain.ledger.entries import Standing, Step
from loyalty_service.domain.program.document import Kept, Metric, Tier, Tiers
from loyalty_service.domain.tiers.holding import hold, standing
from tests.domain.tiers.rules import (
    AIRLINE,
    ANNIVERSARY,
    BEAUTY,
    ENROLLED,
    LIFETIME,
    STARS,
    STEP_BY_STEP,
    credit,
    held_on,
    rules,
    tier_on,
)

BERLIN = ZoneInfo("Europe/Berlin")
DAY = timedelta(days=1)


def midnight(day: str) -> datetime:
    return calendar.first_moment(date.fromisoformat(day), BERLIN)


def test_without_credits_the_lowest_tier_is_held_for_ever() -> None:
    held = held_on("2026-06-01", BEAUTY)
    assert (held.tier, held.kept_through, held.kept_until, held.steps) == ("member", None, None, ())


def test_platinum_at_500_in_a_calendar_year_is_kept_through_the_end_of_the_next() -> None:
    bought = credit("2026-03-01", 30000), credit("2026-11-05", 20000)
    assert tier_on("2026-11-05", BEAUTY, bought[0]) == "member"
    held = held_on("2026-11-06", BEAUTY, *bought)
    assert (held.tier, held.kept_through) == ("platinum", date(2027, 12, 31))
    assert held.kept_until == midnight("2028-01-01")
    assert tier_on("2027-12-31", BEAUTY, *bought) == "platinum"
    assert tier_on("2028-01-01", BEAUTY, *bought) == "member"


def test_one_cent_less_is_not_enough() -> None:
    assert tier_on("2026-06-01", BEAUTY, credit("2026-03-01", 49999)) == "member"


def test_what_is_bought_in_two_years_does_not_add_up() -> None:
    bought = credit("2026-12-31", 30000), credit("2027-01-01", 30000)
    assert tier_on("2027-06-01", BEAUTY, *bought) == "member"


def test_gold_at_500_stars_in_12_months_is_kept_12_months() -> None:
    stars = credit("2025-06-16", 100), credit("2026-06-15", 400)
    held = held_on("2026-06-16", STARS, *stars)
    assert (held.tier, held.kept_through) == ("gold", date(2027, 6, 15))
    a_day_too_late = credit("2025-06-15", 100), credit("2026-06-15", 400)
    assert tier_on("2026-06-16", STARS, *a_day_too_late) == "green"


def test_every_further_credit_that_finds_enough_in_the_window_keeps_gold_longer() -> None:
    stars = credit("2026-01-10", 500), credit("2026-08-01", 1)
    assert held_on("2026-08-02", STARS, *stars).kept_through == date(2027, 8, 1)


def test_what_was_refunded_whole_keeps_nothing_longer() -> None:
    stars = credit("2026-01-10", 500), credit("2026-08-01", 30), credit("2026-08-01", -30)
    assert held_on("2026-08-02", STARS, *stars).kept_through == date(2027, 1, 10)


def test_a_status_year_from_march_to_february_is_kept_through_march_a_year_later() -> None:
    flown = credit("2026-06-10", 2500)
    held = held_on("2026-06-11", AIRLINE, flown)
    assert (held.tier, held.kept_through) == ("reserve", date(2028, 3, 31))
    assert tier_on("2028-03-31", AIRLINE, flown) == "reserve"
    assert tier_on("2028-04-01", AIRLINE, flown) == "green"


def test_a_membership_from_29_february_has_its_anniversary_on_the_28th_in_other_years() -> None:
    tiers = replace(BEAUTY, window=ANNIVERSARY)
    enrolled_at = datetime(2024, 2, 29, 12, tzinfo=UTC)
    bought = credit("2025-02-27", 30000), credit("2025-02-28", 30000)
    assert tier_on("2025-03-01", tiers, *bought, enrolled_at=enrolled_at) == "member"
    together = credit("2025-02-26", 30000), credit("2025-02-27", 30000)
    held = held_on("2025-03-01", tiers, *together, enrolled_at=enrolled_at)
    assert (held.tier, held.kept_through) == ("platinum", date(2026, 2, 27))


def test_a_tier_of_a_life_is_never_lost() -> None:
    tiers = replace(BEAUTY, window=LIFETIME, kept=Kept())
    bought = credit("2010-01-01", 30000), credit("2026-01-01", 20000)
    held = held_on("2090-01-01", tiers, *bought)
    assert (held.tier, held.kept_until, held.steps, held.credits) == ("platinum", None, (), 50000)


def test_grace_days_keep_a_tier_longer() -> None:
    tiers = replace(BEAUTY, grace_days=30)
    bought = credit("2026-03-01", 50000)
    assert tier_on("2028-01-30", tiers, bought) == "platinum"
    assert tier_on("2028-01-31", tiers, bought) == "member"


def test_who_requalifies_falls_to_the_highest_tier_that_is_still_kept() -> None:
    bought = credit("2026-03-01", 120000), credit("2027-03-01", 50000)
    assert tier_on("2027-12-31", BEAUTY, *bought) == "diamond"
    assert tier_on("2028-01-01", BEAUTY, *bought) == "platinum"
    assert tier_on("2029-01-01", BEAUTY, *bought) == "member"


def test_who_requalifies_for_nothing_falls_to_the_lowest_at_once() -> None:
    held = held_on("2026-04-01", BEAUTY, credit("2026-03-01", 120000))
    assert [(step.at, step.tier) for step in held.steps] == [(midnight("2028-01-01"), "member")]


def test_one_step_at_a_time_each_tier_is_kept_as_if_it_was_reached_on_falling() -> None:
    held = held_on("2026-04-01", STEP_BY_STEP, credit("2026-03-01", 120000))
    assert [(step.at, step.tier) for step in held.steps] == [
        (midnight("2028-01-01"), "platinum"),
        (midnight("2030-01-01"), "member"),
    ]


def test_one_step_down_a_tier_that_was_reached_later_is_kept_as_long_as_it_was_worth() -> None:
    tiers = replace(STEP_BY_STEP, window=LIFETIME, kept=Kept(months=12))
    held = held_on("2026-04-01", tiers, credit("2026-03-01", 120000))
    assert [(step.at, step.tier) for step in held.steps] == [
        (midnight("2027-03-02"), "platinum"),
        (midnight("2028-03-03"), "member"),
    ]


def test_one_step_down_who_reaches_the_tier_again_is_where_the_last_reaching_leads() -> None:
    bought = credit("2026-03-01", 120000), credit("2033-03-01", 50000)
    assert tier_on("2031-01-01", STEP_BY_STEP, bought[0]) == "member"
    held = held_on("2033-04-01", STEP_BY_STEP, *bought)
    assert (held.tier, held.kept_through) == ("platinum", date(2034, 12, 31))


def test_a_refund_takes_a_tier_back_at_once_even_where_time_takes_one_step() -> None:
    bought = credit("2026-03-01", 120000)
    back = credit("2026-03-01", -119000)
    assert tier_on("2026-04-01", STEP_BY_STEP, bought, back) == "member"


def test_what_a_later_version_takes_back_keeps_nothing_longer() -> None:
    versions = {1: rules(STARS), 2: rules(STARS)}
    stars = [credit("2026-01-10", 500), credit("2026-08-01", 30), credit("2026-08-01", -30, 2)]
    held = hold(stars, versions, ENROLLED, midnight("2026-09-01"))
    assert held.kept_through == date(2027, 1, 10)


def test_a_version_under_which_a_day_only_took_back_does_not_decide_on_it() -> None:
    cheaper = rules(replace(BEAUTY, levels=(*BEAUTY.levels[:1], Tier("platinum", "P", 100))))
    versions = {1: rules(BEAUTY), 2: cheaper}
    bought = [credit("2026-01-10", 5000, 1), credit("2026-01-10", -30, 2)]
    assert hold(bought, versions, ENROLLED, midnight("2026-09-01")).tier == "member"


def test_an_order_told_late_brings_the_tier_that_it_was_worth() -> None:
    known = credit("2026-05-01", 30000)
    late = credit("2026-04-20", 20000)
    assert tier_on("2026-06-01", BEAUTY, known) == "member"
    assert tier_on("2026-06-01", BEAUTY, known, late) == "platinum"


def test_credits_of_one_day_are_one_sum() -> None:
    halves = credit("2026-05-01", 25000), credit("2026-05-01", 25000)
    assert tier_on("2026-05-02", BEAUTY, *halves) == "platinum"


@pytest.mark.parametrize(
    ("tiers", "amount"),
    [
        (BEAUTY, "spend_minor"),
        (replace(BEAUTY, metric=Metric.QUALIFYING_POINTS), "base_points"),
        (replace(BEAUTY, metric=Metric.QUALIFYING_POINTS, include_multipliers=True), "points"),
        (replace(BEAUTY, metric=Metric.ORDERS), "orders"),
    ],
)
def test_only_the_metric_counts(tiers: Tiers, amount: str) -> None:
    assert tier_on("2026-05-02", tiers, credit("2026-05-01", 0, **{amount: 50000})) == "platinum"
    others = {"spend_minor": 99999, "base_points": 99999, "points": 99999, "orders": 99999}
    nothing = credit("2026-05-01", 0, **{**others, amount: 0})
    assert tier_on("2026-05-02", tiers, nothing) == "member"


def test_the_sum_is_that_of_the_window_in_which_the_moment_lies() -> None:
    bought = credit("2026-12-31", 30000), credit("2027-01-01", 20000)
    assert held_on("2026-12-31", BEAUTY, bought[0]).credits == 30000
    assert held_on("2027-01-02", BEAUTY, *bought).credits == 20000


def test_a_higher_threshold_later_does_not_take_away_what_was_reached() -> None:
    dearer = rules(replace(BEAUTY, levels=(*BEAUTY.levels[:1], Tier("platinum", "P", 80000))))
    versions = {1: rules(BEAUTY), 2: dearer}
    bought = [credit("2026-03-01", 60000, 1), credit("2026-08-01", 5000, 2)]
    held = hold(bought, versions, ENROLLED, midnight("2026-09-01"))
    assert (held.tier, held.kept_through) == ("platinum", date(2027, 12, 31))
    all_later = [one._replace(program_version=2) for one in bought]
    assert hold(all_later, versions, ENROLLED, midnight("2026-09-01")).tier == "member"


def test_a_shorter_keeping_later_does_not_shorten_what_was_kept() -> None:
    shorter = rules(replace(BEAUTY, kept=Kept(windows=0)))
    bought = [credit("2026-03-01", 50000, 1), credit("2026-08-01", 5000, 2)]
    held = hold(bought, {1: rules(BEAUTY), 2: shorter}, ENROLLED, midnight("2026-09-01"))
    assert held.kept_through == date(2027, 12, 31)


def test_a_lower_threshold_counts_from_the_next_credit_on() -> None:
    cheaper = rules(replace(BEAUTY, levels=(*BEAUTY.levels[:1], Tier("platinum", "P", 40000))))
    versions = {1: rules(BEAUTY), 2: cheaper}
    before = [credit("2026-03-01", 45000, 1)]
    assert hold(before, versions, ENROLLED, midnight("2026-09-01")).tier == "member"
    after = [*before, credit("2026-08-01", 1, 2)]
    assert hold(after, versions, ENROLLED, midnight("2026-09-01")).tier == "platinum"


def test_another_metric_later_counts_what_was_noted_before() -> None:
    by_orders = replace(BEAUTY, metric=Metric.ORDERS, levels=(Tier("a", "A", 0), Tier("b", "B", 3)))
    versions = {1: rules(BEAUTY), 2: rules(by_orders)}
    bought = [credit("2026-03-01", 100, 1, orders=2), credit("2026-08-01", 100, 2, orders=1)]
    assert hold(bought, versions, ENROLLED, midnight("2026-09-01")).tier == "b"


def test_a_tier_that_the_rules_no_longer_know_is_nobodys() -> None:
    without = rules(replace(BEAUTY, levels=BEAUTY.levels[:2]))
    bought = [credit("2026-03-01", 120000, 1)]
    held = hold(bought, {1: rules(BEAUTY), 2: without}, ENROLLED, midnight("2026-09-01"))
    assert held.tier == "platinum"


def test_a_version_without_tiers_lets_nobody_reach_one() -> None:
    versions = {1: rules(None), 2: rules(BEAUTY)}
    bought = [credit("2026-03-01", 50000, 1)]
    assert hold(bought, versions, ENROLLED, midnight("2026-09-01")).tier == "member"
    more = [*bought, credit("2026-08-01", 1, 2)]
    assert hold(more, versions, ENROLLED, midnight("2026-09-01")).tier == "platinum"


@pytest.mark.parametrize(
    ("zone", "reached", "lost_at"),
    [
        # Summer time began and ended on the way.
        ("Europe/Berlin", "2026-03-28", "2026-03-29T23:00:00+01:00"),
        ("Europe/Berlin", "2026-03-29", "2026-03-31T00:00:00+02:00"),
        ("Europe/Berlin", "2026-10-25", "2026-10-27T00:00:00+01:00"),
        # Midnight does not exist: the day begins at one.
        ("America/Sao_Paulo", "2018-11-02", "2018-11-04T01:00:00-02:00"),
    ],
)
def test_a_tier_is_lost_at_the_first_moment_of_a_local_day(
    zone: str, reached: str, lost_at: str
) -> None:
    tiers = replace(BEAUTY, kept=Kept(months=0), grace_days=1)
    program = rules(tiers, timezone=zone)
    lost = datetime.fromisoformat(lost_at).astimezone(UTC)
    for at, tier in ((lost - timedelta(microseconds=1), "platinum"), (lost, "member")):
        assert hold([credit(reached, 50000)], {1: program}, ENROLLED, at).tier == tier
    held = hold([credit(reached, 50000)], {1: program}, ENROLLED, lost - DAY)
    assert held.kept_until == lost


def test_where_midnight_comes_twice_a_tier_does_not_come_back_after_the_first() -> None:
    # One minute after midnight the clock goes back an hour, into the day before.
    tiers = replace(BEAUTY, kept=Kept(months=0))
    program = rules(tiers, timezone="America/St_Johns")
    lost = datetime(2010, 11, 7, 2, 30, tzinfo=UTC)
    again = lost + timedelta(minutes=30)
    assert calendar.local_date(again, program.zone) == date(2010, 11, 6)
    assert hold([credit("2010-11-06", 50000)], {1: program}, ENROLLED, again).tier == "member"


def test_a_step_says_what_becomes_of_expiry() -> None:
    bought = credit("2026-03-01", 120000), credit("2027-03-01", 50000)
    diamond_alone = replace(
        BEAUTY, levels=(*BEAUTY.levels[:1], Tier("platinum", "P", 50000), BEAUTY.levels[2])
    )
    assert held_on("2027-04-01", BEAUTY, *bought).steps == (
        Step(midnight("2028-01-01"), "platinum", True, None),
        Step(midnight("2029-01-01"), "member", False, midnight("2029-04-01")),
    )
    assert held_on("2027-04-01", diamond_alone, *bought).steps == (
        Step(midnight("2028-01-01"), "platinum", False, midnight("2028-04-01")),
        Step(midnight("2029-01-01"), "member", False, None),
    )


def test_points_that_never_end_need_no_floor() -> None:
    held = held_on("2026-04-01", BEAUTY, credit("2026-03-01", 50000), expiry=None)
    assert [step.expires_not_before for step in held.steps] == [None]


def test_a_tier_that_stays_was_reached_when_it_was_reached() -> None:
    program = rules(BEAUTY)
    once = held_on("2026-04-01", BEAUTY, credit("2026-03-01", 50000))
    since = midnight("2026-03-01")
    first = standing(Standing("member"), once, program, since)
    assert first == Standing("platinum", since, once.steps, expiry_paused=True)
    later = held_on("2027-04-01", BEAUTY, credit("2026-03-01", 50000), credit("2027-03-02", 50000))
    then = standing(first, later, program, midnight("2027-03-02"))
    assert (then.since, then.steps) == (since, later.steps)
    assert standing(then, later, program, midnight("2027-03-03")) == then


def test_the_lowest_tier_is_held_since_the_enrolment_until_there_is_another() -> None:
    program, at = rules(BEAUTY), midnight("2026-05-01")
    lowest = standing(Standing(), held_on("2026-05-01", BEAUTY), program, at)
    assert lowest == Standing("member")
    reached = held_on("2026-05-02", BEAUTY, credit("2026-05-01", 50000))
    assert standing(lowest, reached, program, at).since == at


def test_a_tier_taken_back_brings_expiry_back_not_before_the_quarters_end() -> None:
    before = Standing("platinum", midnight("2026-03-01"), (), expiry_paused=True)
    nothing = held_on("2026-05-01", BEAUTY)
    after = standing(before, nothing, rules(BEAUTY), midnight("2026-05-01"))
    assert after == Standing(
        "member", midnight("2026-05-01"), expires_not_before=midnight("2026-07-01")
    )


def test_a_floor_never_goes_down() -> None:
    floor = midnight("2030-01-01")
    before = Standing("platinum", None, (), expiry_paused=True, expires_not_before=floor)
    after = standing(before, held_on("2026-05-01", BEAUTY), rules(BEAUTY), midnight("2026-05-01"))
    assert after.expires_not_before == floor
