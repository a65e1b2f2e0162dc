"""Campaigns: what they multiply, what they add, alone and together."""

from datetime import date

import pytest

from loyalty_service.domain.earning import Pins
from tests.domain.earning.told import (
    PURCHASE,
    TIERS,
    a_line,
    a_program,
    a_rule,
    an_order,
    due,
    of,
    points,
    told,
    with_campaigns,
)

TWO = "{id: two, name: Two, multiplier: 2}"
THREE = "{id: three, name: Three, multiplier: 3}"
HALF_MORE = "{id: half_more, name: Half more, multiplier: 3/2}"
SOAP_AND_CREAM = an_order(a_line("soap", 1000, 1, "soaps"), a_line("cream", 2000, 2, "creams"))


@pytest.mark.parametrize(("stacking", "expected"), [("best", 375), ("sum", 500), ("multiply", 750)])
def test_campaigns_together_multiply_what_the_tier_made(stacking: str, expected: int) -> None:
    program = with_campaigns(TWO, THREE, stacking=stacking)
    assert points(program, of(10000), tier="gold") == expected


@pytest.mark.parametrize(("stacking", "expected"), [("best", 300), ("sum", 450), ("multiply", 900)])
def test_more_than_two_campaigns_stack_the_same_way(stacking: str, expected: int) -> None:
    program = with_campaigns(TWO, THREE, HALF_MORE, stacking=stacking)
    assert points(program, of(10000)) == expected


@pytest.mark.parametrize("stacking", ["best", "sum", "multiply"])
def test_a_campaign_alone_is_the_same_however_they_stack(stacking: str) -> None:
    assert points(with_campaigns(HALF_MORE, stacking=stacking), of(10000), tier="gold") == 187


@pytest.mark.parametrize(("rounding", "expected"), [("floor", 2), ("nearest", 3), ("ceiling", 3)])
def test_rounding_comes_after_all_that_multiplies(rounding: str, expected: int) -> None:
    rule = PURCHASE.replace("floor", rounding)
    # 1.40 x 5/4 x 3/2 is 2.625: rounded early it would be 1 or 2.
    assert points(with_campaigns(HALF_MORE, rule=rule), of(140), tier="gold") == expected


def test_the_best_is_never_less_than_none() -> None:
    half = "{id: half, name: Half, multiplier: 1/2}"
    assert points(with_campaigns(half), of(10000)) == 100
    assert points(with_campaigns(half, stacking="multiply"), of(10000)) == 50


@pytest.mark.parametrize(("tier", "expected"), [("gold", 250), ("member", 100), (None, 100)])
def test_a_factor_of_some_tiers_is_none_for_others(tier: str | None, expected: int) -> None:
    campaign = "{id: by_tier, name: By tier, multiplier: {gold: 2}}"
    assert points(with_campaigns(campaign), of(10000), tier=tier) == expected


@pytest.mark.parametrize(("stacking", "expected"), [("best", 200), ("sum", 200), ("multiply", 200)])
def test_a_campaign_instead_of_the_tier_multiplies_alone(stacking: str, expected: int) -> None:
    campaign = "{id: club, name: Club, multiplier: 2, instead_of_tier: true}"
    program = with_campaigns(campaign, stacking=stacking)
    assert points(program, of(10000), tier="gold") == expected


def test_a_campaign_instead_of_the_tier_that_is_worth_less_is_not_the_best() -> None:
    campaign = "{id: club, name: Club, multiplier: 6/5, instead_of_tier: true}"
    assert points(with_campaigns(campaign), of(10000), tier="gold") == 125
    assert points(with_campaigns(campaign), of(10000)) == 120


def test_items_of_a_campaign_multiply_only_their_lines() -> None:
    creams = "{id: creams, name: Creams, multiplier: 3, items: {categories: [creams]}}"
    assert points(with_campaigns(creams), SOAP_AND_CREAM) == 10 + 3 * 40
    assert points(with_campaigns(creams), of(10000)) == 100


