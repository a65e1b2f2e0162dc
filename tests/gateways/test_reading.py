"""What a lost webhook would have said is found in the lists, page by page."""

from datetime import UTC, datetime, timedelta

import pytest

from loyalty_service.gateways import stripe_reading
from loyalty_service.gateways.codes import GatewayRefused, GatewayUnclear
from loyalty_service.gateways.payments import Unreadable
from loyalty_service.gateways.stripe_reading import StripePayments
from loyalty_service.sandbox import Server
from tests.stripe_control import StripeControl

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def a_code(control: StripeControl, redemption_id: str, program_id: str = "beauty") -> str:
    coupon = control.post("coupons", {"amount_off": 500, "currency": "eur"})["id"]
    form = {
        "promotion[type]": "coupon",
        "promotion[coupon]": coupon,
        "code": redemption_id.replace("_", "-"),
        "max_redemptions": 1,
        "metadata[loyalty_program]": program_id,
        "metadata[loyalty_redemption]": redemption_id,
    }
    return str(control.post("promotion_codes", form)["id"])


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stripe_reading, "_PAGE", 2)


def test_our_own_codes_are_listed_used_or_not(
    control: StripeControl, payments: StripePayments
) -> None:
    ids = [a_code(control, f"rdm_{number}") for number in range(5)]
    a_code(control, "rdm_other", program_id="coffee")
    coupon = control.post("coupons", {"percent_off": "10"})["id"]
    control.post("promotion_codes", {"promotion[type]": "coupon", "promotion[coupon]": coupon})
    control.buy(5000, code="rdm-2")
    codes = list(payments.list_codes("beauty"))
    assert [each.promotion_code_id for each in codes] == ids[::-1]
    used = {each.subject_id: (each.times_redeemed, each.active) for each in codes}
    assert used["rdm_2"] == (1, False)
    assert used["rdm_1"] == (0, True)


def test_since_leaves_out_what_was_made_before(
    control: StripeControl, payments: StripePayments
) -> None:
    a_code(control, "rdm_1")
    control.buy(1000)
    later = datetime.now(UTC) + timedelta(hours=1)
    assert list(payments.list_codes("beauty", later)) == []
    assert list(payments.list_paid_checkouts(later)) == []
    assert len(list(payments.list_paid_checkouts(LONG_AGO))) == 1


def test_paid_checkouts_are_listed_and_open_ones_are_not(
    control: StripeControl, payments: StripePayments
) -> None:
    a_code(control, "rdm_1")
    paid = [control.buy(1000 + n, client_reference_id=f"A-{n}")["id"] for n in range(4)]
    free = control.buy(500, code="RDM-1")
    line = {"price_data": {"currency": "eur", "unit_amount": 900}}
    form = {f"line_items[0][price_data][{name}]": v for name, v in line["price_data"].items()}
    form |= {"line_items[0][price_data][product_data][name]": "Soap", "mode": "payment"}
    control.post("checkout/sessions", {**form, "line_items[0][quantity]": 1})
    found = list(payments.list_paid_checkouts(LONG_AGO))
    assert [each.session_id for each in found] == [free["id"], *paid[::-1]]
    assert [each.total_minor for each in found] == [0, 1003, 1002, 1001, 1000]
    assert found[0].promotion_code_ids and found[1].client_reference_id == "A-3"


def test_paid_invoices_name_codes_and_payments(
    control: StripeControl, payments: StripePayments
) -> None:
    code = a_code(control, "rdm_1")
    session = control.buy(5000, mode="subscription", code="RDM-1")
    for _ in range(2):
        control.invoice(subscription=session["subscription"])
    found = list(payments.list_paid_invoices(LONG_AGO))
    assert [each.reason for each in found] == [
        "subscription_cycle",
        "subscription_cycle",
        "subscription_create",
    ]
    first = found[-1]
    assert first.invoice_id == session["invoice"]
    assert first.promotion_code_ids == (code,)
    assert (first.subtotal_minor, first.discount_minor, first.paid_minor) == (5000, 500, 4500)
    assert len({intent for each in found for intent in each.payment_intent_ids}) == 3
    assert {each.subscription_id for each in found} == {session["subscription"]}


