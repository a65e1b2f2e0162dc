"""What becomes of a payment: refunds, failed ones, disputes, and invoices of subscriptions."""

from typing import Any

import pytest

from .conftest import Caller


def charge_of(stripe: Caller, session: dict[str, Any]) -> dict[str, Any]:
    form = {"payment_intent": session["payment_intent"]}
    (charge,) = stripe("GET", "/v1/charges", form).json()["data"]
    found: dict[str, Any] = charge
    return found


def refund(stripe: Caller, charge: str, **form: Any) -> dict[str, Any]:
    answer: dict[str, Any] = stripe("POST", "/v1/refunds", {"charge": charge, **form}).json()
    return answer


def test_a_payment_is_an_intent_and_its_charge(stripe: Caller) -> None:
    session = stripe.buy(3000)
    charge = charge_of(stripe, session)
    intent = stripe("GET", f"/v1/payment_intents/{session['payment_intent']}").json()
    assert intent["latest_charge"] == charge["id"]
    assert (intent["amount_received"], charge["amount"], charge["amount_refunded"]) == (
        3000,
        3000,
        0,
    )
    assert stripe("GET", f"/v1/charges/{charge['id']}").json() == charge


def test_the_metadata_meant_for_the_payment_is_on_it(stripe: Caller) -> None:
    form = {"payment_intent_data[metadata][order_id]": "A-1", "metadata[order_id]": "B-2"}
    session = stripe.pay(stripe.checkout(**form).json()["id"])
    assert session["metadata"] == {"order_id": "B-2"}
    assert charge_of(stripe, session)["metadata"] == {"order_id": "A-1"}
    refused = stripe.checkout(**{"subscription_data[metadata][a]": "1"})
    assert "does not go with mode=payment" in refused.json()["error"]["message"]


def test_what_costs_nothing_has_no_payment(stripe: Caller) -> None:
    stripe.code(code="THANKS")
    session = stripe.buy(500, code="THANKS")
    assert (session["payment_status"], session["payment_intent"]) == ("no_payment_required", None)
    assert stripe("GET", "/v1/charges").json()["data"] == []
    assert stripe.types()[-1] == "checkout.session.completed"


def test_refunds_add_up_on_the_charge(stripe: Caller) -> None:
    charge = charge_of(stripe, stripe.buy(3000))
    first = refund(stripe, charge["id"], amount=1000, reason="requested_by_customer")
    second = refund(stripe, charge["id"])
    assert [each["amount"] for each in (first, second)] == [1000, 2000]
    events = stripe.events(type="charge.refunded")
    told = [each["data"]["object"]["amount_refunded"] for each in events]
    assert told == [1000, 3000]
    assert events[1]["data"]["previous_attributes"] == {"amount_refunded": 1000, "refunded": False}
    assert stripe.types()[-2:] == ["refund.created", "charge.refunded"]
    listed = stripe("GET", "/v1/refunds", {"charge": charge["id"]}).json()["data"]
    assert listed == [second, first]
    assert stripe("GET", f"/v1/refunds/{first['id']}").json() == first


def test_a_refund_may_name_the_payment_intent(stripe: Caller) -> None:
    session = stripe.buy(3000)
    made = stripe("POST", "/v1/refunds", {"payment_intent": session["payment_intent"]}).json()
    assert (made["charge"], made["amount"]) == (charge_of(stripe, session)["id"], 3000)


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"amount": 3001}, "greater than unrefunded amount"),
        ({"amount": 0}, "positive integer"),
        ({"charge": "ch_nobody"}, "No such charge"),
        ({"payment_intent": "pi_nobody"}, "One of the following params"),
        ({"reverse_transfer": "true"}, "does not imitate"),
    ],
)
def test_a_refund_that_cannot_be_is_refused(
    stripe: Caller, form: dict[str, Any], words: str
) -> None:
    charge = charge_of(stripe, stripe.buy(3000))["id"]
    assert words in refund(stripe, **{"charge": charge, **form})["error"]["message"]
    assert stripe("GET", f"/v1/charges/{charge}").json()["amount_refunded"] == 0


def test_nothing_is_refunded_twice(stripe: Caller) -> None:
    charge = charge_of(stripe, stripe.buy(3000))["id"]
    refund(stripe, charge)
    assert refund(stripe, charge)["error"]["code"] == "charge_already_refunded"


def test_a_failed_refund_comes_off_what_was_refunded(stripe: Caller) -> None:
    charge = charge_of(stripe, stripe.buy(3000))["id"]
    refund(stripe, charge, amount=1000)
    second = refund(stripe, charge, amount=2000)
    failed = stripe.control(
        "POST", f"refunds/{second['id']}/fail", {"reason": "lost_or_stolen_card"}
    )
    assert (failed["status"], failed["failure_reason"]) == ("failed", "lost_or_stolen_card")
    held = stripe("GET", f"/v1/charges/{charge}").json()
    assert (held["amount_refunded"], held["refunded"]) == (1000, False)
    assert stripe.types()[-2:] == ["refund.updated", "refund.failed"]
    assert "error" in stripe.control("POST", f"refunds/{second['id']}/fail")


