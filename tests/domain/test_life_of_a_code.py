"""A code from its issue to its end: unused past its life, and used when nobody knew it yet."""

from typing import Any

import pytest
from flask import Flask

from loyalty_service import db, worker
from loyalty_service.domain import counters, redemptions
from tests.api.contract import problem
from tests.domain.program.documents import changed
from tests.domain.test_redemptions import past_expiry
from tests.shop import DEFAULT_PROGRAM, Shop, with_rewards
from tests.stripe_control import StripeControl

KEEP = changed(
    ("past_expiry: grace_days", "past_expiry: grace_days\n  unused_codes: keep"),
    document=DEFAULT_PROGRAM,
)
CLAMP = changed(("when_spent: allow_debt", "when_spent: clamp"), document=DEFAULT_PROGRAM)
ORIGINAL = past_expiry("original_expiry")
CAKE = """\
  - id: cake
    name: A piece of cake
    type: free_product
    points: 100
    gives: cake-slice
    code_lifetime_days: 10
    stock: 1
"""


def end_codes(app: Flask, shop: Shop) -> None:
    with app.app_context():
        worker.end_codes()
        worker.run_once()


def learn(shop: Shop, redemption: Any) -> None:
    code = redemption["id"]
    with shop.app.app_context():
        db.transaction(
            lambda session: redemptions.learn_use(session, shop.program_id, code, "promo_learnt")
        )


def shown(shop: Shop, redemption: Any) -> Any:
    return shop.get(f"/v1/redemptions/{redemption['id']}")


def told(shop: Shop, member: str) -> list[str]:
    return [one["summary"] for one in shop.get(f"/v1/members/{member}/transactions")["data"]]


@pytest.fixture
def opened(app: Flask, stripe: StripeControl) -> Any:
    return lambda document=DEFAULT_PROGRAM: Shop.open(app, document)


def test_a_code_that_nobody_used_gives_its_points_back(app: Flask, opened: Any) -> None:
    shop = opened()
    member = shop.a_member(points=100)
    redemption = shop.redeem(member)
    shop.advance(days=91)
    assert shown(shop, redemption)["status"] == "expiring"
    assert shop.available(member) == 0
    end_codes(app, shop)
    after = shown(shop, redemption)
    assert (after["status"], shop.available(member)) == ("expired", 100)
    assert after["restored_by"]
    assert "was not used in time" in told(shop, member)[0]
    end_codes(app, shop)
    assert shop.available(member) == 100


def test_a_code_is_dead_at_stripe_before_its_points_come_back(
    app: Flask, opened: Any, stripe: StripeControl
) -> None:
    shop = opened()
    redemption = shop.redeem(shop.a_member(points=100))
    shop.advance(days=91)
    end_codes(app, shop)
    assert [one["active"] for one in stripe.codes(redemption["id"])] == [False]


def test_a_code_that_was_used_in_time_and_found_so_at_its_end_keeps_its_points(
    app: Flask, opened: Any, stripe: StripeControl
) -> None:
    shop = opened()
    member = shop.a_member(points=100)
    redemption = shop.redeem(member)
    stripe.pay(redemption["code"], 10000)
    shop.advance(days=91)
    end_codes(app, shop)
    after = shown(shop, redemption)
    assert (after["status"], shop.available(member)) == ("used", 0)
    assert after["used_at"] is not None


