"""What a member did makes a thank-you due: once for its cause, and never lost with its fact."""

from functools import partial
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from loyalty_service import db
from loyalty_service.domain import counters, ledger
from loyalty_service.domain.discounts import considering
from loyalty_service.domain.discounts.promising import CONSIDER_THANKS
from loyalty_service.domain.jobs import Job
from loyalty_service.domain.ledger import Transaction
from tests.domain.discounts.offers import BY_FACTS, this_month, with_only
from tests.shop import Shop


@pytest.fixture
def shop(app: Flask) -> Shop:
    """A shop that thanks for tiers, orders and complaints."""
    return Shop.open(app, with_only(BY_FACTS))


def test_a_tier_that_is_reached_is_thanked_for(shop: Shop) -> None:
    member = shop.a_member()
    shop.order(member, 50000)
    assert given(shop, member) == []
    shop.work()
    (thanks,) = given(shop, member)
    assert (thanks["offer"], thanks["status"]) == ("platinum", "issued")
    assert thanks["summary"] == "Welcome to Platinum, for reaching Platinum."
    assert thanks["gives"] == "a brush"


def test_a_tier_that_is_passed_on_the_way_up_is_thanked_for(shop: Shop) -> None:
    member = shop.a_member()
    shop.order(member, 150000)
    shop.work()
    assert offers(shop, member) == ["platinum"]


def test_a_tier_that_is_kept_is_thanked_for_once(shop: Shop) -> None:
    member = shop.a_member()
    shop.order(member, 50000)
    shop.order(member, 80000)
    shop.work()
    shop.work()
    assert offers(shop, member) == ["platinum"]


def test_down_and_up_again_in_a_period_is_thanked_for_once(shop: Shop) -> None:
    member = shop.a_member()
    order = shop.order(member, 50000)
    shop.work()
    shop.refund(order["id"], amount=50000)
    assert shop.get(f"/v1/members/{member}")["tier"]["id"] == "member"
    shop.order(member, 60000)
    assert shop.get(f"/v1/members/{member}")["tier"]["id"] == "platinum"
    shop.work()
    assert offers(shop, member) == ["platinum"]


def test_a_fall_promises_nothing(shop: Shop) -> None:
    member = shop.a_member()
    order = shop.order(member, 50000)
    shop.work()
    shop.refund(order["id"], amount=50000)
    assert shop.get(f"/v1/members/{member}")["tier"]["id"] == "member"
    assert shop.work() == 0


def test_up_again_in_another_period_is_thanked_for_again(shop: Shop) -> None:
    member = shop.a_member()
    shop.order(member, 50000)
    shop.work()
    shop.advance(days=3 * 366)
    shop.order(member, 50000)
    shop.work()
    assert offers(shop, member) == ["platinum", "platinum"]
    causes = {row["created_at"][:4] for row in given(shop, member)}
    assert len(causes) == 2


def test_a_tier_that_is_gone_before_anybody_looked_is_thanked_for_when_it_is_back(
    shop: Shop,
) -> None:
    member = shop.a_member()
    order = shop.order(member, 50000)
    shop.refund(order["id"], amount=50000)
    shop.work()
    assert offers(shop, member) == []
    shop.order(member, 60000)
    shop.work()
    assert offers(shop, member) == ["platinum"]


def test_the_order_of_a_number_is_thanked_for_once(shop: Shop) -> None:
    member = shop.a_member()
    for _ in range(5):
        shop.order(member, 1000)
    while shop.work():
        pass
    (thanks,) = given(shop, member)
    assert (thanks["offer"], thanks["summary"]) == (
        "third",
        "Your third order, for your order number 3.",
    )


def test_of_a_long_life_only_as_many_orders_are_counted_as_matter(shop: Shop) -> None:
    member = shop.a_member()
    for _ in range(5):
        shop.order(member, 1000)

    def count(session: Session, most: int) -> int:
        book = ledger.open_book(session, shop.program_id, member)
        newest = select(Transaction).order_by(Transaction.sequence.desc()).limit(1)
        return considering._number_of(book, session.scalars(newest).one(), most)

    with shop.app.app_context():
        assert [db.transaction(partial(count, most=most)) for most in (4, 9)] == [4, 5]


def test_an_order_that_was_cancelled_before_anybody_looked_has_no_number(app: Flask) -> None:
    shop = Shop.open(app, with_only("  - {id: tea, name: A tea, trigger: staff, type: custom}"))
    member = shop.a_member()
    for _ in range(3):
        shop.order(member, 1000)
    shop.apply(with_only(BY_FACTS))
    fourth = shop.order(member, 1000)
    shop.post(f"/v1/orders/{fourth['id']}/cancel", {})
    shop.work()
    assert offers(shop, member) == []


def test_a_cancelled_order_leaves_its_number_to_the_next(shop: Shop) -> None:
    member = shop.a_member()
    shop.order(member, 1000)
    second = shop.order(member, 1000)
    shop.post(f"/v1/orders/{second['id']}/cancel", {})
    shop.order(member, 1000)
    shop.work()
    assert offers(shop, member) == []
    third = shop.order(member, 1000)
    shop.work()
    shop.post(f"/v1/orders/{third['id']}/cancel", {})
    shop.order(member, 1000)
    shop.work()
    assert offers(shop, member) == ["third"]


