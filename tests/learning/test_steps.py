"""An event is learnt from in steps; each is a transaction, and changes one member's points."""

import threading
from collections import defaultdict
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from loyalty_service import clock, metrics, worker
from loyalty_service.domain import inbox, orders, redemptions
from tests.stripe_control import StripeControl
from tests.test_listening import Told
from tests.test_listening_to_oddities import checkout, undone

VISITS, WORKERS = 8, 6


def with_each_others_codes(told: Told, stripe: StripeControl, visits: int) -> Any:
    """Two members, and checkouts of either that used a code of the other's."""
    other = stripe.post("customers", {"email": "bob@example.com"})["id"]
    ada = told.member(points=100 * visits)
    bob = told.shop.a_member(points=100 * visits, stripe_customer_id=other)
    events = []
    for number in range(visits):
        for customer, whose in ((told.customer, bob), (other, ada)):
            (code,) = stripe.codes(told.shop.redeem(whose)["id"])
            event = checkout(told, 5000)
            event["id"] = f"evt_{number}{customer[-8:]}"
            event["data"]["object"] |= {
                "id": f"cs_{number}{customer}",
                "customer": customer,
                "payment_intent": f"pi_{number}{customer}",
                "discounts": [{"promotion_code": code["id"]}],
            }
            events.append(event)
    return ada, bob, events


def test_one_transaction_changes_one_members_points(
    told: Told, stripe: StripeControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, bob, events = with_each_others_codes(told, stripe, 1)
    # The sessions themselves are kept: an id of one that is gone may come again.
    touched: list[tuple[Any, str]] = []
    use, record = redemptions.learn_use, orders.record

    def using(session: Any, *given: Any) -> Any:
        row = use(session, *given)
        touched.append((session, row.member_id))
        return row

    def recording(session: Any, program_id: str, order: Any) -> Any:
        touched.append((session, order.member))
        return record(session, program_id, order)

    monkeypatch.setattr(redemptions, "learn_use", using)
    monkeypatch.setattr(orders, "record", recording)
    told.tell_all(events)
    members = defaultdict(set)
    for session, member in touched:
        members[id(session)].add(member)
    assert {ada, bob} == {member for _, member in touched}
    assert [len(one) for one in members.values()] == [1] * len(members)
    assert (told.figures(ada), told.figures(bob)) == ((50, 0), (50, 0))


@pytest.mark.parametrize("kind", ["postgresql"])
def test_members_who_use_each_others_codes_at_once_never_block_each_other(
    told: Told, stripe: StripeControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite has one writer at a time."""
    ada, bob, events = with_each_others_codes(told, stripe, VISITS)
    for event in events:
        told.tell(event)
    conflicts: list[int] = []
    monkeypatch.setattr(metrics, "conflict", lambda: conflicts.append(1))
    workers = [threading.Thread(target=told.work) for _ in range(WORKERS)]
    for one in workers:
        one.start()
    for one in workers:
        one.join()
    while told.work():
        pass
    assert (conflicts, undone(told)) == ([], [])
    assert told.figures(ada) == told.figures(bob) == (50 * VISITS, 0)


@pytest.mark.parametrize("crash_at", range(4))
def test_an_event_that_is_left_half_way_is_learnt_from_as_once(
    told: Told, stripe: StripeControl, monkeypatch: pytest.MonkeyPatch, crash_at: int
) -> None:
    """Its steps are: which codes, each code, the order, what paid it, what of that is gone."""
    ada, bob, (event, _) = with_each_others_codes(told, stripe, 1)
    told.tell(event)
    require, calls = inbox.require, []

    def dying(*given: Any) -> Any:
        calls.append(given)
        if len(calls) == crash_at + 2:
            raise OperationalError("the worker dies", None, Exception("now"))
        return require(*given)

    monkeypatch.setattr(inbox, "require", dying)
    with pytest.raises(OperationalError):
        told.work()
    assert told.row(event).status == inbox.DUE
    with told.shop.app.app_context():
        # Its lease has ended by then.
        worker.run_once(at=clock.wall() + timedelta(hours=2))
    assert (told.row(event).status, undone(told)) == (inbox.DONE, [])
    assert (told.figures(ada), told.figures(bob)) == ((50, 0), (0, 0))


def test_what_is_refused_of_an_order_leaves_its_codes_used(
    told: Told, stripe: StripeControl
) -> None:
    _, _, (event, _) = with_each_others_codes(told, stripe, 1)
    event["data"]["object"]["currency"] = "usd"
    told.tell_all([event])
    assert told.row(event).status == inbox.REFUSED
    assert [one["status"] for one in told.shop.get("/v1/redemptions")["data"]].count("used") == 1
