"""Nothing about points depends on a worker: time is a pure function."""

from datetime import timedelta

from tests.shop import Shop
from tests.stripe_control import StripeControl


def test_points_mature_are_spent_and_expire_while_no_worker_runs(
    shop: Shop, stripe: StripeControl
) -> None:
    member = shop.a_member()
    earned = shop.order(member, 25000)
    assert (earned["points_earned"], shop.available(member)) == (250, 0)
    assert refused(shop, member) == "insufficient_points"

    matured = shop.now() + timedelta(days=15)
    forecast = shop.balance(member, at=matured)
    shop.advance(days=15)
    assert figures(shop.balance(member)) == figures(forecast)
    assert shop.available(member) == 250
    redemption = shop.redeem(member)
    assert redemption["status"] == "issued"

    gone = shop.now() + timedelta(days=470)
    assert shop.balance(member, at=gone)["available"] == 0
    before = shop.balance(member)
    assert before["available"] == 150
    shop.advance(days=470)
    assert shop.available(member) == 0
    assert shop.balance(member)["lifetime_earned"] == before["lifetime_earned"]
    assert refused(shop, member) == "insufficient_points"
    kinds = [row["kind"] for row in shop.get(f"/v1/members/{member}/transactions")["data"]]
    assert kinds[::-1][:3] == ["earn", "maturity", "redemption"]


def test_a_forecast_equals_what_is_read_when_its_day_comes(shop: Shop) -> None:
    member = shop.a_member(points=80)
    shop.advance(days=40)
    shop.order(member, 12000)
    days = [1, 14, 15, 200, 330, 460, 480, 600]
    start = shop.now()
    forecasts = {day: shop.balance(member, at=start + timedelta(days=day)) for day in days}
    passed = 0
    for day in days:
        shop.advance(days=day - passed)
        passed = day
        assert figures(shop.balance(member)) == figures(forecasts[day]), day
    assert figures(forecasts[600])["available"] == 0


def refused(shop: Shop, member: str) -> str:
    answer = shop.call("POST", "/v1/redemptions", {"member": member, "reward": "money_off"})
    assert answer.status_code == 409
    return str(answer.json["code"])


def figures(balance: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in balance.items() if name != "at"}
