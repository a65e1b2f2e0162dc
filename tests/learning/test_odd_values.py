"""Whatever stands in an event that is signed: it is refused or worked on, and no job is stuck."""

import copy
import time
from collections.abc import Iterator
from typing import Any

import pytest

from loyalty_service import clock, worker
from tests.gateways import fixtures
from tests.test_listening import Event, Told
from tests.test_listening_to_oddities import undone

TYPES = (
    "charge.dispute.closed",
    "charge.dispute.created",
    "charge.refunded",
    "checkout.session.completed",
    "checkout.session.completed.subscription",
    "invoice.paid",
    "invoice_payment.paid",
    "promotion_code.updated",
    "refund.failed",
)
LAST_SECOND_OF_9999, FIRST_OF_1 = 253402300799, -62135596800
LONG = "x" * 300
ODD = (None, LONG, LAST_SECOND_OF_9999, FIRST_OF_1, {"id": LONG}, [{"promotion_code": 5}])
# What waits for another event is not stuck.
WAITING = ("its checkout is not here yet", "its code is being made")


def places(given: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to each value in it."""
    entries: list[tuple[Any, Any]] = []
    if isinstance(given, dict):
        entries = list(given.items())
    if isinstance(given, list):
        entries = list(enumerate(given))
    for name, value in entries:
        yield (*at, name)
        yield from places(value, (*at, name))


def changed(event: Event, place: tuple[Any, ...], value: Any) -> Event:
    new = copy.deepcopy(event)
    there: Any = new
    for step in place[:-1]:
        there = there[step]
    there[place[-1]] = value
    return new


def event_about(told: Told, name: str) -> Event:
    """An event that was written down, about a member or a code of this shop, and of now."""
    member, now = told.member(points=500), int(time.time())
    event = copy.deepcopy(fixtures.event(name)) | {"created": now}
    what = event["data"]["object"]
    of_now = {"currency": "eur", "created": now, "customer": told.customer}
    what |= {field: value for field, value in of_now.items() if field in what}
    what["metadata"] = {"loyalty_member": member, "loyalty_program": "default"}
    if what["object"] == "promotion_code":
        (code,) = told.stripe.codes(told.shop.redeem(member)["id"])
        what |= {field: code[field] for field in ("id", "code", "metadata")}
    if what["object"] == "invoice":
        what["billing_reason"] = "subscription_cycle"
    return event


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["postgresql"])
@pytest.mark.parametrize("name", TYPES)
def test_no_value_anywhere_leaves_a_job_that_is_tried_for_ever(told: Told, name: str) -> None:
    """SQLite keeps what is too long; PostgreSQL does not."""
    event = event_about(told, name)
    what, number = event["data"]["object"], 0
    for place in [one for one in places(event) if one != ("type",)]:
        for value in ODD:
            number += 1
            event["id"] = f"evt_{number}"
            if what["object"] != "promotion_code":
                what["id"] = f"obj_{number}"
            assert told.tell(changed(event, place, value)).status_code < 500, (place, value)
    with told.shop.app.app_context():
        while worker.run_once(at=clock.wall()):
            pass
    assert [one for one in undone(told) if one[2] not in WAITING] == []
