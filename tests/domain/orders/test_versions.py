"""Orders that are placed under one version of the rules and earn, or come back, under another."""

from flask import Flask
from pytest import MonkeyPatch

from loyalty_service.domain import crediting
from loyalty_service.domain.following import Change
from loyalty_service.domain.orders import earned
from tests.api.contract import nothing_written, problem
from tests.domain.program.documents import changed
from tests.domain.tiers.tiered import TIERED
from tests.shop import Shop, moment

PAID = changed(("currency: eur\n", "currency: eur\nearn_when: paid\n"))
DOUBLE = "campaigns:\n  - {id: double, name: Double, multiplier: 2}\n"


def pay(shop: Shop, order_id: str) -> int:
    """Tell that an order was paid just now; its points."""
    answer = shop.call("PATCH", f"/v1/orders/{order_id}", {"paid_at": moment(shop.now())})
    assert answer.status_code == 200, answer.text
    return int(answer.json["points_earned"])


def test_the_version_of_its_placing_decides_an_order_that_is_paid_under_the_next(
    app: Flask,
) -> None:
    shop = Shop.open(app, PAID)
    member = shop.a_member()
    order = shop.order(member, 10000)["id"]
    shop.advance(days=2)
    # It asks for another moment, and gives more from today on: neither is the order's.
    today = f", from: {shop.now().date().isoformat()}}}"
    shop.apply(changed() + DOUBLE.replace("}", today))
    assert pay(shop, order) == 100
    assert shop.refund(order, amount=5000)["points_taken"] == 50
    assert shop.post(f"/v1/orders/{order}/cancel", {})["points_earned"] == 0
    assert shop.balance(member)["pending"] == 0


def test_a_closed_member_earns_nothing_by_an_order_that_is_paid_afterwards(app: Flask) -> None:
    shop = Shop.open(app, PAID)
    member = shop.a_member()
    order = shop.order(member, 10000)["id"]
    shop.call("PATCH", f"/v1/members/{member}", {"status": "closed"})
    with nothing_written(app):
        path, paid = f"/v1/orders/{order}", {"paid_at": moment(shop.now())}
        problem(shop.call("PATCH", path, paid), 409, "member_closed", "member")


def test_a_closed_member_loses_by_an_amendment_and_earns_nothing_more_by_one(app: Flask) -> None:
    shop = Shop.open(app, PAID.replace("earn_when: paid\n", ""))
    member = shop.a_member()
    path = f"/v1/orders/{shop.order(member, 10000)['id']}"
    shop.call("PATCH", f"/v1/members/{member}", {"status": "closed"})
    with nothing_written(app):
        more = {"lines": [{"sku": "cream", "quantity": 2, "unit_amount": 10000}]}
        problem(shop.call("PATCH", path, more), 409, "member_closed", "member")
    assert shop.call("PATCH", path, {"discount": 1000}).json["points_earned"] == 90


def test_an_order_from_before_there_were_tiers_takes_no_tier_with_it(
    app: Flask, monkeypatch: MonkeyPatch
) -> None:
    shop = Shop.open(app, TIERED)
    member = shop.a_member()
    with monkeypatch.context() as before:
        before.setattr(earned, "change", _as_before_tiers(earned.change))
        older = shop.order(member, 10000)["id"]
    shop.order(member, 50000)
    assert shop.get(f"/v1/members/{member}")["tier"]["id"] == "platinum"
    shop.refund(older, amount=10000)
    assert shop.get(f"/v1/members/{member}")["tier"]["id"] == "platinum"


def _as_before_tiers(change):  # type: ignore[no-untyped-def]
    """An earning as the version before tiers wrote it: without credits, and nothing pinned."""

    def older(*args, **named) -> Change:  # type: ignore[no-untyped-def]
        made = change(*args, **named)
        del made.entry.context["pinned"]
        return crediting.replace(made, tier_credit=crediting.NO_CREDIT, uses={})

    return older
