"""Events are signed as Stripe signs them, delivered at least once, and go astray when asked to."""

import hashlib
import hmac
import re
import time
from pathlib import Path
from typing import Any

import pytest

from loyalty_service.sandbox import serve
from loyalty_service.sandbox.__main__ import main
from tests.receiver import Letter, Receiver

from .conftest import Caller

PURCHASE = ["charge.succeeded", "payment_intent.succeeded", "checkout.session.completed"]
SECRET = "whsec_given_at_the_start"


def is_signed(letter: Letter, secret: str) -> bool:
    # Written out from Stripe's description, apart from the code that signs.
    at, digest = letter.signature.removeprefix("t=").split(",v1=")
    signed = at.encode() + b"." + letter.body
    return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest() == digest


def signed_at(letter: Letter) -> int:
    return int(letter.signature.removeprefix("t=").split(",")[0])


def settle(stripe: Caller) -> None:
    assert stripe.control("GET", "settled?seconds=15") == {"due": 0}


def deliveries(stripe: Caller) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = stripe.control("GET", "deliveries")["deliveries"]
    return found


def last_event(stripe: Caller) -> str:
    return str(stripe.events()[-1]["id"])


def test_an_endpoint_is_told_of_every_event_signed_with_its_secret(
    stripe: Caller, receiver: Receiver
) -> None:
    secret = stripe.tell(receiver.url)["secret"]
    assert re.fullmatch("whsec_[0-9a-f]{24}", secret)
    stripe.buy()
    letters = receiver.wait_for(3)
    assert sorted(each.event["type"] for each in letters) == sorted(PURCHASE)
    for letter in letters:
        assert is_signed(letter, secret)
        assert letter.headers["Content-Type"] == "application/json; charset=utf-8"
        assert abs(signed_at(letter) - time.time()) < 10
    settle(stripe)
    told = {each.event["id"]: each.event for each in letters}
    for event in stripe.events():
        assert event["pending_webhooks"] == 0
        assert told[event["id"]] == event | {"pending_webhooks": 1}


def test_the_secret_is_shown_once(stripe: Caller, receiver: Receiver) -> None:
    endpoint = stripe.tell(receiver.url)
    path = f"/v1/webhook_endpoints/{endpoint['id']}"
    assert "secret" not in stripe("GET", path).json()
    assert "secret" not in stripe("POST", path, {"description": "ours"}).json()
    assert endpoint["secret"] not in stripe("GET", "/v1/webhook_endpoints").text
    assert endpoint["secret"] not in str(stripe.control("GET", "state"))


def test_an_endpoint_is_told_only_what_it_wants_to_hear(stripe: Caller, receiver: Receiver) -> None:
    stripe.tell(receiver.url, "checkout.session.completed", "charge.refunded")
    charge = stripe("GET", f"/v1/payment_intents/{stripe.buy()['payment_intent']}").json()
    stripe("POST", "/v1/refunds", {"charge": charge["latest_charge"]})
    settle(stripe)
    assert sorted(receiver.types) == ["charge.refunded", "checkout.session.completed"]


def test_a_disabled_and_a_deleted_endpoint_hear_nothing(stripe: Caller, receiver: Receiver) -> None:
    first, second = stripe.tell(receiver.url), stripe.tell(receiver.url)
    stripe("POST", f"/v1/webhook_endpoints/{first['id']}", {"disabled": "true"})
    assert stripe("DELETE", f"/v1/webhook_endpoints/{second['id']}").json() == {
        "id": second["id"],
        "object": "webhook_endpoint",
        "deleted": True,
    }
    stripe.buy()
    settle(stripe)
    assert receiver.letters == []


@pytest.mark.parametrize(
    "form",
    [
        {"url": "shop.example", "enabled_events[0]": "*"},
        {"url": "http://127.0.0.1", "enabled_events[0]": "points.earned"},
        {"url": "http://127.0.0.1"},
        {"enabled_events[0]": "*"},
        {"url": "http://127.0.0.1", "enabled_events[0]": "*", "secret": "whsec_mine"},
    ],
)
def test_an_endpoint_that_stripe_would_refuse_is_refused(
    stripe: Caller, form: dict[str, str]
) -> None:
    assert stripe("POST", "/v1/webhook_endpoints", form).status_code == 400
    assert stripe.control("GET", "state")["webhook_endpoints"] == []


