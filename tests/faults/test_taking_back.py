"""Whatever goes wrong while a code is withdrawn: it is dead before the points are back."""

import pytest

from loyalty_service.sandbox import Server
from tests.faults.outcomes import (
    CODES,
    POINTS,
    a_customer,
    assert_restored,
    deadline,
    drain,
    get,
    open_jobs,
)
from tests.shop import Shop
from tests.stripe_control import StripeControl

FAULTS = [
    "error_500_before",
    "error_500_after",
    "conflict_409",
    "rate_limit_429",
    "timeout_after_success",
]


@pytest.mark.parametrize("method", ["POST", "GET"])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_while_withdrawing_ends_with_a_dead_code_and_the_points_back(
    shop: Shop, stripe: StripeControl, fault: str, method: str
) -> None:
    redemption = shop.redeem(a_customer(shop))
    stripe.fault(fault, path=f"{CODES}/*", method=method)
    answer = shop.call("POST", f"/v1/redemptions/{redemption['id']}/cancel", {})
    assert (answer.status_code, answer.json["status"]) == (202, "cancelling")
    assert shop.available(redemption["member"]) == POINTS - 100
    drain(shop)
    assert get(shop, redemption)["status"] == "cancelled"
    assert_restored(shop, stripe, redemption)


def test_a_slow_stripe_is_202_and_the_worker_cancels(shop: Shop, stripe: StripeControl) -> None:
    redemption = shop.redeem(a_customer(shop))
    deadline(shop, 150)
    stripe.fault("slow", path=f"{CODES}/*", method="POST", seconds=0.4)
    answer = shop.call("POST", f"/v1/redemptions/{redemption['id']}/cancel", {}, key="undo")
    assert (answer.status_code, answer.json["restored_by"]) == (202, None)
    drain(shop)
    again = shop.call("POST", f"/v1/redemptions/{redemption['id']}/cancel", {}, key="undo")
    assert (again.status_code, again.json["status"]) == (200, "cancelled")
    assert again.headers["Idempotent-Replayed"] == "true"
    assert_restored(shop, stripe, redemption)


def test_a_code_used_while_the_withdrawal_is_unclear_stays_spent(
    shop: Shop, stripe: StripeControl
) -> None:
    redemption = shop.redeem(a_customer(shop))
    stripe.fault("error_500_before", path=f"{CODES}/*", method="POST")
    shop.post(f"/v1/redemptions/{redemption['id']}/cancel", {})
    stripe.pay(redemption["code"], 5000)
    drain(shop)
    assert get(shop, redemption)["status"] == "used"
    assert shop.available(redemption["member"]) == POINTS - 100


def test_a_code_used_between_withdrawing_and_reading_stays_spent(
    shop: Shop, stripe: StripeControl
) -> None:
    redemption = shop.redeem(a_customer(shop))
    stripe.pay(redemption["code"], 5000)
    stripe.fault("timeout_after_success", path=f"{CODES}/*", method="GET")
    shop.call("POST", f"/v1/redemptions/{redemption['id']}/cancel", {})
    drain(shop)
    assert get(shop, redemption)["status"] == "used"


def test_what_stripe_refuses_to_withdraw_keeps_its_points_until_somebody_looks(
    shop: Shop, stripe: StripeControl, sandbox: Server
) -> None:
    redemption = shop.redeem(a_customer(shop))
    forget_codes(sandbox)
    answer = shop.call("POST", f"/v1/redemptions/{redemption['id']}/cancel", {})
    assert answer.json["status"] == "cancelling"
    assert shop.available(redemption["member"]) == POINTS - 100
    assert "resource_missing" in str(open_jobs(shop)[0].last_error)


def forget_codes(sandbox: Server) -> None:
    with sandbox.api.state.lock:
        sandbox.api.state.drop("promotion_codes")
