"""What Stripe tells that is rare: odd values, other programs' names, money told of twice."""

import copy
import threading
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from loyalty_service import clock, db, reconciling
from loyalty_service.domain import inbox, jobs, members, redemptions
from loyalty_service.gateways.stripe_reading import StripePayments
from tests.stripe_control import StripeControl
from tests.test_listening import EARNING, Told

pytestmark = pytest.mark.slow


@pytest.fixture
def told(app: Flask, stripe: StripeControl) -> Told:
    return Told(app, stripe)


def checkout(told: Told, amount: int = 5000, **more: Any) -> Any:
    """A paid checkout's event, to be changed."""
    told.buy(amount, **more)
    return copy.deepcopy(told.events("checkout.session.completed")[-1])


def undone(told: Told) -> list[tuple[Any, ...]]:
    """The jobs that are not done."""
    with told.shop.app.app_context():
        found = db.read(
            lambda session: jobs.listed(session, [told.shop.program_id], [jobs.DUE, jobs.DEAD])
        )
    return [(job.status, job.attempts, job.last_error) for job in found]


@pytest.mark.parametrize("turn", [1, -1])
def test_a_checkout_that_makes_an_invoice_earns_once(told: Told, turn: int) -> None:
    member = told.member()
    session = checkout(told, client_reference_id="A-1")
    told.stripe.invoice(amount=5000, customer=told.customer)
    (invoice,) = told.events("invoice.paid")
    session["data"]["object"]["invoice"] = invoice["data"]["object"]["id"]
    told.tell_all([session, invoice][::turn])
    told.work()
    assert told.figures(member) == (50, 0)
    assert told.shop.get("/v1/orders/A-1")["points_earned"] == 50


def test_a_checkout_that_names_another_program_earns_nothing_by_a_code_of_ours(
    app: Flask, stripe: StripeControl
) -> None:
    told = Told(app, stripe)
    Told(app, stripe, EARNING.replace("id: default", "id: other", 1))
    member = told.shop.a_member(points=100, external_id="ada", stripe_customer_id=told.customer)
    redemption = told.shop.redeem(member)
    (code,) = stripe.codes(redemption["id"])
    event = checkout(told, client_reference_id="A-1")
    event["data"]["object"]["metadata"] = {"loyalty_program": "other"}
    event["data"]["object"]["discounts"] = [{"coupon": None, "promotion_code": code["id"]}]
    told.tell_all([event])
    assert told.shop.get(f"/v1/redemptions/{redemption['id']}")["status"] == "used"
    assert told.shop.call("GET", "/v1/orders/A-1").status_code == 404


def test_a_renewal_is_of_the_program_that_its_subscription_names(
    app: Flask, stripe: StripeControl
) -> None:
    told = Told(app, stripe)
    Told(app, stripe, EARNING.replace("id: default", "id: other", 1))
    member = told.member()
    told.stripe.invoice(amount=5000, customer=told.customer)
    (invoice,) = told.events("invoice.paid")
    invoice = copy.deepcopy(invoice)
    invoice["data"]["object"]["billing_reason"] = "subscription_cycle"
    invoice["data"]["object"]["parent"] = {
        "subscription_details": {"metadata": {"loyalty_program": "default"}, "subscription": "s"}
    }
    told.tell_all([invoice])
    assert told.figures(member) == (50, 0)


def test_a_refund_of_the_shops_that_waited_is_refused_for_an_order_of_stripes(told: Told) -> None:
    member = told.member()
    told.shop.post("/v1/orders/A-1/refunds", told.shop.a_refund(amount=2000))
    paid = told.buy(5000, client_reference_id="A-1")
    told.stripe.refund(paid["payment_intent"], 2000)
    told.tell_all(told.events())
    assert told.figures(member) == (30, 0)


