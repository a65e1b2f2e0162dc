"""What holds for whatever an order is: exact, whole, and the same however it is written."""

import dataclasses
import json
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from loyalty_service import canonical
from loyalty_service.domain import earning
from loyalty_service.domain.earning import Line, OrderFacts
from loyalty_service.domain.program.document import Program, Rounding
from tests.domain.program.documents import a_program
from tests.domain.test_earning import MORE, SHIPPING_RULE, a_rate, an_order

RATES = [
    a_rate(points, per, rounding)
    for points, per in (("1", "1.00"), ("7/3", "0.99"), ("1/3", "10.00"), ("1.7", "0.01"))
    for rounding in Rounding
]
BOTH = a_program((MORE, SHIPPING_RULE))
programs = st.sampled_from(RATES)
amounts_minor = st.integers(0, 10**9)
orders = st.builds(
    OrderFacts,
    st.just("eur"),
    st.lists(
        st.builds(
            Line, st.just("serum"), st.just("skin"), st.integers(1, 99), st.integers(0, 10**6)
        ),
        min_size=1,
        max_size=6,
    ).map(tuple),
    st.integers(0, 10**7),
    amounts_minor,
    amounts_minor,
)


@given(programs, amounts_minor)
def test_what_is_earned_is_the_exact_number_rounded(program: Program, total_minor: int) -> None:
    (rule,) = program.earning
    rate = Fraction(rule.points_numerator, rule.points_denominator * rule.per_minor)
    (share,) = earning.earn(program, an_order(total_minor)).explanation["rules"]

    assert Fraction(share["exact"]) == total_minor * rate
    assert abs(share["points"] - total_minor * rate) < 1


@given(programs, orders, st.integers(1, 98))
def test_it_does_not_matter_how_an_order_is_split_into_lines(
    program: Program, facts: OrderFacts, part: int
) -> None:
    split = tuple(
        piece
        for line in facts.lines
        for quantity in (min(part, line.quantity - 1), line.quantity - min(part, line.quantity - 1))
        for piece in [Line(line.sku, line.category, quantity, line.unit_amount_minor)]
    )
    pieces = OrderFacts(
        "eur", split[::-1], facts.discount_minor, facts.tax_minor, facts.shipping_minor
    )

    assert earning.earn(program, pieces) == earning.earn(program, facts)


@given(programs, amounts_minor, amounts_minor)
def test_two_orders_earn_what_one_does_but_for_the_rounding_of_each(
    program: Program, one_minor: int, other_minor: int
) -> None:
    apart = [earning.earn(program, an_order(minor)).points for minor in (one_minor, other_minor)]
    together = earning.earn(program, an_order(one_minor + other_minor)).points

    off = sum(apart) - together
    assert (
        off
        in {
            Rounding.FLOOR: (-1, 0),
            Rounding.NEAREST: (-1, 0, 1),
            Rounding.CEILING: (0, 1),
        }[program.earning[0].rounding]
    )


@given(orders)
def test_each_rule_earns_beside_others_what_it_earns_alone(facts: OrderFacts) -> None:
    alone = [
        earning.earn(dataclasses.replace(BOTH, earning=(rule,)), facts).explanation["rules"][0]
        for rule in BOTH.earning
    ]
    earned = earning.earn(BOTH, facts)

    assert earned.explanation["rules"] == alone
    assert earned.points == sum(share["points"] for share in alone)
    assert earned.points >= max(share["points"] for share in alone)


@given(programs, orders)
def test_every_figure_is_whole_and_can_be_kept_for_ever(
    program: Program, facts: OrderFacts
) -> None:
    earned = earning.earn(program, facts)

    assert type(earned.points) is int and earned.points >= 0
    # It refuses every float.
    assert json.loads(canonical.dumps(earned.explanation)) == earned.explanation


@given(programs, orders, amounts_minor)
def test_a_larger_discount_never_earns_more(
    program: Program, facts: OrderFacts, more_minor: int
) -> None:
    dearer = dataclasses.replace(facts, discount_minor=facts.discount_minor + more_minor)

    assert earning.earn(program, dearer).points <= earning.earn(program, facts).points
