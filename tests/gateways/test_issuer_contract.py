"""What every issuer of codes does: run against the sandbox, and against Stripe where a key is."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import islice

import pytest
import stripe

from loyalty_service.gateways.codes import CodeIssuer, CodeRequest, GatewayRefused, IssuedCode
from loyalty_service.gateways.stripe_reading import StripePayments

from .conftest import Account

SECONDS = 20.0
ARequest = Callable[..., CodeRequest]


def find(issuer: CodeIssuer, request: CodeRequest) -> IssuedCode | None:
    return issuer.find(
        program_id=request.program_id,
        subject_id=request.subject_id,
        code=request.code,
        timeout_seconds=SECONDS,
    )


def an_hour_ago() -> datetime:
    return datetime.now(UTC) - timedelta(hours=1)


def test_an_issued_code_is_active_unused_and_named_as_asked(
    account: Account, a_request: ARequest
) -> None:
    request = a_request()
    issued = account.issuer.issue(request, timeout_seconds=SECONDS)
    assert (issued.code, issued.coupon_id) == (request.code, request.coupon_id)
    assert (issued.times_redeemed, issued.active) == (0, True)


def test_stripe_holds_the_limits_of_the_code(account: Account, a_request: ARequest) -> None:
    customer = account.client.v1.customers.create({"email": "ada@example.com"})
    request = a_request(minimum_amount_minor=2000, stripe_customer_id=customer.id)
    issued = account.issuer.issue(request, timeout_seconds=SECONDS)
    held = account.client.v1.promotion_codes.retrieve(issued.promotion_code_id)
    assert held.max_redemptions == 1
    assert held.customer == customer.id
    assert held.restrictions.minimum_amount == 2000
    assert held.restrictions.minimum_amount_currency == "usd"
    assert request.expires_at is not None
    assert held.expires_at == int(request.expires_at.timestamp())
    assert held.metadata is not None
    assert held.metadata.to_dict() == {
        "loyalty_redemption": request.subject_id,
        "loyalty_program": request.program_id,
    }


def test_the_coupon_takes_the_amount_off_once(account: Account, a_request: ARequest) -> None:
    request = a_request(name="A name that is far longer than the forty letters allowed")
    account.issuer.issue(request, timeout_seconds=SECONDS)
    coupon = account.client.v1.coupons.retrieve(request.coupon_id)
    assert (coupon.amount_off, coupon.currency, coupon.duration) == (500, "usd", "once")
    assert coupon.name == request.name[:40]


def test_a_percentage_arrives_exactly(account: Account, a_request: ARequest) -> None:
    request = a_request(amount_off_minor=None, percent_off=Fraction(25, 2))
    account.issuer.issue(request, timeout_seconds=SECONDS)
    assert account.client.v1.coupons.retrieve(request.coupon_id).percent_off == 12.5


def test_asking_twice_makes_one_code(account: Account, a_request: ARequest) -> None:
    request = a_request()
    first = account.issuer.issue(request, timeout_seconds=SECONDS)
    assert account.issuer.issue(request, timeout_seconds=SECONDS) == first


def test_the_next_generation_of_the_key_finds_the_code_of_the_first(
    account: Account, a_request: ARequest
) -> None:
    first = account.issuer.issue(a_request(), timeout_seconds=SECONDS)
    again = account.issuer.issue(a_request(key_generation=1), timeout_seconds=SECONDS)
    looked = account.issuer.issue(
        a_request(key_generation=2, look_first=True), timeout_seconds=SECONDS
    )
    assert first == again == looked


def test_looking_first_creates_what_is_not_there(account: Account, a_request: ARequest) -> None:
    request = a_request(look_first=True)
    assert account.issuer.issue(request, timeout_seconds=SECONDS).active


def test_two_redemptions_share_one_coupon(account: Account, a_request: ARequest) -> None:
    one = a_request()
    other = a_request(subject_id=one.subject_id + "-2", code=one.code + "-2")
    issued = [account.issuer.issue(each, timeout_seconds=SECONDS) for each in (one, other)]
    assert issued[0].coupon_id == issued[1].coupon_id
    assert issued[0].promotion_code_id != issued[1].promotion_code_id


def test_a_code_of_another_redemption_is_refused(account: Account, a_request: ARequest) -> None:
    mine = a_request()
    account.issuer.issue(mine, timeout_seconds=SECONDS)
    with pytest.raises(GatewayRefused):
        account.issuer.issue(a_request(subject_id="rdm_other"), timeout_seconds=SECONDS)


def test_an_unknown_customer_is_refused(account: Account, a_request: ARequest) -> None:
    with pytest.raises(GatewayRefused) as refused:
        account.issuer.issue(a_request(stripe_customer_id="cus_nobody"), timeout_seconds=SECONDS)
    assert refused.value.code == "resource_missing"


def test_a_code_is_found_in_any_case_by_its_own_redemption_only(
    account: Account, a_request: ARequest
) -> None:
    request = a_request()
    issued = account.issuer.issue(request, timeout_seconds=SECONDS)
    assert find(account.issuer, a_request(code=request.code.lower())) == issued
    assert find(account.issuer, a_request(subject_id="rdm_other")) is None
    assert find(account.issuer, a_request(program_id="coffee")) is None
    assert find(account.issuer, a_request(code="NEVER-MADE-" + request.code)) is None


def test_a_withdrawn_code_is_inactive_and_still_found(
    account: Account, a_request: ARequest
) -> None:
    request = a_request()
    issued = account.issuer.issue(request, timeout_seconds=SECONDS)
    withdrawn = account.issuer.withdraw(issued.promotion_code_id, timeout_seconds=SECONDS)
    assert (withdrawn.active, withdrawn.times_redeemed) == (False, 0)
    assert find(account.issuer, request) == withdrawn
    again = account.issuer.withdraw(issued.promotion_code_id, timeout_seconds=SECONDS)
    assert again == withdrawn


def test_withdrawing_an_unknown_code_is_refused(account: Account) -> None:
    with pytest.raises(GatewayRefused) as refused:
        account.issuer.withdraw("promo_nobody", timeout_seconds=SECONDS)
    assert refused.value.code == "resource_missing"


def test_a_checkout_session_takes_the_code_off(account: Account, a_request: ARequest) -> None:
    issued = account.issuer.issue(a_request(), timeout_seconds=SECONDS)
    session = account.client.v1.checkout.sessions.create(
        {
            "mode": "payment",
            "success_url": "https://shop.example/thanks",
            "line_items": [
                {
                    "quantity": 2,
                    "price_data": {
                        "currency": "usd",
                        "unit_amount": 1500,
                        "product_data": {"name": "Soap"},
                    },
                }
            ],
            "discounts": [{"promotion_code": issued.promotion_code_id}],
        }
    )
    assert (session.amount_subtotal, session.amount_total) == (3000, 2500)
    assert session.total_details is not None
    assert session.total_details.amount_discount == 500


def test_an_issued_code_is_among_our_own(account: Account, a_request: ARequest) -> None:
    request = a_request()
    issued = account.issuer.issue(request, timeout_seconds=SECONDS)
    found = next(account.payments.list_codes(request.program_id, an_hour_ago()))
    assert (found.promotion_code_id, found.subject_id) == (
        issued.promotion_code_id,
        request.subject_id,
    )
    (event,) = [
        each
        for each in account.payments.list_events(an_hour_ago(), ["promotion_code.created"])
        if each.object["id"] == issued.promotion_code_id
    ]
    assert (event.account, event.livemode) == (None, False)


@pytest.mark.parametrize(
    "reader",
    [
        StripePayments.list_paid_checkouts,
        StripePayments.list_paid_invoices,
        StripePayments.list_refunded_charges,
        StripePayments.list_failed_refunds,
        StripePayments.list_disputes,
    ],
)
def test_every_list_is_asked_for_as_stripe_takes_it(
    account: Account, reader: Callable[[StripePayments, datetime], Iterator[object]]
) -> None:
    # What an account of others holds is not ours to know; that it answers is.
    list(islice(reader(account.payments, an_hour_ago()), 3))


def test_a_parameter_that_stripe_does_not_know_is_refused(account: Account) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        account.client.raw_request("post", "/v1/promotion_codes", coupon="five", promo_for="ada")
    assert refused.value.code in ("parameter_unknown", "parameter_missing")


def test_a_key_used_for_something_else_is_an_idempotency_error(
    account: Account, a_request: ARequest
) -> None:
    key = a_request().subject_id
    options: stripe.RequestOptions = {"idempotency_key": key}
    account.client.v1.customers.create({"name": "Ada"}, options)
    with pytest.raises(stripe.IdempotencyError):
        account.client.v1.customers.create({"name": "Grace"}, options)
