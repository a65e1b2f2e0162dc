"""What rules, campaigns, tiers and rewards become, and what stands in for what is left out."""

from datetime import date
from fractions import Fraction

import pytest

from loyalty_service.domain.program import event_types, parsing
from loyalty_service.domain.program.document import (
    Activity,
    Birthday,
    BirthdayWindow,
    Budget,
    Campaign,
    Conditions,
    Counted,
    DataType,
    Downgrade,
    EarningRule,
    EarnWhen,
    EventType,
    Expiry,
    Feedback,
    Items,
    Kept,
    Limit,
    Metric,
    Offer,
    OtherSide,
    PayWithPoints,
    Period,
    PointValue,
    RewardType,
    Rounding,
    Settlement,
    Slab,
    Span,
    Stacking,
    Tier,
    Trigger,
    TriggerKind,
    Weekday,
    Window,
    WindowKind,
)
from tests.domain.program.documents import a_program, changed, everything

RULE = "    pending_days: 14\n"
TIERS = """\
tiers:
  metric: orders
  minimum_order: 10.00
  window: {rolling_months: 12}
  kept: {months: 12, until_end_of: month}
  levels:
    - {id: guest, name: Guest, from: 0}
    - {id: regular, name: Regular, from: 10}
"""


def test_a_rule_with_everything_is_read() -> None:
    assert everything().earning[0] == EarningRule(
        id="purchase",
        on="order",
        points_numerator=1,
        points_denominator=1,
        per_minor=100,
        counts=(Counted.MERCHANDISE, Counted.DISCOUNTS),
        rounding=Rounding.FLOOR,
        pending_days=14,
        items=Items(("skin",), ("cream",), ("gift_card",), ("sample",), "item.unit_amount >= 1000"),
        conditions=Conditions(
            from_day=date(2026, 1, 1),
            until_day=date(2026, 12, 31),
            weekdays=(Weekday.SAT, Weekday.SUN),
            tiers=("gold",),
            birthday=Birthday.MONTH,
            minimum_spend_minor=2500,
            when='order.subtotal >= 5000 && member.tier != "basic"',
        ),
        caps=(
            Limit(Span.ONCE, 100),
            Limit(Span.DAY, 200),
            Limit(Span.MONTH, 1000),
            Limit(Span.YEAR, 5000),
            Limit(Span.EVER, 10000),
        ),
        times=(
            Limit(Span.DAY, 1),
            Limit(Span.MONTH, 2),
            Limit(Span.YEAR, 3),
            Limit(Span.EVER, 4),
        ),
        cooldown_seconds=1800,
        carry=True,
        tier_multiplier=False,
    )


def test_rules_count_items_events_and_nothing_at_all() -> None:
    _, brush, status, reload, hello, friend = everything().earning

    assert (brush.per_item, brush.per_minor, brush.items.skus) == (True, None, ("brush",))
    assert (status.points_numerator, status.tier_points) == (0, Fraction(1, 2))
    assert (reload.per_minor, reload.of, reload.counts) == (3000, "amount", ())
    assert (hello.per_minor, hello.per_item, hello.campaigns) == (None, False, False)
    assert friend.other_side == OtherSide("referrer", 500)
    assert friend.first_order_minimum_minor == 2500
    cooldowns = [rule.cooldown_seconds for rule in (status, hello, brush)]
    assert cooldowns == [7200, 86400, None]


def test_a_rule_on_an_event_has_defaults_of_its_own() -> None:
    on_order, on_event = a_program(
        (RULE, RULE + "  - {id: hello, on: sign_up, points: 50}\n")
    ).earning

    assert (on_order.tier_multiplier, on_event.tier_multiplier) == (True, False)
    assert (on_order.campaigns, on_event.campaigns) == (True, True)
    assert (on_event.pending_days, on_event.rounding) == (0, Rounding.FLOOR)
    assert (on_event.counts, on_event.tier_points, on_event.carry) == ((), None, False)
    assert on_event.conditions == Conditions() and on_event.items == Items()
    assert (on_event.caps, on_event.times, on_event.cooldown_seconds) == ((), (), None)


