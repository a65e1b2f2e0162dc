"""Wrong input to /v1/events: each fault is named, nothing is written."""

from datetime import timedelta
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.api.contract import (
    MISSING,
    WRONG_MOMENTS,
    WRONG_TEXTS,
    another_program,
    changed,
    each,
    nothing_written,
    problem,
    require_all_refused,
)
from tests.shop import Shop, moment

DECLARED = (
    "earning:\n",
    "events:\n"
    "  visit: {amount: money, steps: integer, shop: string, is_new: boolean, guide: member,"
    ' "note?": string}\n'
    "earning:\n",
)
WRONG_NUMBERS = [("5", "wrong_type"), (True, "wrong_type")]
NEVER_RIGHT = [(5.5, "wrong_type"), ([5], "wrong_type"), ({}, "wrong_type"), (None, "wrong_type")]


def send(shop: Shop, event: dict[str, Any]) -> TestResponse:
    return shop.call("POST", "/v1/events", event)


def a_visit(shop: Shop) -> dict[str, Any]:
    """An event of a type with a field of each kind, in a program that declares it."""
    data = {"amount": 500, "steps": -3, "shop": "Mitte", "is_new": False}
    return shop.an_event(shop.a_member(), "visit", data={**data, "guide": shop.a_member()})


def test_each_wrong_field_of_an_event_is_named(shop: Shop) -> None:
    good = shop.an_event(shop.a_member(), "referral", data={"referrer": shop.a_member()})
    cases = [
        *[(name, MISSING, "required") for name in ("id", "type", "member", "occurred_at")],
        ("points", 5, "unknown_field"),
        *each("id", [*WRONG_TEXTS, ("a/b", "wrong_format")]),
        *each("type", WRONG_TEXTS),
        *each("member", WRONG_TEXTS),
        *each("occurred_at", WRONG_MOMENTS),
        *each("data", [(5, "wrong_type"), ([], "wrong_type"), ("a", "wrong_type")]),
        *each("data", [(None, "wrong_type"), ({f"f{n}": 1 for n in range(51)}, "too_long")]),
    ]
    require_all_refused(shop, "POST", "/v1/events", good, cases)


def test_each_wrong_piece_of_data_is_named(shop: Shop) -> None:
    declaring = another_program(shop.app, DECLARED)
    good = a_visit(declaring)
    required = ("amount", "steps", "shop", "is_new", "guide")
    cases = [
        *[(f"data.{name}", MISSING, "required") for name in required],
        *[case for name in required for case in each(f"data.{name}", NEVER_RIGHT)],
        ("data.stars", 5, "unknown_field"),
        ("data.Amount", 5, "unknown_field"),
        (f"data.{'x' * 41}", 5, "unknown_field"),
        *each("data.amount", [*WRONG_NUMBERS, (-1, "wrong_type"), (2**53, "wrong_type")]),
        *each("data.steps", [*WRONG_NUMBERS, (-(2**53), "wrong_type"), (10**400, "wrong_type")]),
        *each("data.is_new", [("true", "wrong_type"), (0, "wrong_type")]),
        *[case for name in ("shop", "guide", "note") for case in texts(f"data.{name}")],
    ]
    require_all_refused(declaring, "POST", "/v1/events", good, cases)
    with nothing_written(shop.app):
        # Half a surrogate pair can't be written in an answer.
        answer = send(declaring, changed(good, "data.\ud800", 5))
        problem(answer, 422, "validation_failed", "data.?")
    assert send(declaring, changed(good, "data.note", "")).status_code == 201


def texts(field: str) -> list[tuple[str, Any, str]]:
    """Values that no text of an event may have."""
    wrong = [(5, "wrong_type"), (True, "wrong_type"), ("a\x00b", "wrong_type")]
    return each(field, [*wrong, ("\ud800", "wrong_type"), ("x" * 501, "too_long")])


@pytest.mark.parametrize("name", ["dance", "order", "Sign_up", "sign-up"])
def test_a_type_that_the_program_does_not_know_is_refused(shop: Shop, name: str) -> None:
    event = shop.an_event(shop.a_member(), name)
    with nothing_written(shop.app):
        told = problem(send(shop, event), 422, "validation_failed", "type")
    assert [fault["code"] for fault in told["errors"]] == ["not_a_choice"]
    assert "sign_up" in told["detail"]


def test_several_faults_of_the_data_are_named_at_once(shop: Shop) -> None:
    event = shop.an_event(shop.a_member(), "referral", data={"friend": "ana", "stars": 5})
    with nothing_written(shop.app):
        told = problem(send(shop, event), 422, "validation_failed", "data.referrer")
    found = [(fault["param"], fault["code"]) for fault in told["errors"]]
    unknown = [(f"data.{name}", "unknown_field") for name in ("friend", "stars")]
    assert found == [("data.referrer", "required"), *unknown]


