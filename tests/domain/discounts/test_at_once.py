"""Many callers at once, each committing for real: no budget is exceeded by a cent, no cause given
for twice."""

from collections import Counter
from functools import partial
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from loyalty_service import db, worker
from loyalty_service.domain import discounts
from loyalty_service.domain.access import Principal
from loyalty_service.domain.discounts import Discount, Wish
from loyalty_service.errors import BudgetExceeded, LoyaltyError, OfferGivenLately
from tests.domain.discounts.offers import BY_FACTS, BY_THE_CLOCK, budget_left, with_only
from tests.shop import Shop
from tests.stripe_control import StripeControl, together

pytestmark = pytest.mark.slow

CALLERS = 20
LIMITED = """\
  - id: off
    name: Seven off
    trigger: staff
    type: amount_off
    amount_off: 7.00
    settlement: app_applied
    budget: {month: 50.00, month_count: 9}
  - id: rare
    name: Now and then
    trigger: staff
    type: custom
    gives: a cake
    cooldown: {days: 30}
"""


def test_a_budget_is_never_exceeded_by_a_cent(app: Flask) -> None:
    shop = Shop.open(app, with_only(LIMITED))
    members = [shop.a_member() for _ in range(CALLERS)]
    seen = together(CALLERS, lambda index: attempt(shop, members[index]))
    assert Counter(seen) == {None: 7, BudgetExceeded: 13}
    assert (budget_left(shop, "off"), count(shop)) == (100, 7)


def test_a_budget_is_never_exceeded_for_one_member(app: Flask) -> None:
    shop = Shop.open(app, with_only(LIMITED))
    member = shop.a_member()
    seen = together(CALLERS, lambda _: attempt(shop, member))
    assert Counter(seen) == {None: 7, BudgetExceeded: 13}
    assert budget_left(shop, "off") == 100


def test_the_smaller_of_two_budgets_binds(app: Flask) -> None:
    shop = Shop.open(app, with_only(LIMITED.replace("50.00", "5000.00")))
    members = [shop.a_member() for _ in range(CALLERS)]
    seen = together(CALLERS, lambda index: attempt(shop, members[index]))
    assert Counter(seen) == {None: 9, BudgetExceeded: 11}
    assert budget_left(shop, "off") == 500000 - 9 * 700


def test_a_budget_that_gets_something_back_meanwhile_is_still_kept(app: Flask) -> None:
    shop = Shop.open(app, with_only(LIMITED))
    members = [shop.a_member() for _ in range(CALLERS)]
    given = [made(shop, member) for member in members[:4]]

    def act(index: int) -> type[LoyaltyError] | None:
        if index < len(given):
            cancel(shop, given[index])
            return None
        return attempt(shop, members[index])

    seen = together(CALLERS, act)
    refused = Counter(seen)[BudgetExceeded]
    alive = CALLERS - refused - len(given)
    assert 3 <= alive <= 7
    assert budget_left(shop, "off") == 5000 - 700 * alive


def test_twenty_callers_over_http_share_a_budget(app: Flask) -> None:
    shop = Shop.open(app, with_only(LIMITED))
    members = [shop.a_member() for _ in range(CALLERS)]

    def ask(index: int) -> tuple[int, str | None]:
        body = {"member": members[index], "offer": "off", "reason": "appreciation"}
        answer = shop.call("POST", "/v1/discounts", body, who="agent")
        return answer.status_code, answer.json["code"] if answer.status_code == 409 else None

    assert Counter(together(CALLERS, ask)) == {(201, None): 7, (409, "budget_exceeded"): 13}


def test_one_request_sent_many_times_at_once_gives_one(shop: Shop, stripe: StripeControl) -> None:
    body = {"member": shop.a_member(), "offer": "sorry", "reason": "appreciation"}
    answers = together(
        6, lambda _: shop.call("POST", "/v1/discounts", body, who="agent", key="same")
    )
    assert {answer.status_code for answer in answers} <= {201, 202}
    assert len({answer.json["id"] for answer in answers}) == 1
    assert (budget_left(shop, "sorry"), count(shop)) == (49500, 1)


def test_a_cooldown_holds_when_asked_many_times_at_once(app: Flask) -> None:
    shop = Shop.open(app, with_only(LIMITED))
    member = shop.a_member()
    seen = together(8, lambda _: attempt(shop, member, "rare"))
    assert Counter(seen) == {None: 1, OfferGivenLately: 7}


def test_workers_at_once_give_for_a_fact_once(app: Flask) -> None:
    shop = Shop.open(app, with_only(BY_FACTS))
    members = [shop.a_member() for _ in range(4)]
    for member in members:
        shop.order(member, 50000)
    together(4, lambda _: shop.work())
    shop.work()
    assert count(shop) == len(members)


def test_workers_at_once_give_for_a_day_once(app: Flask) -> None:
    shop = Shop.open(app, with_only(BY_THE_CLOCK))
    for _ in range(6):
        shop.a_member(birthday=f"{shop.now():1992-%m-%d}")

    def look(_: int) -> int:
        with shop.app.app_context():
            return worker.thank()

    assert sum(together(4, look)) == 6
    assert count(shop) == 6


@pytest.mark.parametrize("kind", ["postgresql"])
def test_facts_and_looks_of_one_member_at_once_never_block_for_good(app: Flask, kind: str) -> None:
    shop = Shop.open(app, with_only(BY_THE_CLOCK + BY_FACTS))
    member = shop.a_member(birthday=f"{shop.now():1992-%m-%d}")

    def act(index: int) -> Any:
        if index % 3 == 0:
            with shop.app.app_context():
                return worker.thank()
        if index % 3 == 1:
            return shop.order(member, 20000)
        born = {"birthday": f"199{index % 10}-{shop.now():%m-%d}"}
        return shop.call("PATCH", f"/v1/members/{member}", born).status_code

    together(18, act)
    while shop.work():
        pass
    seen = Counter(one["offer"] for one in shop.get(f"/v1/discounts?member={member}")["data"])
    assert seen == {"birthday": 1, "platinum": 1, "third": 1}


def attempt(shop: Shop, member: str, offer: str = "off") -> type[LoyaltyError] | None:
    """Give in a transaction of its own; which refusal it met, if any."""
    try:
        made(shop, member, offer)
    except (BudgetExceeded, OfferGivenLately) as refusal:
        return type(refusal)
    return None


def made(shop: Shop, member: str, offer: str = "off") -> str:
    """The id of what Ana gave."""
    ana = Principal(shop.program_id, "cli_ana", "staff", "stf_ana", "agent")
    wish = Wish(member, offer, "appreciation")
    with shop.app.app_context():
        give = partial(discounts.give, by=ana, wish=wish, lease_seconds=60)
        return str(db.transaction(lambda session: give(session).row.id))


def cancel(shop: Shop, discount_id: str) -> None:
    def work(session: Session) -> None:
        discounts.ask_to_cancel(session, shop.program_id, discount_id, lease_seconds=60)

    with shop.app.app_context():
        db.transaction(work)


def count(shop: Shop) -> int:
    with shop.app.app_context():
        rows = select(func.count()).select_from(Discount)
        return int(db.read(lambda session: session.scalar(rows)) or 0)
