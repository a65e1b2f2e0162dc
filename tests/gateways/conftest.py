import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import requests
import stripe

from loyalty_service.gateways.codes import CodeRequest
from loyalty_service.gateways.stripe import StripeCodes
from loyalty_service.gateways.stripe_reading import StripePayments
from loyalty_service.sandbox import Server, serve
from tests.receiver import Receiver, receiving
from tests.stripe_control import StripeControl

STRIPE_KEY = os.environ.get("TEST_STRIPE_API_KEY", "")


@dataclass
class Account:
    """One Stripe account: our gateways to it, and the Stripe library to look behind our back."""

    issuer: StripeCodes
    payments: StripePayments
    client: stripe.StripeClient


@pytest.fixture
def sandbox() -> Iterator[Server]:
    with serve() as server:
        yield server


@pytest.fixture
def issuer(sandbox: Server) -> Iterator[StripeCodes]:
    issuer = StripeCodes("sk_test_loyalty", sandbox.url)
    yield issuer
    issuer.close()


@pytest.fixture
def control(sandbox: Server) -> StripeControl:
    return StripeControl(sandbox.url)


@pytest.fixture
def payments(sandbox: Server) -> Iterator[StripePayments]:
    payments = StripePayments("sk_test_loyalty", sandbox.url)
    yield payments
    payments.close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


# Stripe's own test mode joins in where a key for it is given.
@pytest.fixture(params=["sandbox", *(["stripe"] if STRIPE_KEY else [])])
def account(request: pytest.FixtureRequest) -> Iterator[Account]:
    key, base = STRIPE_KEY, None
    if request.param == "sandbox":
        key, base = "sk_test_loyalty", request.getfixturevalue("sandbox").url
    issuer, session = StripeCodes(key, base), requests.Session()
    client = stripe.StripeClient(
        key,
        base_addresses={"api": base} if base else {},
        http_client=stripe.RequestsClient(session=session),
    )
    payments = StripePayments(key, base)
    yield Account(issuer, payments, client)
    payments.close()
    issuer.close()
    session.close()


@pytest.fixture
def a_request() -> Callable[..., CodeRequest]:
    """Make a request of its own redemption; Stripe's test mode remembers earlier runs."""
    run = uuid4().hex[:12].upper()

    def build(**changes: Any) -> CodeRequest:
        usual: dict[str, Any] = {
            "program_id": "beauty",
            "subject_id": f"rdm_{run}",
            "coupon_id": f"loyalty-{run}-500-usd",
            "name": "5.00 off",
            "code": f"THANKS-{run}",
            "amount_off_minor": 500,
            "percent_off": None,
            "currency": "usd",
            "minimum_amount_minor": None,
            "expires_at": datetime.now(UTC).replace(microsecond=0) + timedelta(days=30),
            "stripe_customer_id": None,
        }
        return CodeRequest(**usual | changes)

    return build
