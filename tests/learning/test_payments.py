"""Money given back: of an invoice that was paid in parts, and of a member who has left."""

import copy
import itertools
import json
import random
import threading
import time
from typing import Any

import pytest
from click.testing import CliRunner

from loyalty_service import cli, db
from loyalty_service.config import variable
from loyalty_service.domain import crediting, payments
from tests.gateways import fixtures
from tests.test_listening import Event, Told

SEEDS = 30
CHECKOUT = "checkout.session.completed"
# With it, goods are no round share of the total: what is rounded for each part by itself is lost.
TAX = 801


def made(name: str, id_: str, at: int, **told: Any) -> Event:
    """An event as it was written down, about another object and of another moment."""
    new = copy.deepcopy(fixtures.event(name))
    new |= {"id": f"evt_{id_}", "created": at}
    new["data"]["object"] |= {"created": at, "currency": "eur", **told}
    return new


def invoice(number: int, at: int, member: str, total: int) -> Event:
    figures = {
        "amount_paid": total,
        "subtotal": total - TAX,
        "total": total,
        "total_discount_amounts": [],
        "total_excluding_tax": total - TAX,
        "total_taxes": [{"amount": TAX, "tax_behavior": "exclusive"}],
    }
    named = {"metadata": {"loyalty_member": member}, "billing_reason": "subscription_cycle"}
    return made("invoice.paid", f"in{number}", at, id=f"in_{number}", **figures, **named)


def part(number: int, which: int, at: int, amount: int) -> Event:
    return made(
        "invoice_payment.paid",
        f"inpay{number}_{which}",
        at,
        id=f"inpay_{number}_{which}",
        amount_paid=amount,
        amount_requested=amount,
        invoice=f"in_{number}",
        payment={"payment_intent": f"pi_{number}_{which}", "type": "payment_intent"},
    )


def refunded(number: int, which: int, at: int, amount: int, sums: list[int]) -> list[Event]:
    """What was given back of a part so far, step by step."""
    return [
        made(
            "charge.refunded",
            f"ch{number}_{which}_{step}",
            at + step,
            id=f"ch_{number}_{which}",
            amount=amount,
            amount_refunded=so_far,
            payment_intent=f"pi_{number}_{which}",
        )
        for step, so_far in enumerate(sums)
    ]


def disputed(number: int, which: int, at: int, amount: int) -> Event:
    return made(
        "charge.dispute.funds_withdrawn",
        f"dp{number}_{which}",
        at,
        id=f"dp_{number}_{which}",
        amount=amount,
        charge=f"ch_{number}_{which}",
        payment_intent=f"pi_{number}_{which}",
        status="needs_response",
    )


def given_back(told: Told, order_id: str) -> int:
    refunds = told.shop.get(f"/v1/orders/{order_id}/refunds?limit=100")["data"]
    return sum(one["money_back"]["amount"] for one in refunds)


