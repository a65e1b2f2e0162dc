"""Points that paid for an order of Stripe's come and go with its money, whatever is told first."""

import random
import time

import pytest

from tests.conftest import differences
from tests.learning.test_payments import disputed, made, refunded
from tests.test_listening import Event, Told

PAID, POINTS, SEEDS = 5000, 500, 12


def a_payer(told: Told, order_id: str) -> str:
    """A member with 500 points left, who has paid for an order with as many."""
    member = told.shop.a_member(points=2 * POINTS)
    told.shop.capture(told.shop.hold(member, POINTS, order_id=order_id)["id"])
    return member


@pytest.mark.parametrize("end", ["refund_fails", "dispute_won"])
def test_points_are_not_had_twice_when_the_money_stays(told: Told, end: str) -> None:
    member = a_payer(told, "A-1")
    told.shop.call("PATCH", f"/v1/members/{member}", {"stripe_customer_id": told.customer})
    paid = told.buy(PAID, client_reference_id="A-1")
    told.tell_all(told.events())
    before = told.figures(member)
    if end == "refund_fails":
        id_ = told.stripe.refund(paid["payment_intent"])["id"]
    else:
        id_ = told.stripe.dispute(paid["payment_intent"])["id"]
    told.tell_all(told.events())
    assert told.figures(member) == (2 * POINTS, 0)
    if end == "refund_fails":
        told.stripe.fail_refund(id_)
    else:
        told.stripe.close_dispute(id_, "won")
    told.tell_all(told.events())
    assert told.figures(member) == before == (POINTS + PAID // 100, 0)
    assert not differences(told.shop.app)


def a_purchase(number: int, at: int, member: str) -> Event:
    return made(
        "checkout.session.completed",
        f"cs{number}",
        at,
        id=f"cs_{number}",
        amount_subtotal=PAID,
        amount_total=PAID,
        invoice=None,
        total_details={"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        shipping_cost=None,
        payment_intent=f"pi_{number}_0",
        client_reference_id=f"A-{number}",
        metadata={"loyalty_member": member},
    )


def what_happens(rnd: random.Random, number: int, at: int) -> tuple[list[Event], int]:
    """Refunds, some of which fail, and disputes; and how much is gone at the end."""
    parts = [rnd.randint(1, PAID // 3) for _ in range(rnd.randint(0, 3))]
    sums = [sum(parts[: count + 1]) for count in range(len(parts))]
    events, gone = refunded(number, 0, at, PAID, sums), sum(parts)
    for which, amount in enumerate(parts):
        if rnd.random() < 0.5:
            id_ = f"re_{number}_{which}"
            told = {"amount": amount, "status": "failed", "payment_intent": f"pi_{number}_0"}
            events.append(made("refund.failed", id_, at + 20 + which, id=id_, **told))
            gone -= amount
    if rnd.random() < 0.6:
        held = rnd.randint(1, PAID)
        events.append(disputed(number, 0, at + 30, held))
        is_won = rnd.random() < 0.5
        closed = disputed(number, 0, at + 40, held)
        closed |= {"id": f"evt_closed_{number}", "type": "charge.dispute.closed"}
        closed["data"]["object"]["status"] = "won" if is_won else "lost"
        events.append(closed)
        gone += 0 if is_won else held
    return events, min(PAID, gone)


@pytest.mark.slow
def test_whatever_is_told_first_the_points_back_are_those_of_what_is_gone(told: Told) -> None:
    at = int(time.time()) - 60
    for seed in range(SEEDS):
        rnd = random.Random(seed)
        member = a_payer(told, f"A-{seed}")
        events, gone = what_happens(rnd, seed, at)
        events.append(a_purchase(seed, at, member))
        rnd.shuffle(events)
        for event in events:
            told.tell_all([event])
        while told.work():
            pass
        back = POINTS - (2 * POINTS * (PAID - gone) + PAID) // (2 * PAID)
        assert told.figures(member) == (POINTS + back + (PAID - gone) // 100, 0), (seed, gone)
    assert not differences(told.shop.app)
