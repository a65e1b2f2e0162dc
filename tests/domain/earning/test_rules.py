"""What a rule gives, and for what: each key of a rule on its own."""

import pytest

from loyalty_service.domain.earning import NO_CREDIT, Pins
from tests.domain.earning.told import (
    TIERS,
    a_line,
    a_program,
    a_rule,
    an_order,
    due,
    of,
    points,
    points_of,
    told,
)

MONEY = "points: 1, per: 1.00, counts: [merchandise], rounding: floor"
BASKET = an_order(
    a_line("big_brush", 1000, 3, "brushes"),
    a_line("travel_brush", 500, 2, "brushes"),
    a_line("cream", 3000, 1, "creams"),
    a_line("bag", 200, 1),
)


def items(words: str) -> str:
    return f"points: 20, per: item, items: {{{words}}}"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("points: 20, per: item", 140),
        (items("categories: [brushes]"), 100),
        (items("categories: [brushes], except_skus: [travel_brush]"), 60),
        (items("except_categories: [brushes]"), 40),
        (items("except_skus: [bag, cream]"), 100),
        (items("skus: [cream]"), 20),
        (items("skus: [cream], categories: [brushes]"), 120),
        (items("skus: [cream], categories: [brushes], except_skus: [big_brush]"), 60),
        (items("skus: [soap]"), 0),
        (items("when: 'item.unit_amount >= 1000'"), 80),
        (items("when: 'item.quantity > 1'"), 100),
        (items("when: 'item.amount == 3000'"), 80),
        (items("when: 'item.category == \"\"'"), 20),
        (items("categories: [brushes], when: 'item.sku.startsWith(\"big\")'"), 60),
    ],
)
def test_each_item_of_the_lines_that_count_gives(words: str, expected: int) -> None:
    assert points(a_program(a_rule(words)), BASKET) == expected


@pytest.mark.parametrize(("rounding", "expected"), [("floor", 4), ("nearest", 5), ("ceiling", 5)])
def test_points_for_items_are_rounded_once_for_all_of_them(rounding: str, expected: int) -> None:
    rule = a_rule(f"points: 2/3, per: item, rounding: {rounding}")
    assert points(a_program(rule), BASKET) == expected


def test_money_of_lines_that_count_is_divided_as_a_whole() -> None:
    brushes = a_rule(f"{MONEY}, items: {{categories: [brushes]}}")
    assert points(a_program(brushes), BASKET) == 40


def test_a_fixed_rule_gives_once_whatever_is_bought() -> None:
    assert points(a_program(a_rule("points: 10")), BASKET) == 10
    assert points(a_program(a_rule("points: 10")), of(0)) == 10


@pytest.mark.parametrize(("rounding", "expected"), [("floor", 2), ("nearest", 3), ("ceiling", 3)])
def test_a_fixed_rule_rounds_its_own_fraction(rounding: str, expected: int) -> None:
    assert points(a_program(a_rule(f"points: 5/2, rounding: {rounding}")), of(1)) == expected


def test_a_fixed_rule_for_some_items_gives_only_where_one_of_them_is_bought() -> None:
    program = a_program(a_rule("points: 100, items: {skus: [serum]}"))
    assert points(program, an_order(a_line("serum", 100, 3), a_line("soap", 1))) == 100
    assert points(program, BASKET) == 0


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ("[merchandise]", 90),
        ("[merchandise, discounts]", 100),
        ("[discounts]", 10),
        ("[merchandise, tax]", 109),
        ("[tax]", 19),
        ("[shipping]", 4),
        ("[merchandise, tax, shipping]", 113),
        ("[merchandise, tax, shipping, discounts]", 123),
    ],
)
def test_what_counts_is_added_up(counts: str, expected: int) -> None:
    rule = a_rule(f"points: 1, per: 1.00, counts: {counts}, rounding: floor")
    facts = of(10000, discount_minor=1000, tax_minor=1900, shipping_minor=490)
    assert points(a_program(rule), facts) == expected