@pytest.mark.parametrize(
    ("outcome", "last"),
    [
        ("won", ["charge.dispute.closed", "charge.dispute.funds_reinstated"]),
        ("lost", ["charge.dispute.funds_withdrawn", "charge.dispute.closed"]),
    ],
)
def test_a_dispute_takes_the_money_until_it_is_won(
    stripe: Caller, outcome: str, last: list[str]
) -> None:
    session = stripe.buy(3000)
    given = {"payment_intent": session["payment_intent"], "amount": 2000, "reason": "fraudulent"}
    dispute = stripe.control("POST", "disputes", given)
    assert (dispute["status"], dispute["amount"]) == ("needs_response", 2000)
    assert stripe.types()[-2:] == ["charge.dispute.created", "charge.dispute.funds_withdrawn"]
    charge = charge_of(stripe, session)
    assert charge["disputed"]
    assert refund(stripe, charge["id"])["error"]["code"] == "charge_disputed"
    closed = stripe.control("POST", f"disputes/{dispute['id']}/close", {"outcome": outcome})
    assert closed["status"] == outcome
    assert stripe.types()[-2:] == last
    listed = stripe("GET", "/v1/disputes", {"charge": charge["id"]}).json()["data"]
    assert listed == [closed] == [stripe("GET", f"/v1/disputes/{dispute['id']}").json()]
    again = stripe.control("POST", f"disputes/{dispute['id']}/close", {"outcome": outcome})
    assert "closed already" in again["error"]["message"]


def test_a_subscription_checkout_fires_both_the_invoice_and_the_session(stripe: Caller) -> None:
    stripe.code(code="THANKS")
    session = stripe.buy(5000, mode="subscription", code="THANKS")
    assert stripe.types()[2:] == [
        "promotion_code.updated",
        "customer.created",
        "charge.succeeded",
        "payment_intent.succeeded",
        "invoice_payment.paid",
        "invoice.paid",
        "checkout.session.completed",
    ]
    assert session["payment_intent"] is None
    invoice = stripe("GET", f"/v1/invoices/{session['invoice']}").json()
    assert (invoice["subtotal"], invoice["total"], invoice["amount_paid"]) == (5000, 4500, 4500)
    assert not {"charge", "payment_intent", "subscription", "payments"} & set(invoice)
    details = invoice["parent"]["subscription_details"]
    assert details["subscription"] == session["subscription"]
    assert invoice["customer"] == session["customer"]


def test_an_invoice_shows_payments_and_codes_where_they_are_expanded(stripe: Caller) -> None:
    code = stripe.code(code="THANKS").json()["id"]
    session = stripe.buy(5000, mode="subscription", code="THANKS")
    form = {"expand[0]": "data.payments", "expand[1]": "data.discounts"}
    (invoice,) = stripe("GET", "/v1/invoices", form).json()["data"]
    assert [each["promotion_code"] for each in invoice["discounts"]] == [code]
    (payment,) = invoice["payments"]["data"]
    intent = payment["payment"]["payment_intent"]
    assert stripe("GET", f"/v1/payment_intents/{intent}").json()["amount"] == 4500
    asked = {"payment[type]": "payment_intent", "payment[payment_intent]": intent}
    found = stripe("GET", "/v1/invoice_payments", asked).json()["data"]
    assert [each["invoice"] for each in found] == [session["invoice"]]


def test_a_subscription_is_billed_again_without_the_code(stripe: Caller) -> None:
    stripe.code(code="THANKS")
    session = stripe.buy(5000, mode="subscription", code="THANKS")
    renewed = stripe.control("POST", "invoices", {"subscription": session["subscription"]})
    assert (renewed["billing_reason"], renewed["total"]) == ("subscription_cycle", 5000)
    assert stripe.types()[-1] == "invoice.paid"
    form = {"subscription": session["subscription"], "status": "paid"}
    ids = [each["id"] for each in stripe("GET", "/v1/invoices", form).json()["data"]]
    assert ids == [renewed["id"], session["invoice"]]


def test_an_invoice_may_stand_by_itself(stripe: Caller) -> None:
    customer = stripe("POST", "/v1/customers", {"email": "ada@example.com"}).json()["id"]
    given = {"amount": 900, "customer": customer, "metadata": {"order_id": "A-1"}}
    invoice = stripe.control("POST", "invoices", given)
    assert (invoice["parent"], invoice["metadata"]) == (None, {"order_id": "A-1"})
    assert invoice["customer_email"] == "ada@example.com"


def test_paid_sessions_are_listed_by_state_and_payment(stripe: Caller) -> None:
    stripe.checkout()
    paid = stripe.buy()
    form = {"status": "complete"}
    assert stripe("GET", "/v1/checkout/sessions", form).json()["data"] == [paid]
    form = {"payment_intent": paid["payment_intent"]}
    assert stripe("GET", "/v1/checkout/sessions", form).json()["data"] == [paid]
    assert len(stripe("GET", "/v1/checkout/sessions").json()["data"]) == 2


@pytest.mark.parametrize(
    ("path", "given"),
    [
        ("purchases", {"amount": "3000"}),
        ("purchases", {"amount": 3000, "mode": "setup"}),
        ("purchases", {"amount": 3000, "customer": "cus_nobody"}),
        ("purchases", {"amount": 3000, "tip": 5}),
        ("purchases", {}),
        ("disputes", {"charge": "ch_nobody"}),
        ("disputes", {}),
        ("invoices", {"subscription": "sub_nobody"}),
        ("invoices", {"amount": 100}),
        ("refunds/re_nobody/fail", {}),
    ],
)
def test_what_cannot_happen_does_not(stripe: Caller, path: str, given: dict[str, Any]) -> None:
    assert "error" in stripe.control("POST", path, given)
    assert stripe.events() == []
    assert stripe.control("GET", "state")["checkout_sessions"] == []
