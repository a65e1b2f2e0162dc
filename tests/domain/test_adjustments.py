"""Points by hand: a limit a grant and a month by role, and a refusal that leaves nothing behind."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import func, select

from loyalty_service import clock, db
from loyalty_service.domain import access, adjustments, ledger
from loyalty_service.domain.counters import Allotment, Counter
from loyalty_service.domain.ledger import Transaction
from tests.shop import DEFAULT_PROGRAM, Shop

# Above an agent's limits nobody says yes: the answer is a refusal.
NOBODY_APPROVES = re.sub(r"\n    manager: .*", "", DEFAULT_PROGRAM)


def ask(shop: Shop, member: str, points: int, who: str, **more: Any) -> tuple[int, str | None]:
    """The status of a gift and, where it is not given, the refusal's code or `pending`."""
    body = {"member": member, "points": points, "reason": "appreciation", **more}
    answer = shop.call("POST", "/v1/adjustments", body, who=who)
    if answer.status_code == 201:
        return 201, None
    return answer.status_code, answer.json.get("code") or answer.json["status"]


def fill(shop: Shop, who: str, points: int, times: int) -> None:
    """Give the same gift some times to fresh members."""
    for _ in range(times):
        shop.give(shop.a_member(), points, who=who)


def test_a_gift_is_there_at_once_and_tells_the_balance(shop: Shop) -> None:
    member = shop.a_member()
    given = shop.give(member, 120, who="agent")
    assert (given["points"], given["balance"]["available"]) == (120, 120)
    assert given["balance"]["lifetime_earned"] == 0
    assert given["transaction"].startswith("ltx_")


def test_a_debit_takes_what_expires_soonest(shop: Shop) -> None:
    member = shop.a_member(points=100)
    shop.advance(days=100)
    shop.give(member, 50)
    taken = shop.give(member, -120)
    postings = shop.get(f"/v1/transactions/{taken['transaction']}")["postings"]
    assert [posting["points"] for posting in postings] == [100, 20]
    assert shop.available(member) == 30


def test_a_debit_above_what_is_available_is_refused(shop: Shop) -> None:
    member = shop.a_member(points=100)
    shop.order(member, 50000)
    assert ask(shop, member, -101, "admin") == (409, "insufficient_points")
    assert ask(shop, member, -100, "admin") == (201, None)


@pytest.mark.parametrize(("who", "limit"), [("agent", 500), ("manager", 5000)])
@pytest.mark.parametrize("sign", [1, -1], ids=["credit", "debit"])
def test_a_grant_is_limited_by_role_credit_and_debit_alike(
    shop: Shop, who: str, limit: int, sign: int
) -> None:
    member = shop.a_member(points=10000)
    above = (202, "pending") if who == "agent" else (403, "limit_exceeded")
    assert ask(shop, member, sign * (limit + 1), who) == above
    assert shop.available(member) == 10000
    assert ask(shop, member, sign * limit, who) == (201, None)
    assert shop.available(member) == 10000 + sign * limit


def test_an_admin_key_has_no_limit(shop: Shop) -> None:
    assert ask(shop, shop.a_member(), 10**12, "admin") == (201, None)


def test_a_month_is_limited_to_the_last_point(shop: Shop) -> None:
    fill(shop, "agent", 499, times=10)
    member = shop.a_member(points=100)
    assert ask(shop, member, 11, "agent") == (202, "pending")
    assert ask(shop, member, 10, "agent") == (201, None)
    assert ask(shop, member, 1, "agent") == (202, "pending")
    assert ask(shop, member, -1, "agent") == (202, "pending")
    assert shop.available(member) == 110


def test_a_refusal_says_how_much_of_the_month_is_left(shop: Shop) -> None:
    shop.apply(NOBODY_APPROVES)
    fill(shop, "agent", 490, times=10)
    body = {"member": shop.a_member(), "points": 200, "reason": "appreciation"}
    problem = shop.call("POST", "/v1/adjustments", body, who="agent").json
    assert "100 are left" in problem["detail"]
    assert problem["param"] == "points"


def test_each_person_has_a_month_of_their_own(shop: Shop) -> None:
    fill(shop, "agent", 500, times=10)
    member = shop.a_member()
    assert ask(shop, member, 1, "agent") == (202, "pending")
    assert ask(shop, member, 500, "other_agent") == (201, None)
    assert ask(shop, member, 500, "manager") == (201, None)


