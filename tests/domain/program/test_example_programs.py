"""The further programs that ship with the service, figure by figure."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from loyalty_service.domain import calendar, earning, rewards
from loyalty_service.domain.program import conditions, parsing
from loyalty_service.domain.program.document import (
    Conditions,
    Expiry,
    Items,
    Kept,
    Metric,
    PastExpiry,
    Program,
    Settlement,
    Span,
    WhenSpent,
    Window,
    WindowKind,
)

PROGRAMS = Path(__file__).parents[3] / "programs"


@pytest.fixture(scope="module")
def tenths() -> Program:
    return parsing.parse((PROGRAMS / "tenths.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def cafe() -> Program:
    return parsing.parse((PROGRAMS / "simple-cafe.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def visits() -> Program:
    return parsing.parse((PROGRAMS / "visits.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def stars() -> Program:
    return parsing.parse((PROGRAMS / "stars.yaml").read_text(encoding="utf-8"))


def points_of(program: Program, amount_minor: int, tax_minor: int = 0) -> int:
    lines = (earning.Line("bun", None, 1, amount_minor),)
    facts = earning.OrderFacts(program.currency, lines, 0, tax_minor, 400)
    return earning.earn(program, facts).points


@pytest.mark.parametrize("file", sorted(PROGRAMS.glob("*.yaml")), ids=lambda file: file.stem)
def test_a_program_is_named_like_its_file(file: Path) -> None:
    assert parsing.parse(file.read_text(encoding="utf-8")).id == file.stem


@pytest.mark.parametrize(
    ("amount_minor", "points"),
    [(352, 35), (358, 36), (572, 57), (578, 58), (345, 35), (4, 0), (5, 1)],
)
def test_tenths_go_to_the_nearest_point(tenths: Program, amount_minor: int, points: int) -> None:
    assert points_of(tenths, amount_minor, tax_minor=99) == points


def test_tenths_can_be_spent_at_once_and_last_a_year(tenths: Program) -> None:
    assert (tenths.currency, tenths.timezone) == ("usd", "America/Los_Angeles")
    # 23:30 on 10 May in Los Angeles.
    at = datetime(2026, 5, 11, 6, 30, tzinfo=UTC)

    assert calendar.matures_at(at, tenths.pending_days, tenths.zone) == at
    # Midnight after 10 May of the next year.
    expires_at = calendar.expires_at(at, tenths.expiry, tenths.zone)
    assert expires_at == datetime(2027, 5, 11, 7, tzinfo=UTC)


def test_tenths_buy_three_fixed_amounts_and_a_dozen(tenths: Program) -> None:
    prices = [
        (slab.points, slab.amount_off_minor, rewards.minimum_order_minor(reward, slab))
        for reward in tenths.rewards
        for slab in reward.slabs
    ]

    assert prices == [
        (300, 200, None),
        (800, 600, 1000),
        (1800, 1500, 2000),
        (1500, None, None),
    ]


def test_what_is_no_food_earns_no_tenths(tenths: Program) -> None:
    (rule,) = tenths.earning

    assert rule.items == Items(except_categories=("card_load", "delivery", "tip", "levy"))


def test_a_visit_is_ten_points_and_half_an_hour_apart(visits: Program) -> None:
    (rule,) = visits.earning

    assert (rule.points_numerator, rule.per_minor, rule.per_item) == (10, None, False)
    assert rule.conditions == Conditions(minimum_spend_minor=50)
    assert (rule.cooldown_seconds, visits.balance_cap) == (1800, 20000)
    assert visits.expiry == Expiry(12, None, None)


def test_stars_multiply_by_tier(stars: Program) -> None:
    assert stars.tiers is not None
    factors = [stars.multiplier_of(tier) for tier in ("green", "gold", "reserve")]

    assert [points_of(stars, 1000) * factor // 1 for factor in factors] == [10, 12, 17]
    assert [level.from_credits for level in stars.tiers.levels] == [0, 500, 2500]
    assert (stars.tiers.metric, stars.tiers.include_multipliers) == (Metric.QUALIFYING_POINTS, True)
    assert stars.tiers.window == Window(WindowKind.ROLLING, months=12)
    assert stars.tiers.kept == Kept(months=12)


@pytest.mark.parametrize(
    ("amount_minor", "points"), [(2999, 0), (3000, 10), (4999, 10), (5000, 25), (90000, 25)]
)
def test_a_card_is_loaded_for_ten_stars_or_twenty_five(
    stars: Program, amount_minor: int, points: int
) -> None:
    event = stars.event_type("card_reload")
    applying = [
        rule.points_numerator
        for rule in stars.rules_on("card_reload")
        if conditions.evaluate(
            conditions.Kind.EVENT,
            rule.conditions.when or "true",
            {"event.amount": amount_minor},
            event,
        )
    ]

    assert sum(applying) == points


def test_stars_end_half_a_year_after_the_last_month_with_activity(stars: Program) -> None:
    assert stars.expiry is not None and stars.expiry.activity
    assert calendar.last_good_day(date(2026, 1, 3), stars.expiry) == date(2026, 7, 31)
    assert stars.tiers is not None
    never = [level.id for level in stars.tiers.levels if level.expiry_never]
    assert never == ["gold", "reserve"]


def test_stars_buy_from_one_extra_to_a_cup_and_a_gift_around_the_birthday(stars: Program) -> None:
    prices = [reward.slabs[0].points for reward in stars.rewards]
    birthday = stars.reward("birthday")
    assert birthday is not None

    assert prices == [25, 60, 100, 200, 300, 400, 0]
    windows = [(window.tier, window.days) for window in birthday.eligibility.birthday]
    assert windows == [("gold", 7), ("reserve", 30)]
    assert (birthday.per_member, birthday.per_member_span) == (1, Span.YEAR)
    assert {reward.settlement for reward in stars.rewards} == {Settlement.APP_APPLIED}


@pytest.mark.parametrize(
    ("amount_minor", "tax_minor", "points"), [(345, 0, 34), (300, 60, 36), (9, 0, 0), (10, 0, 1)]
)
def test_the_cafe_gives_ten_points_a_pound_tax_included(
    cafe: Program, amount_minor: int, tax_minor: int, points: int
) -> None:
    assert points_of(cafe, amount_minor, tax_minor) == points


def test_the_cafes_points_wait_a_day_and_end_with_a_month(cafe: Program) -> None:
    monday = datetime(2027, 1, 11, 10, tzinfo=UTC)

    matures_at = calendar.matures_at(monday, cafe.pending_days, cafe.zone)
    assert matures_at == datetime(2027, 1, 13, tzinfo=UTC)
    assert cafe.expiry is not None
    assert calendar.last_good_day(date(2027, 1, 11), cafe.expiry) == date(2027, 7, 31)


def test_the_cafe_bears_its_losses_and_reissues_what_comes_back_late(cafe: Program) -> None:
    assert cafe.refunds.when_spent is WhenSpent.CLAMP
    assert cafe.restored_points.past_expiry is PastExpiry.REISSUE


def test_the_cafes_rewards_are_percentages_with_limits(cafe: Program) -> None:
    offered = [
        (reward.id, *(str(slab.percent_off) for slab in reward.slabs), reward.per_member)
        for reward in cafe.rewards
    ]

    assert offered == [("welcome", "10", 1), ("regular", "15", None), ("tasting", "25", 2)]
    assert [reward.stock for reward in cafe.rewards] == [None, None, 120]
    assert [reward.minimum_order_minor for reward in cafe.rewards] == [None, 800, None]


def test_the_tasting_is_on_sale_for_one_weekend(cafe: Program) -> None:
    tasting = cafe.reward("tasting")
    assert tasting is not None
    days = [datetime(2027, 5, day, 12, tzinfo=UTC) for day in range(7, 11)]

    on_sale = [rewards.on_sale(tasting, day, cafe.zone) for day in days]

    assert [day.strftime("%a") for day in days] == ["Fri", "Sat", "Sun", "Mon"]
    assert on_sale == [False, True, True, False]