def test_tax_within_the_price_is_no_more_than_was_paid(app: Flask, stripe: StripeControl) -> None:
    told = Told(app, stripe)
    member = told.member()
    event = checkout(told, 11900, client_reference_id="A-1")
    details = event["data"]["object"]["total_details"]
    details["amount_tax"] = 1900
    told.tell_all([event])
    assert told.figures(member) == (100, 0)


def test_an_invoice_that_gives_money_back_earns_nothing(told: Told) -> None:
    member = told.member()
    told.stripe.invoice(amount=5000, customer=told.customer)
    (invoice,) = told.events("invoice.paid")
    invoice = copy.deepcopy(invoice)
    invoice["data"]["object"] |= {
        "subtotal": -5000,
        "total": -5000,
        "amount_paid": 0,
        "billing_reason": "subscription_cycle",
    }
    told.tell_all([invoice])
    assert (undone(told), told.figures(member)) == ([], (0, 0))
    assert told.row(invoice).status == inbox.IGNORED


@pytest.mark.parametrize("name", ["x" * 201, "a\u0000b", "a/b", "..", "\ud800", "a\nb"])
@pytest.mark.parametrize("key", ["order_id", "loyalty_member"])
def test_a_name_that_no_order_may_have_is_refused_and_noted(
    told: Told, name: str, key: str
) -> None:
    told.member()
    event = checkout(told)
    event["data"]["object"]["metadata"] = {key: name}
    told.tell_all([event])
    assert undone(told) == []
    assert told.row(event).status == inbox.REFUSED


@pytest.mark.parametrize("id_", [5, None, "", "evt_\u0000", "evt_\ud800", ["a"]])
def test_an_event_whose_id_makes_no_sense_is_refused(told: Told, id_: Any) -> None:
    event = checkout(told) | {"id": id_}
    assert told.tell(event).status_code == 400


@pytest.mark.parametrize("type_", [5, None, ["a"], {}])
def test_an_event_whose_type_makes_no_sense_is_refused(told: Told, type_: Any) -> None:
    event = checkout(told) | {"type": type_}
    assert told.tell(event).status_code == 400


@pytest.mark.parametrize(
    "change",
    [
        {"amount_total": 2**63, "amount_subtotal": 2**63},
        {"amount_total": 2**60, "amount_subtotal": 2**60},
        {"amount_total": 2**63},
        {"amount_subtotal": "x"},
        {"amount_subtotal": -5},
        {"amount_total": -5},
        {"currency": None},
        {"currency": 7},
        {"currency": "e\u0000r"},
        {"metadata": ["a"]},
        {"metadata": {"order_id": 7}},
        {"metadata": {"loyalty_member": 7}},
        {"metadata": {"loyalty_member": {}}},
        {"metadata": {"loyalty_program": "a\u0000"}},
        {"client_reference_id": 7},
        {"customer": "c\u0000s"},
        {"customer": "c" * 90},
        {"customer": None},
        {"discounts": [{"promotion_code": "p\u0000"}]},
        {"discounts": [7]},
        {"discounts": {}},
        {"total_details": []},
        {"total_details": {"amount_discount": 9000}},
        {"total_details": {"amount_tax": -9000}},
        {"created": 10**11},
        {"created": 0},
        {"created": -(10**10)},
        {"payment_intent": "p" * 90},
        {"payment_intent": "p\u0000"},
        {"invoice": "p\u0000", "mode": "subscription"},
    ],
)
def test_odd_values_leave_no_dead_jobs(told: Told, change: dict[str, Any]) -> None:
    told.member()
    event = checkout(told)
    event["data"]["object"] |= change
    told.tell_all([event])
    assert undone(told) == []


@pytest.mark.parametrize(
    "change",
    [
        {"payment": "x"},
        {"payment": {"payment_intent": {"id": "pi_9"}}},
        {"payment": ["x"]},
        {"invoice": {"id": "in_9"}},
        {"payment": {"payment_intent": "p\u0000"}},
    ],
)
def test_an_odd_invoice_payment_leaves_no_dead_job(told: Told, change: dict[str, Any]) -> None:
    told.member()
    told.stripe.invoice(amount=5000, customer=told.customer)
    event = copy.deepcopy(told.events("invoice_payment.paid")[-1])
    event["data"]["object"] |= change
    told.tell_all([event])
    assert undone(told) == []


