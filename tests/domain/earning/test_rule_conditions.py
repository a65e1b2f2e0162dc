"""When a rule applies: each condition on its own, and together."""

from datetime import date

import pytest

from tests.domain.earning.told import (
    TIERS,
    a_line,
    a_program,
    a_rule,
    an_order,
    of,
    points,
    points_of,
)

MONEY = "points: 1, per: 1.00, counts: [merchandise], rounding: floor"


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
