"""What is due for what is left of an order, whatever the rules, the lines and the refunds are."""

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from loyalty_service.domain import earning
from loyalty_service.domain.earning import Earned, OrderFacts, Pins, RefundFacts, TierCredit
from loyalty_service.domain.earning.left import NOTHING, spread
from loyalty_service.domain.program.document import Program
from tests.domain.earning.drawn import (
    any_refunds,
    growing,
    is_too_much,
    orders,
    orders_and_refunds,
    pins,
    programs,
)
from tests.domain.earning.told import A_DAY

Told = tuple[OrderFacts, list[RefundFacts]]


def due(program: Program, facts: OrderFacts, refunds: list[RefundFacts], known: Pins) -> Earned:
    return earning.earn_left(program, earning.left_of(facts, refunds), known, on=A_DAY)


@given(st.data(), programs(), orders_and_refunds(), pins)
def test_refunds_in_any_order_end_in_the_same_due(
    data: st.DataObject, program: Program, told: Told, known: Pins
) -> None:
    facts, refunds = told
    otherwise = data.draw(st.permutations(refunds))
    assert due(program, facts, otherwise, known) == due(program, facts, refunds, known)


@given(programs(), orders_and_refunds(), pins)
def test_with_each_refund_less_is_due_or_as_much(program: Program, told: Told, known: Pins) -> None:
    facts, refunds = told
    dues = [due(program, facts, some, known).points for some in growing(refunds)]
    assert all(before >= after for before, after in pairwise(dues)), dues


@given(programs(), orders_and_refunds(), pins)
def test_with_each_refund_nothing_grows_that_counts_towards_a_tier(
    program: Program, told: Told, known: Pins
) -> None:
    facts, refunds = told
    credits = [due(program, facts, some, known).tier_credit for some in growing(refunds)]
    for before, after in pairwise(credits):
        less = before.less(after)
        assert min(less.spend_minor, less.base_points, less.points, less.orders) >= 0


@given(st.data(), programs(), orders_and_refunds(), pins)
def test_a_refund_in_two_parts_takes_what_one_does(
    data: st.DataObject, program: Program, told: Told, known: Pins
) -> None:
    facts, refunds = told
    parts: list[RefundFacts] = []
    for one in refunds:
        part = data.draw(st.integers(0, one.amount_minor))
        amounts = RefundFacts(amount_minor=part), RefundFacts(amount_minor=one.amount_minor - part)
        parts += [RefundFacts(items=one.items)] if one.items else amounts
    together = RefundFacts(
        sum(one.amount_minor for one in refunds), tuple(x for one in refunds for x in one.items)
    )
    whole = due(program, facts, refunds, known)
    assert due(program, facts, parts, known) == whole
    assert due(program, facts, [together], known) == whole


@given(programs(), orders, pins)
def test_nothing_is_due_once_all_items_came_back(
    program: Program, facts: OrderFacts, known: Pins
) -> None:
    everything = [RefundFacts(items=((line.sku, line.quantity),)) for line in facts.lines]
    earned = due(program, facts, everything, known)
    assert (earned.points, earned.tier_credit) == (0, TierCredit())
    assert all((use.points, use.times) == (0, 0) for use in earned.uses.values())


@given(programs(), orders, pins)
def test_nothing_is_due_once_all_the_money_came_back(
    program: Program, facts: OrderFacts, known: Pins
) -> None:
    paid_minor = earning.left_of(facts).paid_minor
    if paid_minor:
        earned = due(program, facts, [RefundFacts(amount_minor=paid_minor)], known)
        assert (earned.points, earned.tier_credit) == (0, TierCredit())


@given(programs(), pins)
def test_nothing_is_due_for_what_was_cancelled(program: Program, known: Pins) -> None:
    earned = earning.earn_left(program, NOTHING, known, on=A_DAY)
    assert (earned.points, earned.tier_credit) == (0, TierCredit())


@given(programs(), orders, pins)
def test_what_is_due_with_nothing_refunded_is_what_the_order_earns(
    program: Program, facts: OrderFacts, known: Pins
) -> None:
    assert due(program, facts, [], known) == earning.earn(program, facts, known, on=A_DAY)


@given(orders_and_refunds())
def test_what_is_left_adds_up_and_is_never_below_zero(told: Told) -> None:
    facts, refunds = told
    bought = sum(line.amount_minor for line in facts.lines)
    for some in growing(refunds):
        left = earning.left_of(facts, some)
        for line in left.lines:
            assert 0 <= line.quantity <= line.line.quantity
            assert line.paid_minor >= 0 and line.taken_off_minor >= 0
            assert line.paid_minor + line.taken_off_minor <= line.line.amount_minor
        assert 0 <= left.tax_minor <= facts.tax_minor
        assert left.shipping_minor == facts.shipping_minor
        if not any(one.items for one in some):
            given_back = sum(one.amount_minor for one in some)
            assert left.paid_minor == max(0, bought - facts.discount_minor) - given_back


@given(st.data(), orders, any_refunds)
def test_what_is_too_much_is_too_much_in_every_order_and_with_more(
    data: st.DataObject, facts: OrderFacts, refunds: list[RefundFacts]
) -> None:
    otherwise = data.draw(st.permutations(refunds))
    assert is_too_much(facts, otherwise) == is_too_much(facts, refunds)
    too_much = [is_too_much(facts, some) for some in growing(otherwise)]
    assert too_much == sorted(too_much)


@given(st.lists(st.integers(0, 50), min_size=1, max_size=7), st.data())
def test_shares_add_up_and_none_is_above_its_part(over: list[int], data: st.DataObject) -> None:
    amount = data.draw(st.integers(0, sum(over)))
    shares = spread(amount, over)
    assert sum(shares) == amount
    assert all(0 <= share <= part for share, part in zip(shares, over, strict=True))
    fair = [Fraction(amount * part, max(1, sum(over))) for part in over]
    assert all(abs(share - one) < len(over) for share, one in zip(shares, fair, strict=True))


@given(st.lists(st.integers(0, 12), min_size=1, max_size=6), st.data())
def test_no_share_grows_where_the_amount_or_a_part_shrinks(
    over: list[int], data: st.DataObject
) -> None:
    amount = data.draw(st.integers(0, sum(over)))
    shares, less = spread(amount, over), spread(max(0, amount - 1), over)
    assert all(one >= other for one, other in zip(shares, less, strict=True))
    # An item comes back: what is left of the money falls by what was left of it.
    place = data.draw(st.integers(0, len(over) - 1))
    back = data.draw(st.integers(0, min(over[place], amount)))
    smaller = [part - back if at == place else part for at, part in enumerate(over)]
    after = spread(amount - back, smaller)
    assert all(one >= other for one, other in zip(shares, after, strict=True))


@given(programs(), orders, pins, st.integers(0, 50))
def test_a_larger_discount_never_earns_more(
    program: Program, facts: OrderFacts, known: Pins, more: int
) -> None:
    if any("discounts" in rule.counts for rule in program.earning):
        return
    dearer = replace(facts, discount_minor=facts.discount_minor + more)
    assert due(program, dearer, [], known).points <= due(program, facts, [], known).points