def test_a_fixed_rule_on_orders_counts_merchandise() -> None:
    visit = a_program((RULE, RULE + "  - {id: visit, on: order, points: 10, pending_days: 14}\n"))

    assert visit.earning[1].counts == (Counted.MERCHANDISE,)
    assert visit.earning[1].rounding is Rounding.FLOOR


@pytest.mark.parametrize("written", ["same", "0", "1/2"])
def test_qualifying_points_are_the_same_none_or_others(written: str) -> None:
    program = a_program((RULE, f"{RULE}    tier_points: {written}\n"))

    expected = None if written == "same" else Fraction(written)
    assert program.earning[0].tier_points == expected


def test_a_first_order_may_be_of_any_amount() -> None:
    program = everything(("{minimum: 25.00}", "{minimum: 0}"))

    assert program.earning[5].first_order_minimum_minor == 0


def test_campaigns_multiply_for_all_or_by_tier_or_add_points() -> None:
    birthday, weekend, bonus = everything().campaigns

    assert birthday == Campaign(
        id="birthday_month",
        name="Double points in your birthday month",
        on=("order",),
        rules=("purchase",),
        multiplier=Fraction(2),
        items=Items(categories=("skin",)),
        conditions=Conditions(
            from_day=date(2026, 1, 1),
            until_day=date(2026, 12, 31),
            weekdays=(Weekday.MON,),
            tiers=("member",),
            birthday=Birthday.DAY,
            minimum_spend_minor=500,
            when="order.item_count > 1",
        ),
        instead_of_tier=True,
        times=(Limit(Span.MONTH, 1),),
    )
    factors = (("gold", Fraction(3)), ("member", Fraction(3, 2)))
    assert weekend == Campaign("weekend", "Weekend", ("order",), multipliers=factors)
    assert bonus == Campaign("bonus", "Bonus", ("order", "survey"), bonus_points=100)


def test_a_condition_of_a_campaign_on_several_facts_names_what_all_have() -> None:
    program = everything(("bonus_points: 100", "bonus_points: 100, when: 'member.is_birthday'"))

    assert program.campaigns[2].conditions.when == "member.is_birthday"


def test_declared_events_stand_beside_those_that_are_always_there() -> None:
    program = everything()

    names = [event.name for event in program.events]
    assert names == [*(event.name for event in event_types.BUILT_IN), "card_reload", "survey"]
    assert program.event_type("survey") == EventType(
        "survey",
        (
            ("score", DataType.INTEGER),
            ("comment", DataType.STRING),
            ("by", DataType.MEMBER),
            ("happy", DataType.BOOLEAN),
        ),
        optional=("comment", "by", "happy"),
    )


def test_an_event_that_is_always_there_can_be_declared_otherwise() -> None:
    program = a_program(("goodwill:\n", "events: {review: {words: integer}}\ngoodwill:\n"))

    assert program.event_type("review") == EventType("review", (("words", DataType.INTEGER),))
    assert [event.name for event in program.events].count("review") == 1


def test_tiers_by_spend_in_a_fiscal_year_are_read() -> None:
    tiers = everything().tiers
    assert tiers is not None

    assert (tiers.metric, tiers.counts) == (Metric.SPEND, (Counted.MERCHANDISE,))
    assert tiers.items == Items(except_categories=("gift_card",))
    assert tiers.window == Window(WindowKind.FISCAL_YEAR, starts_in=3)
    assert tiers.kept == Kept(windows=1, plus_months=1)
    assert (tiers.grace_days, tiers.downgrade) == (30, Downgrade.ONE_STEP)
    assert tiers.levels == (
        Tier("member", "Member", 0),
        Tier("gold", "Gold", 50000, Fraction(5, 4), expiry_never=True, entry_points=100),
        Tier("reserve", "Reserve", 150000, expiry=Expiry(24, None, Period.MONTH)),
    )


def test_tiers_by_orders_in_a_rolling_window_are_read() -> None:
    tiers = a_program(("goodwill:\n", TIERS + "goodwill:\n")).tiers
    assert tiers is not None

    assert (tiers.metric, tiers.minimum_order_minor) == (Metric.ORDERS, 1000)
    assert tiers.window == Window(WindowKind.ROLLING, months=12)
    assert tiers.kept == Kept(months=12, until_end_of=Period.MONTH)
    assert (tiers.grace_days, tiers.downgrade) == (0, Downgrade.REQUALIFY)
    assert [level.from_credits for level in tiers.levels] == [0, 10]


