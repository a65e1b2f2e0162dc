"""Stars: tiers that multiply, stars that live by activity, gifts around a birthday."""

from collections.abc import Callable

import pytest

from tests.programs.travel import Travel

Under = Callable[..., Travel]


def gold(shop: Travel, **particulars: str) -> str:
    """A member who has reached Gold."""
    member = shop.a_member(**particulars)
    shop.buy(member, 50000)
    return member


def test_a_tier_gives_more_stars_for_the_same_money(under: Under) -> None:
    shop = under("stars")
    green, member = shop.a_member(), gold(shop)
    reserve = gold(shop)
    shop.buy(reserve, 170000)
    assert [shop.tier(one) for one in (green, member, reserve)] == ["green", "gold", "reserve"]
    assert [shop.earned(one, 1000) for one in (green, member, reserve)] == [10, 12, 17]


@pytest.mark.parametrize(
    ("amount", "stars"), [(2999, 0), (3000, 10), (4999, 10), (5000, 25), (50000, 25)]
)
def test_loading_the_card_gives_stars(under: Under, amount: int, stars: int) -> None:
    shop = under("stars")
    assert shop.tell(shop.a_member(), "card_reload", amount=amount)["points_earned"] == stars


def test_gold_is_kept_for_twelve_months(under: Under) -> None:
    shop = under("stars")
    member = gold(shop)
    shop.go_to("2031-01-10T12:00:00Z")
    assert shop.tier(member) == "gold"
    shop.go_to("2031-01-11T12:00:00Z")
    assert shop.tier(member) == "green"


def test_green_stars_end_six_months_after_the_month_and_activity_prolongs_them(
    under: Under,
) -> None:
    shop = under("stars")
    idle, busy = shop.a_member(), shop.a_member()
    for member in (idle, busy):
        shop.buy(member, 10000)
    shop.go_to("2030-05-20T12:00:00Z")
    shop.buy(busy, 100)
    shop.go_to("2030-08-01T04:55:00Z")
    assert (shop.available(idle), shop.available(busy)) == (100, 101)
    shop.go_to("2030-08-01T05:00:00Z")
    assert (shop.available(idle), shop.available(busy)) == (0, 101)
    shop.go_to("2030-12-01T06:00:00Z")
    assert shop.available(busy) == 0


def test_stars_of_gold_never_end(under: Under) -> None:
    shop = under("stars")
    member = gold(shop)
    shop.go_to("2030-12-31T12:00:00Z")
    assert shop.available(member) == 500


def test_a_birthday_drink_is_for_so_many_days_as_the_tier_gives(under: Under) -> None:
    shop = under("stars", at="2030-03-01T12:00:00Z")
    member = gold(shop, birthday="1990-03-08")
    green = shop.a_member(birthday="1990-03-08")
    assert refused(shop, member) == "reward_not_eligible"
    shop.go_to("2030-03-08T12:00:00Z")
    assert refused(shop, green) == "reward_not_eligible"
    drink = shop.redeem(member, "birthday")
    assert (drink["points"], drink["status"]) == (0, "issued")
    assert refused(shop, member) == "reward_limit_reached"
    late = gold(shop, birthday="1990-03-01")
    assert refused(shop, late) == "reward_not_eligible"


@pytest.mark.parametrize(
    ("reward", "stars"),
    [
        ("customise", 25),
        ("a_little_off", 60),
        ("coffee", 100),
        ("latte", 200),
        ("lunch", 300),
        ("merchandise", 400),
    ],
)
def test_every_reward_can_be_had_for_its_stars(under: Under, reward: str, stars: int) -> None:
    shop = under("stars")
    member = shop.a_member()
    shop.buy(member, stars * 100)
    redemption = shop.redeem(member, reward)
    assert (redemption["points"], redemption["status"]) == (stars, "issued")
    assert shop.available(member) == 0


def refused(shop: Travel, member: str) -> str:
    """The code with which the birthday's drink is refused."""
    body = {"member": member, "reward": "birthday"}
    return str(shop.call("POST", "/v1/redemptions", body).json["code"])
