"""Prices, minimum orders and coupons of rewards; paying with any number of points."""

import dataclasses
import re
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from loyalty_service.domain import codes, rewards
from loyalty_service.domain.program.document import PayWithPoints, Reward, Slab
from loyalty_service.domain.program.faults import InvalidProgram
from tests.domain.program.documents import a_program
from tests.domain.rewards.rewards import MONEY_OFF, a_reward, at_a_rate


def a_slab(amount_off_minor: int) -> Slab:
    return Slab(points=100, amount_off_minor=amount_off_minor, percent_off=None)


def test_a_slab_is_found_by_exactly_its_points() -> None:
    assert rewards.price(MONEY_OFF, 250).amount_off_minor == 800


def test_the_lowest_price_is_the_default() -> None:
    assert rewards.price(MONEY_OFF, None).points == 100


@pytest.mark.parametrize("points", [0, 99, 101, 500])
def test_points_that_are_no_price_are_refused_with_what_is_offered(points: int) -> None:
    with pytest.raises(rewards.NoSuchSlab, match="its prices: 100, 250") as refused:
        rewards.price(MONEY_OFF, points)

    assert refused.value.reward_id == "money_off"
    assert (refused.value.points, refused.value.offered) == (points, "100, 250")


def an_offer(prices: list[tuple[int, int]]) -> Reward:
    """A reward as it is read from a document with these slabs, as they stand there."""
    slabs = "".join(
        f"      - {{points: {points}, amount_off: {off // 100}.{off % 100:02d}}}\n"
        for points, off in prices
    )
    return a_program((SMALL_SLABS, slabs)).rewards[0]


SMALL_SLABS = "      - {points: 100, amount_off: 3.00}\n      - {points: 250, amount_off: 8.00}\n"


@st.composite
def fair_prices(draw: st.DrawFn) -> list[tuple[int, int]]:
    """Slabs in any order, of which more points never give less."""
    points = draw(st.sets(st.integers(1, 10**6), min_size=1, max_size=8))
    offs = draw(
        st.lists(st.integers(1, 10**6), min_size=len(points), max_size=len(points)).map(sorted)
    )
    prices = list(zip(sorted(points), offs, strict=True))
    return draw(st.permutations(prices))


@given(fair_prices())
def test_each_price_of_an_offer_buys_its_own_slab_and_more_points_never_give_less(
    prices: list[tuple[int, int]],
) -> None:
    reward = an_offer(prices)
    bought = [rewards.price(reward, points) for points, _ in sorted(prices)]

    assert [(slab.points, slab.amount_off_minor) for slab in bought] == sorted(prices)
    assert rewards.price(reward, None) == bought[0]
    given_minor = [slab.amount_off_minor or 0 for slab in bought]
    assert given_minor == sorted(given_minor)


@given(fair_prices(), st.integers(0, 10**6))
def test_points_between_two_prices_buy_neither(prices: list[tuple[int, int]], points: int) -> None:
    offered = sorted(price for price, _ in prices)
    assume(points not in offered)

    with pytest.raises(rewards.NoSuchSlab) as refused:
        rewards.price(an_offer(prices), points)
    assert refused.value.offered == ", ".join(str(price) for price in offered)


@given(fair_prices(), st.data())
def test_a_price_that_gives_less_than_a_cheaper_one_is_no_program(
    prices: list[tuple[int, int]], data: st.DataObject
) -> None:
    dearest, most = max(prices)
    assume(most > 1)
    less = data.draw(st.integers(1, most - 1))
    beaten = data.draw(st.permutations([*prices, (dearest + 1, less)]))

    with pytest.raises(InvalidProgram, match="let more points give at least as much"):
        an_offer(beaten)


@pytest.mark.parametrize(
    ("share", "minimum_minor", "amount_off_minor", "expected_minor"),
    [
        (None, None, 300, None),
        (None, 1000, 300, 1000),
        (Fraction(1, 2), None, 300, 600),
        (Fraction(1, 2), None, 1750, 3500),
        (Fraction(1, 2), 1000, 300, 1000),
        (Fraction(1, 2), 500, 300, 600),
        (Fraction(2, 3), None, 100, 150),
        (Fraction(3, 10), None, 100, 334),
        (Fraction(1), None, 300, 300),
    ],
)
def test_the_smallest_order_is_the_larger_of_the_two_limits(
    share: Fraction | None,
    minimum_minor: int | None,
    amount_off_minor: int,
    expected_minor: int | None,
) -> None:
    reward = a_reward(max_share_of_order=share, minimum_order_minor=minimum_minor)

    assert rewards.minimum_order_minor(reward, a_slab(amount_off_minor)) == expected_minor


