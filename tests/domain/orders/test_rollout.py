"""Orders that the version before this schema records while both run beside each other."""

from sqlalchemy import update

from loyalty_service import db
from loyalty_service.domain.orders import Order
from tests.shop import Shop


def an_older_order(shop: Shop, member: str) -> str:
    """An order as the older version writes it: without the columns that came later."""
    order = shop.order(member, 10000)
    older = update(Order).where(Order.id == order["id"]).values(earned_by=None, points_issued=0)
    with shop.app.app_context():
        db.transaction(lambda session: session.execute(older))
    return str(order["id"])


def test_an_older_order_is_refunded_in_parts_and_whole(shop: Shop) -> None:
    member = shop.a_member()
    order = an_older_order(shop, member)
    taken = [
        shop.post(f"/v1/orders/{order}/refunds", {"id": f"r{part}", "amount": 5000})["points_taken"]
        for part in range(2)
    ]
    assert taken == [50, 50]
    assert shop.balance(member)["pending"] == 0


def test_an_older_order_is_amended_and_cancelled(shop: Shop) -> None:
    member = shop.a_member()
    order = an_older_order(shop, member)
    lines = [{"sku": "cream", "quantity": 1, "unit_amount": 15000}]
    amended = shop.call("PATCH", f"/v1/orders/{order}", {"lines": lines})
    assert amended.json["points_earned"] == 150
    assert shop.post(f"/v1/orders/{order}/cancel", {})["points_earned"] == 0
    assert shop.balance(member)["pending"] == 0


def test_the_books_of_an_untouched_older_order_are_right(shop: Shop) -> None:
    an_older_order(shop, shop.a_member())
