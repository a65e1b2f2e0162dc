"""An adjustment taken back, once: spent points by policy, taken points to the lots they left."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from loyalty_service import db
from loyalty_service.domain.counters import Allotment, Counter
from loyalty_service.domain.ledger import Lot
from tests.domain.ledger.walks import SHORT_LIVED, Walk
from tests.shop import Shop

START = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
CLAMP = SHORT_LIVED.replace("allow_debt", "clamp")
GRACE = SHORT_LIVED.replace(
    "past_expiry: original_expiry", "past_expiry: grace_days\n  grace_days: 4"
)
REISSUE = SHORT_LIVED.replace("original_expiry", "reissue")


def a_walk(app: Flask, document: str = SHORT_LIVED) -> Walk:
    return Walk(Shop.open(app, document), START)


def gift(walk: Walk, points: int) -> str:
    """An adjustment that must succeed; its transaction."""
    made = walk.adjust(points)
    assert made
    return made


def lots(walk: Walk) -> list[tuple[int, str | None, datetime | None]]:
    """What each lot has available, which lot it restores, and its date; oldest first."""
    mine = select(Lot.available, Lot.restores_lot_id, Lot.expires_at)
    mine = mine.where(Lot.member_id == walk.member).order_by(Lot.number)
    return [tuple(row) for row in walk.do(lambda session: session.execute(mine).all())]


def available_by_lot(walk: Walk) -> list[int]:
    return [row[0] for row in lots(walk)]


def test_an_unspent_credit_is_taken_back_from_its_own_lot(app: Flask) -> None:
    walk = a_walk(app)
    gift(walk, 20)
    later = gift(walk, 30)
    walk.reverse(later)
    assert available_by_lot(walk) == [20, 0]


def test_a_credit_partly_spent_takes_the_rest_from_other_lots(app: Flask) -> None:
    walk = a_walk(app)
    spent = gift(walk, 20)
    walk.redeem()
    gift(walk, 30)
    walk.reverse(spent)
    assert available_by_lot(walk) == [0, 23]
    assert walk.balance().debt == 0


def test_a_credit_spent_to_the_end_becomes_debt(app: Flask) -> None:
    walk = a_walk(app)
    spent = gift(walk, 10)
    walk.redeem()
    walk.reverse(spent)
    assert (walk.balance().available, walk.balance().debt) == (0, 7)


def test_a_credit_spent_to_the_end_is_the_shops_loss_under_clamp(app: Flask) -> None:
    walk = a_walk(app, CLAMP)
    spent = gift(walk, 10)
    walk.redeem()
    walk.reverse(spent)
    assert (walk.balance().available, walk.balance().debt) == (0, 0)


@pytest.mark.parametrize(("points", "available", "debt"), [(5, 0, 2), (7, 0, 0), (20, 13, 0)])
def test_a_later_credit_repays_debt_first(
    app: Flask, points: int, available: int, debt: int
) -> None:
    walk = in_debt(app)
    gift(walk, points)
    assert (walk.balance().available, walk.balance().debt) == (available, debt)


def test_an_orders_points_repay_debt_when_they_mature(app: Flask) -> None:
    walk = in_debt(app)
    walk.order(20)
    assert (walk.balance().pending, walk.balance().debt) == (20, 7)
    matured = walk.balance(at=walk.now + timedelta(days=4))
    assert (matured.available, matured.debt) == (13, 0)


def test_points_given_back_repay_debt_first(app: Flask) -> None:
    walk = in_debt(app)
    walk.fail(walk.exchanges[0])
    assert (walk.balance().available, walk.balance().debt) == (0, 0)


def test_a_credit_that_repaid_debt_is_owed_again_when_it_is_reversed(app: Flask) -> None:
    walk = in_debt(app)
    walk.reverse(gift(walk, 20))
    assert (walk.balance().available, walk.balance().debt) == (0, 7)


def test_a_debit_goes_back_to_the_lots_it_came_from(app: Flask) -> None:
    walk = a_walk(app)
    gift(walk, 10)
    walk.now += timedelta(days=1)
    gift(walk, 10)
    taken = gift(walk, -15)
    assert available_by_lot(walk) == [0, 5]
    walk.reverse(taken)
    assert available_by_lot(walk) == [10, 10]


def test_points_go_back_last_spent_first(app: Flask) -> None:
    walk = a_walk(app)
    gift(walk, 10)
    walk.now += timedelta(days=1)
    gift(walk, 10)
    taken = gift(walk, -15)
    reversing = walk.shop.post(
        f"/v1/transactions/{taken}/reverse", {"reason": "correction"}, who="admin"
    )
    assert [posting["points"] for posting in reversing["postings"]] == [5, 10]


def test_points_back_past_their_date_end_with_it(app: Flask) -> None:
    walk = a_walk(app)
    gift(walk, 10)
    taken = gift(walk, -10)
    walk.now += timedelta(days=20)
    walk.reverse(taken)
    assert walk.balance().available == 0
    assert len(lots(walk)) == 1


def test_points_back_past_their_date_have_days_of_grace(app: Flask) -> None:
    walk = a_walk(app, GRACE)
    gift(walk, 10)
    taken = gift(walk, -10)
    walk.now += timedelta(days=20)
    walk.reverse(taken)
    assert walk.balance().available == 10
    # Through the 26th, and Berlin is one hour ahead of UTC.
    assert lots(walk)[1][2] == datetime(2026, 3, 26, 23, tzinfo=UTC)
    assert lots(walk)[1][1] is not None


def test_points_back_past_their_date_are_issued_afresh(app: Flask) -> None:
    walk = a_walk(app, REISSUE)
    gift(walk, 10)
    taken = gift(walk, -10)
    walk.now += timedelta(days=20)
    walk.reverse(taken)
    assert walk.balance().available == 10
    # Ten days from the day they came back; summer time has begun by then.
    assert lots(walk)[1][2] == datetime(2026, 4, 1, 22, tzinfo=UTC)


@pytest.mark.parametrize("document", [SHORT_LIVED, GRACE, REISSUE])
def test_points_back_before_their_date_keep_it_under_every_policy(
    app: Flask, document: str
) -> None:
    walk = a_walk(app, document)
    gift(walk, 10)
    before = lots(walk)
    taken = gift(walk, -10)
    walk.now += timedelta(days=9)
    walk.reverse(taken)
    assert lots(walk) == before


def test_points_that_expired_unspent_count_as_returned(app: Flask) -> None:
    walk = a_walk(app)
    old = gift(walk, 20)
    walk.redeem()
    walk.now += timedelta(days=20)
    gift(walk, 30)
    walk.reverse(old)
    # 13 of the 20 expired; only the 7 that were spent are taken.
    assert walk.balance().available == 23


def test_points_that_expired_after_they_came_back_count_as_returned_too(app: Flask) -> None:
    walk = a_walk(app, GRACE)
    old = gift(walk, 7)
    exchange = walk.redeem()
    assert exchange
    walk.now += timedelta(days=20)
    walk.fail(exchange)
    walk.now += timedelta(days=20)
    gift(walk, 30)
    walk.reverse(old)
    assert walk.balance().available == 30


def test_points_that_came_back_to_a_new_lot_are_taken_from_it_first(app: Flask) -> None:
    walk = a_walk(app, REISSUE)
    old = gift(walk, 7)
    exchange = walk.redeem()
    assert exchange
    walk.now += timedelta(days=15)
    gift(walk, 30)
    walk.now += timedelta(days=1)
    walk.fail(exchange)
    walk.reverse(old)
    assert available_by_lot(walk) == [0, 30, 0]


def test_a_reversal_is_made_once(shop: Shop) -> None:
    made = shop.give(shop.a_member(), 100)["transaction"]
    path, body = f"/v1/transactions/{made}/reverse", {"reason": "correction"}
    first = shop.post(path, body, who="admin")
    again = shop.call("POST", path, body, who="admin")
    assert (again.status_code, again.json["code"]) == (409, "already_reversed")
    assert first["id"] in again.json["detail"]
    assert first["corrects"] == made


def test_a_reversal_is_not_reversed(shop: Shop) -> None:
    made = shop.give(shop.a_member(), 100)["transaction"]
    body = {"reason": "correction"}
    undone = shop.post(f"/v1/transactions/{made}/reverse", body, who="admin")
    again = shop.call("POST", f"/v1/transactions/{undone['id']}/reverse", body, who="admin")
    assert (again.status_code, again.json["code"]) == (409, "not_reversible")


def test_what_has_a_way_back_of_its_own_names_it(shop: Shop) -> None:
    member = shop.a_member(points=100)
    order = shop.order(member)["transaction"]
    redemption = shop.redeem(member)["transaction"]
    for transaction, way in ((order, "/v1/orders/"), (redemption, "/cancel")):
        answer = shop.call(
            "POST", f"/v1/transactions/{transaction}/reverse", {"reason": "correction"}, who="admin"
        )
        assert (answer.status_code, answer.json["code"]) == (409, "not_reversible")
        assert way in answer.json["detail"]


def test_what_was_given_back_can_be_given_again_in_the_month_that_paid(shop: Shop) -> None:
    gifts = [shop.give(shop.a_member(), 500, who="agent") for _ in range(10)]
    member = shop.a_member()
    body = {"member": member, "points": 500, "reason": "appreciation"}
    assert is_asked_for(shop, body)
    path = f"/v1/transactions/{gifts[0]['transaction']}/reverse"
    shop.post(path, {"reason": "correction"}, who="manager")
    assert shop.call("POST", "/v1/adjustments", body, who="agent").status_code == 201
    assert used_by_counter(shop) == [5000, 500]


def test_a_gift_undone_in_a_later_month_goes_back_to_its_own(shop: Shop) -> None:
    old = shop.give(shop.a_member(), 500, who="agent")
    shop.advance(days=40)
    shop.give(shop.a_member(), 300, who="agent")
    path = f"/v1/transactions/{old['transaction']}/reverse"
    shop.post(path, {"reason": "correction"}, who="agent")
    assert used_by_counter(shop) == [0, 300]


def test_every_return_is_an_allotment_of_its_own(shop: Shop) -> None:
    made = shop.give(shop.a_member(), 500, who="agent")
    path = f"/v1/transactions/{made['transaction']}/reverse"
    shop.post(path, {"reason": "correction"}, who="agent")
    with shop.app.app_context():
        rows = db.read(
            lambda session: session.execute(
                select(Allotment.amount, Allotment.cause_id).order_by(Allotment.id)
            ).all()
        )
    assert [tuple(row) for row in rows] == [(500, made["transaction"]), (-500, made["transaction"])]


def is_asked_for(shop: Shop, body: Any) -> bool:
    """Say whether the agent's month is full: a gift is not given, but waits for a second person."""
    before = shop.available(body["member"])
    answer = shop.call("POST", "/v1/adjustments", body, who="agent")
    assert shop.available(body["member"]) == before
    return answer.status_code == 202


