"""The program that ships with the service, figure by figure."""

from datetime import UTC, date, datetime
from fractions import Fraction
from pathlib import Path

import pytest

from loyalty_service.domain import calendar, earning, rewards
from loyalty_service.domain.program import parsing
from loyalty_service.domain.program.document import (
    ORDER,
    Birthday,
    Budget,
    Conditions,
    Counted,
    Expiry,
    Items,
    Kept,
    Limit,
    Metric,
    OtherSide,
    PastExpiry,
    Period,
    PointValue,
    Program,
    Rounding,
    Settlement,
    Span,
    Trigger,
    TriggerKind,
    WhenSpent,
    WindowKind,
)

DOCUMENT = Path(__file__).parents[3] / "programs" / "default.yaml"


@pytest.fixture(scope="module")
def program() -> Program:
    return parsing.parse(DOCUMENT.read_text(encoding="utf-8"))


def test_it_is_a_shop_in_berlin_that_counts_euros(program: Program) -> None:
    assert (program.id, program.name) == ("default", "Beauty rewards")
    assert (program.timezone, program.currency, program.late_days) == ("Europe/Berlin", "eur", 30)


def test_one_point_is_earned_for_each_full_euro_of_merchandise(program: Program) -> None:
    (rule,) = program.rules_on(ORDER)

    assert (rule.points_numerator, rule.points_denominator, rule.per_minor) == (1, 1, 100)
    assert rule.counts == (Counted.MERCHANDISE,)
    assert rule.items == Items(except_categories=("gift_card",))
    assert (rule.rounding, rule.pending_days) == (Rounding.FLOOR, 14)


def test_a_membership_begins_with_fifty_points(program: Program) -> None:
    (rule,) = program.rules_on("sign_up")

    assert (rule.points_numerator, rule.times) == (50, (Limit(Span.EVER, 1),))


def test_a_friend_gets_half_of_what_the_referrer_gets_with_a_first_order(program: Program) -> None:
    (rule,) = program.rules_on("referral")

    assert (rule.points_numerator, rule.first_order_minimum_minor) == (250, 2500)
    assert rule.other_side == OtherSide("referrer", 500)


def test_orders_count_double_in_the_birthday_month(program: Program) -> None:
    (campaign,) = program.campaigns

    assert (campaign.on, campaign.rules, campaign.multiplier) == (("order",), ("purchase",), 2)
    assert campaign.conditions == Conditions(birthday=Birthday.MONTH)


def test_tiers_are_reached_in_a_calendar_year_and_kept_through_the_next(program: Program) -> None:
    tiers = program.tiers
    assert tiers is not None

    assert (tiers.metric, tiers.window.kind) == (Metric.SPEND, WindowKind.CALENDAR_YEAR)
    assert (tiers.kept, tiers.grace_days) == (Kept(windows=1), 0)
    assert tiers.items == Items(except_categories=("gift_card",))
    assert [
        (level.id, level.from_credits, str(level.multiplier), level.expiry_never)
        for level in tiers.levels
    ] == [
        ("member", 0, "1", False),
        ("platinum", 50000, "5/4", True),
        ("diamond", 120000, "3/2", True),
    ]


@pytest.mark.parametrize("total_minor", [30000, 22000, 10000, 5000])
def test_orders_of_a_member_without_a_tier_earn_their_whole_euros(
    program: Program, total_minor: int
) -> None:
    facts = earning.OrderFacts("eur", (earning.Line("s", None, 1, total_minor),), 0, 1900, 490)

    assert earning.earn(program, facts).points == total_minor // 100


def test_points_expire_at_the_end_of_the_quarter_after_a_year(program: Program) -> None:
    assert program.expiry == Expiry(
        months=12, days=None, until_end_of=Period.QUARTER, after_downgrade=Period.QUARTER
    )
    assert calendar.last_good_day(date(2022, 1, 17), program.expiry) == date(2023, 3, 31)


def test_refunds_may_leave_a_debt_and_restored_points_have_a_month(program: Program) -> None:
    assert program.refunds.when_spent is WhenSpent.ALLOW_DEBT
    assert program.restored_points.past_expiry is PastExpiry.GRACE_DAYS
    assert program.restored_points.grace_days == 30


def test_its_slabs_give_more_for_more_points(program: Program) -> None:
    (reward,) = program.rewards

    assert [(slab.points, slab.amount_off_minor) for slab in reward.slabs] == [
        (100, 300),
        (250, 800),
        (500, 1750),
        (1000, 5000),
        (2000, 12500),
    ]


def test_its_reward_is_half_of_an_order_at_most_and_a_code_of_stripe(program: Program) -> None:
    (reward,) = program.rewards
    now = datetime(2026, 11, 21, 12, tzinfo=UTC)

    assert (reward.id, reward.max_share_of_order) == ("money_off", Fraction(1, 2))
    assert rewards.minimum_order_minor(reward, reward.slabs[0]) == 600
    assert rewards.minimum_order_minor(reward, reward.slabs[4]) == 25000
    assert reward.code_lifetime_days == 90
    assert rewards.on_sale(reward, now, program.zone)
    assert reward.settlement is Settlement.STRIPE_PROMOTION_CODE


def test_its_thanks_are_within_budgets_of_a_month(program: Program) -> None:
    offers = [
        (offer.id, offer.trigger, offer.amount_off_minor, offer.percent_off, offer.budget)
        for offer in program.thank_you
    ]
    assert offers == [
        ("sorry", Trigger(TriggerKind.STAFF), 500, None, Budget(month_minor=50000)),
        ("birthday", Trigger(TriggerKind.BIRTHDAY), None, 15, Budget(month_count=200)),
        (
            "platinum",
            Trigger(TriggerKind.TIER_REACHED, tier="platinum"),
            1000,
            None,
            Budget(month_minor=100000),
        ),
        (
            "welcome_back",
            Trigger(TriggerKind.LAPSED, days=180),
            500,
            None,
            Budget(month_minor=25000),
        ),
    ]
    assert [offer.cooldown_seconds for offer in program.thank_you] == [None, None, None, 31536000]


def test_staff_may_give_points_for_these_reasons_and_up_to_these_limits(program: Program) -> None:
    assert program.goodwill.reasons == (
        "late_delivery",
        "damaged_item",
        "wrong_item",
        "service_failure",
        "appreciation",
        "correction",
    )
    limits = [(limit.role, limit.per_grant, limit.per_month) for limit in program.goodwill.limits]
    assert limits == [("agent", 500, 5000), ("manager", 5000, 50000)]


def test_it_names_the_variable_of_the_stripe_key(program: Program) -> None:
    assert program.stripe.api_key_env == "LOYALTY_STRIPE_API_KEY"


def test_a_point_is_worth_what_the_smallest_slab_gives(program: Program) -> None:
    assert program.point_value == PointValue(100, 300)
