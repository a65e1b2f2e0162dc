"""Many callers at once, each in a session of its own, committing for real: no point is spent twice.

The large proof runs at full size on PostgreSQL, where callers really meet at the account's row;
SQLite queues its writers, so a smaller one is enough there.
"""

import time
from collections import Counter
from functools import partial

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from loyalty_service import clock, db
from loyalty_service.domain import adjustments, redemptions
from loyalty_service.domain.access import Principal
from loyalty_service.errors import (
    InsufficientPoints,
    LimitExceeded,
    LoyaltyError,
    RewardLimitReached,
    RewardSoldOut,
)
from tests.domain.ledger.walks import SHORT_LIVED, Walk
from tests.shop import Shop
from tests.stripe_control import together

pytestmark = pytest.mark.slow

POINTS_IN_A_LOT = 10
PRICE = 7
CLIENTS = 32


@pytest.mark.parametrize(
    ("kind", "lots"), [("postgresql", 2000), ("sqlite", 200)], ids=["postgresql", "sqlite"]
)
def test_many_clients_spend_an_account_of_many_lots_to_the_last_point(
    app: Flask, lots: int, capsys: pytest.CaptureFixture[str]
) -> None:
    shop = Shop.open(app, SHORT_LIVED)
    walk = Walk(shop, clock.wall())
    walk.open_lots(lots, points_each=POINTS_IN_A_LOT)
    began = time.monotonic()
    counts = together(CLIENTS, lambda _: redeem_until_refused(shop, walk.member))
    seconds = int(time.monotonic() - began) or 1
    points = lots * POINTS_IN_A_LOT
    assert sum(counts) == points // PRICE
    walk.now = clock.wall()
    assert walk.balance().available == points % PRICE
    with capsys.disabled():
        print(f"\n{CLIENTS} clients, {lots} lots: {sum(counts)} redemptions in {seconds} s")  # noqa: T201


def test_two_tills_that_spend_the_same_points(shop: Shop) -> None:
    member = shop.a_member(points=150)
    answers = together(2, lambda _: redeem_over_http(shop, member))
    assert sorted(answers) == [(201, None), (409, "insufficient_points")]
    assert shop.available(member) == 50


def test_a_code_and_a_debit_at_once_never_overspend(shop: Shop) -> None:
    member = shop.a_member(points=150)
    body = {"member": member, "points": -100, "reason": "correction"}

    def act(index: int) -> int:
        if index % 2:
            return shop.call("POST", "/v1/adjustments", body, who="admin").status_code
        return redeem_over_http(shop, member)[0]

    assert Counter(together(6, act)) == {201: 1, 409: 5}
    assert shop.available(member) == 50


def test_gifts_at_once_never_go_above_an_agents_month(shop: Shop) -> None:
    members = [shop.a_member() for _ in range(20)]
    codes = together(
        20,
        lambda index: attempt(shop, partial(give_as_ana, shop, members[index], points=500)),
    )
    assert Counter(codes) == {None: 10, LimitExceeded: 10}
    assert sum(shop.available(member) for member in members) == 5000


def test_gifts_of_one_member_at_once_never_go_above_an_agents_month(shop: Shop) -> None:
    member = shop.a_member()
    codes = together(20, lambda _: attempt(shop, partial(give_as_ana, shop, member, points=400)))
    assert Counter(codes) == {None: 12, LimitExceeded: 8}
    assert shop.available(member) == 4800


def test_the_last_pieces_of_a_stock_are_given_once_each(app: Flask) -> None:
    shop = Shop.open(app, SHORT_LIVED.replace("percent_off: 5}", "percent_off: 5}\n    stock: 5"))
    members = [shop.a_member() for _ in range(20)]
    for member in members:
        shop.give(member, PRICE, reason="correction")
    codes = together(20, lambda index: attempt(shop, partial(redeem_one, shop, members[index])))
    assert Counter(codes) == {None: 5, RewardSoldOut: 15}
    assert sum(shop.available(member) for member in members) == 15 * PRICE


def test_a_members_limit_holds_when_asked_many_times_at_once(app: Flask) -> None:
    limited = SHORT_LIVED.replace("percent_off: 5}", "percent_off: 5}\n    per_member: 2")
    shop = Shop.open(app, limited)
    member = shop.a_member()
    shop.give(member, 100, reason="correction")
    codes = together(8, lambda _: attempt(shop, partial(redeem_one, shop, member)))
    assert Counter(codes) == {None: 2, RewardLimitReached: 6}
    assert shop.available(member) == 100 - 2 * PRICE


def test_an_undo_asked_many_times_at_once_is_made_once(shop: Shop) -> None:
    member = shop.a_member()
    gift = shop.give(member, 100)["transaction"]
    path = f"/v1/transactions/{gift}/reverse"
    answers = together(
        6, lambda _: shop.call("POST", path, {"reason": "correction"}, who="admin").status_code
    )
    assert Counter(answers) == {201: 1, 409: 5}
    assert shop.available(member) == 0


def test_an_order_told_many_times_at_once_earns_once(shop: Shop) -> None:
    member = shop.a_member()
    order = shop.an_order(member)
    answers = together(6, lambda _: shop.call("POST", "/v1/orders", order).status_code)
    assert Counter(answers) == {201: 1, 200: 5}
    assert shop.balance(member)["pending"] == 100


def redeem_until_refused(shop: Shop, member_id: str) -> int:
    """How many redemptions one client had before it was refused."""
    done = 0
    while attempt(shop, partial(redeem_one, shop, member_id)) is None:
        done += 1
    return done


def redeem_one(shop: Shop, member_id: str, session: Session) -> None:
    wish = redemptions.Wish(member_id, "slice")
    redemptions.place(session, shop.program_id, wish, lease_seconds=600)


def give_as_ana(shop: Shop, member_id: str, session: Session, *, points: int) -> None:
    ana = Principal(shop.program_id, "cli_ana", "staff", "stf_ana", "agent")
    adjustments.give(session, ana, adjustments.Gesture(member_id, points, "appreciation"))


def attempt(shop: Shop, work: partial[None]) -> type[LoyaltyError] | None:
    """Run one verb in a transaction of its own; which refusal it met, if any."""
    try:
        with shop.app.app_context():
            db.transaction(work)
    except (InsufficientPoints, LimitExceeded, RewardSoldOut, RewardLimitReached) as refusal:
        return type(refusal)
    return None


def redeem_over_http(shop: Shop, member_id: str) -> tuple[int, str | None]:
    """Status and refusal of one redemption over the API."""
    answer = shop.call("POST", "/v1/redemptions", {"member": member_id, "reward": "money_off"})
    return answer.status_code, (answer.json or {}).get("code") if answer.status_code > 299 else None