@pytest.mark.slow
def test_what_is_gone_of_two_parts_is_one_sum_in_any_order(told: Told) -> None:
    at = int(time.time()) - 60
    for seed in range(SEEDS):
        rnd = random.Random(seed)
        member = told.shop.a_member()
        parts = [rnd.randint(1000, 5000) for _ in range(2)]
        total, gone = sum(parts), []
        events = [invoice(seed, at, member, total)]
        for which, amount in enumerate(parts):
            whole = amount if rnd.random() < 0.5 else rnd.randint(1, amount)
            sums = sorted({rnd.randint(1, whole), whole})
            events += [part(seed, which, at, amount), *refunded(seed, which, at, amount, sums)]
            held = rnd.choice([0, 0, rnd.randint(1, amount)])
            events += [disputed(seed, which, at, held)] if held else []
            gone.append(min(amount, whole + held))
        rnd.shuffle(events)
        told.tell_all(events)
        while told.work():
            pass
        due = (total - TAX) * sum(gone) // total
        assert given_back(told, f"in_{seed}") == due, (seed, parts, gone)
        assert told.figures(member) == ((total - TAX - due) // 100, 0), seed


@pytest.mark.parametrize("kind", ["postgresql"])
def test_parts_that_are_given_back_at_once_miss_nothing_of_each_other(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite has one writer at a time."""
    open_account, calls = crediting.open_account, itertools.count()
    overtaken = threading.Semaphore(0)

    def late(*given: Any) -> Any:
        # Every other one is overtaken by one that knows more: what it read before is old by then.
        if next(calls) % 2 == 0:
            overtaken.acquire(timeout=0.2)
            return open_account(*given)
        opened = open_account(*given)
        overtaken.release()
        return opened

    at, member = int(time.time()) - 60, told.shop.a_member()
    numbers = range(100, 110)
    for number in numbers:
        parts = [part(number, 0, at, 3001), part(number, 1, at, 2000)]
        told.tell_all([invoice(number, at, member, 5001), *parts])
    for number in numbers:
        first, second = refunded(number, 0, at, 3001, [3001]), refunded(number, 1, at, 2000, [2000])
        for event in (*first, *second):
            told.tell(event)
    monkeypatch.setattr(crediting, "open_account", late)
    workers = [threading.Thread(target=told.work) for _ in range(4)]
    for one in workers:
        one.start()
    for one in workers:
        one.join()
    while told.work():
        pass
    assert [given_back(told, f"in_{number}") for number in numbers] == [4200] * len(numbers)
    assert told.figures(member) == (0, 0)


def test_an_invoice_paid_in_parts_is_gone_whole_with_the_last_cent(told: Told) -> None:
    at, member = int(time.time()) - 60, told.shop.a_member()
    told.tell_all([part(7, 0, at, 3001), part(7, 1, at, 2000), invoice(7, at, member, 5001)])
    told.tell_all(refunded(7, 0, at, 3001, [3001]))
    assert given_back(told, "in_7") == 4200 * 3001 // 5001
    told.tell_all(refunded(7, 1, at, 2000, [2000]))
    assert given_back(told, "in_7") == 4200


def test_no_more_is_gone_of_a_part_than_it_paid(told: Told) -> None:
    at, member = int(time.time()) - 60, told.shop.a_member()
    told.tell_all([part(8, 0, at, 2000), part(8, 1, at, 3000), invoice(8, at, member, 5000)])
    told.tell_all([*refunded(8, 0, at, 2000, [2000]), disputed(8, 0, at, 2000)])
    assert given_back(told, "in_8") == 4199 * 2000 // 5000


@pytest.mark.parametrize("again", ["won", "failed"])
def test_points_that_would_come_back_to_a_closed_membership_are_refused_and_seen(
    told: Told, again: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop, member = told.shop, told.member()
    paid = told.buy(5000, client_reference_id="A-1")
    back = told.stripe.dispute if again == "won" else told.stripe.refund
    lost = back(paid["payment_intent"])
    told.tell_all(told.events())
    assert told.figures(member) == (0, 0)
    assert shop.call("PATCH", f"/v1/members/{member}", {"status": "closed"}).status_code == 200
    if again == "won":
        told.stripe.close_dispute(lost["id"], "won")
    else:
        told.stripe.fail_refund(lost["id"])
    told.tell_all(told.events())
    assert told.figures(member) == (0, 0)
    (event,) = told.events("charge.dispute.closed" if again == "won" else "refund.failed")
    about = event["data"]["object"]["id"]
    seen = {one["id"]: one["note"] for one in seen_by_staff(told, monkeypatch, "refused")}
    assert seen[event["id"]] == f"member_closed: This membership is closed ({about}, {member})"


def seen_by_staff(told: Told, monkeypatch: pytest.MonkeyPatch, status: str) -> Any:
    """What `loyalty stripe events` prints."""
    config = told.shop.app.config["LOYALTY"]
    for name in ("database_url", "log_level"):
        monkeypatch.setenv(variable(name), str(getattr(config, name)))
    asked = ["stripe", "events", "--json", "--status", status, "--program", told.shop.program_id]
    result = CliRunner().invoke(cli.main, asked)
    assert result.exit_code == 0, result.output
    return json.loads(result.output)


def test_what_a_closed_membership_owes_is_still_taken(told: Told) -> None:
    member = told.member()
    paid = told.buy(5000, client_reference_id="A-1")
    told.tell_all(told.events())
    told.shop.call("PATCH", f"/v1/members/{member}", {"status": "closed"})
    told.stripe.refund(paid["payment_intent"], 5000)
    told.tell_all(told.events())
    assert told.figures(member) == (0, 0)
    assert given_back(told, "A-1") == 5000


@pytest.mark.parametrize("type_", ["charge.refunded", "charge.dispute.created", "refund.failed"])
@pytest.mark.parametrize("is_first", [True, False])
def test_money_of_another_currency_gives_nothing_back_and_is_noted(
    told: Told, type_: str, is_first: bool
) -> None:
    member = told.member()
    paid = told.buy(5000, client_reference_id="A-1")
    refund = told.stripe.refund(paid["payment_intent"], 1000)
    told.stripe.fail_refund(refund["id"])
    told.stripe.dispute(paid["payment_intent"])
    bought, event = (copy.deepcopy(told.events(one)[0]) for one in (CHECKOUT, type_))
    event["data"]["object"] |= {"currency": "jpy", "amount": 5000}
    if type_ == "charge.refunded":
        event["data"]["object"] |= {"amount_refunded": 5000}
    for one in (event, bought) if is_first else (bought, event):
        told.tell_all([one])
    assert told.figures(member) == (50, 0)
    refused = told.row(bought if is_first else event)
    assert (refused.status, refused.note.split(":")[0]) == ("refused", "currency_not_priced")


def test_a_part_of_an_invoice_in_another_currency_is_refused(told: Told) -> None:
    at, member = int(time.time()) - 60, told.shop.a_member()
    other = part(1, 0, at, 5000)
    other["data"]["object"]["currency"] = "jpy"
    told.tell_all([invoice(1, at, member, 5000), part(1, 1, at, 5000)])
    told.tell_all([other])
    assert told.row(other).note.split(":")[0] == "currency_not_priced"
    told.tell_all(refunded(1, 1, at, 5000, [5000]))
    assert told.figures(member) == (0, 0)


def test_what_was_known_before_currencies_were_noted_is_still_known(told: Told) -> None:
    member = told.member()
    paid = told.buy(5000, client_reference_id="A-1")
    told.stripe.refund(paid["payment_intent"], 1000)
    told.tell_all(told.events())

    def forget(session: Any) -> None:
        row = session.get(payments.Payment, (told.shop.program_id, paid["payment_intent"]))
        facts = json.loads(row.facts)
        del facts["currency"]
        row.facts = json.dumps(facts)

    with told.shop.app.app_context():
        db.transaction(forget)
    told.stripe.refund(paid["payment_intent"], 1000)
    told.tell_all(told.events("charge.refunded"))
    assert told.figures(member) == (30, 0)
