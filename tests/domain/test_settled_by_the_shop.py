"""Rewards that the shop applies itself: no Stripe, a code at once, used once, undone at once."""

import threading
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from loyalty_service import db, worker
from loyalty_service.domain import counters, jobs, redemptions
from tests.api.contract import nothing_written, problem
from tests.databases import Databases
from tests.domain.ledger.test_waiting_for_the_lock import wait_until_one_waits
from tests.domain.program.documents import changed
from tests.shop import DEFAULT_PROGRAM, Shop, with_rewards
from tests.stripe_control import StripeControl, together

CALLERS = 20
REWARDS = """\
  - id: cake
    name: A piece of cake
    type: free_product
    points: 100
    gives: cake-slice
    code_lifetime_days: 10
  - id: shipping
    name: Free shipping
    type: free_shipping
    points: 50
  - id: tour
    name: A tour of the house
    type: custom
    points: 400
    gives: A tour for two
  - id: gift
    name: A birthday gift
    type: free_product
    points: 0
    gives: surprise
    per_member: {count: 1, per: year}
    stock: 5
  - id: at_the_till
    name: Money off at the till
    type: amount_off
    settlement: app_applied
    pay_with_points: {points: 100, worth: 1.00, minimum: 500, step: 100, maximum: 2000}
    max_share_of_order: 1/2
"""

TIERS = """\
tiers:
  metric: spend
  window: calendar_year
  kept: {windows: 1}
  levels:
    - {id: basic, name: Basic, from: 0}
    - {id: gold, name: Gold, from: 500.00}
"""


@pytest.fixture
def shop(app: Flask) -> Shop:
    return Shop.open(app, with_rewards(DEFAULT_PROGRAM, REWARDS))


@pytest.mark.parametrize(
    ("reward", "points", "gives"),
    [
        ("cake", 100, "cake-slice"),
        ("shipping", 50, None),
        ("tour", 400, "A tour for two"),
        ("gift", 0, "surprise"),
    ],
)
def test_each_type_is_issued_at_once_with_a_code_of_our_own(
    shop: Shop, stripe: StripeControl, reward: str, points: int, gives: str | None
) -> None:
    before = len(stripe.every_code())
    answer = shop.call(
        "POST", "/v1/redemptions", {"member": shop.a_member(points=500), "reward": reward}
    )
    made = answer.json
    assert (answer.status_code, made["status"]) == (201, "issued")
    assert len(made["code"]) == 14
    assert (made["settlement"], made["gives"], made["points"]) == ("app_applied", gives, points)
    nothing = {"amount_off": None, "percent_off": None, "minimum_order": None}
    assert made["discount"] == nothing
    assert shop.available(made["member"]) == 500 - points
    assert shop.get(f"/v1/redemptions/{made['id']}") == made
    assert promises(shop) == []
    assert len(stripe.every_code()) == before