def test_items_of_two_campaigns_multiply_each_their_own_and_together_where_they_meet() -> None:
    creams = "{id: creams, name: Creams, multiplier: 3, items: {categories: [creams]}}"
    assert points(with_campaigns(creams, TWO), SOAP_AND_CREAM) == 2 * 10 + 3 * 40
    assert points(with_campaigns(creams, TWO, stacking="sum"), SOAP_AND_CREAM) == 20 + 4 * 40
    assert points(with_campaigns(creams, TWO, stacking="multiply"), SOAP_AND_CREAM) == 20 + 6 * 40


def test_a_campaign_for_some_items_leaves_tax_and_shipping_alone() -> None:
    rule = PURCHASE.replace("[merchandise]", "[merchandise, tax, shipping]")
    creams = "{id: creams, name: Creams, multiplier: 3, items: {skus: [cream]}}"
    facts = of(1000, tax_minor=200, shipping_minor=300)
    assert points(with_campaigns(creams, rule=rule), facts) == 30 + 5
    assert points(with_campaigns(THREE, rule=rule), facts) == 45


def test_a_campaign_multiplies_each_item_of_a_rule_that_counts_items() -> None:
    creams = "{id: creams, name: Creams, multiplier: 3, items: {categories: [creams]}}"
    rule = a_rule("points: 5, per: item")
    assert points(with_campaigns(creams, rule=rule), SOAP_AND_CREAM) == 5 + 3 * 10


@pytest.mark.parametrize(("rules", "expected"), [("[extra]", 100 + 14), ("[purchase]", 200 + 7)])
def test_a_campaign_for_some_rules_multiplies_no_other(rules: str, expected: int) -> None:
    campaign = f"  - {{id: two, name: Two, multiplier: 2, rules: {rules}}}\n"
    program = a_program(PURCHASE, a_rule("points: 7"), more=f"campaigns:\n{campaign}")
    assert points(program, of(10000)) == expected


def test_a_rule_may_stay_out_of_all_campaigns() -> None:
    rules = PURCHASE, a_rule("points: 8, campaigns: false")
    program = a_program(*rules, more=f"{TIERS}campaigns:\n  - {TWO}\n")
    assert points(program, of(10000), tier="gold") == 250 + 10


def test_bonus_points_are_given_once_by_every_campaign_that_applies() -> None:
    bonus = "{id: spring, name: Spring, bonus_points: 100, minimum_spend: 50.00}"
    more = "{id: summer, name: Summer, bonus_points: 7}"
    for stacking in ("best", "sum", "multiply"):
        program = with_campaigns(bonus, more, TWO, stacking=stacking)
        assert points(program, of(5000), tier="gold") == 125 + 107
        assert points(program, of(4999), tier="gold") == 124 + 7


def test_a_bonus_for_some_items_needs_one_of_them() -> None:
    bonus = (
        "{id: creams, name: Creams, bonus_points: 9, items: {categories: [creams]}, "
        "minimum_spend: 40.00}"
    )
    assert points(with_campaigns(bonus), SOAP_AND_CREAM) == 50 + 9
    assert points(with_campaigns(bonus), of(10000)) == 100
    cheap = an_order(a_line("soap", 9000), a_line("cream", 3999, 1, "creams"))
    assert points(with_campaigns(bonus), cheap) == 129


def test_a_bonus_is_not_multiplied_and_not_capped_by_a_rule() -> None:
    bonus = "{id: spring, name: Spring, bonus_points: 100}"
    rule = PURCHASE.replace("}", ", caps: {once: 20}}")
    assert points(with_campaigns(bonus, TWO, rule=rule), of(10000), tier="gold") == 120


