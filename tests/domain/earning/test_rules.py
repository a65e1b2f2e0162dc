"""What a rule gives, for what, and when it applies: each key of a rule on its own."""

from datetime import date

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
    ("words", "day", "expected"),
    [
        ("from: 2026-05-09", "2026-05-08", 0),
        ("from: 2026-05-09", "2026-05-09", 10),
        ("until: 2026-05-09", "2026-05-09", 10),
        ("until: 2026-05-09", "2026-05-10", 0),
        ("from: 2026-05-09, until: 2026-05-09", "2026-05-09", 10),
        ("weekdays: [sat]", "2026-05-09", 10),
        ("weekdays: [sat, sun]", "2026-05-10", 10),
        ("weekdays: [sat, sun]", "2026-05-11", 0),
        ("weekdays: [mon], from: 2026-05-12", "2026-05-11", 0),
        ("weekdays: [mon], from: 2026-05-11", "2026-05-11", 10),
    ],
)
def test_a_rule_applies_on_its_days(words: str, day: str, expected: int) -> None:
    program = a_program(a_rule(f"points: 10, {words}"))
    assert points(program, of(100), on=date.fromisoformat(day)) == expected


@pytest.mark.parametrize(("tier", "expected"), [("gold", 10), ("member", 0), (None, 0)])
def test_a_rule_for_some_tiers_gives_to_no_other(tier: str | None, expected: int) -> None:
    rule = a_rule("points: 10, tiers: [gold], tier_multiplier: false")
    assert points(a_program(rule, more=TIERS), of(100), tier=tier) == expected


@pytest.mark.parametrize(
    ("near", "on_the_day", "in_the_month", "expected"),
    [
        ("day", True, True, 10),
        ("day", False, True, 0),
        ("month", False, True, 10),
        ("month", True, True, 10),
        ("month", False, False, 0),
    ],
)
def test_a_rule_applies_around_a_birthday(
    near: str, on_the_day: bool, in_the_month: bool, expected: int
) -> None:
    program = a_program(a_rule(f"points: 10, birthday: {near}"))
    pins = {"is_birthday": on_the_day, "is_birthday_month": in_the_month}
    assert points(program, of(100), **pins) == expected


@pytest.mark.parametrize(
    ("words", "amount", "expected"),
    [
        (MONEY, 2499, 0),
        (MONEY, 2500, 25),
        ("points: 10", 2499, 0),
        ("points: 10", 2500, 10),
        ("points: 10, per: item", 2499, 0),
        ("points: 10, per: item", 2500, 10),
    ],
)
def test_a_minimum_is_held_against_what_counts(words: str, amount: int, expected: int) -> None:
    assert points(a_program(a_rule(f"{words}, minimum_spend: 25.00")), of(amount)) == expected


def test_a_minimum_asks_for_the_money_that_the_rule_counts() -> None:
    with_tax = "points: 1, per: 1.00, counts: [merchandise, tax], rounding: floor"
    program = a_program(a_rule(f"{with_tax}, minimum_spend: 25.00"))
    assert points(program, of(2000, tax_minor=500)) == 25
    assert points(program, of(2000, tax_minor=499)) == 0


def test_a_minimum_is_held_against_the_lines_that_count_net_of_their_discount() -> None:
    rule = a_rule("points: 10, items: {skus: [cream]}, minimum_spend: 30.00")
    lines = a_line("cream", 4000), a_line("soap", 4000)
    assert points(a_program(rule), an_order(*lines, discount_minor=2000)) == 10
    assert points(a_program(rule), an_order(*lines, discount_minor=2002)) == 0


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ("order.subtotal == 10800", True),
        ("order.subtotal > 10800", False),
        ("order.total == 10800 + 1900 + 490", True),
        ("order.discount == 1200", True),
        ("order.tax == 1900 && order.shipping == 490", True),
        ("order.item_count == 7 && order.line_count == 4", True),
        ('member.tier == "gold"', True),
        ('member.tier == ""', False),
        ("member.enrolled_days >= 365", True),
        ("member.enrolled_days > 365", False),
        ("member.is_birthday || member.is_birthday_month", True),
        ("order.total / (order.item_count - 7) > 0", False),
    ],
)
def test_a_condition_sees_the_order_and_the_member(when: str, expected: bool) -> None:
    lines = (
        a_line("a", 1000, 3),
        a_line("b", 2000, 2),
        a_line("c", 3000, 1),
        a_line("d", 2000, 1),
    )
    facts = an_order(*lines, discount_minor=1200, tax_minor=1900, shipping_minor=490)
    program = a_program(a_rule(f"points: 10, tier_multiplier: false, when: '{when}'"), more=TIERS)
    pins = {"tier": "gold", "enrolled_days": 365, "is_birthday_month": True}
    assert points(program, facts, **pins) == (10 if expected else 0)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"score": 9, "shop": "north", "fair": True, "spent": 500}, 10),
        ({"score": 8, "shop": "north", "fair": True, "spent": 500}, 0),
        ({"score": 9, "shop": "south", "fair": True, "spent": 500}, 0),
        ({"score": 9, "shop": "north", "spent": 500}, 0),
        ({"score": 9, "shop": "north", "fair": True, "spent": 499}, 0),
    ],
)
def test_a_condition_sees_the_data_of_an_event(data: dict[str, object], expected: int) -> None:
    when = 'event.score >= 9 && event.shop == "north" && event.fair && event.spent >= 500'
    program = a_program(
        f"{{id: visit, on: visit, points: 10, when: '{when}'}}",
        more='events:\n  visit: {score: integer, shop: string, "fair?": boolean, spent: money}\n',
    )
    assert points_of(program, "visit", **data) == expected


def test_all_conditions_of_a_rule_must_hold() -> None:
    words = "points: 10, weekdays: [sat], minimum_spend: 5.00, when: 'order.item_count == 1'"
    program = a_program(a_rule(words))
    assert points(program, of(500)) == 10
    assert points(program, of(499)) == 0
    assert points(program, of(500), on=date(2026, 5, 10)) == 0
    assert points(program, an_order(a_line("cream", 500, 2))) == 0


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
