"""Twenty callers at once, asking, deciding and giving: no limit is passed by a point."""

from collections import Counter
from typing import Any

import pytest
from sqlalchemy import select

from loyalty_service import db
from loyalty_service.domain.adjustments import Adjustment
from loyalty_service.domain.counters import Counter as Used
from tests.domain.test_approvals import a_person, approve, ask, reject, used
from tests.shop import Shop
from tests.stripe_control import together

CALLERS = 20
AGENTS_MONTH, MANAGERS_MONTH, POOL = 5000, 50000, 50000


@pytest.fixture(params=["postgresql"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_requests_at_once_reserve_the_pool_to_the_last_point(shop: Shop) -> None:
    members = [shop.a_member() for _ in range(CALLERS)]

    def act(index: int) -> int:
        body = {"member": members[index], "points": 4999, "reason": "correction"}
        who = "agent" if index % 2 else "other_agent"
        return shop.call("POST", "/v1/adjustments", body, who=who).status_code

    assert Counter(together(CALLERS, act)) == {202: 10, 403: 10}
    assert used(shop, "approvals:") == 49990


def test_requests_for_one_member_at_once_reserve_no_more(shop: Shop) -> None:
    member = shop.a_member()
    body = {"member": member, "points": 4999, "reason": "correction"}

    def act(_index: int) -> int:
        return shop.call("POST", "/v1/adjustments", body, who="agent").status_code

    assert Counter(together(CALLERS, act)) == {202: 10, 403: 10}


def test_one_approval_decided_by_all_at_once_has_one_effect(shop: Shop) -> None:
    member = shop.a_member()
    asked = ask(shop, member, 600)
    other = a_person(shop, "max@shop.example", "manager")
    answers = together(CALLERS, lambda index: approve(shop, asked, ("manager", other)[index % 2]))
    assert {(answer.status_code, answer.data) for answer in answers} == {(200, answers[0].data)}
    assert shop.available(member) == 600
    assert used(shop, "adjustments:") == 600


def test_yes_and_no_at_once_are_one_of_them(shop: Shop) -> None:
    for _ in range(5):
        member = shop.a_member()
        asked = ask(shop, member, 600)
        other = a_person(shop, "max@shop.example", "manager")

        def act(index: int, asked: Any = asked, other: str = other) -> tuple[int, str]:
            verb, who = ((approve, "manager"), (reject, other))[index % 2]
            answer = verb(shop, asked, who)
            return answer.status_code, answer.json.get("status")

        said = Counter(together(CALLERS, act))
        status = shop.get(f"/v1/approvals/{asked['id']}", who="agent")["status"]
        assert said == {(200, status): CALLERS // 2, (409, 409): CALLERS // 2}
        assert shop.available(member) == (600 if status == "approved" else 0)


@pytest.mark.slow
def test_whatever_staff_do_at_once_no_limit_is_passed_by_a_point(shop: Shop) -> None:
    """Agents ask and give, managers give and decide, all on a few members' accounts."""
    members = [shop.a_member() for _ in range(6)]
    shop.keys["max"] = shop.keys[a_person(shop, "max@shop.example", "manager")]
    refused: Counter[str] = Counter()

    def give(who: str, member: str, points: int) -> None:
        body = {"member": member, "points": points, "reason": "correction"}
        count(shop.call("POST", "/v1/adjustments", body, who=who))

    def decide(who: str, turn: int) -> None:
        waiting = shop.get("/v1/approvals?status=pending&limit=3", who=who)["data"]
        for one in waiting:
            count(reject(shop, one, who) if turn % 5 == 0 else approve(shop, one, who))

    def count(answer: Any) -> None:
        assert answer.status_code < 500, answer.text
        refused[str(answer.json.get("code"))] += answer.status_code >= 400

    def act(index: int) -> None:
        for turn in range(12):
            member = members[(index + turn) % len(members)]
            if index % 2 == 0:
                give(("agent", "other_agent")[index % 4 // 2], member, 4321 if turn % 3 else 400)
            elif turn % 4 == 0:
                give(("manager", "max")[index % 4 // 2], member, 4999)
            else:
                decide(("manager", "max")[index % 4 // 2], turn)

    together(CALLERS, act)
    assert refused["limit_exceeded"] > 0, "nobody came near a limit: nothing is proved"
    require_within_limits(shop)


def require_within_limits(shop: Shop) -> None:
    """By the counters, and by what was really given, whoever answers for it."""
    with shop.app.app_context():
        counters, given = db.read(
            lambda session: (
                {row.name: row.used for row in session.scalars(select(Used))},
                [row.points for row in session.scalars(select(Adjustment))],
            )
        )
    limits = sorted(counters.items())
    pool = sum(points for name, points in limits if name.startswith("approvals:"))
    months = [points for name, points in limits if name.startswith("adjustments:")]
    assert pool <= POOL
    assert len(months) == 4
    assert max(months) <= MANAGERS_MONTH
    assert sorted(months)[1] <= AGENTS_MONTH
    assert sum(given) == sum(months) <= 2 * AGENTS_MONTH + 2 * MANAGERS_MONTH