@pytest.mark.parametrize(
    ("words", "day", "expected"),
    [
        ("from: 2026-05-01, until: 2026-05-31", "2026-05-31", 200),
        ("from: 2026-05-01, until: 2026-05-31", "2026-06-01", 100),
        ("from: 2026-05-01, until: 2026-05-31", "2026-04-30", 100),
        ("weekdays: [sat, sun]", "2026-05-10", 200),
        ("weekdays: [sat, sun]", "2026-05-11", 100),
        ("tiers: [gold]", "2026-05-10", 100),
        ("birthday: month", "2026-05-10", 200),
        ("birthday: day", "2026-05-10", 100),
        ("when: 'order.subtotal >= 10000'", "2026-05-10", 200),
        ("when: 'order.subtotal > 10000'", "2026-05-10", 100),
        ("minimum_spend: 100.00", "2026-05-10", 200),
        ("minimum_spend: 100.01", "2026-05-10", 100),
    ],
)
def test_a_campaign_has_conditions_of_its_own(words: str, day: str, expected: int) -> None:
    program = with_campaigns(f"{{id: two, name: Two, multiplier: 2, {words}}}")
    on = date.fromisoformat(day)
    assert points(program, of(10000), on=on, is_birthday_month=True) == expected


@pytest.mark.parametrize(
    ("on", "order", "review"),
    [("[order]", 200, 10), ("[review]", 100, 20), ("[order, review]", 200, 20)],
)
def test_a_campaign_is_about_the_facts_it_names(on: str, order: int, review: int) -> None:
    campaign = f"  - {{id: two, name: Two, multiplier: 2, on: {on}}}\n"
    rules = PURCHASE, "{id: review, on: review, points: 10}"
    program = a_program(*rules, more=f"campaigns:\n{campaign}")
    assert points(program, of(10000)) == order
    assert told(program, "review").points == review


def test_a_campaign_multiplies_events_by_tier() -> None:
    campaign = "  - {id: by, name: By tier, on: [review], multiplier: {gold: 3}}\n"
    rule = "{id: review, on: review, points: 10, tier_multiplier: true}"
    program = a_program(rule, more=f"{TIERS}campaigns:\n{campaign}")
    assert told(program, "review", Pins(tier="gold")).points == 37
    assert told(program, "review", Pins(tier="member")).points == 10


def test_a_bonus_on_an_event_is_given_once() -> None:
    campaign = "  - {id: thanks, name: Thanks, on: [review], bonus_points: 4}\n"
    rule = "{id: review, on: review, points: 10}"
    program = a_program(rule, more=f"campaigns:\n{campaign}")
    assert told(program, "review").points == 14


def test_a_stopped_campaign_does_nothing() -> None:
    bonus = "{id: spring, name: Spring, bonus_points: 100}"
    program = with_campaigns(TWO, bonus)
    assert points(program, of(10000)) == 300
    assert points(program, of(10000), stopped=("two",)) == 200
    assert points(program, of(10000), stopped=("spring", "two")) == 100


LIMITED = "{id: two, name: Two, multiplier: 2, times: {month: 1}}"
LIMITED_BONUS = "{id: two, name: Two, bonus_points: 5, times: {month: 1}}"


@pytest.mark.parametrize("campaign", [LIMITED, LIMITED_BONUS])
def test_a_campaign_that_gave_is_counted_once(campaign: str) -> None:
    (use,) = due(with_campaigns(campaign), SOAP_AND_CREAM).uses.values()
    assert (use.points, use.times) == (0, 1)


def test_a_campaign_that_multiplied_nothing_is_not_counted() -> None:
    assert due(with_campaigns(LIMITED), of(40)).uses == {}
    better = with_campaigns(LIMITED, THREE)
    assert due(better, of(10000)).uses == {}


def test_the_explanation_names_what_multiplied_what() -> None:
    creams = "{id: creams, name: Three times, multiplier: 3, items: {categories: [creams]}}"
    earned = due(with_campaigns(creams, LIMITED_BONUS), SOAP_AND_CREAM, tier="gold")
    (share,) = earned.explanation["rules"]
    assert share["parts"] == [
        {"counted": 1000, "multiplier": "5/4"},
        {"counted": 4000, "multiplier": "15/4", "campaigns": ["creams"]},
    ]
    assert earned.explanation["bonuses"] == [{"campaign": "two", "points": 5}]
    assert earned.explanation["tier"] == "gold"
    assert earned.explanation["names"] == {
        "creams": "Three times",
        "two": "Two",
        "gold": "Gold",
    }
