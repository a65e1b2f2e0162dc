"""How every story with a fault must end, and how to get there without waiting for the clock."""

import threading
from dataclasses import replace
from datetime import timedelta
from typing import Any

from loyalty_service import clock, db
from loyalty_service.domain import jobs
from loyalty_service.domain.jobs import Job
from tests.shop import Shop
from tests.stripe_control import StripeControl

CODES = "/v1/promotion_codes"
COUPONS = "/v1/coupons"
POINTS = 1000
ROUNDS_MAX = 25


def a_customer(shop: Shop) -> str:
    """A member with points for ten codes."""
    return shop.a_member(points=POINTS)


def make_the_coupon(shop: Shop) -> None:
    """Redeem once, so that the coupon is there and a code is one call."""
    assert shop.redeem(a_customer(shop))["status"] == "issued"


def deadline(shop: Shop, milliseconds: int) -> None:
    """How long a request waits for Stripe from now on."""
    config = shop.app.config["LOYALTY"]
    shop.app.config["LOYALTY"] = replace(config, stripe_deadline_ms=milliseconds)


def later(hours: int = 48) -> Any:
    """A machine's time by which every lease and every back-off has ended."""
    return clock.wall() + timedelta(hours=hours)


def open_jobs(shop: Shop) -> list[Job]:
    """Promises that are not kept yet, dead ones too."""
    with shop.app.app_context():
        return db.read(
            lambda session: jobs.listed(session, [shop.program_id], (jobs.DUE, jobs.DEAD))
        )


def drain(shop: Shop) -> None:
    """Let the worker go on until nothing is left to do; Stripe may need a moment in between."""
    pause = threading.Event()
    for _ in range(ROUNDS_MAX):
        shop.work(at=later())
        if not open_jobs(shop):
            return
        pause.wait(0.1)
    raise AssertionError([(job.kind, job.attempts, job.last_error) for job in open_jobs(shop)])


def get(shop: Shop, redemption: Any) -> Any:
    """A redemption as it stands."""
    return shop.get(f"/v1/redemptions/{redemption['id']}")


def assert_one_code(shop: Shop, stripe: StripeControl, redemption: Any) -> None:
    """Exactly one code, usable, and the points are spent once."""
    now = get(shop, redemption)
    assert now["status"] == "issued", now
    made = stripe.codes(now["id"])
    assert [(code["code"], code["active"]) for code in made] == [(now["code"], True)]
    assert shop.available(now["member"]) == POINTS - now["points"]


def assert_restored(shop: Shop, stripe: StripeControl, redemption: Any) -> None:
    """No usable code, and the points are back."""
    now = get(shop, redemption)
    assert now["status"] in ("failed", "cancelled"), now
    assert [code for code in stripe.codes(now["id"]) if code["active"]] == []
    assert shop.available(now["member"]) == POINTS
