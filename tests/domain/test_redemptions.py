"""Redemptions: what may become what, and points that go back where they came from."""

import itertools
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError

from loyalty_service import clock, db, worker
from loyalty_service.domain import codes, counters, ledger, redemptions
from loyalty_service.domain.codes import TRANSITIONS
from loyalty_service.domain.redemptions import Redemption
from tests.domain.program.documents import changed
from tests.shop import DEFAULT_PROGRAM, Shop
from tests.stripe_control import StripeControl, together

CANNOT = [(a, b) for a, b in itertools.product(TRANSITIONS, repeat=2) if b not in TRANSITIONS[a]]
CAN = [(a, b) for a in TRANSITIONS for b in sorted(TRANSITIONS[a])]
MONEY_OFF = "name: Money off your order\n"
PERCENT = """\
rewards:
  - id: percent
    name: A share of it
    type: percent_off
    slabs:
      - {points: 100, percent_off: 12.50}
"""


@pytest.mark.parametrize(("before", "after"), CANNOT)
def test_what_the_table_does_not_allow_is_refused(before: str, after: str) -> None:
    row = Redemption(id="rdm_1", status=before)
    with pytest.raises(AssertionError, match=f"from {before} to {after}"):
        codes.become(row, after)
    assert row.status == before


@pytest.mark.parametrize(("before", "after"), CAN)
def test_what_the_table_allows_happens(before: str, after: str) -> None:
    row = Redemption(id="rdm_1", status=before)
    codes.become(row, after)
    assert row.status == after


def test_the_table_is_the_contracts() -> None:
    assert {
        "pending": {"issued", "failed"},
        "issued": {"used", "cancelling", "expiring"},
        "cancelling": {"cancelled", "used"},
        "expiring": {"expired", "used"},
        # Use that is learnt after the points came back.
        "cancelled": {"used"},
        "expired": {"used"},
        "failed": {"used"},
        "used": set(),
    } == TRANSITIONS


@pytest.mark.tampered
@pytest.mark.parametrize(
    ("values", "constraint"),
    [
        ({"status": "lost"}, "status_known"),
        ({"status": "failed"}, "points_come_back"),
        ({"status": "cancelled"}, "points_come_back"),
        ({"promotion_code_id": None}, "issued_has_a_code"),
        ({"status": "cancelling", "promotion_code_id": None}, "issued_has_a_code"),
        ({"points": -1}, "points_positive"),
        ({"percent_off": "10"}, "one_discount"),
    ],
)
def test_the_database_refuses_a_redemption_that_can_not_be(
    shop: Shop, stripe: StripeControl, values: dict[str, Any], constraint: str
) -> None:
    redemption = shop.redeem(shop.a_member(points=100))
    change = update(Redemption).where(Redemption.id == redemption["id"]).values(**values)
    with shop.app.app_context(), pytest.raises(IntegrityError, match=constraint):
        db.transaction(lambda session: session.execute(change))


def test_points_go_back_to_the_lots_they_came_from(shop: Shop, stripe: StripeControl) -> None:
    member = shop.a_member()
    shop.give(member, 60)
    shop.advance(days=200)
    shop.give(member, 60)
    before = lots(shop, member)
    redemption = shop.redeem(member)
    assert sorted(lots(shop, member).values()) == [0, 20]
    assert cancel(shop, redemption)["status"] == "cancelled"
    assert lots(shop, member) == before


def test_a_cancelled_redemption_keeps_its_code_dead(shop: Shop, stripe: StripeControl) -> None:
    redemption = shop.redeem(shop.a_member(points=100))
    assert redemption["status"] == "issued"
    assert cancel(shop, redemption)["restored_by"].startswith("ltx_")
    assert [code["active"] for code in stripe.codes(redemption["id"])] == [False]


def test_cancelling_twice_gives_the_points_back_once(shop: Shop, stripe: StripeControl) -> None:
    redemption = shop.redeem(shop.a_member(points=130))
    first, second = cancel(shop, redemption), cancel(shop, redemption)
    assert first == second
    assert shop.available(redemption["member"]) == 130


