"""What Stripe tells: believed when it is signed, kept once, and learnt from in any order."""

import itertools
import json
import random
import time
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest
import stripe as library
from flask import Flask

from loyalty_service import clock, db, worker
from loyalty_service.domain import inbox, redemptions
from loyalty_service.domain.inbox import StripeEvent
from tests.api.contract import nothing_written, problem
from tests.domain.test_life_of_a_code import fail
from tests.shop import DEFAULT_PROGRAM, Shop
from tests.stripe_control import StripeControl
from tests.terminal import terminal

SECRET = "whsec_of_the_tests"
EARNING = DEFAULT_PROGRAM.rstrip() + "\n  earn_from: [checkouts, invoices]\n"
Event = dict[str, Any]


def every(stripe: StripeControl, *types: str) -> list[Event]:
    """All events of these types, oldest first, page by page."""
    asked: dict[str, Any] = {f"types[{n}]": each for n, each in enumerate(types)} | {"limit": 100}
    found: list[Event] = []
    while True:
        page = stripe.get("events", asked)
        found += page["data"]
        if not page["has_more"]:
            return found[::-1]
        asked["starting_after"] = found[-1]["id"]


class Told:
    """A shop that Stripe tells of what happens at the sandbox."""

    def __init__(self, app: Flask, stripe: StripeControl, document: str = EARNING) -> None:
        self.shop, self.stripe = Shop.open(app, document), stripe
        self.customer = stripe.post("customers", {"email": "ada@example.com"})["id"]
        self._before = {one["id"] for one in every(stripe)}

    def member(self, **more: Any) -> str:
        """A member who is a customer at Stripe."""
        return self.shop.a_member(stripe_customer_id=self.customer, **more)

    def buy(self, amount: int = 5000, **more: Any) -> Event:
        """What the customer pays at Stripe."""
        return self.stripe.buy(amount, customer=self.customer, **more)

    def events(self, *types: str) -> list[Event]:
        """What has happened since, oldest first."""
        found = every(self.stripe, *types)
        return [one for one in found if one["id"] not in self._before]

    def tell(self, event: Event, **spoiled: Any) -> Any:
        payload = json.dumps(event)
        return self.send(payload, sign(payload, **spoiled))

    def send(self, payload: str, header: str) -> Any:
        headers = {"Stripe-Signature": header, "Content-Type": "application/json"}
        return self.shop.app.test_client().post("/webhooks/stripe", data=payload, headers=headers)

    def tell_all(self, events: Iterable[Event]) -> None:
        for event in events:
            answer = self.tell(event)
            assert answer.status_code == 200, answer.text
        self.work()

    def work(self) -> int:
        """A few rounds of the worker, an hour later; returns how many jobs it tried."""
        later = clock.wall() + timedelta(hours=1)
        with self.shop.app.app_context():
            return sum(worker.run_once(at=later) for _ in range(4))

    def row(self, event: Event) -> Any:
        with self.shop.app.app_context():
            return db.read(
                lambda session: session.get(StripeEvent, (self.shop.program_id, event["id"]))
            )

    def figures(self, member: str) -> Any:
        balance = self.shop.balance(member)
        return balance["available"] + balance["pending"], balance["debt"]


def sign(payload: str, secret: str = SECRET, age_seconds: int = 0) -> str:
    at = int(time.time()) - age_seconds
    header: str = library.WebhookSignature.generate_signature_header(payload, secret, at)
    return header


@pytest.fixture
def told(app: Flask, stripe: StripeControl) -> Told:
    return Told(app, stripe)


def test_a_code_that_was_used_at_stripe_is_used(told: Told) -> None:
    member = told.shop.a_member(points=100)
    redemption = told.shop.redeem(member)
    told.stripe.pay(redemption["code"], 10000)
    told.tell_all(told.events("promotion_code.updated"))
    after = told.shop.get(f"/v1/redemptions/{redemption['id']}")
    assert (after["status"], after["used_at"] is not None) == ("used", True)


@pytest.mark.parametrize("type_", ["promotion_code.updated", "checkout.session.completed"])
def test_a_thank_yous_code_that_was_used_at_stripe_is_used(told: Told, type_: str) -> None:
    given = told.shop.thank(told.shop.a_member())
    told.stripe.pay(given["code"], 10000)
    told.tell_all(told.events(type_))
    after = told.shop.get(f"/v1/discounts/{given['id']}")
    assert (after["status"], after["used_at"] is not None) == ("used", True)