@pytest.mark.parametrize(("score", "expected"), [(0, ["ears"]), (2, ["ears"]), (3, [])])
def test_who_is_not_happy_gets_something(shop: Shop, score: int, expected: list[str]) -> None:
    member = shop.a_member()
    shop.event(member, "feedback", data={"score": score})
    shop.work()
    assert offers(shop, member) == expected


def test_who_complains_again_gets_the_next_one_after_the_cooldown(shop: Shop) -> None:
    member = shop.a_member()
    for days in (0, 30, 60):
        shop.advance(days=days)
        shop.event(member, "feedback", data={"score": 1})
        shop.work()
    seen = [(one["status"], one["failure"]) for one in given(shop, member, who="agent")]
    assert seen == [("issued", None), ("withheld", "offer_given_lately"), ("issued", None)]
    assert offers(shop, member) == ["ears", "ears"]


def test_an_event_of_another_type_is_no_complaint(shop: Shop) -> None:
    member = shop.a_member()
    shop.event(member, "review", data={"stars": 1})
    shop.work()
    assert promises(shop) == 0
    assert offers(shop, member) == []


@pytest.mark.parametrize("status", ["closed", "suspended"])
def test_who_is_closed_or_suspended_when_it_is_due_gets_none(shop: Shop, status: str) -> None:
    member = shop.a_member()
    shop.order(member, 50000)
    shop.call("PATCH", f"/v1/members/{member}", {"status": status})
    shop.work()
    assert given(shop, member, who="agent") == []


def test_a_fact_that_waited_too_long_is_not_thanked_for_any_more(shop: Shop) -> None:
    member = shop.a_member()
    shop.order(member, 50000)
    shop.advance(days=31)
    shop.work()
    assert given(shop, member, who="agent") == []


def test_the_offers_of_the_day_decide_and_not_those_of_the_worker(shop: Shop) -> None:
    member = shop.a_member()
    shop.order(member, 50000)
    shop.apply(with_only(BY_FACTS.replace("Welcome to Platinum", "Another name")))
    shop.work()
    assert [one["name"] for one in given(shop, member)] == ["Welcome to Platinum"]


def test_what_is_done_twice_is_given_once(shop: Shop) -> None:
    member = shop.a_member()
    shop.order(member, 50000)
    shop.work()
    with shop.app.app_context():
        db.transaction(
            lambda session: [setattr(job, "status", "due") for job in session.scalars(select(Job))]
        )
    shop.work()
    assert offers(shop, member) == ["platinum"]


def test_a_program_without_such_offers_promises_nothing(app: Flask) -> None:
    shop = Shop.open(app, with_only("  - {id: tea, name: A tea, trigger: staff, type: custom}"))
    member = shop.a_member()
    shop.order(member, 50000)
    shop.event(member, "feedback", data={"score": 0})
    assert promises(shop) == 0


def test_an_exhausted_budget_is_noted_for_staff_and_hidden_from_the_checkout(app: Flask) -> None:
    limited = BY_FACTS.replace("gives: a brush", "gives: a brush\n    budget: {month_count: 1}")
    shop = Shop.open(app, with_only(limited))
    first, second = shop.a_member(), shop.a_member()
    for member in (first, second):
        shop.order(member, 50000)
        shop.work()
    assert offers(shop, first) == ["platinum"]
    assert given(shop, second) == []
    (noted,) = given(shop, second, who="agent")
    assert (noted["status"], noted["failure"], noted["code"]) == (
        "withheld",
        "budget_exceeded",
        None,
    )
    assert noted["summary"] == "Welcome to Platinum was not given: the month's budget was used up."
    path = f"/v1/discounts/{noted['id']}"
    assert shop.call("GET", path).status_code == 404
    assert shop.get(path, who="agent") == noted
    refused = shop.call("POST", f"{path}/cancel", {}, who="agent")
    assert (refused.status_code, refused.json["code"]) == (409, "discount_final")
    assert [one["id"] for one in shop.get("/v1/discounts?status=withheld", "agent")["data"]] == [
        noted["id"]
    ]


def test_what_one_budget_refuses_costs_the_other_nothing(app: Flask) -> None:
    both = BY_FACTS.replace(
        "type: custom\n    gives: a brush",
        "type: amount_off\n    amount_off: 7.00\n    settlement: app_applied\n"
        "    budget: {month: 10.00, month_count: 5}",
    )
    shop = Shop.open(app, with_only(both))
    for _ in range(3):
        shop.order(shop.a_member(), 50000)
        shop.work()
    seen = [one["status"] for one in shop.get("/v1/discounts", who="agent")["data"]]
    assert seen == ["withheld", "withheld", "issued"]
    with shop.app.app_context():
        used = db.read(
            lambda session: counters.used(
                session, shop.program_id, f"offer:platinum:{this_month(shop)}:count"
            )
        )
    assert used == 1


def given(shop: Shop, member: str, who: str = "checkout") -> Any:
    """A member's thanks, oldest first."""
    return shop.get(f"/v1/discounts?member={member}", who=who)["data"][::-1]


def offers(shop: Shop, member: str) -> list[str]:
    return [one["offer"] for one in given(shop, member)]


def promises(shop: Shop) -> int:
    """How many facts somebody has to look at, or had."""
    with shop.app.app_context():
        found = db.read(
            lambda session: session.scalars(select(Job.id).where(Job.kind == CONSIDER_THANKS)).all()
        )
    return len(found)