def test_cancelling_while_pending_is_409_and_works_later_with_the_same_key(
    shop: Shop, stripe: StripeControl
) -> None:
    stripe.fault("conflict_409")
    redemption = shop.redeem(shop.a_member(points=130))
    path = f"/v1/redemptions/{redemption['id']}/cancel"
    refused = shop.call("POST", path, {}, key="undo")
    assert (refused.status_code, refused.json["code"]) == (409, "redemption_pending")
    assert refused.json["retryable"] is True
    work_off(shop)
    accepted = shop.call("POST", path, {}, key="undo")
    assert (accepted.status_code, accepted.json["status"]) == (200, "cancelled")
    assert shop.available(redemption["member"]) == 130


def test_cancelling_a_used_code_says_so_and_gives_nothing_back(
    shop: Shop, stripe: StripeControl
) -> None:
    redemption = shop.redeem(shop.a_member(points=130))
    stripe.pay(redemption["code"], 5000)
    path = f"/v1/redemptions/{redemption['id']}/cancel"
    for key in ("first", "first", "another"):
        told = shop.call("POST", path, {}, key=key)
        assert (told.status_code, told.json["code"]) == (409, "redemption_final")
    assert shop.get(f"/v1/redemptions/{redemption['id']}")["status"] == "used"
    assert shop.available(redemption["member"]) == 30


def test_cancelling_what_failed_is_final(shop: Shop, stripe: StripeControl) -> None:
    stripe.fault("timeout_after_success", path="/v1/promotion_codes", method="POST", times=2)
    redemption = shop.redeem(shop.a_member(points=130))
    with shop.app.app_context():
        db.transaction(
            lambda session: redemptions.failed(session, shop.program_id, redemption["id"], "no")
        )
    refused = shop.call("POST", f"/v1/redemptions/{redemption['id']}/cancel", {})
    assert (refused.status_code, refused.json["code"]) == (409, "redemption_final")
    work_off(shop)


def test_cancelling_the_unknown_is_404(shop: Shop) -> None:
    refused = shop.call("POST", "/v1/redemptions/rdm_nobody/cancel", {})
    assert (refused.status_code, refused.json["code"]) == (404, "redemption_not_found")


def test_settling_again_what_is_settled_changes_nothing(shop: Shop, stripe: StripeControl) -> None:
    redemption = shop.redeem(shop.a_member(points=130))
    cancelled = cancel(shop, redemption)
    mine = (shop.program_id, redemption["id"])
    with shop.app.app_context():
        db.transaction(lambda session: redemptions.withdrawn(session, *mine, 0))
        db.transaction(lambda session: redemptions.withdrawn(session, *mine, 1))
        db.transaction(lambda session: redemptions.issued(session, *mine, "promo_1"))
        db.transaction(lambda session: redemptions.failed(session, *mine, "no"))
    assert shop.get(f"/v1/redemptions/{redemption['id']}") == cancelled
    assert shop.available(redemption["member"]) == 130


def test_points_that_come_back_repay_debt_first(shop: Shop, stripe: StripeControl) -> None:
    member = shop.a_member()
    given = shop.give(member, 100)
    redemption = shop.redeem(member)
    shop.post(
        f"/v1/transactions/{given['transaction']}/reverse", {"reason": "correction"}, who="admin"
    )
    assert shop.balance(member)["debt"] == 100
    cancel(shop, redemption)
    after = shop.balance(member)
    assert (after["available"], after["debt"]) == (0, 0)


@pytest.mark.parametrize(
    ("policy", "available", "expires_in_days"),
    [("original_expiry", 0, None), ("grace_days", 100, 30), ("reissue", 100, 365)],
)
def test_points_that_come_back_past_their_day_follow_the_program(
    app: Any,
    stripe: StripeControl,
    policy: str,
    available: int,
    expires_in_days: int | None,
) -> None:
    shop = Shop.open(app, past_expiry(policy))
    member = shop.a_member(points=100)
    last_day = shop.balance(member)["expiring_next"]["expires_at"]
    shop.redeem(member)
    shop.advance(days=500)
    with app.app_context():
        worker.end_codes()
    work_off(shop)
    balance = shop.balance(member)
    assert balance["available"] == available
    assert (balance["expiring_next"] is None) is (expires_in_days is None)
    if expires_in_days is not None:
        assert balance["expiring_next"]["expires_at"] > last_day
        shop.advance(days=expires_in_days - 2)
        assert shop.available(member) == 100
        shop.advance(days=5 if policy == "grace_days" else 100)
        assert shop.available(member) == 0