def test_one_person_has_one_month_however_many_keys(shop: Shop) -> None:
    fill(shop, "agent", 500, times=10)
    with shop.app.app_context():
        key = db.transaction(
            lambda session: access.create_client(
                session,
                shop.program_id,
                name="ana's other till",
                scope="staff",
                person="ana@shop.example",
                role="agent",
            )
        )
    shop.keys["ana again"] = key.token
    assert ask(shop, shop.a_member(), 1, "ana again") == (202, "pending")


def test_the_month_is_the_programs_not_utcs(shop: Shop) -> None:
    # In Berlin it is January already, in UTC not yet.
    december = datetime(2026, 12, 31, 22, 59, tzinfo=UTC)
    january = datetime(2026, 12, 31, 23, 0, tzinfo=UTC)
    member = shop.a_member()
    with clock.stopped_at(december):
        fill(shop, "agent", 500, times=10)
        assert ask(shop, member, 1, "agent") == (202, "pending")
    with clock.stopped_at(january):
        assert ask(shop, member, 500, "agent") == (201, None)


@pytest.mark.parametrize(
    ("points", "who", "reason", "code"),
    [
        (5001, "agent", "appreciation", "limit_exceeded"),
        (-101, "admin", "appreciation", "insufficient_points"),
        (100, "admin", "because", "reason_not_known"),
    ],
)
def test_a_refusal_leaves_nothing_behind(
    shop: Shop, points: int, who: str, reason: str, code: str
) -> None:
    member = shop.a_member(points=100)
    before = rows(shop)
    assert ask(shop, member, points, who, reason=reason)[1] == code
    assert rows(shop) == before


def test_a_month_that_is_full_leaves_nothing_behind(shop: Shop) -> None:
    shop.apply(NOBODY_APPROVES)
    fill(shop, "agent", 500, times=10)
    member = shop.a_member()
    before = rows(shop)
    assert ask(shop, member, 5, "agent")[1] == "limit_exceeded"
    assert rows(shop) == before
    assert shop.get(f"/v1/members/{member}/transactions")["data"] == []


def test_a_refusal_is_answered_again_under_its_key(shop: Shop) -> None:
    member = shop.a_member()
    body = {"member": member, "points": -5, "reason": "appreciation"}
    first = shop.call("POST", "/v1/adjustments", body, who="admin", key="a-till")
    shop.give(member, 100)
    again = shop.call("POST", "/v1/adjustments", body, who="admin", key="a-till")
    assert (again.status_code, again.json["code"]) == (409, "insufficient_points")
    assert (first.status_code, again.headers["Idempotent-Replayed"]) == (409, "true")
    assert shop.available(member) == 100


def test_notes_live_beside_the_ledger_and_not_in_it(shop: Shop) -> None:
    member = shop.a_member()
    given = shop.give(member, 10, note="called twice, upset", customer_note="Sorry, Mia!")
    with shop.app.app_context():
        context = db.read(
            lambda session: (
                ledger.require_transaction(session, shop.program_id, given["transaction"]).context
            )
        )
    assert "upset" not in context
    assert "Mia" not in context
    assert (given["note"], given["customer_note"]) == ("called twice, upset", "Sorry, Mia!")


def test_a_closed_member_is_given_nothing(shop: Shop) -> None:
    member = shop.a_member(points=10)
    shop.call("PATCH", f"/v1/members/{member}", {"status": "closed"})
    assert ask(shop, member, 10, "admin") == (409, "member_closed")


def test_a_suspended_member_may_still_be_given_points(shop: Shop) -> None:
    member = shop.a_member()
    shop.call("PATCH", f"/v1/members/{member}", {"status": "suspended"})
    assert ask(shop, member, 10, "admin") == (201, None)


def rows(shop: Shop) -> list[int]:
    """How many rows the ledger, adjustments and counters have."""
    kinds = (Transaction.id, adjustments.Adjustment.id, Allotment.id, Counter.name)
    with shop.app.app_context():
        return db.read(
            lambda session: [session.scalar(select(func.count(kind))) or 0 for kind in kinds]
        )