def test_a_stripe_that_is_away_is_not_missed(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(shop.app.extensions, "code_issuers", None)
    monkeypatch.setitem(shop.app.extensions, "stripe_slots", None)
    monkeypatch.setitem(shop.app.extensions, "waiting_slots", None)
    redemption = shop.redeem(shop.a_member(points=100), "cake")
    assert redemption["status"] == "issued"
    assert cancel(shop, redemption)["status"] == "cancelled"


def test_a_repeated_request_has_the_same_code(shop: Shop) -> None:
    wish = {"member": shop.a_member(points=300), "reward": "cake"}
    first = shop.call("POST", "/v1/redemptions", wish, key="one")
    again = shop.call("POST", "/v1/redemptions", wish, key="one")
    assert (again.status_code, again.json) == (201, first.json)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert shop.available(wish["member"]) == 200


def test_points_at_a_rate_become_an_amount(shop: Shop) -> None:
    member = shop.a_member(points=3000)
    made = shop.redeem(member, "at_the_till", points=1300)
    assert made["discount"] == {
        "amount_off": {"amount": 1300, "currency": "eur"},
        "percent_off": None,
        "minimum_order": {"amount": 2600, "currency": "eur"},
    }
    assert (made["points"], shop.available(member)) == (1300, 1700)
    assert shop.redeem(member, "at_the_till")["points"] == 500
    with nothing_written(shop.app):
        for points in (0, 499, 550, 2100):
            wish = {"member": member, "reward": "at_the_till", "points": points}
            told = problem(
                shop.call("POST", "/v1/redemptions", wish), 422, "points_not_offered", "points"
            )
            assert "from 500 on in steps of 100, at most 2000" in told["detail"]


def test_stripe_makes_codes_of_amounts_at_a_rate(app: Flask, stripe: StripeControl) -> None:
    by_stripe = REWARDS.replace("settlement: app_applied", "settlement: stripe_promotion_code")
    shop = Shop.open(app, with_rewards(DEFAULT_PROGRAM, by_stripe))
    made = [
        shop.redeem(shop.a_member(points=1300), "at_the_till", points=points)
        for points in (1300, 500, 1300)
    ]
    coupons = [stripe.codes(one["id"])[0]["promotion"]["coupon"] for one in made]
    assert coupons[0] == coupons[2] != coupons[1]
    assert stripe.pay(made[0]["code"], 10000)["amount_total"] == 8700


def test_undone_at_once_with_points_and_counters_back(shop: Shop) -> None:
    member = shop.a_member(points=120)
    redemption = shop.redeem(member, "cake")
    undone = shop.call("POST", f"/v1/redemptions/{redemption['id']}/cancel", {})
    assert (undone.status_code, undone.json["status"]) == (200, "cancelled")
    assert undone.json["restored_by"].startswith("ltx_")
    assert shop.available(member) == 120
    assert cancel(shop, redemption) == undone.json
    assert shop.available(member) == 120


def test_a_gift_of_no_points_is_in_the_history_and_can_be_undone(shop: Shop) -> None:
    member = shop.a_member()
    gift = shop.redeem(member, "gift", points=0)
    year = today(shop).year
    mine = f"reward:gift:member:{member}:{year}"
    assert (used(shop, mine), used(shop, "reward:gift:stock")) == (1, 1)
    detail = shop.get(f"/v1/transactions/{gift['transaction']}")
    assert (detail["kind"], detail["points"], detail["postings"]) == ("redemption", 0, [])
    assert detail["summary"] == "A birthday gift, for no points."

    undone = cancel(shop, gift)
    back = shop.get(f"/v1/transactions/{undone['restored_by']}")
    assert (back["kind"], back["corrects"]) == ("restoration", gift["transaction"])
    assert (back["points"], back["postings"]) == (0, [])
    assert back["summary"] == "A birthday gift was cancelled."
    assert (used(shop, mine), used(shop, "reward:gift:stock")) == (0, 0)
    assert shop.redeem(member, "gift")["status"] == "issued"


def test_a_member_in_debt_still_gets_a_gift(shop: Shop) -> None:
    member = shop.a_member()
    given = shop.give(member, 100)
    shop.redeem(member, "cake")
    path = f"/v1/transactions/{given['transaction']}/reverse"
    shop.post(path, {"reason": "correction"}, who="admin")
    assert shop.balance(member)["debt"] == 100
    assert shop.redeem(member, "gift")["status"] == "issued"


@pytest.mark.parametrize("who", ["checkout", "agent"])
def test_a_code_is_used_once_and_whoever_shows_it_again_is_refused(shop: Shop, who: str) -> None:
    redemption = shop.redeem(shop.a_member(points=100), "cake")
    first = use(shop, redemption, who=who, key="till-1")
    used_at = first.json["used_at"]
    assert used_at is not None
    used = {**redemption, "status": "used", "used_at": used_at}
    assert (first.status_code, first.json) == (200, used)
    # The same request again is no second customer.
    assert use(shop, redemption, who=who, key="till-1").json == first.json
    with nothing_written(shop.app, except_keys=True):
        told = problem(use(shop, redemption, who=who), 409, "redemption_not_usable", "id")
    assert "is used" in told["detail"]
    assert shop.available(redemption["member"]) == 0


def test_what_was_used_is_not_undone(shop: Shop) -> None:
    redemption = shop.redeem(shop.a_member(points=100), "cake")
    use(shop, redemption)
    with nothing_written(shop.app, except_keys=True):
        path = f"/v1/redemptions/{redemption['id']}/cancel"
        problem(shop.call("POST", path), 409, "redemption_final", "id")


def test_what_was_undone_is_not_used(shop: Shop) -> None:
    redemption = shop.redeem(shop.a_member(points=100), "cake")
    cancel(shop, redemption)
    with nothing_written(shop.app, except_keys=True):
        told = problem(use(shop, redemption), 409, "redemption_not_usable", "id")
    assert "is cancelled" in told["detail"]
    assert told["customer_message"] == "This code is no longer valid."


def test_a_code_is_used_until_its_last_day_and_no_longer(shop: Shop) -> None:
    member = shop.a_member(points=200)
    one, other = shop.redeem(member, "cake"), shop.redeem(member, "cake")
    shop.advance(days=10)
    assert use(shop, one).status_code == 200
    shop.advance(days=1)
    told = problem(use(shop, other), 409, "redemption_not_usable", "id")
    assert "ended at" in told["detail"]
    with shop.app.app_context():
        worker.end_codes()
    assert shop.available(member) == 100


def test_a_code_of_stripes_is_not_used_here(shop: Shop, stripe: StripeControl) -> None:
    redemption = shop.redeem(shop.a_member(points=100))
    with nothing_written(shop.app, except_keys=True):
        problem(use(shop, redemption), 409, "redemption_used_at_stripe", "id")


def test_the_unknown_and_others_are_not_used(shop: Shop) -> None:
    other = Shop.open(
        shop.app,
        with_rewards(DEFAULT_PROGRAM.replace("id: default", "id: other", 1), REWARDS),
    )
    theirs = other.redeem(other.a_member(points=100), "cake")
    with nothing_written(shop.app):
        for redemption in ({"id": "rdm_nobody"}, theirs):
            problem(use(shop, redemption), 404, "redemption_not_found", "id")


def test_a_till_finds_a_redemption_by_its_code(shop: Shop) -> None:
    member = shop.a_member(points=200)
    redemption, _ = shop.redeem(member, "cake"), shop.redeem(member, "cake")
    typed = redemption["code"].replace("-", " ").lower()
    for code in (redemption["code"], typed):
        assert shop.get(f"/v1/redemptions?code={code}")["data"] == [redemption]
    assert shop.get(f"/v1/redemptions?member={member}&code={typed}")["data"] == [redemption]
    stranger = shop.a_member()
    assert shop.get(f"/v1/redemptions?member={stranger}&code={typed}")["data"] == []
    assert shop.get("/v1/redemptions?code=NONE-SUCH")["data"] == []


def test_a_code_is_used_or_undone_and_never_both(shop: Shop) -> None:
    made = [shop.redeem(shop.a_member(points=100), "cake") for _ in range(4)]
    for redemption in made:
        paths = [f"/v1/redemptions/{redemption['id']}/{verb}" for verb in ("use", "cancel")]
        answers = together(8, lambda index: shop.call("POST", paths[index % 2]))  # noqa: B023
        codes = [sorted({answer.status_code for answer in answers[way::2]}) for way in (0, 1)]
        after = shop.get(f"/v1/redemptions/{redemption['id']}")["status"]
        expected = {"used": [[200, 409], [409]], "cancelled": [[409], [200]]}
        assert codes == expected[after]
        assert shop.available(redemption["member"]) == (100 if after == "cancelled" else 0)


@pytest.mark.parametrize("kind", ["postgresql"])
@pytest.mark.parametrize("first", ["use", "cancel"])
def test_who_waited_for_the_other_finds_what_became_of_the_code(
    shop: Shop, databases: Databases, first: str
) -> None:
    redemption = shop.redeem(shop.a_member(points=100), "cake")
    answers: list[Any] = []
    second = {"use": cancel_answer, "cancel": use}[first]
    late = threading.Thread(target=lambda: answers.append(second(shop, redemption)))

    def work(session: Session) -> None:
        mine = (session, shop.program_id, redemption["id"])
        if first == "use":
            redemptions.use(*mine)
        else:
            redemptions.ask_to_cancel(*mine, lease_seconds=60)
        late.start()
        wait_until_one_waits(databases)

    with shop.app.app_context():
        db.transaction(work)
    late.join(timeout=60)
    codes = {"use": "redemption_final", "cancel": "redemption_not_usable"}
    problem(answers[0], 409, codes[first], "id")
    ended = {"use": ("used", 0), "cancel": ("cancelled", 100)}
    after = shop.get(f"/v1/redemptions/{redemption['id']}")["status"]
    assert (after, shop.available(redemption["member"])) == ended[first]


def test_the_last_pieces_go_to_as_many_of_twenty(shop: Shop) -> None:
    members = [shop.a_member() for _ in range(CALLERS)]
    answers = together(CALLERS, lambda index: redeem(shop, members[index], "gift"))
    taken = [answer for answer in answers if answer.status_code == 201]
    assert len(taken) == 5
    assert {a.json["code"] for a in answers if a not in taken} == {"reward_sold_out"}
    assert used(shop, "reward:gift:stock") == 5


def test_twenty_calls_of_one_member_get_what_one_may_have(shop: Shop) -> None:
    member = shop.a_member()
    answers = together(CALLERS, lambda _: redeem(shop, member, "gift"))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * (CALLERS - 1)
    refused = {a.json["code"] for a in answers if a.status_code == 409}
    assert refused == {"reward_limit_reached"}
    assert used(shop, "reward:gift:stock") == 1


def test_points_for_one_are_spent_on_one_by_twenty(shop: Shop) -> None:
    member = shop.a_member(points=199)
    answers = together(CALLERS, lambda _: redeem(shop, member, "cake"))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * (CALLERS - 1)
    assert shop.available(member) == 99


def test_a_new_year_gives_a_yearly_reward_again(shop: Shop) -> None:
    member = shop.a_member()
    first = shop.redeem(member, "gift")
    told = redeem(shop, member, "gift")
    problem(told, 409, "reward_limit_reached", "reward")
    assert told.json["customer_message"] == "You have already had this reward this year."
    year = today(shop).year
    shop.advance(days=(date(year + 1, 1, 1) - today(shop)).days)
    shop.redeem(member, "gift")
    # What is undone goes back to the year that paid.
    cancel(shop, first)
    counted = [used(shop, f"reward:gift:member:{member}:{one}") for one in (year, year + 1)]
    assert counted == [0, 1]
    problem(redeem(shop, member, "gift"), 409, "reward_limit_reached", "reward")


def test_a_reward_in_the_week_of_a_birthday_is_had_in_it(app: Flask) -> None:
    weekly = REWARDS.replace("    stock: 5\n", "    stock: 5\n    eligible: {birthday: 7}\n")
    shop = Shop.open(app, with_rewards(DEFAULT_PROGRAM, weekly))
    in_three_days = today(shop) + timedelta(days=3)
    member = shop.a_member(birthday=in_three_days.replace(year=1988).isoformat())
    with nothing_written(shop.app, except_keys=True):
        early = problem(redeem(shop, member, "gift"), 409, "reward_not_eligible", "reward")
    assert early["customer_message"] == "This reward can be had in the week of your birthday."
    shop.advance(days=4)
    assert redeem(shop, member, "gift").status_code == 201


def test_a_reward_of_a_tier_is_refused_to_others_and_kept_under_its_key(app: Flask) -> None:
    for_gold = REWARDS.replace(
        "    points: 100\n", "    points: 1\n    eligible: {tiers: [gold]}\n"
    )
    shop = Shop.open(app, with_rewards(changed(), for_gold) + TIERS)
    wish = {"member": shop.a_member(), "reward": "cake"}
    first = shop.call("POST", "/v1/redemptions", wish, key="one")
    told = problem(first, 409, "reward_not_eligible", "reward")
    assert told["customer_message"] == "This reward is for Gold members."
    again = shop.call("POST", "/v1/redemptions", wish, key="one")
    assert (again.json, again.headers["Idempotent-Replayed"]) == (first.json, "true")


def cancel(shop: Shop, redemption: Any) -> Any:
    return shop.post(f"/v1/redemptions/{redemption['id']}/cancel", {})


def cancel_answer(shop: Shop, redemption: Any) -> Any:
    return shop.call("POST", f"/v1/redemptions/{redemption['id']}/cancel", {})


def use(shop: Shop, redemption: Any, **more: Any) -> Any:
    return shop.call("POST", f"/v1/redemptions/{redemption['id']}/use", {}, **more)


def redeem(shop: Shop, member: str, reward: str) -> Any:
    return shop.call("POST", "/v1/redemptions", {"member": member, "reward": reward})


def today(shop: Shop) -> date:
    """The date in the program's zone."""
    return shop.now().astimezone(ZoneInfo("Europe/Berlin")).date()


def used(shop: Shop, name: str) -> int:
    with shop.app.app_context():
        return db.read(lambda session: counters.used(session, shop.program_id, name))


def promises(shop: Shop) -> list[str]:
    """Everything that was promised to be done outside the database."""
    with shop.app.app_context():
        return db.read(lambda session: list(session.scalars(select(jobs.Job.id))))
