"""What is left of an order after its refunds: cases, in minor units."""

import pytest

from loyalty_service.domain import earning
from loyalty_service.domain.earning import Left, OrderFacts, RefundedTooMuch, RefundFacts
from loyalty_service.domain.earning.left import spread
from loyalty_service.domain.program.document import Program
from tests.domain.earning.told import (
    PURCHASE,
    a_line,
    a_program,
    a_rule,
    an_order,
    by_amount,
    by_items,
    due,
    of,
    with_campaigns,
)

BASKET = an_order(
    a_line("cream", 3000, 2),
    a_line("soap", 1000),
    a_line("cream", 2500),
    discount_minor=950,
    tax_minor=1000,
    shipping_minor=490,
)


def paid(facts: OrderFacts, *refunds: RefundFacts) -> list[int]:
    return [line.paid_minor for line in left(facts, *refunds).lines]


def counts(facts: OrderFacts, *refunds: RefundFacts) -> list[int]:
    return [line.quantity for line in left(facts, *refunds).lines]


def left(facts: OrderFacts, *refunds: RefundFacts) -> Left:
    return earning.left_of(facts, refunds)


def test_a_discount_is_shared_by_what_the_lines_cost() -> None:
    assert paid(BASKET) == [5400, 900, 2250]
    assert [line.taken_off_minor for line in left(BASKET).lines] == [600, 100, 250]


def test_items_come_back_with_their_share_of_the_discount() -> None:
    after = left(BASKET, by_items(("cream", 1)))
    assert [line.paid_minor for line in after.lines] == [2700, 900, 2250]
    assert [line.taken_off_minor for line in after.lines] == [300, 100, 250]


def test_items_of_one_sku_come_back_line_by_line() -> None:
    assert counts(BASKET, by_items(("cream", 2))) == [0, 1, 1]
    assert counts(BASKET, by_items(("cream", 3))) == [0, 1, 0]
    assert counts(BASKET, by_items(("cream", 1)), by_items(("cream", 1), ("soap", 1))) == [0, 0, 1]


def test_an_amount_is_spread_over_what_is_left_of_the_lines() -> None:
    assert paid(BASKET, by_amount(855)) == [4860, 810, 2025]
    assert paid(BASKET, by_amount(585), by_items(("cream", 1))) == [2430, 810, 2025]


def test_tax_goes_with_the_merchandise_and_shipping_stays() -> None:
    assert left(BASKET, by_amount(855)).tax_minor == 900
    assert left(BASKET, by_amount(855)).shipping_minor == 490
    everything = left(BASKET, by_items(("cream", 3), ("soap", 1)))
    assert (everything.tax_minor, everything.shipping_minor) == (0, 490)


def test_whoever_got_all_the_money_back_has_nothing_left() -> None:
    by_money = left(BASKET, by_amount(8550))
    assert by_money == left(BASKET, by_items(("cream", 3), ("soap", 1)))
    assert counts(BASKET, by_amount(8549)) == [2, 1, 1]
    assert counts(BASKET, by_amount(7650), by_items(("soap", 1))) == [0, 0, 0]


def test_no_more_money_comes_back_than_was_paid() -> None:
    with pytest.raises(RefundedTooMuch) as refused:
        left(BASKET, by_amount(8000), by_amount(551))
    assert (refused.value.sku, refused.value.at_most) == (None, 8550)
    with pytest.raises(RefundedTooMuch) as refused:
        left(BASKET, by_items(("soap", 1)), by_amount(7651))
    assert (refused.value.sku, refused.value.at_most) == (None, 7650)


def test_no_more_items_come_back_than_were_bought() -> None:
    with pytest.raises(RefundedTooMuch) as refused:
        left(BASKET, by_items(("cream", 3)), by_items(("cream", 1)))
    assert (refused.value.sku, refused.value.at_most) == ("cream", 3)
    with pytest.raises(RefundedTooMuch) as refused:
        left(BASKET, by_items(("serum", 1)))
    assert (refused.value.sku, refused.value.at_most) == ("serum", 0)


def test_what_was_for_nothing_comes_back_for_nothing() -> None:
    gift = an_order(a_line("sample", 0, 2), a_line("cream", 1000))
    assert paid(gift, by_items(("sample", 2))) == [0, 1000]
    assert counts(gift, by_items(("sample", 2))) == [0, 1]
    with pytest.raises(RefundedTooMuch):
        left(of(0), by_amount(1))


def test_a_share_never_falls_while_the_amount_grows() -> None:
    """By marks along the sum the middle one would have 1 of 2, and none of 3."""
    shares = [spread(amount, [2, 1, 2]) for amount in range(6)]
    assert shares == [[0, 0, 0], [1, 0, 0], [1, 0, 1], [1, 1, 1], [2, 1, 1], [2, 1, 2]]


FIXED = a_program(a_rule("points: 10"))
FIXED_FOR_SOAP = a_program(a_rule("points: 10, items: {skus: [soap]}"))
EACH = a_program(a_rule("points: 10, per: item"))
BONUS = with_campaigns("{id: spring, name: Spring, bonus_points: 7}")
BONUS_FOR_SOAP = with_campaigns("{id: spring, name: S, bonus_points: 7, items: {skus: [soap]}}")


@pytest.mark.parametrize(
    ("program", "whole", "without_soap", "nothing"),
    [
        (a_program(PURCHASE), 85, 76, 0),
        (FIXED, 10, 10, 0),
        (FIXED_FOR_SOAP, 10, 0, 0),
        (EACH, 40, 30, 0),
        (BONUS, 92, 83, 0),
        (BONUS_FOR_SOAP, 92, 76, 0),
    ],
)
def test_what_is_due_for_what_is_left(
    program: Program, whole: int, without_soap: int, nothing: int
) -> None:
    assert due(program, BASKET).points == whole
    assert due(program, BASKET, by_items(("soap", 1))).points == without_soap
    assert due(program, BASKET, by_items(("soap", 1), ("cream", 3))).points == nothing
    assert due(program, BASKET, by_amount(8550)).points == nothing


@pytest.mark.parametrize(
    ("rounding", "shares"), [("floor", (125, 62)), ("nearest", (125, 63)), ("ceiling", (125, 63))]
)
def test_half_of_an_order_is_rounded_as_its_rule_rounds(
    rounding: str, shares: tuple[int, int]
) -> None:
    rule = PURCHASE.replace("floor", rounding).replace("points: 1", "points: 5/4")
    program = a_program(rule)
    assert due(program, of(10000)).points == shares[0]
    assert due(program, of(10000), by_amount(5000)).points == shares[1]
    assert due(program, of(10000), by_amount(2500), by_amount(2500)).points == shares[1]


def test_what_falls_below_a_minimum_by_a_refund_gives_nothing_more() -> None:
    program = a_program(a_rule("points: 10, minimum_spend: 50.00"))
    assert due(program, of(6000), by_amount(1000)).points == 10
    assert due(program, of(6000), by_amount(1001)).points == 0


def test_a_condition_that_asks_for_less_may_begin_to_hold_by_a_refund() -> None:
    small = PURCHASE.replace("}", ", when: 'order.subtotal <= 5000'}")
    assert due(a_program(small), of(6000)).points == 0
    assert due(a_program(small), of(6000), by_amount(1000)).points == 50
