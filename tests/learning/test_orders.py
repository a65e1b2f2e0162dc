"""What was paid at Stripe is the order that the shop would have told of."""

import copy
import json
from typing import Any, NamedTuple

import pytest
from flask import Flask

from loyalty_service import canonical, db
from loyalty_service.domain import inbox, orders
from loyalty_service.gateways import stripe_objects
from tests.gateways import fixtures
from tests.stripe_control import StripeControl
from tests.test_listening import EARNING, Event, Told
from tests.test_listening_to_oddities import checkout

# A rule that counts everything there is shows each figure that is wrong.
COUNTS_ALL = "counts: [merchandise, discounts, tax, shipping]"


class Bought(NamedTuple):
    """What Stripe says of an order, and what the shop would: goods, discount, tax, shipping."""

    amount_subtotal: int
    discount: int
    tax: int
    # Before the discount, its tax, all in all; None where nothing was sent.
    shipping: tuple[int, int, int] | None
    total: int
    is_within: bool
    report: tuple[int, int, int, int]


ORDERS = {
    "no tax": Bought(10000, 0, 0, None, 10000, False, (10000, 0, 0, 0)),
    "tax on top": Bought(10000, 0, 1900, None, 11900, False, (10000, 0, 1900, 0)),
    "tax within": Bought(11900, 0, 1900, None, 11900, True, (10000, 0, 1900, 0)),
    "discount, no tax": Bought(10000, 1000, 0, None, 9000, False, (10000, 1000, 0, 0)),
    "discount, tax on top": Bought(10000, 1000, 1710, None, 10710, False, (10000, 1000, 1710, 0)),
    "discount, tax within": Bought(11900, 1190, 1710, None, 10710, True, (10000, 1000, 1710, 0)),
    "shipping": Bought(10000, 0, 0, (500, 0, 500), 10500, False, (10000, 0, 0, 500)),
    "shipping, tax on top": Bought(
        10000, 0, 1995, (500, 95, 595), 12495, False, (10000, 0, 1995, 500)
    ),
    "shipping, tax within": Bought(
        11900, 0, 1995, (595, 95, 595), 12495, True, (10000, 0, 1995, 500)
    ),
    "all of it, tax on top": Bought(
        10000, 2500, 1520, (500, 95, 595), 9520, False, (10000, 2500, 1520, 500)
    ),
    "all of it, tax within": Bought(
        11900, 2975, 1520, (595, 95, 595), 9520, True, (10000, 2500, 1520, 500)
    ),
    "all of it free": Bought(10000, 10000, 0, None, 0, False, (10000, 10000, 0, 0)),
    "free but for shipping": Bought(
        10000, 10000, 95, (500, 95, 595), 595, False, (10000, 10000, 95, 500)
    ),
}


def as_checkout(bought: Bought) -> dict[str, Any]:
    """A session's figures; Stripe does not say whether `amount_shipping` holds the tax."""
    return {
        "amount_subtotal": bought.amount_subtotal,
        "amount_total": bought.total,
        "shipping_cost": shipping_cost(bought),
        "total_details": {
            "amount_discount": bought.discount,
            "amount_shipping": bought.shipping[2] if bought.shipping else 0,
            "amount_tax": bought.tax,
        },
    }


def as_invoice(bought: Bought) -> dict[str, Any]:
    """An invoice's figures."""
    behaviour = "inclusive" if bought.is_within else "exclusive"
    return {
        "amount_paid": bought.total,
        "amount_shipping": bought.shipping[0] if bought.shipping else 0,
        "shipping_cost": shipping_cost(bought),
        "subtotal": bought.amount_subtotal,
        "total": bought.total,
        "total_discount_amounts": [{"amount": bought.discount, "discount": "di_1"}],
        "total_excluding_tax": bought.total - bought.tax,
        "total_taxes": [{"amount": bought.tax, "tax_behavior": behaviour}] if bought.tax else [],
    }


def shipping_cost(bought: Bought) -> dict[str, int] | None:
    if bought.shipping is None:
        return None
    names = ("amount_subtotal", "amount_tax", "amount_total")
    return dict(zip(names, bought.shipping, strict=True))


@pytest.mark.parametrize("bought", ORDERS.values(), ids=list(ORDERS))
def test_a_checkout_is_read_as_the_order_of_the_shops_own_report(bought: Bought) -> None:
    given = fixtures.event("checkout.session.completed")["data"]["object"]
    assert figures(stripe_objects.checkout(given | as_checkout(bought))) == bought.report


@pytest.mark.parametrize("bought", ORDERS.values(), ids=list(ORDERS))
def test_an_invoice_is_read_as_the_order_of_the_shops_own_report(bought: Bought) -> None:
    given = fixtures.event("invoice.paid")["data"]["object"]
    assert figures(stripe_objects.paid_invoice(given | as_invoice(bought))) == bought.report


