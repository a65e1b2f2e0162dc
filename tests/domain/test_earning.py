"""What orders earn: exact, whole, explained."""

import json
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty_service import wording
from loyalty_service.domain import earning
from loyalty_service.domain.earning import Line, OrderFacts
from loyalty_service.domain.program.document import Program, Rounding
from loyalty_service.errors import CurrencyNotPriced
from tests.domain.program.documents import a_program

MORE = "    pending_days: 14\n"
SHIPPING_RULE = (
    MORE + "  - {id: delivery, on: order, points: 2, per: 1.00, counts: [shipping],"
    " rounding: ceiling, pending_days: 14}\n"
)


def an_order(
    total_minor: int, *, discount_minor: int = 0, tax_minor: int = 0, shipping_minor: int = 0
) -> OrderFacts:
    lines = (Line("serum", "skin", 1, total_minor),)
    return OrderFacts("eur", lines, discount_minor, tax_minor, shipping_minor)


def a_rate(points: str, per: str, rounding: str) -> Program:
    return a_program(
        ("    points: 1\n", f"    points: {points}\n"),
        ("per: 1.00", f"per: {per}"),
        ("rounding: floor", f"rounding: {rounding}"),
    )


def counted_minor(earned: earning.Earned) -> int:
    (share,) = earned.explanation["rules"]
    return share["counted_minor"]


UNEVEN = a_rate("7/3", "0.99", "nearest")


@pytest.mark.parametrize(
    ("total_minor", "points"), [(30000, 300), (22000, 220), (199, 1), (100, 1), (99, 0), (0, 0)]
)
def test_each_full_unit_earns(total_minor: int, points: int) -> None:
    assert earning.earn(a_program(), an_order(total_minor)).points == points


@pytest.mark.parametrize(
    ("total_minor", "points"),
    [(345, 35), (355, 36), (352, 35), (358, 36), (572, 57), (578, 58), (5, 1), (4, 0)],
)
def test_nearest_takes_a_half_up_and_never_to_the_even_neighbour(
    total_minor: int, points: int
) -> None:
    assert earning.earn(a_rate("1", "0.10", "nearest"), an_order(total_minor)).points == points


@pytest.mark.parametrize(("total_minor", "points"), [(1, 1), (100, 1), (101, 2), (0, 0)])
def test_ceiling_gives_a_point_for_a_begun_unit(total_minor: int, points: int) -> None:
    assert earning.earn(a_rate("1", "1.00", "ceiling"), an_order(total_minor)).points == points


@pytest.mark.parametrize(
    ("points", "per", "total_minor", "earned"),
    [
        ("1", "10.00", 2000, 2),
        ("1/3", "1.00", 300, 1),
        ("1/3", "1.00", 299, 0),
        ("1.7", "1.00", 1000, 17),
    ],
)
def test_a_rate_that_is_no_whole_number_is_exact(
    points: str, per: str, total_minor: int, earned: int
) -> None:
    assert earning.earn(a_rate(points, per, "floor"), an_order(total_minor)).points == earned


def test_every_line_counts_with_its_quantity() -> None:
    facts = OrderFacts("eur", (Line("a", None, 3, 250), Line("b", "skin", 1, 301)), 0, 0, 0)

    assert counted_minor(earning.earn(a_program(), facts)) == 1051


def test_merchandise_counts_net_of_discounts_and_without_tax_and_shipping() -> None:
    facts = an_order(10000, discount_minor=2050, tax_minor=1900, shipping_minor=490)

    assert counted_minor(earning.earn(a_program(), facts)) == 7950


def test_a_discount_above_the_merchandise_earns_nothing_and_takes_nothing_from_tax() -> None:
    facts = an_order(1000, discount_minor=1500, tax_minor=300)
    program = a_program(("[merchandise]", "[merchandise, tax]"))

    assert earning.earn(a_program(), facts).points == 0
    assert earning.earn(program, facts).points == 3


def test_tax_and_shipping_count_where_the_rule_says_so() -> None:
    program = a_program(("[merchandise]", "[merchandise, tax, shipping]"))

    earned = earning.earn(program, an_order(10000, tax_minor=1900, shipping_minor=490))

    assert counted_minor(earned) == 12390


