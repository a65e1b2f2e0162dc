"""The default program: what its shop promises, over HTTP on both databases."""

from collections.abc import Callable
from typing import Any

import pytest

from loyalty_service import db, shipped
from loyalty_service.domain import program
from tests.programs.travel import Travel

Under = Callable[..., Travel]


def test_the_order_that_reaches_platinum_earns_at_the_old_rate(under: Under) -> None:
    shop = under()
    member = shop.a_member()
    assert [shop.earned(member, 30000), shop.earned(member, 22000)] == [300, 220]
    assert shop.tier(member) == "platinum"
    assert shop.earned(member, 10000) == 125


def test_one_refund_and_two_of_half_of_it_take_the_same(under: Under) -> None:
    shop = under()
    for parts in ([5000], [2500, 2500]):
        member = shop.a_member()
        shop.buy(member, 30000)
        shop.buy(member, 22000)
        order = shop.buy(member, 10000)
        taken = sum(shop.taken_back(order, part) for part in parts)
        assert (taken, shop.points(member)) == (63, 520 + 62)


def test_a_point_for_ten_is_taken_back_whole_by_quarters(under: Under) -> None:
    document = (shipped.folder("programs") / "default.yaml").read_text()
    shop = under(document=document.replace("    per: 1.00 ", "    per: 10.00 ", 1))
    member = shop.a_member()
    order = shop.buy(member, 2000)
    assert order["points_earned"] == 2
    assert sum(shop.taken_back(order, 500) for _ in range(4)) == 2
    assert shop.points(member) == 0


def test_platinum_is_kept_through_the_end_of_the_next_year(under: Under) -> None:
    shop = under()
    member = shop.a_member()
    shop.buy(member, 50000)
    shop.go_to("2031-12-31T22:55:00Z")
    assert shop.tier(member) == "platinum"
    shop.go_to("2031-12-31T23:00:00Z")
    assert shop.tier(member) == "member"


def test_members_points_end_with_the_quarter_after_twelve_months(under: Under) -> None:
    shop = under(at="2030-01-15T10:00:00Z")
    member = shop.a_member()
    shop.buy(member, 10000)
    shop.go_to("2031-03-31T21:55:00Z")
    assert shop.available(member) == 100
    shop.go_to("2031-03-31T22:00:00Z")
    assert shop.available(member) == 0


def test_a_lost_tier_brings_expiry_back_with_the_end_of_that_quarter(under: Under) -> None:
    shop = under(at="2030-01-15T10:00:00Z")
    member = shop.a_member()
    shop.buy(member, 50000)
    shop.go_to("2031-11-15T10:00:00Z")
    assert shop.balance(member)["expiring_next"] is None
    assert shop.available(member) == 500
    shop.go_to("2032-01-01T10:00:00Z")
    assert shop.tier(member) == "member"
    ends = {"points": 500, "expires_at": "2032-03-31T22:00:00Z"}
    assert shop.balance(member)["expiring_next"] == ends
    shop.go_to("2032-03-31T22:00:00Z")
    assert shop.available(member) == 0


def test_points_of_a_birthday_month_count_twice(under: Under) -> None:
    shop = under(at="2030-05-10T10:00:00Z")
    born_in_may = shop.a_member(birthday="1990-05-31")
    born_in_june = shop.a_member(birthday="1990-06-01")
    assert shop.earned(born_in_may, 10050) == 201
    assert shop.earned(born_in_june, 10050) == 100


def test_tax_shipping_and_gift_cards_earn_nothing(under: Under) -> None:
    shop = under()
    lines = [
        {"sku": "cream", "quantity": 1, "unit_amount": 5000},
        {"sku": "card", "category": "gift_card", "quantity": 1, "unit_amount": 60000},
    ]
    member = shop.a_member()
    assert shop.earned(member, 0, lines=lines, tax=950, shipping=490) == 50
    assert shop.tier(member) == "member"


def test_a_welcome_is_given_once(under: Under) -> None:
    shop = under()
    member = shop.a_member()
    assert shop.tell(member, "sign_up")["points_earned"] == 50
    assert shop.tell(member, "sign_up")["points_earned"] == 0
    assert shop.available(member) == 50