def figures(read: Any) -> tuple[int, ...]:
    """Goods, discount, tax, shipping."""
    assert read.total_minor == (
        read.subtotal_minor - read.discount_minor + read.tax_minor + read.shipping_minor
    )
    return read.subtotal_minor, read.discount_minor, read.tax_minor, read.shipping_minor


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sqlite"])
@pytest.mark.parametrize("counts", [None, COUNTS_ALL])
def test_what_is_paid_at_stripe_earns_what_the_shops_own_report_earns(
    app: Flask, stripe: StripeControl, counts: str | None
) -> None:
    document = EARNING.replace("counts: [merchandise]", counts) if counts else EARNING
    told = Told(app, stripe, document)
    assert counts is None or counts in document
    session = checkout(told)
    told.stripe.invoice(amount=5000, customer=told.customer)
    (invoice,) = told.events("invoice.paid")
    for number, bought in enumerate(ORDERS.values()):
        reported = told.shop.a_member()
        goods, discount, tax, shipping = bought.report
        amounts = {"discount": discount, "tax": tax, "shipping": shipping}
        told.shop.post(
            "/v1/orders", told.shop.an_order(reported, goods, id=f"S-{number}", **amounts)
        )
        for event, more in ((session, as_checkout(bought)), (invoice, as_invoice(bought))):
            paid = told.shop.a_member()
            told.tell_all([paid_by(event, paid, number, more)])
            assert told.figures(paid) == told.figures(reported), (event["type"], bought)


def paid_by(event: Event, member: str, number: int, more: dict[str, Any]) -> Event:
    """An event of another order, of a member whom its metadata names."""
    new = copy.deepcopy(event)
    new["id"] = f"evt_{number}_{member[-20:]}"
    told = new["data"]["object"]
    told |= {**more, "id": f"{told['id'][:10]}_{number}", "payment_intent": None}
    told["metadata"] = {"loyalty_member": member}
    if "billing_reason" in told:
        told["billing_reason"] = "subscription_cycle"
    return new


def test_an_invoice_that_a_discount_paid_is_an_order(told: Told) -> None:
    told.member()
    told.stripe.invoice(amount=5000, customer=told.customer)
    event = copy.deepcopy(told.events("invoice.paid")[-1])
    event["data"]["object"] |= as_invoice(ORDERS["all of it free"])
    event["data"]["object"] |= {"billing_reason": "subscription_cycle"}
    told.tell_all([event])
    order = told.shop.get(f"/v1/orders/{event['data']['object']['id']}")
    assert (told.row(event).status, order["points_earned"]) == (inbox.DONE, 0)


def test_a_trial_that_costs_nothing_is_no_order(told: Told) -> None:
    told.member()
    told.stripe.invoice(amount=5000, customer=told.customer)
    event = copy.deepcopy(told.events("invoice.paid")[-1])
    event["data"]["object"] |= as_invoice(Bought(0, 0, 0, None, 0, False, (0, 0, 0, 0)))
    told.tell_all([event])
    assert told.row(event).status == inbox.IGNORED


@pytest.mark.parametrize("link", ["plink_1", {"id": "plink_1", "object": "payment_link"}])
def test_what_a_customer_may_write_into_a_payment_link_names_no_order(
    told: Told, link: Any
) -> None:
    member = told.member()
    event = checkout(told, client_reference_id="A-1")
    event["data"]["object"]["payment_link"] = link
    told.tell_all([event])
    assert told.shop.call("GET", "/v1/orders/A-1").status_code == 404
    own = event["data"]["object"]["id"]
    assert told.shop.get(f"/v1/orders/{own}")["points_earned"] == 50
    told.shop.post("/v1/orders", told.shop.an_order(member, 5000, id="A-1"))
    assert told.figures(member) == (100, 0)


def test_the_metadata_of_a_payment_link_is_the_shops_own(told: Told) -> None:
    told.member()
    event = checkout(told, client_reference_id="A-1")
    event["data"]["object"] |= {"payment_link": "plink_1", "metadata": {"order_id": "A-7"}}
    told.tell_all([event])
    assert told.shop.get("/v1/orders/A-7")["points_earned"] == 50


def test_a_second_checkout_of_one_order_is_refused_and_its_refund_takes_nothing(
    told: Told,
) -> None:
    """A double click: both were opened and paid within one second, for the same sum."""
    member = told.member()
    second = [told.buy(5000, client_reference_id="A-1") for _ in range(2)][1]
    events = told.events("checkout.session.completed")
    for event in events:
        event["created"] = event["data"]["object"]["created"] = events[0]["created"]
    told.tell_all(events)
    told.tell_all([events[0] | {"id": "evt_of_the_first_again"}])
    refused = told.row(events[1])
    assert (refused.status, refused.note.split(":")[0]) == (inbox.REFUSED, "order_conflict")
    assert second["id"] in refused.note
    told.stripe.refund(second["payment_intent"])
    told.tell_all(told.events("charge.refunded"))
    assert told.figures(member) == (50, 0)
    told.stripe.refund(events[0]["data"]["object"]["payment_intent"])
    told.tell_all(told.events("charge.refunded"))
    assert told.figures(member) == (0, 0)


def test_an_order_that_was_recorded_before_checkouts_were_noted_is_the_same_again(
    told: Told,
) -> None:
    member = told.member()
    event = checkout(told, client_reference_id="A-1")
    told.tell_all([event])

    def forget(session: Any) -> None:
        row = orders.require(session, told.shop.program_id, "A-1")
        content = json.loads(row.content)
        del content["made_by"]
        row.content = canonical.dumps(content)

    with told.shop.app.app_context():
        db.transaction(forget)
    told.tell_all([event | {"id": "evt_again"}])
    assert told.row(event | {"id": "evt_again"}).status == inbox.DONE
    assert told.figures(member) == (50, 0)
