"""Above one person's limits a second person says yes: once, in time, and never for oneself."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update
from werkzeug.test import TestResponse

from loyalty_service import db
from loyalty_service.domain import access, audit, counters
from loyalty_service.domain.approvals import Approval
from loyalty_service.domain.counters import Allotment
from tests.api.contract import another_program, nothing_written, problem, program_text
from tests.conftest import differences
from tests.shop import Shop

ASKED = 600
AGENT_LIMITS = "agent: {per_grant: 500, per_month: 5000}"
MANAGER_LIMITS = "manager: {per_grant: 5000, per_month: 50000}"


def ask(shop: Shop, member: str, points: int = ASKED, who: str = "agent", **more: Any) -> Any:
    """A gift that needs a second person; the approval."""
    made = shop.give(member, points, who=who, **more)
    assert (made["object"], made["status"]) == ("approval", "pending")
    return made


def approve(shop: Shop, approval: Any, who: str = "manager", **more: Any) -> TestResponse:
    return shop.call("POST", f"/v1/approvals/{approval['id']}/approve", {}, who=who, **more)


def reject(shop: Shop, approval: Any, who: str = "manager", why: str = "Too much.") -> TestResponse:
    path = f"/v1/approvals/{approval['id']}/reject"
    return shop.call("POST", path, {"reason": why}, who=who)


def read(shop: Shop, approval: Any, who: str = "agent") -> Any:
    return shop.get(f"/v1/approvals/{approval['id']}", who=who)


def a_person(shop: Shop, person: str, role: str, *, scope: str = "staff") -> str:
    """A key of its own for a person; by which name the shop calls with it."""
    name = f"{scope} key of {person} {len(shop.keys)}"
    with shop.app.app_context():
        made = db.transaction(
            lambda session: access.create_client(
                session, shop.program_id, name=name, scope=scope, person=person, role=role
            )
        )
    shop.keys[name] = made.token
    return name


def used(shop: Shop, beginning: str) -> int:
    """What is used of the counters whose names begin so."""
    with shop.app.app_context():
        return db.read(
            lambda session: sum(
                row.used
                for row in session.query(counters.Counter)
                if row.program_id == shop.program_id and row.name.startswith(beginning)
            )
        )


# Asking.


@pytest.mark.parametrize("points", [501, -501, 5000])
def test_above_an_agents_limit_nothing_moves_until_it_is_approved(shop: Shop, points: int) -> None:
    member = shop.a_member(points=1000)
    body = {"member": member, "points": points, "reason": "damaged_item", "note": "Broken twice."}
    answer = shop.call("POST", "/v1/adjustments", body, who="agent")
    assert answer.status_code == 202
    asked = answer.json
    assert (asked["object"], asked["status"], asked["member"]) == ("approval", "pending", member)
    assert asked["asked"] == {"kind": "adjustment", "points": points, "reason": "damaged_item"}
    assert (asked["requested_by"], asked["requested_role"]) == ("ana@shop.example", "agent")
    assert (asked["decided_by"], asked["made"], asked["transaction"]) == (None, None, None)
    assert shop.available(member) == 1000
    done = approve(shop, asked).json
    assert (done["status"], done["decided_by"]) == ("approved", "mia@shop.example")
    assert shop.available(member) == 1000 + points


def test_above_an_agents_month_a_small_gift_is_asked_for(shop: Shop) -> None:
    member = shop.a_member()
    for _ in range(10):
        shop.give(member, 500, who="agent")
    assert approve(shop, ask(shop, member, 1)).status_code == 200
    assert shop.available(member) == 5001


def test_above_what_anybody_may_approve_is_refused_and_says_so(shop: Shop) -> None:
    member = shop.a_member(points=10000)
    for who in ("agent", "manager"):
        for points in (5001, -5001, 10**12):
            body = {"member": member, "points": points, "reason": "correction"}
            with nothing_written(shop.app, except_keys=True):
                answer = shop.call("POST", "/v1/adjustments", body, who=who)
            told = problem(answer, 403, "limit_exceeded", "points")
            assert "above the 5000 that anybody may approve" in told["detail"]


def test_where_no_role_approves_the_limit_is_refused_as_ever(shop: Shop) -> None:
    shop.apply(program_text((f"\n    {MANAGER_LIMITS}", "")))
    body = {"member": shop.a_member(), "points": ASKED, "reason": "correction"}
    answer = shop.call("POST", "/v1/adjustments", body, who="agent")
    assert "role agent" in problem(answer, 403, "limit_exceeded", "points")["detail"]


def test_what_could_not_be_given_is_not_asked_for_either(shop: Shop) -> None:
    member = shop.a_member(points=100)
    with nothing_written(shop.app, except_keys=True):
        for body, status, code in (
            ({"points": -ASKED, "reason": "correction"}, 409, "insufficient_points"),
            ({"points": ASKED, "reason": "because"}, 422, "reason_not_known"),
            ({"points": ASKED, "reason": "correction", "member": "mem_no"}, 404, None),
        ):
            answer = shop.call("POST", "/v1/adjustments", {"member": member, **body}, who="agent")
            problem(answer, status, code or "member_not_found")


def test_requests_of_a_month_never_ask_for_more_than_an_approver_may_give(shop: Shop) -> None:
    members = [shop.a_member() for _ in range(10)]
    first = ask(shop, members[0], 5000)
    for index, member in enumerate(members[1:]):
        ask(shop, member, 5000, who="agent" if index % 2 else "other_agent")
    body = {"member": members[0], "points": 501, "reason": "correction"}
    answer = shop.call("POST", "/v1/adjustments", body, who="other_agent")
    assert (
        "above the 0 that may still be asked for"
        in problem(answer, 403, "limit_exceeded")["detail"]
    )
    assert reject(shop, first).status_code == 200
    ask(shop, members[0], 5000, who="other_agent")


# Deciding.


def test_whoever_approves_pays_from_a_month_of_their_own(shop: Shop) -> None:
    mine, asked = shop.a_member(), ask(shop, shop.a_member(), 5000)
    for _ in range(9):
        shop.give(mine, 5000, who="manager")
    shop.give(mine, 1, who="manager")
    with nothing_written(shop.app, except_keys=True):
        told = problem(approve(shop, asked), 403, "limit_exceeded", "points")
    assert "4999 are left" in told["detail"]
    assert read(shop, asked)["status"] == "pending"
    other = a_person(shop, "max@shop.example", "manager")
    assert approve(shop, asked, who=other).json["status"] == "approved"


def test_a_manager_asks_another_manager(shop: Shop) -> None:
    member = shop.a_member()
    for _ in range(10):
        shop.give(member, 5000, who="manager")
    asked = ask(shop, member, 200, who="manager")
    problem(approve(shop, asked), 403, "own_approval")
    other = a_person(shop, "max@shop.example", "manager")
    assert approve(shop, asked, who=other).json["status"] == "approved"


def test_an_admin_who_is_a_person_approves_without_a_limit(shop: Shop) -> None:
    asked = ask(shop, shop.a_member())
    owner = a_person(shop, "owner@shop.example", "admin", scope="admin")
    assert approve(shop, asked, who=owner).json["decided_by"] == "owner@shop.example"
    assert used(shop, "adjustments:") == 0


def test_nobody_approves_or_rejects_what_they_asked_with_whatever_key(shop: Shop) -> None:
    asked = ask(shop, shop.a_member())
    again = a_person(shop, "ana@shop.example", "agent")
    shouted = a_person(shop, "of old", "manager")
    with shop.app.app_context():
        db.transaction(lambda session: spell_as_once(session, shop.program_id))
    shop.keys["rotated"] = rotated(shop, "agent")
    for who in ("agent", again, shouted, "rotated"):
        with nothing_written(shop.app, except_keys=True):
            problem(approve(shop, asked, who=who), 403, "own_approval")
            problem(reject(shop, asked, who=who), 403, "own_approval")


def spell_as_once(session: Any, program_id: str) -> None:
    """Before one person was one row, whoever made a key could write the name in another way."""
    access.change_role(session, program_id, "ana@shop.example", "manager")
    of_old = access.find_staff(session, program_id, "of old")
    of_old.person = " ANA@Shop.example"
    session.flush()


def rotated(shop: Shop, name: str) -> str:
    def work(session: Any) -> str:
        (key_id,) = [
            key.id
            for key, client, _ in access.listed(session, shop.program_id)
            if client.name == name
        ]
        made = access.rotate(session, shop.program_id, key_id, overlap=timedelta(hours=1))
        return made.token

    with shop.app.app_context():
        return db.transaction(work)


@pytest.mark.parametrize(
    ("who", "code"),
    [
        ("other_agent", "role_may_not_approve"),
        ("admin", "approver_not_a_person"),
        ("checkout", "scope_missing"),
        ("reporting", "scope_missing"),
    ],
)
def test_who_may_not_decide_is_told_why(shop: Shop, who: str, code: str) -> None:
    asked = ask(shop, shop.a_member())
    with nothing_written(shop.app, except_keys=True):
        problem(approve(shop, asked, who=who), 403, code)
        problem(reject(shop, asked, who=who), 403, code)


def test_an_admin_key_of_an_agent_decides_nothing(shop: Shop) -> None:
    asked = ask(shop, shop.a_member())
    who = a_person(shop, "ben@shop.example", "agent", scope="admin")
    problem(approve(shop, asked, who=who), 403, "role_may_not_approve")


def test_another_programs_manager_knows_of_no_approval(shop: Shop) -> None:
    other = another_program(shop.app)
    asked = ask(shop, shop.a_member())
    with nothing_written(shop.app):
        problem(approve(other, asked), 404, "approval_not_found", "id")
        problem(reject(other, asked), 404, "approval_not_found", "id")
    assert other.get("/v1/approvals", who="manager")["data"] == []


def test_approved_twice_is_given_once(shop: Shop) -> None:
    member = shop.a_member()
    asked = ask(shop, member)
    first, second = approve(shop, asked), approve(shop, asked)
    assert (second.status_code, second.json) == (200, first.json)
    assert shop.available(member) == ASKED
    other = a_person(shop, "max@shop.example", "manager")
    assert approve(shop, asked, who=other).json["decided_by"] == "mia@shop.example"


def test_what_was_rejected_is_not_approved_nor_the_other_way(shop: Shop) -> None:
    member = shop.a_member()
    asked, wanted = ask(shop, member), ask(shop, member)
    told = reject(shop, asked, why="Ask for\nless.").json
    assert (told["status"], told["decision_reason"]) == ("rejected", "Ask for\nless.")
    problem(approve(shop, asked), 409, "approval_decided", "id")
    assert reject(shop, asked, why="Again.").json["decision_reason"] == "Ask for\nless."
    approve(shop, wanted)
    problem(reject(shop, wanted), 409, "approval_decided", "id")
    assert shop.available(member) == ASKED


def test_after_fourteen_days_nobody_decides_and_nothing_is_reserved(shop: Shop) -> None:
    member = shop.a_member()
    asked, *_ = [ask(shop, member, 5000) for _ in range(10)]
    shop.advance(days=13)
    assert read(shop, asked)["status"] == "pending"
    shop.advance(days=2)
    assert read(shop, asked)["status"] == "expired"
    with nothing_written(shop.app, except_keys=True):
        problem(approve(shop, asked), 409, "approval_expired", "id")
        problem(reject(shop, asked), 409, "approval_expired", "id")
    listed = {
        status: shop.get(f"/v1/approvals?status={status}", who="agent")["data"]
        for status in ("pending", "expired")
    }
    assert [len(rows) for rows in listed.values()] == [0, 10]
    fresh = ask(shop, member, 5000)
    assert used(shop, "approvals:") == 5000
    assert approve(shop, fresh).json["status"] == "approved"


def test_a_closed_membership_makes_it_fail_and_frees_what_was_reserved(shop: Shop) -> None:
    member = shop.a_member()
    asked = ask(shop, member)
    shop.call("PATCH", f"/v1/members/{member}", {"status": "closed"})
    told = approve(shop, asked, key="once")
    problem(told, 409, "member_closed")
    assert approve(shop, asked, key="once").data == told.data
    now = read(shop, asked)
    assert (now["status"], now["failure"]) == ("failed", "member_closed")
    assert used(shop, "approvals:") == 0
    problem(approve(shop, asked), 409, "approval_decided", "id")


def test_what_stands_is_told_of_a_member_who_left_since(shop: Shop) -> None:
    member = shop.a_member()
    asked = ask(shop, member)
    approve(shop, asked)
    shop.call("PATCH", f"/v1/members/{member}", {"status": "closed"})
    assert approve(shop, asked).json["status"] == "approved"


def test_points_spent_meanwhile_are_not_taken_but_may_be_later(shop: Shop) -> None:
    member = shop.a_member(points=ASKED)
    asked = ask(shop, member, -ASKED)
    shop.give(member, -1)
    with nothing_written(shop.app, except_keys=True):
        problem(approve(shop, asked), 409, "insufficient_points", "points")
    shop.give(member, 1)
    assert approve(shop, asked).json["status"] == "approved"
    assert shop.available(member) == 0


@pytest.mark.parametrize(
    ("edit", "status", "code"),
    [
        (("damaged_item, ", ""), 422, "reason_not_known"),
        ((MANAGER_LIMITS, "manager: {per_grant: 599, per_month: 50000}"), 403, "limit_exceeded"),
        ((f"\n    {MANAGER_LIMITS}", ""), 403, "limit_exceeded"),
    ],
)
def test_the_program_of_the_day_of_the_decision_decides(
    shop: Shop, edit: tuple[str, str], status: int, code: str
) -> None:
    asked = ask(shop, shop.a_member(), reason="damaged_item")
    shop.apply(program_text(edit))
    with nothing_written(shop.app, except_keys=True):
        problem(approve(shop, asked), status, code)
    shop.apply(program_text())
    assert approve(shop, asked).json["status"] == "approved"


# Keys, traces, words.


def test_the_key_of_the_request_tells_the_approval_as_it_stands(shop: Shop) -> None:
    member = shop.a_member()
    body = {"member": member, "points": ASKED, "reason": "correction"}
    first = shop.call("POST", "/v1/adjustments", body, who="agent", key="k")
    approve(shop, first.json)
    again = shop.call("POST", "/v1/adjustments", body, who="agent", key="k")
    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (202, "true")
    assert (again.json["id"], again.json["status"]) == (first.json["id"], "approved")
    assert shop.available(member) == ASKED


def test_staff_read_who_asked_and_who_said_yes_and_others_read_neither(shop: Shop) -> None:
    member = shop.a_member()
    asked = ask(shop, member, note="Called twice.", customer_note="Sorry!")
    done = approve(shop, asked).json
    one = shop.get(f"/v1/transactions/{done['transaction']}", who="agent")
    assert (one["actor"], one["approved_by"]) == ("ana@shop.example", "mia@shop.example")
    assert (one["note"], one["customer_note"]) == ("Called twice.", "Sorry!")
    assert one["explanation"]["approval"] == asked["id"]
    assert "with the yes of a second person" in one["summary"]
    told = str(shop.get(f"/v1/transactions/{done['transaction']}"))
    assert "@shop.example" not in told
    assert "Called twice." not in told
    report = read(shop, asked, who="reporting")
    assert (report["requested_by"], report["decided_by"], report["note"]) == (None, None, None)


def test_a_gift_that_needed_nobody_names_nobody(shop: Shop) -> None:
    given = shop.give(shop.a_member(), 10, who="agent")
    one = shop.get(f"/v1/transactions/{given['transaction']}", who="agent")
    assert one["approved_by"] is None
    assert "second person" not in one["summary"]


def test_an_undo_gives_back_what_the_approver_and_the_pool_paid(shop: Shop) -> None:
    done = approve(shop, ask(shop, shop.a_member())).json
    assert (used(shop, "approvals:"), used(shop, "adjustments:")) == (ASKED, ASKED)
    path = f"/v1/transactions/{done['transaction']}/reverse"
    shop.post(path, {"reason": "correction"}, who="manager")
    assert (used(shop, "approvals:"), used(shop, "adjustments:")) == (0, 0)


def test_approvals_are_found_by_status_and_member(shop: Shop) -> None:
    ana, ben = shop.a_member(), shop.a_member()
    waiting, other, done = ask(shop, ana), ask(shop, ben), ask(shop, ana)
    approve(shop, done)

    def found(query: str) -> list[str]:
        return [row["id"] for row in shop.get(f"/v1/approvals?{query}", who="manager")["data"]]

    assert found("") == [done["id"], other["id"], waiting["id"]]
    assert found("status=pending") == [other["id"], waiting["id"]]
    assert found(f"member={ana}&status=pending") == [waiting["id"]]
    assert found(f"member={ana}&limit=1&starting_after={done['id']}") == [waiting["id"]]


# The books.


@pytest.mark.tampered
@pytest.mark.parametrize("status", ["pending", "approved"])
def test_a_reservation_that_is_no_pending_approvals_is_found(shop: Shop, status: str) -> None:
    asked = ask(shop, shop.a_member())
    if status == "approved":
        approve(shop, asked)
    assert differences(shop.app) == []
    tamper(shop, lambda session: counters.give_back(session, shop.program_id, asked["id"]))
    tamper(shop, lambda session: reserve(session, shop, asked["id"], 7))
    tamper(shop, lambda session: reserve(session, shop, "apr_nowhere", 3))
    due = ASKED if status == "pending" else 0
    assert differences(shop.app) == [
        audit.Difference(f"approval {asked['id']}", f"is {status} and has reserved 7, not {due}"),
        audit.Difference("approval apr_nowhere", "is not there and has reserved 3"),
    ]


@pytest.mark.tampered
def test_a_yes_without_its_points_is_found(shop: Shop) -> None:
    done = approve(shop, ask(shop, shop.a_member())).json
    other = '{"points":601,"reason":"appreciation"}'
    tamper(shop, lambda session: session.execute(update(Approval).values(asked=other)))
    (found,) = differences(shop.app)
    assert found.subject == f"approval {done['id']}"
    gone = update(Approval).values(
        status="rejected", made_id=None, transaction_id=None, asked=other
    )
    tamper(shop, lambda session: session.execute(gone))
    (found,) = differences(shop.app)
    assert found.subject == f"transaction {done['transaction']}"


def tamper(shop: Shop, work: Any) -> None:
    with shop.app.app_context():
        db.transaction(work)


def reserve(session: Any, shop: Shop, cause: str, amount: int) -> None:
    assert counters.use(
        session, shop.program_id, "approvals:tampered", amount, limit=99, cause_id=cause
    )
    assert session.query(Allotment).filter_by(cause_id=cause).count()
