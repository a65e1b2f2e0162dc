"""Each cause is told once, in its type's own shape, numbered per member."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from jsonschema import Draft202012Validator, FormatChecker
from sqlalchemy import func, select

from loyalty_service import clock, db, delivering, worker
from loyalty_service.domain import notices, redemptions
from loyalty_service.domain.notices import Notice, Untold, overdue, types
from tests.shop import DEFAULT_PROGRAM, SAMPLE, Shop
from tests.webhooks.conftest import listen
from tests.webhooks.receiving import Receiver

pytestmark = pytest.mark.usefixtures("endpoint")


def told(shop: Shop, receiver: Receiver, member: str) -> list[dict[str, Any]]:
    """What arrived about a member, once everything is on its way; each in its type's shape."""
    shop.tell()
    while shop.deliver():
        pass
    events = receiver.events(member)
    for event in events:
        schema = types.message(types.catalogue()[event["type"]])
        strict = {**schema, "additionalProperties": False}
        strict["properties"] = {
            **schema["properties"],
            "data": {**schema["properties"]["data"], "additionalProperties": False},
        }
        assert list(validator(strict).iter_errors(event)) == []
    assert [event["sequence"] for event in events] == list(range(1, len(events) + 1))
    return events


def validator(schema: dict[str, Any]) -> Draft202012Validator:
    return Draft202012Validator(schema, format_checker=FormatChecker())


def of_type(events: list[dict[str, Any]]) -> list[str]:
    return [event["type"] for event in events]


def test_an_order_that_reaches_a_tier_tells_what_it_earned_and_the_tier(
    shop: Shop, receiver: Receiver
) -> None:
    member = shop.a_member()
    order = shop.order(member, 60000)
    earned, tier = told(shop, receiver, member)
    assert earned["type"] == "points.earned"
    assert earned["data"]["points"] == order["points_earned"] == 600
    assert earned["data"]["order"] == order["id"]
    assert earned["data"]["balance"] == {"available": 0, "pending": 600, "held": 0, "debt": 0}
    assert (tier["type"], tier["data"]["from"], tier["data"]["to"]) == (
        "tier.changed",
        "member",
        "platinum",
    )


def test_time_tells_when_points_can_be_spent_and_when_they_are_gone(
    shop: Shop, receiver: Receiver
) -> None:
    member = shop.a_member()
    shop.order(member, 10000)
    shop.advance(20)
    shop.event(member)
    shop.advance(700)
    shop.event(member, "birthday")
    events = told(shop, receiver, member)
    assert of_type(events)[:3] == ["points.earned", "points.matured", "points.earned"]
    gone = [event for event in events if event["type"] == "points.expired"]
    assert sum(event["data"]["points"] for event in gone) == 150
    moments = [event["timestamp"] for event in events]
    assert moments == sorted(moments)


def test_points_that_end_soon_are_told_with_their_day(shop: Shop, receiver: Receiver) -> None:
    member = shop.a_member(points=80)
    ends = shop.balance(member)["expiring_next"]["expires_at"]
    left = days_until(shop, ends) - 6
    shop.advance(left)
    with shop.app.app_context():
        worker.warn()
    *_, soon = told(shop, receiver, member)
    assert (soon["type"], soon["data"]["points"], soon["data"]["days"]) == (
        "points.expiring_soon",
        80,
        7,
    )


def test_what_time_brings_is_told_though_nobody_calls(
    shop: Shop, receiver: Receiver, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overdue, "PAGE", 2)
    members = [shop.a_member() for _ in range(5)]
    for member in members[:3]:
        shop.order(member)
    shop.advance(20)
    with app.app_context():
        assert sorted(delivering.overdue()) == sorted(members[:3])
        assert list(delivering.overdue()) == []
    for member in members[:3]:
        assert of_type(told(shop, receiver, member)) == ["points.earned", "points.matured"]