@pytest.mark.parametrize(
    ("counts", "expected"),
    [("[merchandise]", 0), ("[merchandise, tax]", 3), ("[merchandise, discounts]", 10)],
)
def test_a_discount_above_the_merchandise_takes_it_to_nothing_and_no_further(
    counts: str, expected: int
) -> None:
    rule = a_rule(f"points: 1, per: 1.00, counts: {counts}, rounding: floor")
    assert points(a_program(rule), of(1000, discount_minor=9999, tax_minor=300)) == expected


def test_a_discount_is_shared_out_over_the_lines_by_what_they_cost() -> None:
    facts = an_order(a_line("cream", 3000), a_line("soap", 1000), discount_minor=1000)
    rule = "points: 1, per: 0.01, counts: [merchandise], rounding: floor, items: {skus: [%s]}"
    assert points(a_program(a_rule(rule % "cream")), facts) == 2250
    assert points(a_program(a_rule(rule % "soap")), facts) == 750


@pytest.mark.parametrize(
    ("amount", "expected"), [(299, 0), (300, 1), (2999, 9), (3000, 10), (0, 0)]
)
def test_a_money_field_of_an_event_is_divided(amount: int, expected: int) -> None:
    rule = "{id: reload, on: card, points: 10, per: 30.00, of: amount, rounding: floor}"
    program = a_program(rule, more="events:\n  card: {amount: money}\n")
    assert points_of(program, "card", amount=amount) == expected


def test_a_money_field_that_was_left_out_is_nothing() -> None:
    rule = "{id: reload, on: card, points: 10, per: 30.00, of: amount, rounding: ceiling}"
    program = a_program(rule, more='events:\n  card: {"amount?": money}\n')
    assert points_of(program, "card") == 0
    assert points_of(program, "card", amount=1) == 1


def test_an_event_gives_by_its_own_rules_alone() -> None:
    program = a_program(
        a_rule("points: 7"),
        "{id: welcome, on: sign_up, points: 50}",
        "{id: review, on: review, points: 3}",
    )
    assert points_of(program, "sign_up") == 50
    assert points_of(program, "review", stars=5) == 3
    assert points_of(program, "birthday") == 0
    assert points(program, of(100)) == 7


@pytest.mark.parametrize(
    ("words", "tier", "expected"),
    [
        (MONEY, "gold", 124),
        (MONEY, "member", 99),
        (f"{MONEY}, tier_multiplier: false", "gold", 99),
        ("points: 10, per: item", "gold", 12),
        ("points: 10, rounding: nearest", "gold", 13),
        ("points: 10, rounding: ceiling", "gold", 13),
    ],
)
def test_a_tier_multiplies_before_anything_is_rounded(words: str, tier: str, expected: int) -> None:
    assert points(a_program(a_rule(words), more=TIERS), of(9999), tier=tier) == expected


@pytest.mark.parametrize(("words", "expected"), [("", 10), (", tier_multiplier: true", 12)])
def test_a_tier_multiplies_an_event_only_where_its_rule_says_so(words: str, expected: int) -> None:
    program = a_program(f"{{id: review, on: review, points: 10{words}}}", more=TIERS)
    assert told(program, "review", Pins(tier="gold")).points == expected


def test_a_stopped_rule_gives_nothing_and_the_others_do() -> None:
    program = a_program(
        a_rule("points: 10"), "{id: welcome, on: order, points: 5, pending_days: 0}"
    )
    assert points(program, BASKET, stopped=("extra",)) == 5


def test_a_rule_that_does_not_apply_is_not_in_the_explanation() -> None:
    program = a_program(a_rule("points: 10, minimum_spend: 1.00"))
    earned = due(program, of(99))
    assert earned.explanation["rules"] == []
    assert (earned.points, earned.uses) == (0, {})
    assert earned.tier_credit.base_points == NO_CREDIT.base_points