def test_the_points_of_several_rules_add_up() -> None:
    program = a_program((MORE, SHIPPING_RULE))

    earned = earning.earn(program, an_order(10000, shipping_minor=490))

    assert earned.points == 100 + 10
    assert [share["points"] for share in earned.explanation["rules"]] == [100, 10]


def test_another_currency_is_refused() -> None:
    facts = OrderFacts("usd", (Line("a", None, 1, 100),), 0, 0, 0)

    with pytest.raises(CurrencyNotPriced, match="eur, not usd"):
        earning.earn(a_program(), facts)


def test_more_points_than_can_be_kept_are_refused() -> None:
    limit_minor = 10**12 * 100

    assert earning.earn(a_program(), an_order(limit_minor)).points == 10**12
    with pytest.raises(earning.PointsOutOfRange, match="1000000000001 points"):
        earning.earn(a_program(), an_order(limit_minor + 100))


def test_the_points_of_all_rules_together_stay_within_the_limit() -> None:
    program = a_program((MORE, SHIPPING_RULE))

    with pytest.raises(earning.PointsOutOfRange):
        earning.earn(program, an_order(10**12 * 100, shipping_minor=1))


def test_the_explanation_holds_every_figure_and_survives_json() -> None:
    earned = earning.earn(a_rate("3/2", "0.10", "nearest"), an_order(355))

    assert json.loads(json.dumps(earned.explanation)) == {
        "rules": [
            {
                "rule": "purchase",
                "counted_minor": 355,
                "points_per": "3/2",
                "per_minor": 10,
                "exact": "213/4",
                "rounding": "nearest",
                "points": 53,
            }
        ],
        "pending_days": 14,
    }


@pytest.mark.parametrize(
    ("program", "facts", "said"),
    [
        (
            a_program(),
            an_order(10000),
            "100.00 EUR counted, 1 point per 1.00: 100 points",
        ),
        (
            a_program(),
            an_order(199),
            "1.99 EUR counted, 1 point per 1.00, rounded down: 1 point",
        ),
        (
            a_rate("3/2", "1.00", "floor"),
            an_order(200),
            "2.00 EUR counted, 1.5 points per 1.00: 3 points",
        ),
        (
            a_rate("7/3", "0.99", "nearest"),
            an_order(100),
            "1.00 EUR counted, 7/3 points per 0.99, rounded to the nearest: 2 points",
        ),
        (
            a_rate("1/2", "1.00", "ceiling"),
            an_order(0),
            "0.00 EUR counted, 0.5 points per 1.00: 0 points",
        ),
        (
            a_program((MORE, SHIPPING_RULE)),
            an_order(10000, shipping_minor=490),
            "100.00 EUR counted, 1 point per 1.00: 100 points; "
            "4.90 EUR counted, 2 points per 1.00, rounded up: 10 points; 110 points in all",
        ),
    ],
)
def test_an_explanation_is_said_in_words(program: Program, facts: OrderFacts, said: str) -> None:
    earned = earning.earn(program, facts)

    assert earning.why(wording.voice("en"), earned.explanation, program, earned.points) == said


def test_a_program_without_rules_earns_nothing_for_no_reason() -> None:
    rule = (
        "earning:\n  - id: purchase\n    on: order\n    points: 1\n    per: 1.00\n"
        "    counts: [merchandise]\n    rounding: floor\n    pending_days: 14\n"
    )
    program = a_program((rule, "earning: []\n"))
    earned = earning.earn(program, an_order(10000))

    assert earned.points == 0
    assert earning.why(wording.voice("en"), earned.explanation, program, 0) == ""


@given(st.integers(0, 10**15), st.integers(1, 10**9), st.sampled_from(Rounding))
def test_rounding_stays_within_one_of_the_exact_number_and_on_its_own_side(
    numerator: int, denominator: int, rounding: Rounding
) -> None:
    off = earning.rounded(numerator, denominator, rounding) - Fraction(numerator, denominator)

    low, high = {
        Rounding.FLOOR: (off > -1, off <= 0),
        Rounding.NEAREST: (off > Fraction(-1, 2), off <= Fraction(1, 2)),
        Rounding.CEILING: (off >= 0, off < 1),
    }[rounding]
    assert low and high


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_a_larger_order_never_earns_less(smaller_minor: int, more_minor: int) -> None:
    larger = earning.earn(UNEVEN, an_order(smaller_minor + more_minor))

    assert earning.earn(UNEVEN, an_order(smaller_minor)).points <= larger.points