@pytest.mark.parametrize("kept", ["", "  kept: forever\n"])
def test_tiers_of_a_lifetime_are_kept_for_ever(kept: str) -> None:
    lifetime = TIERS.replace("window: {rolling_months: 12}", "window: lifetime").replace(
        "  kept: {months: 12, until_end_of: month}\n", kept
    )
    tiers = a_program(("goodwill:\n", lifetime + "goodwill:\n")).tiers

    assert tiers is not None and (tiers.window.kind, tiers.kept) == (WindowKind.LIFETIME, Kept())


@pytest.mark.parametrize(("window", "kind"), [("calendar_year",) * 2, ("anniversary",) * 2])
def test_a_window_of_a_year_is_a_word(window: str, kind: str) -> None:
    text = TIERS.replace("{rolling_months: 12}", window).replace("{months: 12, ", "{months: 0, ")
    tiers = a_program(("goodwill:\n", text + "goodwill:\n")).tiers

    assert tiers is not None and tiers.window == Window(WindowKind(kind))
    assert tiers.kept == Kept(months=0, until_end_of=Period.MONTH)


def test_points_that_end_by_inactivity_are_kept_by_orders_events_and_redemptions() -> None:
    program = a_program(("  after: {months: 12}", "  after_inactivity: {months: 18}"))

    activity = (Activity.ORDER, Activity.EVENT, Activity.REDEMPTION)
    assert program.expiry == Expiry(18, None, None, activity=activity)


def test_activity_and_the_way_out_of_a_tier_are_read() -> None:
    assert everything().expiry == Expiry(
        months=18,
        days=None,
        until_end_of=Period.QUARTER,
        activity=tuple(Activity),
        after_downgrade=Period.QUARTER,
    )


def test_points_may_end_with_the_month_they_are_earned_in() -> None:
    program = a_program(
        ("{months: 12}", "{months: 0}\n  until_end_of: month"),
        ("pending_days: 14", "pending_days: 0"),
    )

    assert program.expiry == Expiry(0, None, Period.MONTH)


def test_points_that_wait_cannot_end_with_the_month_they_are_earned_in() -> None:
    text = changed(
        ("{months: 12}", "{months: 0}\n  until_end_of: month"),
        ("pending_days: 14", "pending_days: 1"),
    )

    with pytest.raises(parsing.InvalidProgram, match="which may live only 0 days"):
        parsing.parse(text)


def test_points_that_wait_cannot_outlast_the_expiry_of_a_tier() -> None:
    tiers = TIERS.replace("from: 10}", "from: 10, expiry: {after: {days: 14}}}")

    with pytest.raises(parsing.InvalidProgram, match="live only 14 days in tier regular"):
        parsing.parse(changed(("goodwill:\n", tiers + "goodwill:\n")))


def test_rewards_of_every_type_are_read() -> None:
    program = everything()
    pay, gift, ship, talk = program.rewards[1:5]

    assert pay.pay_with_points == PayWithPoints(100, 100, minimum=500, step=100, maximum=10000)
    assert pay.slabs == ()
    assert (gift.slabs, gift.gives) == ((Slab(0, None, None),), "cake")
    assert (gift.per_member, gift.per_member_span) == (1, Span.YEAR)
    assert gift.eligibility.tiers == ("gold",)
    windows = (BirthdayWindow("gold", 7), BirthdayWindow("reserve", 30))
    assert gift.eligibility.birthday == windows
    assert gift.eligibility.when == "member.enrolled_days > 30"
    assert ship.eligibility.birthday == (BirthdayWindow(None, 7),)
    assert (talk.per_member, talk.per_member_span) == (1, Span.EVER)


def test_what_stripe_has_no_coupon_for_is_settled_by_the_shop() -> None:
    settled = {reward.id: reward.settlement for reward in everything().rewards}

    assert {id for id, by in settled.items() if by is Settlement.STRIPE_PROMOTION_CODE} == {
        "money_off",
        "percent",
    }


