"""Prices, minimum orders, sale windows and coupons of rewards."""

import dataclasses
import re
from datetime import UTC, date, datetime
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from loyalty_service.domain import rewards
from loyalty_service.domain.program.document import Reward, Slab
from loyalty_service.domain.program.faults import InvalidProgram
from tests.domain.program.documents import a_program

BERLIN = ZoneInfo("Europe/Berlin")
MONEY_OFF = a_program().rewards[0]
NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)


def a_reward(**changes: object) -> Reward:
    return dataclasses.replace(MONEY_OFF, **changes)  # type: ignore[arg-type]


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
    assert (refused.value.points, refused.value.offered) == (points, (100, 250))


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
    offered = tuple(sorted(price for price, _ in prices))
    assume(points not in offered)

    with pytest.raises(rewards.NoSuchSlab) as refused:
        rewards.price(an_offer(prices), points)
    assert refused.value.offered == offered


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


@pytest.mark.parametrize(
    ("at", "sold"),
    [
        # Berlin is an hour ahead: the first day begins at 23:00 of the day before in UTC.
        ("2025-12-31T22:59:59.999999", False),
        ("2025-12-31T23:00:00", True),
        ("2026-06-01T12:00:00", True),
        ("2026-12-31T22:59:59.999999", True),
        ("2026-12-31T23:00:00", False),
    ],
)
def test_a_window_includes_its_first_and_last_local_day(at: str, sold: bool) -> None:
    reward = a_reward(available_from=date(2026, 1, 1), available_until=date(2026, 12, 31))

    moment = datetime.fromisoformat(at).replace(tzinfo=UTC)
    assert rewards.on_sale(reward, moment, BERLIN) is sold


def test_a_window_may_be_open_at_either_end() -> None:
    assert rewards.on_sale(MONEY_OFF, NOW, BERLIN)
    assert rewards.on_sale(a_reward(available_from=date(2026, 11, 21)), NOW, BERLIN)
    assert not rewards.on_sale(a_reward(available_from=date(2026, 11, 22)), NOW, BERLIN)
    assert rewards.on_sale(a_reward(available_until=date(2026, 11, 21)), NOW, BERLIN)
    assert not rewards.on_sale(a_reward(available_until=date(2026, 11, 20)), NOW, BERLIN)


def test_a_code_is_good_through_the_local_day_its_lifetime_later() -> None:
    reward = a_reward(code_lifetime_days=90)

    expires_at = rewards.code_expires_at(reward, NOW, BERLIN)

    assert expires_at == datetime(2027, 2, 19, 23, tzinfo=UTC)
    assert expires_at.astimezone(BERLIN).isoformat() == "2027-02-20T00:00:00+01:00"


def test_a_code_without_a_lifetime_does_not_end() -> None:
    assert rewards.code_expires_at(MONEY_OFF, NOW, BERLIN) is None


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
    assert rewards.percent_text(percent) == text