def test_a_referral_waits_for_a_first_order_that_is_large_enough(under: Under) -> None:
    shop = under()
    referrer, friend = shop.a_member(), shop.a_member()
    told = shop.tell(friend, "referral", referrer=referrer)
    assert (told["status"], told["points_earned"]) == ("waiting", 0)
    shop.buy(friend, 2499)
    assert shop.points(friend) == 24
    shop.buy(friend, 2500)
    assert shop.points(friend) == 24 + 25 + 250
    assert shop.points(referrer) == 0
    shop.work()
    assert shop.points(referrer) == 500
    shop.work()
    assert shop.points(referrer) == 500


def test_who_has_ordered_before_is_no_friend_to_be_brought(under: Under) -> None:
    shop = under()
    referrer, friend = shop.a_member(), shop.a_member()
    shop.buy(friend, 5000)
    shop.go_to("2030-01-11T10:00:00Z")
    assert shop.tell(friend, "referral", referrer=referrer)["status"] == "recorded"
    shop.buy(friend, 5000)
    shop.work()
    assert (shop.points(friend), shop.points(referrer)) == (100, 0)


@pytest.mark.parametrize("version_two", ["    points: 3 ", "    points: 1/2 "])
def test_the_version_that_gave_decides_what_is_taken_back(under: Under, version_two: str) -> None:
    shop = under()
    member = shop.a_member()
    order = shop.buy(member, 10000)
    apply_next(shop, ("    points: 1 ", version_two))
    assert shop.taken_back(order, 5000) == 50
    assert shop.points(member) == 50


def test_the_tier_that_multiplied_decides_what_is_taken_back(under: Under) -> None:
    shop = under()
    member = shop.a_member()
    first = shop.buy(member, 50000)
    order = shop.buy(member, 10000)
    assert order["points_earned"] == 125
    shop.taken_back(first, 50000)
    assert shop.tier(member) == "member"
    assert shop.taken_back(order, 10000) == 125
    assert shop.points(member) == 0


def apply_next(shop: Travel, *changes: tuple[str, str]) -> Any:
    """Put another version of the shop's program in force."""

    def work(session: Any) -> Any:
        text = program.document_in_force(session, shop.program_id)
        for old, new in changes:
            assert old in text
            text = text.replace(old, new, 1)
        return program.apply(session, text)

    with shop.app.app_context():
        return db.transaction(work)


@pytest.mark.parametrize("way", ["cancel", "refund"])
@pytest.mark.parametrize("when", ["before the worker", "after the worker"])
def test_a_first_order_that_comes_back_takes_the_referral_along(
    under: Under, way: str, when: str
) -> None:
    shop = under()
    referrer, friend = shop.a_member(), shop.a_member()
    shop.tell(friend, "referral", referrer=referrer)
    order = shop.buy(friend, 3000)
    if when == "after the worker":
        shop.work()
        assert shop.points(referrer) == 500
    if way == "cancel":
        shop.post(f"/v1/orders/{order['id']}/cancel", {})
    else:
        shop.taken_back(order, 501)
    shop.work()
    left = 0 if way == "cancel" else 24
    assert (shop.points(friend), shop.points(referrer)) == (left, 0)


def test_another_currency_is_another_program(under: Under) -> None:
    shop = under()
    with pytest.raises(program.InvalidProgram, match="keep eur, or open a program with another id"):
        apply_next(shop, ("currency: eur ", "currency: usd "))


def test_a_level_that_is_taken_away_takes_no_points_overnight(under: Under) -> None:
    shop = under(at="2030-01-15T10:00:00Z")
    member = shop.a_member()
    shop.buy(member, 50000)
    shop.go_to("2031-11-15T10:00:00Z")
    levels = (
        "    - {id: platinum, name: Platinum, from: 500.00, multiplier: 1.25, expiry: never}\n",
        "    - {id: diamond, name: Diamond, from: 1200.00, multiplier: 1.5, expiry: never}\n",
    )
    welcome = ("trigger: {tier_reached: platinum}", "trigger: staff")
    apply_next(
        shop, welcome, (levels[0], ""), (levels[1], ""), ("  after_downgrade: quarter ", "  # ")
    )
    shop.buy(member, 1000)
    assert shop.available(member) == 500
    assert shop.balance(member)["expiring_next"]["expires_at"] == "2031-12-31T23:00:00Z"
