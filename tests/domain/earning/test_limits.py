"""Limits as they were pinned: what caps, how often and balances leave, and what is carried on."""

from fractions import Fraction

import pytest

from loyalty_service.domain import earning
from loyalty_service.domain.earning import Earned, Pins, Use
from loyalty_service.domain.program.document import Program
from tests.domain.earning.told import (
    PURCHASE,
    TIERS,
    a_line,
    a_program,
    a_rule,
    an_order,
    by_items,
    due,
    of,
    points,
    told,
)

CARRYING = a_program(
    "{id: purchase, on: order, points: 1, per: 10.00, counts: [merchandise], rounding: floor, "
    "pending_days: 0, carry: true}"
)


def capped(words: str) -> str:
    return PURCHASE.replace("}", f", caps: {{{words}}}}}")


@pytest.mark.parametrize(("amount", "expected"), [(1999, 19), (2000, 20), (2100, 20)])
def test_a_cap_of_one_order_cuts_what_is_above_it(amount: int, expected: int) -> None:
    assert points(a_program(capped("once: 20")), of(amount)) == expected


def test_a_cap_cuts_what_was_multiplied() -> None:
    program = a_program(capped("once: 20"), more=TIERS)
    assert points(program, of(1700), tier="gold") == 20
    assert points(program, of(1500), tier="gold") == 18


@pytest.mark.parametrize(
    ("headroom", "expected"), [({}, 50), ({"purchase": 30}, 30), ({"purchase": 0}, 0)]
)
def test_what_a_cap_has_left_is_the_most(headroom: dict[str, int], expected: int) -> None:
    assert points(a_program(capped("once: 50, day: 80")), of(9000), headroom=headroom) == expected


@pytest.mark.parametrize("span", ["day", "month", "year", "ever"])
def test_what_a_capped_rule_gave_is_noted_for_the_next_time(span: str) -> None:
    earned = due(a_program(capped(f"{span}: 80")), of(9000), headroom={"purchase": 30})
    assert earned.uses == {"purchase": Use(30, 1)}
    assert earned.explanation["rules"][0]["uncapped"] == 90


def test_a_cap_of_one_order_alone_is_not_noted() -> None:
    assert due(a_program(capped("once: 20")), of(9000)).uses == {}


def test_the_cap_of_one_rule_leaves_another_alone() -> None:
    program = a_program(capped("day: 20"), a_rule("points: 7"))
    assert points(program, of(9000), headroom={"purchase": 0}) == 7


@pytest.mark.parametrize("words", ["times: {day: 1}", "cooldown: {minutes: 30}"])
def test_how_often_a_rule_gave_is_counted_only_where_it_gave(words: str) -> None:
    rule = a_rule(f"points: 1, per: 1.00, counts: [merchandise], rounding: floor, {words}")
    assert due(a_program(rule), of(100)).uses == {"extra": Use(1, 1)}
    assert due(a_program(rule), of(99)).uses == {"extra": Use(0, 0)}


def test_a_rule_that_only_qualifies_is_counted_too() -> None:
    rule = "{id: status, on: sign_up, points: 0, tier_points: 500, times: {ever: 1}}"
    program = a_program(rule, more=TIERS)
    assert told(program, "sign_up").uses == {"status": Use(0, 1)}
    assert told(program, "sign_up", Pins(stopped=("status",))).tier_credit.base_points == 0


def test_a_remainder_is_carried_from_order_to_order() -> None:
    given, carried = [], Fraction(0)
    for amount in (1900, 1900, 1900, 400, 600):
        earned = due(CARRYING, of(amount), carry={"purchase": carried})
        given.append(earned.points)
        carried += earned.uses["purchase"].carried
    assert given == [1, 2, 2, 1, 0]
    assert (sum(given), carried) == (6, Fraction(7, 10))


def test_what_was_carried_in_stays_with_the_order_and_is_taken_back_with_it() -> None:
    facts = an_order(a_line("cream", 950, 2))
    pins = {"carry": {"purchase": Fraction(4, 10)}}
    assert due(CARRYING, facts, **pins).points == 2
    half = due(CARRYING, facts, by_items(("cream", 1)), **pins)
    assert (half.points, half.explanation["rules"][0]["carried_in"]) == (1, "2/5")
    assert due(CARRYING, facts, by_items(("cream", 2)), **pins).points == 0