def test_a_rate_goes_up_by_its_own_points_unless_told_otherwise() -> None:
    rate = "{points: 100, worth: 1.00, minimum: 500, step: 100, maximum: 10000}"
    program = everything((rate, "{points: 25, worth: 1.00}"))

    assert program.rewards[1].pay_with_points == PayWithPoints(25, 100, minimum=25, step=25)


def test_thanks_of_every_trigger_are_read() -> None:
    sorry, gold, tenth, back, party, ears = everything().thank_you

    assert sorry == Offer(
        id="sorry",
        name="With our apologies",
        type=RewardType.AMOUNT_OFF,
        trigger=Trigger(TriggerKind.STAFF),
        amount_off_minor=500,
        percent_off=None,
        gives=None,
        minimum_order_minor=1000,
        code_lifetime_days=60,
        settlement=Settlement.STRIPE_PROMOTION_CODE,
        budget=Budget(month_minor=50000, month_count=200),
        cooldown_seconds=30 * 86400,
    )
    assert gold.trigger == Trigger(TriggerKind.TIER_REACHED, tier="gold")
    assert (gold.percent_off, gold.cost_minor, sorry.cost_minor) == (10, 600, 500)
    assert tenth.trigger == Trigger(TriggerKind.NTH_ORDER, order_number=10)
    assert (tenth.settlement, tenth.budget, tenth.cost_minor) == (
        Settlement.APP_APPLIED,
        Budget(),
        0,
    )
    assert back.trigger == Trigger(TriggerKind.LAPSED, days=180)
    assert (party.trigger, party.gives) == (Trigger(TriggerKind.BIRTHDAY), "balloon")
    assert ears.trigger.feedback == Feedback("review", "stars", 2)


def test_who_is_not_happy_says_so_by_the_score_of_a_feedback_unless_told_otherwise() -> None:
    program = everything(("{event: review, field: stars, at_most: 2}", "{at_most: 1}"))

    assert program.thank_you[5].trigger.feedback == Feedback("feedback", "score", 1)


def test_staff_need_reasons_to_be_sorry() -> None:
    offer = "thank_you: [{id: tea, name: A tea, trigger: staff, type: custom}]\n"
    with pytest.raises(parsing.InvalidProgram, match="list some under goodwill"):
        a_program(("goodwill:\n", f"{offer}goodwill:\n"), ("[correction]", "[]"))


def test_the_rest_of_a_program_is_read() -> None:
    program = everything()

    assert (program.earn_when, program.balance_cap) == (EarnWhen.PAID, 20000)
    assert program.stacking is Stacking.MULTIPLY
    assert program.point_value == PointValue(100, 250)


def test_a_program_without_the_rest_earns_when_placed_and_has_no_tiers() -> None:
    program = a_program()

    assert (program.earn_when, program.balance_cap, program.tiers) == (EarnWhen.PLACED, None, None)
    assert (program.campaigns, program.stacking) == ((), Stacking.BEST)
    assert program.events == event_types.BUILT_IN


def test_points_are_worth_what_the_cheapest_slab_gives() -> None:
    assert a_program().point_value == PointValue(100, 300)


def test_points_that_take_no_money_off_have_no_worth_of_their_own() -> None:
    program = a_program(
        ("type: amount_off", "type: percent_off"),
        ("100, amount_off: 3.00", "100, percent_off: 3"),
        ("250, amount_off: 8.00", "250, percent_off: 8"),
    )

    assert program.point_value is None


def test_one_wrong_event_or_tier_is_told_once_however_often_it_is_named() -> None:
    with pytest.raises(parsing.InvalidProgram) as events:
        everything(("card_reload: {amount: money}", "card_reload: {amount: mony}"))
    with pytest.raises(parsing.InvalidProgram) as tiers:
        everything(("multiplier: 1.25", "multiplier: x"))

    assert [fault.path for fault in events.value.faults] == ["events.card_reload.amount"]
    assert [fault.path for fault in tiers.value.faults] == ["tiers.levels[1].multiplier"]