def test_stock_and_limits_come_back_with_the_points(app: Any, stripe: StripeControl) -> None:
    shop = Shop.open(app, money_off_with("    stock: 1\n    per_member: 1\n"))
    redemption = shop.redeem(shop.a_member(points=200))
    assert refusal(shop, redemption["member"]) == "reward_limit_reached"
    assert refusal(shop, shop.a_member(points=100)) == "reward_sold_out"
    cancel(shop, redemption)
    assert used(shop, "reward:money_off:stock") == 0
    assert used(shop, f"reward:money_off:member:{redemption['member']}") == 0
    assert shop.redeem(redemption["member"])["status"] == "issued"


def test_stock_comes_back_when_stripe_refuses(app: Any, stripe: StripeControl) -> None:
    shop = Shop.open(app, money_off_with("    stock: 1\n"))
    stripe.fault("conflict_409")
    redemption = shop.redeem(shop.a_member(points=200))
    with shop.app.app_context():
        for _ in range(2):
            db.transaction(
                lambda session: redemptions.failed(session, shop.program_id, redemption["id"], "no")
            )
    assert used(shop, "reward:money_off:stock") == 0
    assert shop.available(redemption["member"]) == 200
    work_off(shop)


def test_the_last_piece_goes_to_one_of_many(app: Any, stripe: StripeControl) -> None:
    shop = Shop.open(app, money_off_with("    stock: 2\n"))
    members = [shop.a_member(points=100) for _ in range(6)]
    answers = together(6, lambda index: redeem(shop, members[index]))
    taken = [answer for answer in answers if answer.status_code in (201, 202)]
    assert len(taken) == 2
    assert {a.json["code"] for a in answers if a not in taken} == {"reward_sold_out"}
    assert used(shop, "reward:money_off:stock") == 2
    work_off(shop)


def test_a_refused_redemption_takes_nothing(shop: Shop) -> None:
    member = shop.a_member(points=99)
    assert refusal(shop, member) == "insufficient_points"
    assert shop.available(member) == 99


def test_a_percentage_is_written_as_a_decimal(app: Any, stripe: StripeControl) -> None:
    begin, end = DEFAULT_PROGRAM.index("rewards:"), DEFAULT_PROGRAM.index("goodwill:")
    shop = Shop.open(app, DEFAULT_PROGRAM[:begin] + PERCENT + DEFAULT_PROGRAM[end:])
    redemption = shop.redeem(shop.a_member(points=100), reward="percent")
    assert redemption["discount"]["percent_off"] == "12.5"
    assert stripe.pay(redemption["code"], 10000)["amount_total"] == 8750


def past_expiry(policy: str) -> str:
    """The default program with another policy for points that come back late."""
    if policy == "grace_days":
        return DEFAULT_PROGRAM
    other = ("past_expiry: grace_days", f"past_expiry: {policy}")
    lines = changed(other, document=DEFAULT_PROGRAM).splitlines()
    return "\n".join(line for line in lines if not line.startswith("  grace_days:"))


def money_off_with(keys: str) -> str:
    """The default program with more keys of its reward."""
    return changed((MONEY_OFF, MONEY_OFF + keys), document=DEFAULT_PROGRAM)


def cancel(shop: Shop, redemption: Any) -> Any:
    return shop.post(f"/v1/redemptions/{redemption['id']}/cancel", {})


def redeem(shop: Shop, member: str) -> Any:
    return shop.call("POST", "/v1/redemptions", {"member": member, "reward": "money_off"})


def refusal(shop: Shop, member: str) -> str:
    answer = redeem(shop, member)
    assert answer.status_code == 409, answer.text
    return str(answer.json["code"])


def lots(shop: Shop, member: str) -> dict[str, int]:
    """What is available of each lot of a member."""

    def work(session: Any) -> dict[str, int]:
        rows = session.query(ledger.Lot).filter_by(member_id=member)
        return {lot.id: lot.available for lot in rows}

    with shop.app.app_context():
        return db.read(work)


def used(shop: Shop, name: str) -> int:
    with shop.app.app_context():
        return db.read(lambda session: counters.used(session, shop.program_id, name))


def work_off(shop: Shop) -> None:

    for _ in range(5):
        shop.work(at=clock.wall() + timedelta(days=1))