def test_a_refunded_charge_is_listed_once_with_all_that_went_back(
    control: StripeControl, payments: StripePayments
) -> None:
    first, second = (control.buy(5000)["payment_intent"] for _ in range(2))
    control.buy(5000)
    for intent in (first, second, first, first):
        last = control.refund(intent, 1000)
    control.fail_refund(last["id"])
    found = list(payments.list_refunded_charges(LONG_AGO))
    assert len(found) == 2
    assert {each.payment_intent_id: each.refunded_minor for each in found} == {
        first: 2000,
        second: 1000,
    }
    (failed,) = payments.list_failed_refunds(LONG_AGO)
    assert (failed.refund_id, failed.amount_minor) == (last["id"], 1000)
    assert (failed.failed, failed.payment_intent_id) == (True, first)


def test_a_charge_whose_refunds_all_failed_is_listed_with_nothing_given_back(
    control: StripeControl, payments: StripePayments
) -> None:
    control.fail_refund(control.refund(control.buy(5000)["payment_intent"])["id"])
    (charge,) = payments.list_refunded_charges(LONG_AGO)
    assert (charge.amount_minor, charge.refunded_minor) == (5000, 0)


def test_disputes_are_listed_with_who_has_the_money(
    control: StripeControl, payments: StripePayments
) -> None:
    disputes = [control.dispute(control.buy(5000)["payment_intent"])["id"] for _ in range(3)]
    control.close_dispute(disputes[0], "won")
    control.close_dispute(disputes[1], "lost")
    found = {each.dispute_id: each for each in payments.list_disputes(LONG_AGO)}
    assert [found[each].money_is_gone for each in disputes] == [False, True, True]
    assert [found[each].closed for each in disputes] == [True, True, False]


def test_events_of_the_types_asked_for_are_listed(
    control: StripeControl, payments: StripePayments
) -> None:
    a_code(control, "rdm_1")
    control.refund(control.buy(5000, code="RDM-1")["payment_intent"])
    wanted = ("promotion_code.updated", "charge.refunded")
    found = list(payments.list_events(LONG_AGO, wanted))
    assert [each.type for each in found] == ["charge.refunded", "promotion_code.updated"]
    assert found[0].object["amount_refunded"] == 4500
    assert found[1].previous == {"active": True, "times_redeemed": 0}


@pytest.mark.parametrize(
    ("currency", "at_stripe", "minor"),
    [("jpy", 5000, 5000), ("isk", 500000, 5000), ("mga", 50, 5000), ("kwd", 5120, 5120)],
)
def test_amounts_are_in_the_minor_units_of_the_currency(
    control: StripeControl,
    payments: StripePayments,
    currency: str,
    at_stripe: int,
    minor: int,
) -> None:
    session = control.buy(at_stripe, currency=currency)
    control.refund(session["payment_intent"])
    control.dispute(control.buy(at_stripe, currency=currency)["payment_intent"])
    control.buy(at_stripe, currency=currency, mode="subscription")
    assert {each.total_minor for each in payments.list_paid_checkouts(LONG_AGO)} == {minor}
    assert [each.refunded_minor for each in payments.list_refunded_charges(LONG_AGO)] == [minor]
    assert [each.amount_minor for each in payments.list_disputes(LONG_AGO)] == [minor]
    assert [each.paid_minor for each in payments.list_paid_invoices(LONG_AGO)] == [minor]


def test_an_amount_that_makes_no_sense_is_not_guessed(
    control: StripeControl, payments: StripePayments
) -> None:
    control.buy(12345, currency="isk")
    with pytest.raises(Unreadable, match="isk has no minor unit"):
        list(payments.list_paid_checkouts(LONG_AGO))


@pytest.mark.parametrize("kind", ["error_500_before", "rate_limit_429", "timeout_after_success"])
def test_a_page_that_does_not_come_ends_the_reading_with_what_was_read(
    control: StripeControl, payments: StripePayments, kind: str
) -> None:
    for _ in range(3):
        control.buy(1000)
    reading = payments.list_paid_checkouts(LONG_AGO)
    assert [next(reading) and next(reading)]
    control.fault(kind)
    with pytest.raises(GatewayUnclear) as unclear:
        next(reading)
    assert not unclear.value.finished
    assert len(list(payments.list_paid_checkouts(LONG_AGO))) == 3


def test_a_key_that_is_refused_says_nothing_about_payments(sandbox: Server) -> None:
    payments = StripePayments("sk_live_wrong", sandbox.url)
    with pytest.raises(GatewayUnclear, match="credentials"):
        next(payments.list_disputes(LONG_AGO))
    payments.close()


def test_more_types_than_stripe_takes_are_refused(payments: StripePayments) -> None:
    with pytest.raises(GatewayRefused):
        next(payments.list_events(LONG_AGO, [f"a.{n}" for n in range(21)]))