def test_a_checkout_that_used_a_code_says_so_as_well(told: Told) -> None:
    redemption = told.shop.redeem(told.shop.a_member(points=100))
    told.stripe.pay(redemption["code"], 10000)
    told.tell_all(told.events("checkout.session.completed"))
    assert told.shop.get(f"/v1/redemptions/{redemption['id']}")["status"] == "used"


def test_a_code_withdrawn_by_hand_at_stripe_gives_its_points_back(told: Told) -> None:
    member = told.shop.a_member(points=100)
    redemption = told.shop.redeem(member)
    (code,) = told.stripe.codes(redemption["id"])
    told.stripe.post(f"promotion_codes/{code['id']}", {"active": "false"})
    told.tell_all(told.events("promotion_code.updated"))
    assert told.shop.get(f"/v1/redemptions/{redemption['id']}")["status"] == "cancelled"
    assert told.shop.available(member) == 100


def test_a_customers_code_is_the_customers_alone(told: Told) -> None:
    redemption = told.shop.redeem(told.member(points=100))
    (code,) = told.stripe.codes(redemption["id"])
    assert code["customer"] == told.customer


def test_a_paid_checkout_earns_as_an_order_does(told: Told) -> None:
    member = told.member()
    told.buy(5000, client_reference_id="A-1")
    told.tell_all(told.events())
    order = told.shop.get("/v1/orders/A-1")
    assert (order["member"], order["points_earned"]) == (member, 50)


def test_a_program_that_does_not_ask_for_it_earns_nothing(
    app: Flask, stripe: StripeControl
) -> None:
    told = Told(app, stripe, DEFAULT_PROGRAM)
    told.member()
    told.buy(5000, client_reference_id="A-1")
    with nothing_written(app):
        answers = [told.tell(event).json for event in told.events()]
    assert {answer["kept"] for answer in answers} == {False}


