"""What a right document becomes."""

from datetime import date
from fractions import Fraction

import pytest

from loyalty_service.domain.program.document import (
    Expiry,
    Goodwill,
    PastExpiry,
    Period,
    RestoredPoints,
    RewardType,
    Slab,
    WhenSpent,
)
from tests.domain.program.documents import a_program

PERCENT = "  - {id: pc, name: P, type: percent_off, points: 5, percent_off: 12.5}\ngoodwill:\n"


def test_what_is_left_out_has_its_default() -> None:
    program = a_program(
        ("goodwill:\n  reasons: [correction]\n  limits:\n", ""),
        ("    agent: {per_grant: 500, per_month: 5000}\n", ""),
    )

    assert program.late_days == 30
    assert program.refunds.when_spent is WhenSpent.ALLOW_DEBT
    assert program.restored_points == RestoredPoints(PastExpiry.GRACE_DAYS, 30)
    assert program.goodwill == Goodwill(reasons=(), limits=())
    assert program.stripe.api_key_env is None


def test_a_reward_without_limits_has_none() -> None:
    reward = a_program().rewards[0]

    assert (reward.max_share_of_order, reward.minimum_order_minor) == (None, None)
    assert (reward.stock, reward.per_member, reward.code_lifetime_days) == (None, None, None)
    assert (reward.available_from, reward.available_until) == (None, None)


def test_the_limits_of_a_reward_are_read() -> None:
    limits = (
        "    type: amount_off\n    max_share_of_order: 0.5\n    minimum_order: 10.00\n"
        "    code_lifetime_days: 90\n    stock: 100\n    per_member: 1\n"
        "    available: {from: 2026-01-01, until: 2026-12-31}\n"
    )
    reward = a_program(("    type: amount_off\n", limits)).rewards[0]

    assert (reward.max_share_of_order, reward.minimum_order_minor) == (Fraction(1, 2), 1000)
    assert (reward.code_lifetime_days, reward.stock, reward.per_member) == (90, 100, 1)
    assert (reward.available_from, reward.available_until) == (date(2026, 1, 1), date(2026, 12, 31))


def test_a_fixed_price_becomes_a_single_slab() -> None:
    reward = a_program(("goodwill:\n", PERCENT)).rewards[1]

    assert reward.type is RewardType.PERCENT_OFF
    assert reward.slabs == (Slab(points=5, amount_off_minor=None, percent_off=Fraction(25, 2)),)


def test_slabs_are_ordered_by_their_points() -> None:
    program = a_program(("points: 100, amount_off: 3.00", "points: 900, amount_off: 30.00"))

    assert [slab.points for slab in program.rewards[0].slabs] == [250, 900]


def test_a_larger_slab_may_give_as_much_as_a_smaller_one() -> None:
    assert a_program(("amount_off: 8.00", "amount_off: 3.00")).rewards[0].slabs[1].points == 250


@pytest.mark.parametrize(
    ("written", "numerator", "denominator"),
    [("3", 3, 1), ("1/2", 1, 2), ("2/4", 1, 2), ("1.2", 6, 5), ("0.333333", 333333, 1000000)],
)
def test_a_rate_is_read_exactly(written: str, numerator: int, denominator: int) -> None:
    rule = a_program(("    points: 1\n", f"    points: {written}\n")).earning[0]

    assert (rule.points_numerator, rule.points_denominator) == (numerator, denominator)


def test_an_amount_that_no_float_can_hold_is_read_exactly() -> None:
    program = a_program(("per: 1.00", "per: 90071992547409.91"))

    assert program.earning[0].per_minor == 2**53 - 1


def test_a_currency_without_decimals_is_counted_in_whole_units() -> None:
    program = a_program(
        ("eur", "jpy"), ("1.00", "100"), ("off: 3.00", "off: 300"), ("off: 8.00", "off: 800")
    )

    assert program.earning[0].per_minor == 100
    assert program.rewards[0].slabs[0].amount_off_minor == 300


@pytest.mark.parametrize("word", ["yes", "on", "1.0", "2026-01-01", "Crème & Düfte 50 % ✨"])
def test_a_name_is_what_stands_there(word: str) -> None:
    assert a_program(("name: Shop", f"name: {word}")).name == word


def test_points_that_never_expire_have_no_expiry() -> None:
    assert a_program(("expiry:\n  after: {months: 12}", "expiry: never")).expiry is None


def test_an_expiry_in_days_to_the_end_of_a_month_is_read() -> None:
    program = a_program(("{months: 12}", "{days: 90}\n  until_end_of: month"))

    assert program.expiry == Expiry(months=None, days=90, until_end_of=Period.MONTH)


def test_waiting_may_last_until_the_day_before_the_last_good_one() -> None:
    assert a_program(("pending_days: 14", "pending_days: 364")).pending_days == 364


def test_waiting_is_measured_against_the_shortest_month() -> None:
    program = a_program(("pending_days: 14", "pending_days: 27"), ("months: 12", "months: 1"))

    assert program.pending_days == 27


def test_a_program_without_earning_rules_waits_for_nothing() -> None:
    rule = (
        "earning:\n  - id: purchase\n    on: order\n    points: 1\n    per: 1.00\n"
        "    counts: [merchandise]\n    rounding: floor\n    pending_days: 14\n"
    )
    program = a_program((rule, "earning: []\n"))

    assert (program.earning, program.pending_days) == ((), 0)


def test_points_restored_by_another_policy_have_no_days_of_grace() -> None:
    program = a_program(("goodwill:\n", "restored_points: {past_expiry: reissue}\ngoodwill:\n"))

    assert program.restored_points == RestoredPoints(PastExpiry.REISSUE, 0)


def test_a_reward_and_a_limit_are_found_by_name() -> None:
    program = a_program()
    limit = program.goodwill.limit("agent")

    assert program.reward("money_off") is program.rewards[0]
    assert program.reward("nothing") is None
    assert limit is not None and limit.per_month == 5000
    assert program.goodwill.limit("manager") is None
