"""Capture, release and the end of time meet on one hold: the points leave it once.

`HOLD_RACES` sets how many holds are raced for, by twenty callers each; few in the suite.
"""

import os
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from loyalty_service import clock, db
from loyalty_service.domain import holds, ledger
from loyalty_service.domain.ledger.tables import Posting, Transaction
from loyalty_service.errors import LoyaltyError
from tests.shop import Shop
from tests.stripe_control import together

RACES = int(os.environ.get("HOLD_RACES", "12"))
CALLERS, POINTS = 20, 100
KINDS = ("capture", "capture", "capture a part", "release", "time")


@pytest.fixture(params=["postgresql"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def act(shop: Shop, hold_id: str, what: str) -> Callable[[Session], Any]:
    """One caller's verb; time has brought the account up to date where it wins."""

    def work(session: Session) -> Any:
        if what == "release":
            return holds.release(session, shop.program_id, hold_id)
        if what == "time":
            member_id = holds.require(session, shop.program_id, hold_id).member_id
            return ledger.bring_up_to_date(session, shop.program_id, member_id)
        part = POINTS // 2 if what == "capture a part" else None
        return holds.capture(session, shop.program_id, hold_id, part)

    return work


def race(shop: Shop, hold: dict[str, Any], number: int) -> None:
    """Everybody at once; for whom time is up the hold ended in this very instant."""
    ends_at = datetime.fromisoformat(hold["expires_at"])
    begun = datetime.fromisoformat(hold["created_at"])

    def one(caller: int) -> None:
        what = KINDS[(caller + number) % len(KINDS)]
        at = ends_at if what == "time" else begun
        with shop.app.app_context(), clock.stopped_at(at):
            try:
                db.transaction(act(shop, hold["id"], what))
            except LoyaltyError as refusal:
                assert refusal.code in ("hold_captured", "hold_released"), refusal.code

    together(CALLERS, one)


def took(shop: Shop, hold_id: str) -> list[tuple[str, str, int]]:
    """Each transaction that took points out of a hold: its kind, its cause, how many."""

    def work(session: Session) -> list[tuple[str, str, int]]:
        same = (Posting.program_id == Transaction.program_id) & (
            Posting.transaction_id == Transaction.id
        )
        rows = session.execute(
            select(Transaction.kind, Transaction.context, Posting.points)
            .join(Posting, same)
            .where(Posting.debit_hold_id == hold_id)
            .order_by(Transaction.sequence)
        )
        return [
            (kind, next(w for w in ("capture", "released", "time") if f'"{w}"' in text), points)
            for kind, text, points in rows
        ]

    with shop.app.app_context():
        return db.read(work)


def test_of_all_who_race_for_a_hold_one_takes_its_points(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    won: Counter[str] = Counter()
    for number in range(RACES):
        member = shop.a_member(points=POINTS)
        hold = shop.hold(member, POINTS)
        race(shop, hold, number)
        left = took(shop, hold["id"])
        # A part that was captured releases the rest: two transactions of one winner.
        assert len({cause for _, cause, _ in left}) == 1
        assert sum(points for *_, points in left) == POINTS
        now = shop.get(f"/v1/holds/{hold['id']}")
        assert sum(kind == "capture" for kind, *_ in left) <= 1
        balance = shop.balance(member)
        assert (balance["available"], balance["held"]) == (POINTS - now["captured_points"], 0)
        won[left[0][1]] += 1
        won["captured afresh"] += left[0][1] == "time" and now["status"] == "captured"
    with capsys.disabled():
        print(f"\n{RACES} holds, {CALLERS} callers each, one winner each: {dict(won)}")  # noqa: T201


def test_two_captures_of_as_many_points_are_one(shop: Shop) -> None:
    member = shop.a_member(points=POINTS)
    hold = shop.hold(member, POINTS)
    address = f"/v1/holds/{hold['id']}/capture"
    answers = together(8, lambda _: shop.call("POST", address, {"points": 60}))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json["captured_by"] for answer in answers}) == 1
    assert shop.available(member) == 40


def test_of_two_captures_of_other_points_one_is_told_what_stands(shop: Shop) -> None:
    member = shop.a_member(points=POINTS)
    hold = shop.hold(member, POINTS)
    address = f"/v1/holds/{hold['id']}/capture"
    answers = together(2, lambda index: shop.call("POST", address, {"points": 60 + index}))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    (refused,) = [answer for answer in answers if answer.status_code == 409]
    assert refused.json["code"] == "hold_captured"
    (taken,) = [answer for answer in answers if answer.status_code == 200]
    assert taken.json["captured_by"] in refused.json["detail"]


def test_holds_at_once_never_reserve_a_point_twice(shop: Shop) -> None:
    member = shop.a_member(points=POINTS)
    answers = together(8, lambda _: shop.call("POST", "/v1/holds", shop.a_hold(member, 30)))
    assert Counter(answer.status_code for answer in answers) == {201: 3, 409: 5}


def test_a_capture_and_a_refund_of_its_order_at_once_end_the_same(shop: Shop) -> None:
    for _ in range(RACES):
        member = shop.a_member(points=POINTS)
        hold = shop.hold(member, POINTS)
        shop.order(member, 5000, id=hold["order_id"], discount=1000)
        refund = shop.a_refund(amount=1000)
        calls = (
            (f"/v1/holds/{hold['id']}/capture", {}),
            (f"/v1/orders/{hold['order_id']}/refunds", refund),
        )
        answers = together(2, lambda index, calls=calls: shop.call("POST", *calls[index]))
        assert [answer.status_code for answer in answers] == [200, 201]
        assert shop.get(f"/v1/holds/{hold['id']}")["returned_points"] == POINTS // 4
        assert shop.available(member) == POINTS // 4