@pytest.mark.slow
@pytest.mark.parametrize("turn", range(3))
@pytest.mark.parametrize("parts", [(5000,), (1, 2499, 2500), (4999,), (1700, 1700)])
def test_refunds_take_back_by_their_sum_whatever_came_first(
    told: Told, parts: tuple[int, ...], turn: int
) -> None:
    member = told.member()
    paid = told.buy(client_reference_id="A-1")
    for part in parts:
        told.stripe.refund(paid["payment_intent"], part)
    events = told.events()
    random.Random(turn).shuffle(events)
    told.tell_all(events)
    assert told.figures(member) == ((5000 - sum(parts)) // 100, 0)


def test_a_refund_that_failed_and_a_dispute_that_was_won_give_points_back(told: Told) -> None:
    member = told.member()
    paid = told.buy(5000, client_reference_id="A-1")
    refund = told.stripe.refund(paid["payment_intent"], 2000)
    told.tell_all(told.events())
    assert told.figures(member) == (30, 0)
    told.stripe.fail_refund(refund["id"])
    told.tell_all(told.events())
    assert told.figures(member) == (50, 0)
    dispute = told.stripe.dispute(paid["payment_intent"])
    told.tell_all(told.events())
    assert told.figures(member) == (0, 0)
    told.stripe.close_dispute(dispute["id"], "won")
    told.tell_all(told.events())
    assert told.figures(member) == (50, 0)


def test_a_lost_dispute_keeps_the_points(told: Told) -> None:
    member = told.member()
    paid = told.buy(5000, client_reference_id="A-1")
    dispute = told.stripe.dispute(paid["payment_intent"])
    told.stripe.close_dispute(dispute["id"], "lost")
    told.tell_all(reversed(told.events()))
    assert told.figures(member) == (0, 0)


@pytest.mark.parametrize("shop_first", [True, False])
def test_an_order_that_the_shop_and_stripe_tell_of_earns_once(told: Told, shop_first: bool) -> None:
    member = told.member()
    told.buy(5000, client_reference_id="A-1")
    order = told.shop.an_order(member, 5000, id="A-1")
    turns = [
        lambda: told.shop.post("/v1/orders", order),
        lambda: told.tell_all(told.events()),
    ]
    for turn in turns if shop_first else reversed(turns):
        turn()
    assert told.figures(member) == (50, 0)


def test_a_refund_of_the_shops_is_refused_for_an_order_of_stripes(told: Told) -> None:
    told.member()
    told.buy(5000, client_reference_id="A-1")
    told.tell_all(told.events())
    answer = told.shop.call("POST", "/v1/orders/A-1/refunds", told.shop.a_refund(amount=100))
    problem(answer, 409, "refund_of_stripes", "order_id")


def test_a_refund_at_stripe_of_an_order_of_the_shops_is_the_shops_to_tell(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    member = told.member()
    order = told.shop.an_order(member, 5000, id="A-1", tax=900)
    told.shop.post("/v1/orders", order)
    paid = told.buy(5900, client_reference_id="A-1")
    told.stripe.refund(paid["payment_intent"], 900)
    told.tell_all(told.events())
    assert of_orders(reconciled(told, monkeypatch)) == []
    told.stripe.refund(paid["payment_intent"], 5000)
    *_, refund = told.events("charge.refunded")
    told.tell_all(told.events())
    assert told.figures(member) == (50, 0)
    # The sandbox is shared: reconciling has taken in what other tests have bought.
    while told.work():
        pass
    assert "tells of its refunds" in told.row(refund).note
    (said,) = of_orders(reconciled(told, monkeypatch))
    assert said.startswith("order A-1 is the shop's: 5900 (eur, minor units) went back at Stripe")
    told.shop.post("/v1/orders/A-1/refunds", told.shop.a_refund(amount=5000))
    assert of_orders(reconciled(told, monkeypatch)) == []


def test_no_refund_of_the_shops_takes_the_id_of_one_of_stripes(told: Told) -> None:
    member = told.member()
    paid = told.buy(5000, client_reference_id="A-1")
    told.tell_all(told.events())
    told.shop.post("/v1/orders", told.shop.an_order(member, 5000, id="B-1"))
    told.stripe.refund(paid["payment_intent"], 2000)
    told.tell_all(told.events())
    (refund,) = told.shop.get("/v1/orders/A-1/refunds")["data"]
    assert "/" in refund["id"]
    taken = told.shop.a_refund(amount=100, id=refund["id"])
    problem(told.shop.call("POST", "/v1/orders/B-1/refunds", taken), 422, "validation_failed")


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_a_subscriptions_checkout_earns_once_as_the_order_that_the_shop_knows(
    told: Told, order: tuple[int, ...]
) -> None:
    member = told.member()
    told.buy(5000, mode="subscription", client_reference_id="sub-order")
    events = told.events("checkout.session.completed", "invoice.paid", "invoice_payment.paid")
    assert len(events) == 3
    told.tell_all(events[place] for place in order)
    assert told.figures(member) == (50, 0)
    assert told.shop.get("/v1/orders/sub-order")["points_earned"] == 50


def test_a_renewal_earns_and_its_refund_takes_back(told: Told) -> None:
    member = told.member()
    session = told.buy(5000, mode="subscription")
    told.stripe.invoice(subscription=session["subscription"])
    events = told.events()
    told.tell_all(events)
    assert told.figures(member) == (100, 0)
    paid = [one for one in events if one["type"] == "invoice_payment.paid"][-1]
    told.stripe.refund(paid["data"]["object"]["payment"]["payment_intent"])
    told.tell_all(reversed(told.events()))
    assert told.figures(member) == (50, 0)


def test_what_a_customer_paid_waits_until_a_member_is_that_customer(told: Told) -> None:
    told.buy(5000, client_reference_id="A-1")
    (event,) = told.events("checkout.session.completed")
    told.tell_all([event])
    assert (told.row(event).status, told.row(event).waits_for) == (inbox.WAITING, told.customer)
    late = told.shop.a_member()
    told.shop.call("PATCH", f"/v1/members/{late}", {"stripe_customer_id": told.customer})
    told.work()
    assert (told.row(event).status, told.figures(late)) == (inbox.DONE, (50, 0))


def test_metadata_may_name_the_member(told: Told) -> None:
    member = told.shop.a_member(external_id="eve")
    told.stripe.buy(5000, metadata={"loyalty_member": "ext:eve", "order_id": "A-9"})
    told.tell_all(told.events())
    assert told.figures(member) == (50, 0)
    assert told.shop.get("/v1/orders/A-9")["points_earned"] == 50


def test_a_customer_is_one_member(told: Told) -> None:
    told.member()
    taken = {"external_id": "another", "stripe_customer_id": told.customer}
    problem(
        told.shop.call("POST", "/v1/members", taken),
        409,
        "stripe_customer_taken",
        "stripe_customer_id",
    )


def test_what_the_rules_refuse_is_noted_and_leaves_nothing_behind(told: Told) -> None:
    member = told.member()
    told.buy(5000, currency="usd", client_reference_id="A-1")
    (event,) = told.events("checkout.session.completed")
    told.tell_all([event])
    row = told.row(event)
    assert (row.status, row.note.split(":")[0]) == (inbox.REFUSED, "currency_not_priced")
    assert told.figures(member) == (0, 0)


@pytest.mark.slow
def test_two_hundred_events_three_times_in_any_order_end_as_once_in_theirs(
    app: Flask, stripe: StripeControl, kind: str
) -> None:
    told = Told(app, stripe)
    wanted, orders = (200, 50) if kind == "postgresql" else (40, 12)
    much_happens(told, orders)
    events = told.events()
    assert len(events) >= wanted
    once = where_it_ends(told, events)
    again = Told(app, stripe, EARNING.replace("id: default", "id: again", 1))
    again.customer = told.customer
    for event in events:
        named = event["data"]["object"].get("metadata")
        if isinstance(named, dict):
            named["loyalty_program"] = "again"
    shuffled = [*events, *events, *events]
    random.Random(7).shuffle(shuffled)
    assert where_it_ends(again, shuffled) == once


def much_happens(told: Told, orders: int) -> None:
    for number in range(orders):
        paid = told.buy(300 + number, client_reference_id=f"A-{number}")["payment_intent"]
        if number % 3 == 0:
            refund = told.stripe.refund(paid, 100)
            if number % 2 == 0:
                told.stripe.fail_refund(refund["id"])
        if number % 4 == 0:
            dispute = told.stripe.dispute(paid)["id"]
            told.stripe.close_dispute(dispute, ("won", "lost")[number % 8 == 0])


def where_it_ends(told: Told, events: list[Event]) -> object:
    member = told.member()
    told.tell_all(events)
    while told.work():
        pass
    orders = [
        (name, told.shop.get(f"/v1/orders/{name}")["points_earned"])
        for name in sorted({f"A-{number}" for number in range(12)})
    ]
    return told.figures(member), orders


@pytest.mark.parametrize(
    ("spoiled", "code"),
    [
        ({"secret": "whsec_of_somebody"}, "stripe_signature_invalid"),
        ({"age_seconds": 301}, "stripe_signature_too_old"),
    ],
)
def test_what_is_not_signed_now_by_stripe_is_refused(
    told: Told, spoiled: dict[str, Any], code: str
) -> None:
    told.buy(5000)
    (event,) = told.events("checkout.session.completed")
    with nothing_written(told.shop.app):
        problem(told.tell(event, **spoiled), 400, code)


def test_a_body_changed_on_its_way_is_refused(told: Told) -> None:
    told.buy(5000)
    (event,) = told.events("checkout.session.completed")
    header = sign(json.dumps(event))
    event["data"]["object"]["amount_total"] = 10**9
    with nothing_written(told.shop.app):
        problem(told.send(json.dumps(event), header), 400, "stripe_signature_invalid")
        problem(told.send(json.dumps(event), ""), 400, "stripe_signature_invalid")


@pytest.mark.parametrize(
    "payload", ["[]", "no json", '{"object": "event"}', '{"object": "v2.core.event"}']
)
def test_what_is_signed_and_no_event_is_refused(told: Told, payload: str) -> None:
    with nothing_written(told.shop.app):
        problem(told.send(payload, sign(payload)), 400, "stripe_event_not_read")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"type": "customer.deleted"}, "this type is not used"),
        ({"account": "acct_of_another"}, "it is another account's"),
    ],
)
def test_what_is_nothing_of_ours_is_answered_and_not_kept(
    told: Told, change: dict[str, Any], reason: str
) -> None:
    told.buy(5000)
    (event,) = told.events("checkout.session.completed")
    with nothing_written(told.shop.app):
        answer = told.tell(event | change)
    assert (answer.status_code, answer.json["kept"], answer.json["reason"]) == (200, False, reason)