def test_nobody_refers_themselves(shop: Shop) -> None:
    member = shop.a_member(external_id="ana")
    for ref in (member, "ext:ana"):
        with nothing_written(shop.app, except_keys=True):
            answer = send(shop, shop.an_event(member, "referral", data={"referrer": ref}))
            told = problem(answer, 409, "self_referral", "data.referrer")
        assert told["customer_message"]


def test_an_unknown_or_foreign_member_is_named_wherever_one_stands(shop: Shop) -> None:
    foreign = another_program(shop.app).a_member()
    with nothing_written(shop.app, except_keys=True):
        for ref in ("mem_nobody", "ext:nobody", "nobody", foreign):
            answer = send(shop, shop.an_event(ref))
            problem(answer, 404, "member_not_found", "member")
    member = shop.a_member()
    with nothing_written(shop.app, except_keys=True):
        for ref in ("mem_nobody", "ext:nobody", "nobody", foreign):
            answer = send(shop, shop.an_event(member, "referral", data={"referrer": ref}))
            problem(answer, 404, "member_not_found", "data.referrer")


def test_an_event_from_the_future_or_too_long_ago_is_refused(shop: Shop) -> None:
    member, now = shop.a_member(), shop.now()
    with nothing_written(shop.app):
        for occurred_at, code in (
            (now + timedelta(minutes=5), "event_in_future"),
            (now - timedelta(days=30, minutes=5), "event_too_late"),
        ):
            answer = send(shop, shop.an_event(member, occurred_at=occurred_at))
            problem(answer, 422, code, "occurred_at")
    shop.event(member, occurred_at=now - timedelta(days=29))


def test_a_closed_member_earns_by_no_event_and_a_suspended_one_does(shop: Shop) -> None:
    closed, suspended = shop.a_member(), shop.a_member()
    for member, status in ((closed, "closed"), (suspended, "suspended")):
        shop.call("PATCH", f"/v1/members/{member}", {"status": status})
    with nothing_written(shop.app, except_keys=True):
        problem(send(shop, shop.an_event(closed)), 409, "member_closed", "member")
    assert shop.event(suspended)["points_earned"] == 50


def test_the_same_event_under_a_new_key_is_200_with_what_was_recorded(shop: Shop) -> None:
    member = shop.a_member(external_id="ana")
    event = shop.an_event(member)
    first = send(shop, event)
    said = {**event, "member": "ext:ana", "data": {}}
    said["occurred_at"] = event["occurred_at"].replace("Z", "+00:00")
    with nothing_written(shop.app, except_keys=True):
        again = [send(shop, event), send(shop, said)]
    assert (first.status_code, [answer.status_code for answer in again]) == (201, [200, 200])
    assert {answer.json["transaction"] for answer in again} == {first.json["transaction"]}
    assert shop.available(member) == 50


def test_the_same_event_by_another_name_of_the_other_member_is_the_same_event(shop: Shop) -> None:
    ana, ben = shop.a_member(external_id="ana"), shop.a_member()
    event = shop.an_event(shop.a_member(), "referral", data={"referrer": "ext:ana"})
    shop.post("/v1/events", event)
    with nothing_written(shop.app, except_keys=True):
        assert send(shop, changed(event, "data.referrer", ana)).status_code == 200
        other = changed(event, "data.referrer", ben)
        told = problem(send(shop, other), 409, "event_conflict", "id")
    assert "differs now in data." in told["detail"]


def test_an_event_id_taken_by_other_content_names_the_event(shop: Shop) -> None:
    event = shop.an_event(shop.a_member(), "review", data={"stars": 5})
    recorded = shop.post("/v1/events", event)
    earlier = moment(shop.now() - timedelta(hours=1))
    for field, value in (
        ("member", shop.a_member()),
        ("occurred_at", earlier),
        ("data.stars", 4),
        ("data", {}),
    ):
        with nothing_written(shop.app, except_keys=True):
            answer = send(shop, changed(event, field, value))
            told = problem(answer, 409, "event_conflict", "id")
        assert event["id"] in told["detail"] and recorded["transaction"] in told["detail"]


def test_an_unknown_or_foreign_event_is_404(shop: Shop) -> None:
    other = another_program(shop.app)
    theirs = other.event(other.a_member())["id"]
    for event_id in ("nobody", "ü", theirs):
        problem(shop.call("GET", f"/v1/events/{event_id}"), 404, "event_not_found", "id")


def test_an_event_is_in_the_history_with_a_sentence(shop: Shop) -> None:
    member = shop.a_member()
    made = shop.event(member)
    waiting = shop.event(member, "referral", data={"referrer": shop.a_member()})
    assert (made["status"], waiting["status"]) == ("recorded", "waiting")
    rows = shop.get(f"/v1/members/{member}/transactions")["data"]
    ours = {row["id"]: row["summary"] for row in rows}
    assert ours[made["transaction"]] and ours[waiting["transaction"]]