def test_one_whose_books_are_broken_holds_up_nobody(
    shop: Shop, receiver: Receiver, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    members = sorted(shop.a_member() for _ in range(3))
    for member in members:
        shop.order(member)
    shop.advance(20)
    of = delivering.ledger.bring_up_to_date

    def planted(session: Any, program_id: str, member_id: str) -> None:
        assert member_id != members[0], "planted"
        of(session, program_id, member_id)

    monkeypatch.setattr(delivering.ledger, "bring_up_to_date", planted)
    with app.app_context():
        assert list(delivering.overdue()) == members
    assert of_type(told(shop, receiver, members[2]))[-1] == "points.matured"


def test_where_nobody_listens_nobody_is_looked_at(shop: Shop, endpoint: str, app: Flask) -> None:
    shop.call("DELETE", f"/v1/webhook_endpoints/{endpoint}", who="admin")
    shop.order(shop.a_member())
    shop.advance(20)
    with app.app_context():
        assert list(delivering.overdue()) == []


def days_until(shop: Shop, moment: str) -> int:
    """How many days a moment is away."""
    return (datetime.fromisoformat(moment) - shop.now()).days


def test_a_redemption_tells_its_code_once_it_can_be_used_and_its_end(
    shop: Shop, receiver: Receiver
) -> None:
    member = shop.a_member(points=500)
    made = shop.redeem(member)
    shop.post(f"/v1/redemptions/{made['id']}/cancel")
    _, issued, cancelled = told(shop, receiver, member)
    assert of_type([issued, cancelled]) == ["redemption.issued", "redemption.cancelled"]
    assert issued["data"] == {
        "redemption": made["id"],
        "reward": "money_off",
        "points": 100,
        "code": made["code"],
    }
    assert cancelled["data"]["redemption"] == made["id"]
    assert cancelled["data"]["points"] == 100
    assert "code" not in cancelled["data"]


def test_a_reward_of_the_shops_own_is_told_when_it_is_made_and_when_it_is_used(
    shop: Shop, receiver: Receiver
) -> None:
    shop.add_rewards(SAMPLE)
    member = shop.a_member(points=500)
    made = shop.redeem(member, "sample")
    shop.post(f"/v1/redemptions/{made['id']}/use")
    events = told(shop, receiver, member)
    assert of_type(events) == ["adjustment.posted", "redemption.issued", "redemption.used"]
    assert {event["data"]["redemption"] for event in events[1:]} == {made["id"]}


@pytest.mark.parametrize(("unused_codes", "back"), [("give_back", 100), ("keep", 0)])
def test_a_code_that_ends_unused_tells_what_came_back(
    shop: Shop, receiver: Receiver, app: Flask, unused_codes: str, back: int
) -> None:
    policy = "past_expiry: grace_days"
    shop.apply(DEFAULT_PROGRAM.replace(policy, f"{policy}\n  unused_codes: {unused_codes}"))
    member = shop.a_member(points=500)
    made = shop.redeem(member)
    shop.advance(91)
    with app.app_context():
        worker.end_codes()
        worker.run_once()
    *_, ended = told(shop, receiver, member)
    assert ended["type"] == "redemption.expired"
    assert (ended["data"]["redemption"], ended["data"]["points"]) == (made["id"], back)
    assert ended["data"]["balance"]["available"] == 400 + back
    assert (ended["data"]["transaction"] is not None) == bool(back)


def test_a_use_that_is_learnt_before_the_code_is_known_tells_both_in_their_order(
    shop: Shop, receiver: Receiver, app: Flask, stripe: Any
) -> None:
    member = shop.a_member(points=500)
    stripe.fault("timeout_after_success", path="/v1/promotion_codes", method="POST", times=2)
    made = shop.redeem(member)
    assert made["status"] == "pending"
    with app.app_context():
        db.transaction(
            lambda session: redemptions.learn_use(
                session, shop.program_id, made["id"], "promo_learnt"
            )
        )
    shop.work(at=clock.wall() + timedelta(hours=1))
    events = told(shop, receiver, member)
    assert of_type(events)[1:] == ["redemption.issued", "redemption.used"]


def test_a_code_that_can_not_be_made_is_told_as_failed(
    shop: Shop, receiver: Receiver, app: Flask, stripe: Any
) -> None:
    member = shop.a_member(points=500)
    stripe.fault("timeout_after_success", path="/v1/promotion_codes", method="POST", times=2)
    made = shop.redeem(member)
    with app.app_context():
        db.transaction(
            lambda session: redemptions.failed(session, shop.program_id, made["id"], "no")
        )
    events = told(shop, receiver, member)
    # The worker tidies the code away at Stripe.
    shop.work(at=clock.wall() + timedelta(hours=1))
    assert events[1]["data"]["redemption"] == made["id"]
    assert of_type(events) == ["adjustment.posted", "redemption.failed"]


def test_staff_who_take_a_gift_back_tell_both(shop: Shop, receiver: Receiver) -> None:
    member = shop.a_member()
    gift = shop.give(member, 200)
    path = f"/v1/transactions/{gift['transaction']}/reverse"
    shop.post(path, {"reason": "correction"}, who="manager")
    given, taken = told(shop, receiver, member)
    assert of_type([given, taken]) == ["adjustment.posted"] * 2
    assert [given["data"]["points"], taken["data"]["points"]] == [200, -200]
    assert taken["data"]["corrects"] == given["data"]["transaction"] == gift["transaction"]


def test_points_that_are_taken_back_after_they_were_spent_tell_the_debt_and_its_repayment(
    shop: Shop, receiver: Receiver
) -> None:
    member = shop.a_member()
    order = shop.order(member, 20000)
    shop.advance(20)
    shop.redeem(member)
    shop.refund(order["id"], amount=20000)
    shop.event(member)
    events = told(shop, receiver, member)
    assert of_type(events) == [
        "points.earned",
        "points.matured",
        "redemption.issued",
        "points.taken_back",
        "debt.created",
        "points.earned",
        "debt.repaid",
    ]
    assert [one["data"]["points"] for one in events[3:]] == [200, 100, 50, 50]
    assert events[3]["data"]["order"] == order["id"]


def test_points_that_paid_for_a_refunded_order_tell_that_they_are_back(
    shop: Shop, receiver: Receiver
) -> None:
    member = shop.a_member(points=500)
    hold = shop.hold(member, 200)
    shop.capture(hold["id"])
    shop.order(member, 10000, id=hold["order_id"], discount=2000)
    shop.refund(hold["order_id"], amount=2000)
    events = told(shop, receiver, member)
    assert "points.given_back" in of_type(events)
    (back,) = [one["data"] for one in events if one["type"] == "points.given_back"]
    assert (back["points"], back["order"], back["hold"]) == (50, hold["order_id"], hold["id"])


def test_a_payment_that_came_too_late_tells_staff_once(shop: Shop, receiver: Receiver) -> None:
    member = shop.a_member(points=500)
    hold = shop.hold(member, 500)
    shop.advance(seconds=900)
    shop.give(member, -100)
    for _ in range(2):
        assert shop.call("POST", f"/v1/holds/{hold['id']}/capture", {}).status_code == 409
    events = told(shop, receiver, member)
    assert of_type(events).count("hold.capture_failed") == 1
    (failed,) = [one["data"] for one in events if one["type"] == "hold.capture_failed"]
    assert failed == {
        "hold": hold["id"],
        "order": hold["order_id"],
        "points": 500,
        "available": 400,
        "refusal": "hold_expired",
    }


def test_what_staff_see_is_not_told_to_anybody(shop: Shop, receiver: Receiver) -> None:
    personal = {"email": "ana@shop.example", "name": "Ana Anders", "birthday": "1990-03-01"}
    member = shop.a_member(points=10, **personal)
    shop.give(member, 5, note="she called twice", customer_note="Sorry!")
    shop.order(member)
    text = str(told(shop, receiver, member))
    for word in (*personal.values(), "called", "Sorry", "external"):
        assert word not in text


def test_where_nobody_listens_nothing_is_kept(app: Flask, shop: Shop, endpoint: str) -> None:
    shop.call("DELETE", f"/v1/webhook_endpoints/{endpoint}", who="admin")
    member = shop.a_member(points=500)
    shop.redeem(member)
    assert kept(app, Untold) == 0
    shop.tell()
    assert kept(app, Notice) == 0


def test_an_endpoint_hears_of_what_comes_after_it_and_only_what_it_asked_for(
    shop: Shop, receiver: Receiver, endpoint: str
) -> None:
    shop.call("DELETE", f"/v1/webhook_endpoints/{endpoint}", who="admin")
    member = shop.a_member(points=500)
    listen(shop, receiver, "redemption.issued")
    shop.give(member, 5)
    shop.redeem(member)
    shop.tell()
    shop.deliver()
    (event,) = receiver.received
    assert (event["type"], event["sequence"]) == ("redemption.issued", 2)


def test_a_settlement_that_is_repeated_is_told_once(
    shop: Shop, receiver: Receiver, app: Flask
) -> None:
    member = shop.a_member(points=500)
    made = shop.redeem(member)
    shop.tell()
    with app.app_context():
        db.transaction(
            lambda session: redemptions.issued(session, shop.program_id, made["id"], "promo_again")
        )
    assert of_type(told(shop, receiver, member)).count("redemption.issued") == 1


def test_a_verb_can_announce_what_no_transaction_says_and_once_only(
    shop: Shop, receiver: Receiver, app: Flask
) -> None:
    member = shop.a_member()
    data = {"redemption": f"rdm_{'0' * 26}", "reward": "gift", "points": 0}
    for _ in range(2):
        with app.app_context():
            db.transaction(
                lambda session: notices.announce(
                    session,
                    shop.program_id,
                    member,
                    "redemption.used",
                    "rdm_one",
                    occurred_at=clock.now(),
                    data=data,
                )
            )
        events = told(shop, receiver, member)
    assert [event["data"] for event in events] == [data]


def test_a_verb_that_is_refused_tells_nothing(shop: Shop, app: Flask) -> None:
    member = shop.a_member()
    body = {"member": member, "reward": "money_off"}
    assert shop.call("POST", "/v1/redemptions", body).status_code == 409
    assert kept(app, Untold) == 0


def test_what_can_not_be_told_waits_and_holds_up_nobody(
    shop: Shop, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, whole = shop.a_member(points=1), shop.a_member(points=2)
    of = delivering.telling._posted

    def planted(session: Any, program_id: str, rows: Any) -> Any:
        assert rows[0].member_id != broken, "planted"
        return of(session, program_id, rows)

    monkeypatch.setattr(delivering.telling, "_posted", planted)
    assert len(told(shop, receiver, whole)) == 1
    monkeypatch.undo()
    assert told(shop, receiver, broken) == []
    with shop.app.app_context():
        delivering.tell(at=clock.wall() + timedelta(hours=2))
    assert len(told(shop, receiver, broken)) == 1


@pytest.mark.slow
def test_many_at_once_and_two_who_tell_leave_no_gap(shop: Shop, receiver: Receiver) -> None:
    member = shop.a_member()
    with ThreadPoolExecutor(6) as pool:
        gifts = [pool.submit(shop.give, member, 1) for _ in range(40)]
        tellers = [pool.submit(shop.tell) for _ in range(20)]
        for done in (*gifts, *tellers):
            done.result()
    events = told(shop, receiver, member)
    assert len(events) == 40
    balances = [event["data"]["balance"]["available"] for event in events]
    assert balances == list(range(1, 41))


@pytest.mark.slow
def test_whoever_numbers_a_members_events_waits_for_who_is_at_it(
    shop: Shop, receiver: Receiver, app: Flask
) -> None:
    member = shop.a_member(points=1)
    shop.tell()
    shop.give(member, 1)
    with ThreadPoolExecutor(1) as pool:

        def holding(session: Any) -> Any:
            delivering.telling._locked(session, shop.program_id, member)
            second = pool.submit(shop.tell)
            with pytest.raises(TimeoutError):
                second.result(timeout=0.5)
            return second

        with app.app_context():
            second = db.transaction(holding)
        assert second.result(timeout=10) == 1
    assert len(told(shop, receiver, member)) == 2


def kept(app: Flask, model: Any) -> int:
    """How many rows a table has."""
    with app.app_context():
        return db.read(lambda session: session.scalar(select(func.count()).select_from(model)) or 0)