def test_a_code_is_used_even_where_its_checkout_may_not_earn(told: Told) -> None:
    redemption = told.shop.redeem(told.member(points=100))
    (code,) = told.stripe.codes(redemption["id"])
    event = checkout(told)
    event["data"]["object"]["currency"] = "usd"
    event["data"]["object"]["discounts"] = [{"coupon": None, "promotion_code": code["id"]}]
    told.tell_all([event])
    assert told.shop.get(f"/v1/redemptions/{redemption['id']}")["status"] == "used"


def test_a_code_used_before_we_heard_that_it_was_made_is_used(told: Told) -> None:
    shop = told.shop
    redemption = shop.redeem(shop.a_member(points=100))

    def pending(session: Any) -> None:
        row = redemptions.require(session, shop.program_id, redemption["id"])
        row.status, row.promotion_code_id = "pending", None

    with shop.app.app_context():
        db.transaction(pending)
        db.transaction(
            lambda s: redemptions.learn_use(s, shop.program_id, redemption["id"], "promo_x")
        )
    assert shop.get(f"/v1/redemptions/{redemption['id']}")["status"] == "used"


def test_what_waits_for_nobody_is_forgotten(told: Told) -> None:
    event = checkout(told)
    told.tell_all([event])
    assert told.row(event).status == inbox.WAITING

    def long_ago(session: Any) -> None:
        row = inbox.require(session, told.shop.program_id, event["id"])
        row.received_at = row.created_at = row.received_at.replace(year=2020)

    with told.shop.app.app_context():
        db.transaction(long_ago)
        db.transaction(inbox.forget_payloads)
    assert told.row(event).payload is None


@pytest.mark.parametrize("kind", ["postgresql"])
def test_a_customer_who_becomes_a_member_meanwhile_is_not_missed(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite has one writer at a time."""
    member = told.shop.a_member()
    event = checkout(told, client_reference_id="A-1")
    told.tell(event)
    looked, linked, first = threading.Event(), threading.Event(), members.find_by_customer
    worker_thread = threading.current_thread()

    def slowly(session: Any, program_id: str, customer_id: str) -> Any:
        found = first(session, program_id, customer_id)
        if threading.current_thread() is worker_thread and not looked.is_set():
            looked.set()
            linked.wait(2)
        return found

    def link() -> None:
        looked.wait(10)
        told.shop.call("PATCH", f"/v1/members/{member}", {"stripe_customer_id": told.customer})
        linked.set()

    monkeypatch.setattr(members, "find_by_customer", slowly)
    linking = threading.Thread(target=link)
    linking.start()
    told.work()
    linking.join()
    told.work()
    assert told.figures(member) == (50, 0)


def test_a_code_that_is_made_while_codes_are_read_is_no_difference(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = told.shop
    members_ = [shop.a_member(points=100) for _ in range(2)]
    shop.redeem(members_[0])
    read, made = StripePayments.list_codes, []

    def meanwhile(reader: StripePayments, program_id: str) -> Any:
        yield from read(reader, program_id)
        made.append(shop.redeem(members_[1])["id"])

    monkeypatch.setattr(StripePayments, "list_codes", meanwhile)
    with shop.app.app_context():
        config = shop.app.config["LOYALTY"]
        reader = StripePayments(config.stripe_api_key, config.stripe_api_base)
        issuer = shop.app.extensions["code_issuers"](None)
        since = clock.wall() - timedelta(minutes=1)
        found = reconciling.reconcile(shop.program_id, reader, issuer, since)
    assert not [one for one in found.differences if made[0] in one]