def test_a_giant_payload_is_refused(told: Told) -> None:
    payload = json.dumps({"object": "event", "padding": "x" * (1 << 20)})
    with nothing_written(told.shop.app):
        problem(told.send(payload, sign(payload)), 413, "body_too_large")


def test_what_events_carried_is_forgotten(told: Told) -> None:
    told.member()
    told.buy(5000, client_reference_id="A-1")
    (event,) = told.events("checkout.session.completed")
    told.tell_all([event])
    with told.shop.app.app_context():

        def long_ago(session: Any) -> None:
            row = session.get(StripeEvent, (told.shop.program_id, event["id"]))
            row.received_at = row.received_at.replace(year=2020)

        db.transaction(long_ago)
        db.transaction(inbox.forget_payloads)
    assert (told.row(event).payload, told.row(event).status) == (None, inbox.DONE)


@pytest.mark.slow
def test_reconciling_finds_what_webhooks_missed_both_ways(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop, stripe = told.shop, told.stripe
    told.member()
    member = shop.a_member(points=400)
    used, withdrawn = (shop.redeem(member) for _ in range(2))
    stray = fail(shop, member)
    stripe.pay(used["code"], 10000)
    (code,) = stripe.codes(withdrawn["id"])
    stripe.post(f"promotion_codes/{code['id']}", {"active": "false"})
    told.buy(5000, client_reference_id="A-1")
    found = reconciled(told, monkeypatch)
    assert found["used"] == [used["id"]]
    assert found["withdrawn"] == [withdrawn["id"]]
    assert found["strays"] == [stray["id"]]
    assert [one["active"] for one in stripe.codes(stray["id"])] == [False]
    assert found["missed"]
    # The sandbox is shared: what other tests have bought is news here.
    while told.work():
        pass
    statuses = [shop.get(f"/v1/redemptions/{one['id']}")["status"] for one in (used, withdrawn)]
    assert statuses == ["used", "cancelled"]
    assert shop.get("/v1/orders/A-1")["points_earned"] == 50
    again = reconciled(told, monkeypatch)
    # Withdrawing the stray was news at Stripe, too.
    assert len(again["missed"]) == 1
    assert [again[one] for one in ("used", "withdrawn", "strays")] == [[], [], []]


@pytest.mark.slow
def test_a_code_that_stripe_does_not_have_needs_a_person(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    redemption = told.shop.redeem(told.shop.a_member(points=100))

    def lose(session: Any) -> None:
        row = redemptions.require(session, told.shop.program_id, redemption["id"])
        row.id = "rdm_that_was_lost"

    with told.shop.app.app_context():
        db.transaction(lose)
    found = reconciled(told, monkeypatch, exit_code=1)
    mine = [one for one in found["differences"] if redemption["id"] in one or "lost" in one]
    assert (found["ok"], len(mine)) == (False, 2)


def test_reconciling_goes_through_every_program(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    Shop.open(told.shop.app, DEFAULT_PROGRAM.replace("id: default", "id: other", 1))
    run = terminal(told.shop.app, monkeypatch)
    result = run("stripe", "reconcile", "--json")
    found = [json.loads(line) for line in result.output.splitlines()]
    assert [one["program"] for one in found] == ["default", "other"]


def of_orders(found: Any) -> list[str]:
    """The differences that name an order: codes of other tests are at the shared sandbox, too."""
    return [said for said in found["differences"] if said.startswith("order ")]


def reconciled(told: Told, monkeypatch: pytest.MonkeyPatch, exit_code: int | None = None) -> Any:
    """What `loyalty stripe reconcile --json` prints."""
    run = terminal(told.shop.app, monkeypatch)
    result = run("stripe", "reconcile", "--json", "--program", told.shop.program_id)
    # The sandbox is shared with other tests, whose codes are not here.
    assert result.exit_code in ((0, 1) if exit_code is None else (exit_code,)), result.output
    return json.loads(result.output)