def test_a_code_that_can_not_be_ended_holds_up_no_other(
    app: Flask, opened: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = opened()
    first, second = (shop.redeem(shop.a_member(points=100)) for _ in range(2))
    expire = redemptions.expire

    def broken(session: Any, program_id: str, id_: str) -> bool:
        if id_ == first["id"]:
            raise AssertionError("its books are broken")
        return expire(session, program_id, id_)

    monkeypatch.setattr(redemptions, "expire", broken)
    shop.advance(days=91)
    with app.app_context():
        monkeypatch.setattr(worker, "BATCH", 1)
        assert [worker.end_codes() for _ in range(3)] == [1, 1, 0]
        worker.run_once()
    assert shown(shop, first)["status"] == "expiring"
    assert shown(shop, second)["status"] == "expired"


def test_a_program_may_keep_the_points_of_unused_codes(app: Flask, opened: Any) -> None:
    shop = opened(KEEP)
    member = shop.a_member(points=100)
    redemption = shop.redeem(member)
    shop.advance(days=91)
    end_codes(app, shop)
    after = shown(shop, redemption)
    assert (after["status"], after["restored_by"], shop.available(member)) == ("expired", None, 0)


def test_a_code_past_its_life_can_not_be_cancelled(app: Flask, opened: Any) -> None:
    shop = opened(KEEP)
    member = shop.a_member(points=100)
    redemption = shop.redeem(member)
    shop.advance(days=91)
    answer = shop.call("POST", f"/v1/redemptions/{redemption['id']}/cancel")
    assert "ended at" in problem(answer, 409, "redemption_final")["detail"]
    assert shop.available(member) == 0


def test_what_the_shop_applies_itself_ends_at_once_and_its_stock_comes_back(
    app: Flask, opened: Any
) -> None:
    shop = opened(with_rewards(DEFAULT_PROGRAM, CAKE))
    member = shop.a_member(points=200)
    first = shop.redeem(member, "cake")
    shop.advance(days=11)
    with app.app_context():
        assert worker.end_codes() == 1
    assert (shown(shop, first)["status"], shop.available(member)) == ("expired", 200)
    assert shop.redeem(member, "cake")["status"] == "issued"


@pytest.mark.parametrize("ended", ["cancelled", "expired", "failed"])
def test_a_use_that_is_learnt_late_takes_the_points_again(
    app: Flask, opened: Any, ended: str
) -> None:
    shop = opened()
    member = shop.a_member(points=150)
    redemption = shop.redeem(member)
    if ended == "cancelled":
        shop.post(f"/v1/redemptions/{redemption['id']}/cancel")
    elif ended == "expired":
        shop.advance(days=91)
        end_codes(app, shop)
    else:
        redemption = fail(shop, member)
    back = shop.available(member)
    learn(shop, redemption)
    learn(shop, redemption)
    assert (shown(shop, redemption)["status"], shop.available(member)) == ("used", back - 100)
    assert "had been used after all" in told(shop, member)[0]


def fail(shop: Shop, member: str) -> Any:
    """A redemption that we gave up, though Stripe had made its code."""
    shop.give(member, 100)
    redemption = shop.redeem(member)

    def work(session: Any) -> None:
        row = redemptions.require(session, shop.program_id, redemption["id"])
        row.status = "pending"
        session.flush()
        redemptions.failed(session, shop.program_id, row.id, "given up")

    with shop.app.app_context():
        db.transaction(work)
    return redemption


@pytest.mark.parametrize(("document", "debt"), [(DEFAULT_PROGRAM, 100), (CLAMP, 0)])
def test_points_that_were_spent_again_become_a_debt_or_are_let_go(
    opened: Any, document: str, debt: int
) -> None:
    shop = opened(document)
    member = shop.a_member(points=100)
    redemption = shop.redeem(member)
    shop.post(f"/v1/redemptions/{redemption['id']}/cancel")
    shop.redeem(member)
    learn(shop, redemption)
    balance = shop.balance(member)
    assert (balance["available"], balance["debt"]) == (0, debt)


def test_points_that_came_back_and_expired_are_not_asked_for_again(app: Flask, opened: Any) -> None:
    shop = opened(ORIGINAL)
    member = shop.a_member(points=100)
    redemption = shop.redeem(member)
    shop.advance(days=800)
    end_codes(app, shop)
    assert shop.available(member) == 0
    learn(shop, redemption)
    balance = shop.balance(member)
    assert (balance["available"], balance["debt"]) == (0, 0)


def test_a_late_use_takes_its_piece_of_the_stock_again(app: Flask, opened: Any) -> None:
    shop = opened(with_rewards(DEFAULT_PROGRAM, CAKE))
    member = shop.a_member(points=200)
    first = shop.redeem(member, "cake")
    shop.post(f"/v1/redemptions/{first['id']}/cancel")
    shop.redeem(member, "cake")
    learn(shop, first)
    with app.app_context():
        used = db.read(lambda session: counters.used(session, shop.program_id, "reward:cake:stock"))
    # There was one, and two were given: that has happened.
    assert used == 2


def test_a_use_learnt_before_the_code_was_noted_is_a_use(
    opened: Any, stripe: StripeControl
) -> None:
    shop = opened()
    member = shop.a_member(points=100)
    stripe.fault("conflict_409")
    redemption = shop.redeem(member)
    assert redemption["status"] == "pending"
    learn(shop, redemption)
    stripe.clear()
    shop.work()
    after = shown(shop, redemption)
    assert (after["status"], shop.available(member)) == ("used", 0)
