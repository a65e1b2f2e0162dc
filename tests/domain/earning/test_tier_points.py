"""What of a fact counts towards a tier: money, orders, and points that qualify."""

import pytest

from loyalty_service.domain.earning import Pins, TierCredit
from tests.domain.earning.told import (
    PURCHASE,
    TIERS,
    a_line,
    a_program,
    a_rule,
    an_order,
    by_amount,
    by_items,
    due,
    of,
    told,
    with_campaigns,
)

MONEY = "points: 5, per: 1.00, counts: [merchandise], rounding: floor"
TWO = "{id: two, name: Two, multiplier: 2}"


@pytest.mark.parametrize(
    ("words", "points", "base", "multiplied"),
    [
        ("", 1250, 500, 1250),
        (", tier_points: same", 1250, 500, 1250),
        (", tier_points: 0", 1250, 0, 0),
        (", tier_points: 1", 1250, 100, 250),
        (", tier_points: 3/2", 1250, 150, 375),
    ],
)
def test_points_qualify_as_they_are_by_another_number_or_not(
    words: str, points: int, base: int, multiplied: int
) -> None:
    program = with_campaigns(TWO, rule=a_rule(MONEY + words))
    earned = due(program, of(10000), tier="gold")
    assert earned.points == points
    credit = earned.tier_credit
    assert (credit.base_points, credit.points) == (base, multiplied)


@pytest.mark.parametrize(("rounding", "base", "multiplied"), [("floor", 4, 6), ("ceiling", 5, 7)])
def test_points_that_qualify_are_rounded_as_the_rule_rounds(
    rounding: str, base: int, multiplied: int
) -> None:
    rule = a_rule(f"{MONEY.replace('floor', rounding)}, tier_points: 1/2")
    credit = due(a_program(rule, more=TIERS), of(990), tier="gold").tier_credit
    assert (credit.base_points, credit.points) == (base, multiplied)


def test_a_rule_may_qualify_and_give_nothing_to_spend() -> None:
    rule = "{id: status, on: sign_up, points: 0, tier_points: 500}"
    earned = told(a_program(rule, more=TIERS), "sign_up")
    assert earned.points == 0
    assert earned.tier_credit == TierCredit(base_points=500, points=500)


def test_a_bonus_qualifies_only_among_multiplied_points() -> None:
    bonus = "{id: spring, name: Spring, bonus_points: 30}"
    credit = due(with_campaigns(bonus), of(10000)).tier_credit
    assert (credit.base_points, credit.points) == (100, 130)


def test_what_a_cap_cuts_does_not_qualify() -> None:
    rule = PURCHASE.replace("}", ", caps: {once: 20}}")
    credit = due(with_campaigns(TWO, rule=rule), of(10000)).tier_credit
    assert (credit.base_points, credit.points) == (20, 20)


def test_what_a_stopped_rule_would_have_given_does_not_qualify() -> None:
    credit = due(a_program(PURCHASE, more=TIERS), of(10000), stopped=("purchase",)).tier_credit
    assert (credit.base_points, credit.points, credit.spend_minor) == (0, 0, 10000)


@pytest.mark.parametrize(
    ("words", "spend"),
    [
        ("", 9000),
        ("  counts: [merchandise, tax]\n", 10900),
        ("  counts: [merchandise, discounts]\n", 10000),
        ("  items: {except_categories: [gift_card]}\n", 4500),
    ],
)
def test_money_towards_a_tier_is_what_the_program_counts(words: str, spend: int) -> None:
    tiers = TIERS.replace("  levels:", f"{words}  levels:")
    lines = a_line("cream", 5000), a_line("card", 5000, 1, "gift_card")
    facts = an_order(*lines, discount_minor=1000, tax_minor=1900, shipping_minor=490)
    assert due(a_program(PURCHASE, more=tiers), facts).tier_credit.spend_minor == spend


ORDERS = """\
tiers:
  metric: orders
  minimum_order: 10.00
  window: lifetime
  levels:
    - {id: guest, name: Guest, from: 0}
    - {id: regular, name: Regular, from: 3}
"""


@pytest.mark.parametrize(
    ("amount", "back", "orders"), [(1000, 0, 1), (999, 0, 0), (1500, 500, 1), (1500, 501, 0)]
)
def test_an_order_counts_while_enough_of_it_is_left(amount: int, back: int, orders: int) -> None:
    program = a_program(PURCHASE, more=ORDERS)
    refunds = [by_amount(back)] if back else []
    assert due(program, of(amount), *refunds).tier_credit.orders == orders


def test_an_order_for_nothing_is_no_order() -> None:
    program = a_program(PURCHASE, more=ORDERS.replace("  minimum_order: 10.00\n", ""))
    assert due(program, of(0)).tier_credit.orders == 0
    assert due(program, of(1)).tier_credit.orders == 1


def test_a_full_refund_leaves_nothing_that_counts() -> None:
    program = with_campaigns(TWO, rule=a_rule(f"{MONEY}, tier_points: 2"))
    assert due(program, of(10000), by_items(("cream", 1))).tier_credit == TierCredit()
    assert due(program, of(10000), by_amount(10000)).tier_credit == TierCredit()


def test_an_event_is_no_order_and_no_money() -> None:
    rule = "{id: reload, on: card, points: 10, per: 30.00, of: amount, rounding: floor}"
    program = a_program(rule, more=f"events:\n  card: {{amount: money}}\n{TIERS}")
    credit = told(program, "card", Pins(tier="gold"), amount=3000).tier_credit
    assert credit == TierCredit(base_points=10, points=10)