@pytest.mark.slow
@pytest.mark.parametrize("answer", [500, 400, 302])
def test_what_is_not_taken_comes_again_signed_anew(
    stripe: Caller, receiver: Receiver, answer: int
) -> None:
    secret = stripe.tell(receiver.url, "customer.created")["secret"]
    receiver.answers = [answer, answer]
    stripe("POST", "/v1/customers", {"name": "Ada"})
    letters = receiver.wait_for(3)
    assert len({each.event["id"] for each in letters}) == 1
    assert all(is_signed(each, secret) for each in letters)
    settle(stripe)
    assert [(row["status"], row["tries"]) for row in deliveries(stripe)] == [("delivered", 3)]


@pytest.mark.slow
def test_an_address_where_nobody_is_gets_three_tries(stripe: Caller, receiver: Receiver) -> None:
    stripe.tell(receiver.url, "customer.created")
    receiver.answers = [404] * 9
    stripe("POST", "/v1/customers", {"name": "Ada"})
    settle(stripe)
    row = deliveries(stripe)[0]
    assert (row["status"], row["tries"], row["last_status"]) == ("given_up", 3, 404)
    assert stripe.events()[0]["pending_webhooks"] == 1


def test_a_receiver_that_does_not_answer_holds_up_nobody_else(
    stripe: Caller, receiver: Receiver
) -> None:
    stripe.tell(receiver.url, "customer.created")
    receiver.gate.clear()
    for name in ("Ada", "Grace"):
        stripe("POST", "/v1/customers", {"name": name})
    receiver.wait_for(2)
    assert stripe("GET", "/v1/customers").status_code == 200
    receiver.gate.set()
    settle(stripe)


def test_held_events_go_when_they_are_released_in_the_order_asked_for(
    stripe: Caller, receiver: Receiver
) -> None:
    stripe.tell(receiver.url)
    stripe.control("POST", "deliveries", {"mode": "held"})
    stripe.buy()
    assert receiver.letters == []
    assert [row["status"] for row in deliveries(stripe)] == ["held"] * 3
    gone = stripe.control("POST", "deliver", {"order": "reversed"})["deliveries"]
    assert [row["status"] for row in gone] == ["delivered"] * 3
    assert receiver.types == PURCHASE[::-1]
    stripe.control("POST", "deliveries", {"mode": "held"})
    stripe.buy()
    stripe.control("POST", "deliver", {"order": "made"})
    assert receiver.types[3:] == PURCHASE
    stripe("POST", "/v1/customers", {"name": "Ada"})
    settle(stripe)
    assert receiver.types[6:] == ["customer.created"]


def test_a_released_event_that_is_not_taken_comes_again(stripe: Caller, receiver: Receiver) -> None:
    stripe.tell(receiver.url, "customer.created")
    stripe.control("POST", "deliveries", {"mode": "held"})
    stripe("POST", "/v1/customers", {"name": "Ada"})
    receiver.answers = [503]
    (gone,) = stripe.control("POST", "deliver", {})["deliveries"]
    assert (gone["status"], gone["last_status"]) == ("due", 503)
    settle(stripe)
    assert [row["status"] for row in deliveries(stripe)] == ["delivered"]


def test_shuffled_is_another_order_and_the_same_for_the_same_seed(
    stripe: Caller, receiver: Receiver
) -> None:
    stripe.tell(receiver.url, "customer.created")

    def order() -> list[str]:
        stripe.control("POST", "deliveries", {"mode": "held"})
        for number in range(8):
            stripe("POST", "/v1/customers", {"name": str(number)})
        receiver.letters.clear()
        stripe.control("POST", "deliver", {"order": "shuffled", "seed": 7})
        return [each.event["data"]["object"]["name"] for each in receiver.letters]

    first = order()
    assert sorted(first) != first == order()


def test_lost_events_are_listed_and_never_arrive(stripe: Caller, receiver: Receiver) -> None:
    stripe.tell(receiver.url)
    stripe.control("POST", "deliveries", {"mode": "lost"})
    stripe.buy()
    settle(stripe)
    assert receiver.letters == []
    assert [each["pending_webhooks"] for each in stripe.events()] == [1, 1, 1]
    assert stripe.events(delivery_success="true") == []
    stripe.control("POST", f"events/{last_event(stripe)}/send", {})
    assert receiver.types == PURCHASE[-1:]