def test_a_percentage_needs_only_the_rewards_own_minimum() -> None:
    percent = Slab(points=5, amount_off_minor=None, percent_off=Fraction(10))

    assert rewards.minimum_order_minor(a_reward(minimum_order_minor=700), percent) == 700


@given(
    st.integers(1, 10**12),
    st.fractions(min_value=Fraction(1, 1000), max_value=1, max_denominator=1000),
)
def test_the_smallest_order_is_the_first_that_keeps_the_discount_within_its_share(
    amount_off_minor: int, share: Fraction
) -> None:
    reward = a_reward(max_share_of_order=share)

    smallest_minor = rewards.minimum_order_minor(reward, a_slab(amount_off_minor))

    assert smallest_minor is not None
    assert amount_off_minor <= smallest_minor * share
    assert amount_off_minor > (smallest_minor - 1) * share


def coupon(
    program_id: str = "shop",
    reward: Reward = MONEY_OFF,
    slab: Slab = MONEY_OFF.slabs[0],
    currency: str = "eur",
) -> str:
    return rewards.coupon_id(program_id, reward, slab, currency)


def test_a_coupon_has_the_same_id_wherever_its_content_is_the_same() -> None:
    other_version = a_reward(stock=5, code_lifetime_days=3, max_share_of_order=Fraction(1, 2))
    dearer = dataclasses.replace(MONEY_OFF.slabs[0], points=120)

    assert re.fullmatch(r"loy_[0-9a-f]{12}", coupon())
    assert coupon(reward=other_version, slab=dearer) == coupon()


@pytest.mark.parametrize(
    "other",
    [
        coupon(program_id="other"),
        coupon(reward=a_reward(id="other")),
        coupon(reward=a_reward(name="Other")),
        coupon(slab=MONEY_OFF.slabs[1]),
        coupon(currency="usd"),
        coupon(slab=Slab(points=100, amount_off_minor=None, percent_off=Fraction(3))),
        coupon(slab=Slab(points=100, amount_off_minor=None, percent_off=Fraction(300))),
    ],
)
def test_a_coupon_of_other_content_has_another_id(other: str) -> None:
    assert other != coupon()


def test_the_id_of_a_coupon_never_changes_from_release_to_release() -> None:
    assert coupon() == "loy_38274ef46f7f"


@pytest.mark.parametrize(
    ("percent", "text"),
    [
        (Fraction(10), "10"),
        (Fraction(25, 2), "12.5"),
        (Fraction(3333, 100), "33.33"),
        (Fraction(1, 100), "0.01"),
        (Fraction(100), "100"),
    ],
)
def test_a_percentage_is_written_without_trailing_zeros(percent: Fraction, text: str) -> None:
    assert codes.percent_text(percent) == text


def test_any_number_of_points_on_a_step_has_a_price() -> None:
    reward = at_a_rate(points=100, amount_minor=100, minimum=500, step=100, maximum=10000)

    assert rewards.price(reward, 500) == Slab(500, amount_off_minor=500, percent_off=None)
    assert rewards.price(reward, 1300).amount_off_minor == 1300
    assert rewards.price(reward, 10000).amount_off_minor == 10000


def test_the_minimum_is_the_default_at_a_rate() -> None:
    assert rewards.price(at_a_rate(minimum=500, step=100), None).points == 500


@pytest.mark.parametrize("points", [0, 1, 400, 499, 550, 10001, 10100, 10**12])
def test_points_off_the_steps_are_refused_with_what_is_possible(points: int) -> None:
    reward = at_a_rate(minimum=500, step=100, maximum=10000)

    with pytest.raises(rewards.NoSuchSlab) as refused:
        rewards.price(reward, points)
    assert refused.value.offered == (
        "any number of points from 500 on in steps of 100, at most 10000"
    )


def test_single_points_need_no_word_about_steps() -> None:
    with pytest.raises(rewards.NoSuchSlab, match=r"any number of points from 5 on$"):
        rewards.price(at_a_rate(minimum=5, step=1), 4)


def test_an_amount_is_rounded_down_to_a_whole_minor_unit() -> None:
    reward = at_a_rate(points=300, amount_minor=100, minimum=100, step=100)

    assert [rewards.price(reward, points).amount_off_minor for points in (100, 200, 300)] == [
        33,
        66,
        100,
    ]