def in_debt(app: Flask) -> Walk:
    """Somebody who owes seven points."""
    walk = a_walk(app)
    spent = gift(walk, 7)
    walk.redeem()
    walk.reverse(spent)
    assert walk.balance().debt == 7
    return walk


def used_by_counter(shop: Shop) -> list[int]:
    """What each counter has used, the oldest month first."""
    with shop.app.app_context():
        return db.read(
            lambda session: list(session.scalars(select(Counter.used).order_by(Counter.name)))
        )


def test_an_agent_does_not_undo_what_only_a_manager_may_give(shop: Shop) -> None:
    member = shop.a_member()
    given = shop.give(member, 2000, who="manager")
    path = f"/v1/transactions/{given['transaction']}/reverse"
    refused = shop.call("POST", path, {"reason": "correction"}, who="agent")
    assert (refused.status_code, refused.json["code"]) == (403, "limit_exceeded")
    assert shop.available(member) == 2000
    shop.post(path, {"reason": "correction"}, who="manager")
    assert shop.available(member) == 0


def test_undoing_a_gift_that_was_spent_makes_no_room_in_the_month(shop: Shop) -> None:
    """Else an agent could give, let spend and undo without end."""
    member = shop.a_member()
    for _ in range(10):
        given = shop.give(member, 500, who="agent")
        shop.redeem(member, points=500)
        path = f"/v1/transactions/{given['transaction']}/reverse"
        shop.post(path, {"reason": "correction"}, who="agent")
        assert shop.balance(member)["debt"] == 500
        shop.give(member, 500)
    assert is_asked_for(shop, {"member": member, "points": 1, "reason": "appreciation"})


def test_undoing_a_gift_that_was_half_spent_gives_the_unspent_half_back_to_the_month(
    shop: Shop,
) -> None:
    member = shop.a_member()
    for _ in range(9):
        shop.give(shop.a_member(), 500, who="agent")
    given = shop.give(member, 500, who="agent")
    shop.redeem(member, points=250)
    path = f"/v1/transactions/{given['transaction']}/reverse"
    shop.post(path, {"reason": "correction"}, who="agent")
    shop.give(shop.a_member(), 250, who="agent")
    body = {"member": member, "points": 1, "reason": "appreciation"}
    assert is_asked_for(shop, body)


def test_a_reversal_takes_only_the_programs_reasons(shop: Shop) -> None:
    """A reason is kept for ever: free text, and so a person's data, must not get there."""
    given = shop.give(shop.a_member(), 10)
    path = f"/v1/transactions/{given['transaction']}/reverse"
    refused = shop.call("POST", path, {"reason": "Ana Muster, 0170 1234567"}, who="manager")
    assert (refused.status_code, refused.json["code"]) == (422, "reason_not_known")
    assert refused.json["param"] == "reason"