def test_twice_is_the_same_event_two_times_at_once(stripe: Caller, receiver: Receiver) -> None:
    stripe.tell(receiver.url, "customer.created")
    stripe.control("POST", "deliveries", {"mode": "twice"})
    receiver.gate.clear()
    stripe("POST", "/v1/customers", {"name": "Ada"})
    letters = receiver.wait_for(2)
    receiver.gate.set()
    settle(stripe)
    assert receiver.most_at_once == 2
    assert [row["tries"] for row in deliveries(stripe)] == [1, 1]
    assert letters[0].event["id"] == letters[1].event["id"]
    assert stripe.events()[0]["pending_webhooks"] == 0


def test_an_event_can_be_spoiled_in_every_way(stripe: Caller, receiver: Receiver) -> None:
    secret = stripe.tell(receiver.url, "customer.created")["secret"]
    stripe("POST", "/v1/customers", {"name": "Ada"})
    settle(stripe)

    def sent(**spoiled: Any) -> Letter:
        receiver.letters.clear()
        answers = stripe.control("POST", f"events/{last_event(stripe)}/send", spoiled)["answers"]
        assert [each["status"] for each in answers] == [200] * len(receiver.letters)
        return receiver.letters[-1]

    assert is_signed(sent(), secret)
    assert not is_signed(sent(wrong_secret=True), secret)
    old = sent(age_seconds=600)
    assert is_signed(old, secret)
    assert 595 < time.time() - signed_at(old) < 615
    assert sent(account="acct_other").event["account"] == "acct_other"
    assert sent(thin=True).event["object"] == "v2.core.event"
    assert len(sent(padding_bytes=2_000_000).body) > 2_000_000
    assert sent(times=3) and len(receiver.letters) == 3


def test_the_clock_of_the_sandbox_moves_no_signature(stripe: Caller, receiver: Receiver) -> None:
    stripe.tell(receiver.url, "customer.created")
    stripe.control("POST", "clock", {"advance_seconds": 100 * 86400})
    stripe("POST", "/v1/customers", {"name": "Ada"})
    letter = receiver.wait_for(1)[0]
    assert abs(signed_at(letter) - time.time()) < 10
    assert letter.event["created"] > time.time() + 99 * 86400


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("deliveries", {"mode": "sideways"}),
        ("deliveries", {}),
        ("deliver", {"order": "random"}),
        ("events/evt_nobody/send", {}),
        ("events/evt_nobody/send", {"torn": True}),
    ],
)
def test_an_order_that_is_not_understood_is_refused(
    stripe: Caller, path: str, body: dict[str, Any]
) -> None:
    assert "error" in stripe.control("POST", path, body)


def test_what_was_not_delivered_goes_after_a_restart_to_where_it_is_told_now(
    receiver: Receiver, tmp_path: Path
) -> None:
    state = tmp_path / "stripe.sqlite"
    nobody = "http://127.0.0.1:9/webhooks/stripe"
    with serve(state_path=state, webhook=(nobody, SECRET)) as server:
        caller = Caller(server)
        caller("POST", "/v1/customers", {"name": "Ada"})
        caller.session.close()
    with serve(state_path=state, webhook=(receiver.url, SECRET)):
        letter = receiver.wait_for(1)[0]
        assert is_signed(letter, SECRET)
        assert letter.event["type"] == "customer.created"
    with serve(state_path=state) as server:
        caller = Caller(server)
        assert caller("GET", "/v1/webhook_endpoints").json()["data"] == []
        caller.session.close()


@pytest.mark.slow
def test_closing_does_not_wait_for_a_receiver_that_hangs(receiver: Receiver) -> None:
    receiver.gate.clear()
    with serve(webhook=(receiver.url, SECRET)) as server:
        caller = Caller(server)
        caller("POST", "/v1/customers", {"name": "Ada"})
        receiver.wait_for(1)
        caller.session.close()
        began = time.monotonic()
    assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    "arguments",
    [["--webhook-url", "http://127.0.0.1"], ["--webhook-secret", "whsec_x"]],
)
def test_an_address_and_its_secret_go_together(arguments: list[str]) -> None:
    with pytest.raises(SystemExit):
        main(arguments)


def test_an_address_that_is_none_stops_the_start(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--webhook-url", "shop.example", "--webhook-secret", "whsec_x"]) == 2
    assert "Invalid URL" in capsys.readouterr().err
