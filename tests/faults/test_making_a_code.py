"""Whatever goes wrong while a code is made: one code and points spent once, or points back."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import requests

from loyalty_service import clock, db
from loyalty_service.domain import jobs
from loyalty_service.domain.codes import ISSUE_CODE
from loyalty_service.fulfilment import issuers_for
from loyalty_service.sandbox import Server, faults
from tests.faults.outcomes import (
    CODES,
    COUPONS,
    POINTS,
    a_customer,
    assert_one_code,
    assert_restored,
    deadline,
    drain,
    get,
    make_the_coupon,
    open_jobs,
)
from tests.shop import Shop
from tests.stripe_control import StripeControl

ANSWERED = ["error_500_before", "error_500_after", "conflict_409", "rate_limit_429"]
UNANSWERED = ["timeout_after_success"]


@pytest.mark.parametrize("fault", ANSWERED + UNANSWERED)
def test_a_fault_at_the_code_ends_in_one_code(
    shop: Shop, stripe: StripeControl, fault: str
) -> None:
    redemption = redeemed_under(fault, shop, stripe)
    assert (redemption["status"], redemption["code"]) == ("pending", None)
    assert shop.available(redemption["member"]) == POINTS - 100
    drain(shop)
    assert_one_code(shop, stripe, redemption)


@pytest.mark.parametrize("fault", ANSWERED + UNANSWERED)
def test_a_fault_at_the_coupon_ends_in_one_code(
    shop: Shop, stripe: StripeControl, fault: str
) -> None:
    stripe.fault(fault, path=COUPONS)
    redemption = shop.redeem(a_customer(shop))
    assert redemption["status"] == "pending"
    drain(shop)
    assert_one_code(shop, stripe, redemption)


@pytest.mark.parametrize("fault", ["error_500_before", "error_500_after", "timeout_after_success"])
def test_the_same_fault_five_times_over_ends_in_one_code(
    shop: Shop, stripe: StripeControl, fault: str
) -> None:
    stripe.fault(fault, times=5)
    redemption = shop.redeem(a_customer(shop))
    drain(shop)
    assert_one_code(shop, stripe, redemption)


def test_a_slow_stripe_is_202_and_the_worker_finds_the_code(
    shop: Shop, stripe: StripeControl
) -> None:
    make_the_coupon(shop)
    deadline(shop, 150)
    stripe.fault("slow", path=CODES, method="POST", seconds=0.4)
    answer = shop.call(
        "POST", "/v1/redemptions", {"member": a_customer(shop), "reward": "money_off"}
    )
    assert (answer.status_code, answer.json["status"]) == (202, "pending")
    drain(shop)
    assert_one_code(shop, stripe, answer.json)


def test_forgotten_keys_after_an_unclear_try_end_in_one_code(
    shop: Shop, stripe: StripeControl
) -> None:
    redemption = redeemed_under("timeout_after_success", shop, stripe)
    stripe.fault("forget_keys")
    drain(shop)
    assert_one_code(shop, stripe, redemption)


def test_retry_after_is_honoured(shop: Shop, stripe: StripeControl) -> None:
    stripe.fault("rate_limit_429", seconds=40)
    redemption = shop.redeem(a_customer(shop))
    waiting = open_jobs(shop)[0].available_at - clock.wall()
    assert timedelta(seconds=35) < waiting <= timedelta(seconds=40)
    assert shop.work(at=clock.wall() + timedelta(seconds=30)) == 0
    assert shop.work(at=clock.wall() + timedelta(seconds=41)) == 1
    assert_one_code(shop, stripe, redemption)


def test_without_a_stripe_the_points_wait_for_it(
    shop: Shop, stripe: StripeControl, sandbox: Server
) -> None:
    there = shop.app.extensions["code_issuers"]
    nowhere = replace(shop.app.config["LOYALTY"], stripe_api_base="http://127.0.0.1:1")
    shop.app.extensions["code_issuers"] = issuers_for(nowhere)
    redemption = shop.redeem(a_customer(shop))
    assert redemption["status"] == "pending"
    assert "connection" in str(open_jobs(shop)[0].last_error)
    shop.app.extensions["code_issuers"] = there
    drain(shop)
    assert_one_code(shop, stripe, redemption)


def test_a_refusal_gives_the_points_back(
    shop: Shop, stripe: StripeControl, sandbox: Server
) -> None:
    # Stripe's clock says that the code would have ended before it began.
    advance_stripe(sandbox, days=200)
    redemption = shop.redeem(a_customer(shop))
    assert redemption["status"] == "failed"
    assert redemption["failure"] and redemption["restored_by"]
    assert redemption["code"] is None
    assert_restored(shop, stripe, redemption)
    assert open_jobs(shop) == []


def test_a_code_that_somebody_else_has_gives_the_points_back(
    shop: Shop, stripe: StripeControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_the_coupon(shop)
    monkeypatch.setattr("loyalty_service.ids.code", lambda: "SUMMER-SALE")
    theirs(stripe, "SUMMER-SALE")
    redemption = shop.redeem(a_customer(shop))
    assert redemption["status"] == "failed"
    assert_restored(shop, stripe, redemption)


def test_a_code_withdrawn_at_stripe_before_it_was_settled_gives_the_points_back(
    shop: Shop, stripe: StripeControl
) -> None:
    redemption = redeemed_under("timeout_after_success", shop, stripe)
    ask_stripe(stripe, f"promotion_codes/{stripe.codes(redemption['id'])[0]['id']}", active="false")
    drain(shop)
    assert get(shop, redemption)["status"] == "failed"
    assert_restored(shop, stripe, redemption)


def test_a_code_used_before_it_was_settled_stays_spent(shop: Shop, stripe: StripeControl) -> None:
    redemption = redeemed_under("timeout_after_success", shop, stripe)
    stripe.pay(stripe.codes(redemption["id"])[0]["code"], 5000)
    drain(shop)
    assert get(shop, redemption)["status"] == "issued"
    assert shop.available(redemption["member"]) == POINTS - 100
    assert len(stripe.codes(redemption["id"])) == 1


def test_a_coupon_deleted_at_stripe_is_made_again(
    shop: Shop, stripe: StripeControl, sandbox: Server
) -> None:
    make_the_coupon(shop)
    with sandbox.api.state.lock:
        sandbox.api.state.drop("coupons")
    redemption = shop.redeem(a_customer(shop))
    assert redemption["status"] == "issued"
    assert_one_code(shop, stripe, redemption)


def test_a_promise_revived_after_a_day_never_makes_a_second_code(
    shop: Shop, stripe: StripeControl
) -> None:
    redemption = redeemed_under("timeout_after_success", shop, stripe)
    stripe.pay(stripe.codes(redemption["id"])[0]["code"], 5000)
    stripe.fault("forget_keys")
    with shop.app.app_context():
        db.transaction(lambda session: jobs.revive(session, shop.program_id))
    drain(shop)
    assert len(stripe.codes(redemption["id"])) == 1
    assert get(shop, redemption)["status"] == "issued"


def test_the_outage_of_a_day_ends_in_a_dead_job_that_can_be_revived(
    shop: Shop, stripe: StripeControl
) -> None:
    stripe.fault("conflict_409", times=jobs.ATTEMPTS_MAX)
    redemption = shop.redeem(a_customer(shop))
    for _ in range(jobs.ATTEMPTS_MAX - 1):
        assert shop.work(at=clock.wall() + timedelta(hours=2)) == 1
    assert shop.work(at=clock.wall() + timedelta(days=9)) == 0
    assert [(job.kind, job.status) for job in open_jobs(shop)] == [(ISSUE_CODE, jobs.DEAD)]
    assert "conflict" in str(open_jobs(shop)[0].last_error)
    with shop.app.app_context():
        assert db.transaction(lambda session: jobs.revive(session, shop.program_id)) == 1
    drain(shop)
    assert_one_code(shop, stripe, redemption)


def test_every_fault_of_the_sandbox_is_met_here() -> None:
    elsewhere = {"slow", "forget_keys", "hold_before", "hold_after"}
    assert {*ANSWERED, *UNANSWERED} | elsewhere == set(faults.KINDS)


def redeemed_under(fault: str, shop: Shop, stripe: StripeControl) -> Any:
    """A redemption whose code met a fault at Stripe, where its coupon is there already."""
    make_the_coupon(shop)
    stripe.fault(fault, path=CODES, method="POST")
    return shop.redeem(a_customer(shop))


def advance_stripe(sandbox: Server, *, days: int) -> None:
    with sandbox.api.state.lock:
        sandbox.api.state.advance(days * 86400)


def theirs(stripe: StripeControl, code: str) -> None:
    """A campaign of the shop's own, in the same Stripe account."""
    ask_stripe(stripe, "coupons", id="summer", percent_off="10", duration="once")
    form = {"promotion[type]": "coupon", "promotion[coupon]": "summer", "code": code}
    ask_stripe(stripe, "promotion_codes", **form)


def ask_stripe(stripe: StripeControl, path: str, **form: str) -> None:
    headers = {"Authorization": "Bearer sk_test_of_the_tests"}
    answer = requests.post(f"{stripe.url}/v1/{path}", data=form, headers=headers, timeout=10)
    assert answer.status_code == 200, answer.text
