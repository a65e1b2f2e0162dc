"""The thin slice through everything: an order in, a balance out, a code issued."""

from tests.shop import Shop
from tests.stripe_control import StripeControl


def test_an_order_becomes_points_and_they_become_a_code(shop: Shop, stripe: StripeControl) -> None:
    member = shop.a_member()
    recorded = shop.order(member, 12050)
    assert recorded["points_earned"] == 120
    assert recorded["balance"]["pending"] == 120

    shop.advance(days=15)
    assert shop.available(member) == 120

    redemption = shop.redeem(member)
    assert redemption["status"] == "issued"
    assert redemption["points"] == 100
    assert redemption["discount"]["amount_off"] == {"amount": 300, "currency": "eur"}
    assert shop.available(member) == 20

    paid = stripe.pay(redemption["code"], 5000)
    assert paid["amount_total"] == 4700