def test_points_that_are_worth_nothing_yet_are_not_offered() -> None:
    reward = at_a_rate(points=1000, amount_minor=1, minimum=100, step=100)

    assert rewards.price(reward, None) == Slab(1000, amount_off_minor=1, percent_off=None)
    with pytest.raises(rewards.NoSuchSlab, match="from 1000 on in steps of 100"):
        rewards.price(reward, 900)


def test_a_discount_whose_order_could_not_be_recorded_is_not_offered() -> None:
    reward = at_a_rate(points=1, amount_minor=10**6, minimum=1, step=1)
    halved = dataclasses.replace(reward, max_share_of_order=Fraction(1, 2))

    most = (2**53 - 1) // 10**6
    assert rewards.price(reward, most)
    assert rewards.price(halved, most // 2)
    for each, points in ((reward, most + 1), (halved, most // 2 + 1)):
        with pytest.raises(rewards.NoSuchSlab):
            rewards.price(each, points)


def test_a_coupon_of_an_amount_at_a_rate_is_that_of_the_amount() -> None:
    reward = at_a_rate(points=100, amount_minor=100, minimum=100, step=100)
    ids = {coupon(reward=reward, slab=rewards.price(reward, points)) for points in (100, 200, 300)}

    assert len(ids) == 3
    assert coupon(reward=reward, slab=rewards.price(reward, 300)) == coupon(slab=a_slab(300))


@pytest.mark.parametrize(
    ("balance", "order_minor", "expected"),
    [
        (10**6, 10000, (5000, 5000)),
        # Half of 99.98 is 49.99: 4900 points are the last step below it.
        (10**6, 9998, (4900, 4900)),
        (1250, 10000, (1200, 1200)),
        (10**9, 10**9, (10000, 10000)),
        (499, 10000, None),
        (10**6, 999, None),
        (10**6, 1000, (500, 500)),
        (0, 0, None),
    ],
)
def test_an_order_takes_the_most_that_balance_share_and_maximum_allow(
    balance: int, order_minor: int, expected: tuple[int, int] | None
) -> None:
    reward = dataclasses.replace(
        at_a_rate(points=100, amount_minor=100, minimum=500, step=100, maximum=10000),
        max_share_of_order=Fraction(1, 2),
    )

    assert rewards.pay_with_points(reward, balance, order_minor) == expected


def test_points_take_no_more_off_an_order_than_it_costs() -> None:
    reward = at_a_rate(points=100, amount_minor=100, minimum=100, step=100)

    assert rewards.pay_with_points(reward, 10**6, 350) == (300, 300)


def test_an_order_below_the_rewards_minimum_is_not_paid_with_points() -> None:
    reward = dataclasses.replace(at_a_rate(minimum=100, step=100), minimum_order_minor=1000)

    assert rewards.pay_with_points(reward, 10**6, 999) is None
    assert rewards.pay_with_points(reward, 10**6, 1000) is not None


def test_slabs_do_not_pay_a_part_of_an_order() -> None:
    assert rewards.pay_with_points(MONEY_OFF, 10**6, 10**6) is None


rates = st.builds(
    PayWithPoints,
    points=st.integers(1, 50),
    amount_minor=st.integers(1, 50),
    minimum=st.integers(1, 60),
    step=st.integers(1, 25),
    maximum=st.none() | st.integers(60, 200),
)
shares = st.none() | st.fractions(min_value=Fraction(1, 10), max_value=1, max_denominator=10)


@given(rates, shares, st.integers(0, 250), st.integers(0, 400))
def test_no_other_price_within_the_bounds_takes_more_off_or_as_much_with_fewer_points(
    rate: PayWithPoints, share: Fraction | None, balance: int, order_minor: int
) -> None:
    reward = a_reward(slabs=(), pay_with_points=rate, max_share_of_order=share)
    allowed_minor = order_minor * (share or 1)
    possible = []
    for points in range(rate.minimum, min(balance, rate.maximum or balance) + 1, rate.step):
        amount_minor = points * rate.amount_minor // rate.points
        if 0 < amount_minor <= allowed_minor:
            possible.append((amount_minor, -points))

    found = rewards.pay_with_points(reward, balance, order_minor)

    if not possible:
        assert found is None
        return
    amount_minor, negative = max(possible)
    assert found == (-negative, amount_minor)
    slab = rewards.price(reward, found.points)
    assert slab.amount_off_minor == amount_minor
    assert (rewards.minimum_order_minor(reward, slab) or 0) <= order_minor