def test_an_order_to_which_a_rule_does_not_apply_carries_nothing_on_or_away() -> None:
    program = a_program(
        "{id: purchase, on: order, points: 1, per: 10.00, counts: [merchandise], rounding: floor, "
        "pending_days: 0, carry: true, minimum_spend: 5.00}"
    )
    assert due(program, of(499), carry={"purchase": Fraction(9, 10)}).uses == {}
    assert kept_of(due(program, of(500), carry={"purchase": Fraction(4, 10)})) == Fraction(9, 10)


def test_what_a_cap_cuts_is_not_carried_on() -> None:
    program = a_program(
        "{id: purchase, on: order, points: 1, per: 10.00, counts: [merchandise], rounding: floor, "
        "pending_days: 0, carry: true, caps: {once: 2}}"
    )
    earned = due(program, of(5900))
    assert (earned.points, kept_of(earned)) == (2, Fraction(9, 10))


@pytest.mark.parametrize(("headroom", "expected"), [(None, 97), (97, 97), (50, 50), (0, 0)])
def test_a_balance_cap_cuts_all_rules_together(headroom: int | None, expected: int) -> None:
    program = a_program(PURCHASE, a_rule("points: 7"))
    assert points(program, of(9000), balance_headroom=headroom) == expected


def test_the_explanation_says_what_it_would_have_been_without_the_balance_cap() -> None:
    earned = due(a_program(PURCHASE), of(9000), balance_headroom=50)
    assert earned.explanation["uncapped"] == 90
    assert "uncapped" not in due(a_program(PURCHASE), of(9000), balance_headroom=90).explanation


@pytest.mark.parametrize(
    ("headroom", "expected"),
    [
        (100, {"purchase": Use(90, 1), "extra": Use(7, 1)}),
        (92, {"purchase": Use(90, 1), "extra": Use(2, 1)}),
        (90, {"purchase": Use(90, 1), "extra": Use(0, 0)}),
        (40, {"purchase": Use(40, 1), "extra": Use(0, 0)}),
        (0, {"purchase": Use(0, 0), "extra": Use(0, 0)}),
    ],
)
def test_a_full_balance_uses_up_no_limit(headroom: int, expected: dict[str, Use]) -> None:
    program = a_program(capped("day: 100"), a_rule("points: 7, times: {day: 1}"))
    assert due(program, of(9000), balance_headroom=headroom).uses == expected


def test_a_full_balance_uses_up_no_campaign() -> None:
    more = (
        "campaigns:\n"
        "  - {id: two, name: Two, multiplier: 2, times: {ever: 1}}\n"
        "  - {id: plus, name: Plus, bonus_points: 5, times: {ever: 1}}\n"
    )
    program = a_program(PURCHASE, more=more)
    assert set(due(program, of(100)).uses) == {"two", "plus"}
    assert set(due(program, of(100), balance_headroom=2).uses) == {"two"}
    assert due(program, of(100), balance_headroom=0).uses == {}


@pytest.mark.parametrize(
    "program",
    [
        a_program(capped("day: 100")),
        a_program(a_rule("points: 7, times: {ever: 1}")),
        a_program(a_rule("points: 7, cooldown: {days: 1}")),
        a_program(
            PURCHASE, more="campaigns:\n  - {id: x2, name: 2, multiplier: 2, times: {ever: 1}}\n"
        ),
        a_program(
            PURCHASE, more="campaigns:\n  - {id: p5, name: 5, bonus_points: 5, times: {ever: 1}}\n"
        ),
    ],
)
def test_a_full_refund_takes_back_what_was_used(program: Program) -> None:
    facts = an_order(a_line("cream", 900, 2))
    assert [use.times for use in due(program, facts).uses.values()] == [1]
    after = due(program, facts, by_items(("cream", 2)))
    assert after.points == 0
    assert all((use.points, use.times) == (0, 0) for use in after.uses.values())


def test_pins_survive_json() -> None:
    pins = Pins("gold", 12, True, True, {"a": 0, "b": 7}, ("c", "d"), {"a": Fraction(1, 3)}, 0)
    assert earning.pins.from_json(pins.as_json()) == pins
    assert earning.pins.from_json({}) == Pins()
    assert earning.pins.from_json(Pins(balance_headroom=None).as_json()) == Pins()


def kept_of(earned: Earned) -> Fraction:
    """What a rule carries on."""
    share = next(one for one in earned.explanation["rules"] if one["rule"] == "purchase")
    return Fraction(share.get("carried_in", 0)) + earned.uses["purchase"].carried
