"""Only what Stripe signed, lately and with our secret, is believed; all else has a name."""

import json
import time
from typing import Any

import pytest
import stripe

from loyalty_service.gateways.payments import (
    BadSignature,
    Event,
    EventRefused,
    NotAnEvent,
    OldSignature,
    ThinEvent,
)
from loyalty_service.gateways.stripe_events import TOLERANCE_SECONDS, read_event
from tests.gateways import fixtures
from tests.receiver import Letter, Receiver
from tests.stripe_control import StripeControl

SECRET = "whsec_of_the_tests"
PAYLOAD = fixtures.text("charge.refunded")


def signed(payload: bytes, secret: str = SECRET, age_seconds: int = 0) -> str:
    at = int(time.time()) - age_seconds
    text = payload.decode()
    header: str = stripe.WebhookSignature.generate_signature_header(text, secret, at)
    return header


def test_an_event_is_read_when_it_is_signed() -> None:
    event = read_event(PAYLOAD, signed(PAYLOAD), SECRET)
    assert event.type == "charge.refunded"
    assert event.object["amount_refunded"] == 1500
    assert event.previous == {"amount_refunded": 500}


def test_one_of_two_signatures_is_enough_while_a_secret_is_replaced() -> None:
    header = signed(PAYLOAD, "whsec_before") + "," + signed(PAYLOAD).split(",")[1]
    assert read_event(PAYLOAD, header, SECRET).type == "charge.refunded"


def altered(how: str) -> str:
    """A header with something wrong; made in the test, since it holds the time."""
    now = int(time.time())
    return {
        "none": "",
        "only the time": f"t={now}",
        "only the signature": "v1=abc",
        "no time": "t=now,v1=abc",
        "another signature": f"t={now},v1=abc",
        "another scheme": signed(PAYLOAD).replace("v1=", "v0="),
        "not ASCII": f"t={now},v1=é",
        "an endless time": f"t={'9' * 5000},v1=abc",
        "another secret": signed(PAYLOAD, "whsec_of_somebody_else"),
        "another body": signed(PAYLOAD + b" "),
        "another time": "t=" + str(now - 9) + "," + signed(PAYLOAD).split(",")[1],
    }[how]


@pytest.mark.parametrize(
    "how",
    [
        "none",
        "only the time",
        "only the signature",
        "no time",
        "another signature",
        "another scheme",
        "not ASCII",
        "an endless time",
        "another secret",
        "another body",
        "another time",
    ],
)
def test_a_signature_that_is_not_ours_is_refused(how: str) -> None:
    with pytest.raises(BadSignature):
        read_event(PAYLOAD, altered(how), SECRET)


@pytest.mark.parametrize("secret", ["", " "])
def test_without_a_secret_nothing_is_believed(secret: str) -> None:
    with pytest.raises(BadSignature):
        read_event(PAYLOAD, signed(PAYLOAD, secret), secret)


def test_a_body_that_is_no_text_is_refused() -> None:
    with pytest.raises(BadSignature):
        read_event(b"\xff\xfe", signed(b"{}"), SECRET)


def test_an_old_signature_is_told_apart_from_a_wrong_one() -> None:
    header = signed(PAYLOAD, age_seconds=TOLERANCE_SECONDS + 60)
    with pytest.raises(OldSignature):
        read_event(PAYLOAD, header, SECRET)
    assert read_event(PAYLOAD, header, SECRET, TOLERANCE_SECONDS + 120)


def test_a_signature_that_is_ahead_of_time_is_as_bad_as_an_old_one() -> None:
    header = signed(PAYLOAD, age_seconds=-TOLERANCE_SECONDS - 60)
    with pytest.raises(OldSignature):
        read_event(PAYLOAD, header, SECRET)
    assert read_event(PAYLOAD, header, SECRET, TOLERANCE_SECONDS + 120)
    assert read_event(PAYLOAD, signed(PAYLOAD, age_seconds=-60), SECRET)
    with pytest.raises(BadSignature):
        read_event(PAYLOAD, signed(PAYLOAD, "whsec_x", age_seconds=9999), SECRET)


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        "[]",
        "null",
        '"event"',
        "{}",
        '{"object": "charge"}',
        '{"object": "event"}',
        '{"object": "event", "id": "evt_1", "type": "a", "created": "now", "livemode": false,'
        ' "data": {"object": {}}}',
        '{"object": "event", "id": "evt_1", "type": "a", "created": 1, "livemode": false,'
        ' "data": []}',
        "[" * 100_000,
    ],
)
def test_what_is_signed_and_no_event_is_refused(body: str) -> None:
    with pytest.raises(NotAnEvent):
        read_event(body.encode(), signed(body.encode()), SECRET)


def test_every_refusal_is_a_value_error_of_one_kind() -> None:
    for refusal in (BadSignature, OldSignature, NotAnEvent, ThinEvent):
        assert issubclass(refusal, EventRefused)
        assert issubclass(refusal, ValueError)


def test_a_percentage_is_never_a_float() -> None:
    written = fixtures.event("coupon.created")
    written["data"]["object"] |= {"amount_off": None, "percent_off": 12.5}
    payload = json.dumps(written).encode()
    assert read_event(payload, signed(payload), SECRET).object["percent_off"] == "12.5"


def test_the_event_is_not_in_its_own_description() -> None:
    payload = fixtures.text("customer.created")
    assert "ada@example.com" not in repr(read_event(payload, signed(payload), SECRET))


def sent(control: StripeControl, receiver: Receiver, **spoiled: Any) -> tuple[Letter, str]:
    """A refund's event as the sandbox sends it, spoiled or not, and the endpoint's secret."""
    secret = control.tell(receiver.url, "charge.refunded")["secret"]
    control.refund(control.buy(5000)["payment_intent"], 1000)
    control.wait_for_deliveries()
    receiver.letters.clear()
    control.send_event(control.events("charge.refunded")[0]["id"], **spoiled)
    return receiver.letters[0], secret


def read(letter: Letter, secret: str) -> Event:
    return read_event(letter.body, letter.signature, secret)


def test_what_the_sandbox_sends_is_believed(control: StripeControl, receiver: Receiver) -> None:
    event = read(*sent(control, receiver))
    assert (event.type, event.account) == ("charge.refunded", None)
    assert event.object["amount_refunded"] == 1000


@pytest.mark.parametrize(
    ("spoiled", "refusal"),
    [
        ({"wrong_secret": True}, BadSignature),
        ({"age_seconds": 600}, OldSignature),
        ({"thin": True}, ThinEvent),
    ],
)
def test_what_the_sandbox_spoils_is_refused(
    control: StripeControl,
    receiver: Receiver,
    spoiled: dict[str, Any],
    refusal: type[EventRefused],
) -> None:
    letter, secret = sent(control, receiver, **spoiled)
    with pytest.raises(refusal):
        read(letter, secret)


def test_an_event_of_another_account_says_so(control: StripeControl, receiver: Receiver) -> None:
    event = read(*sent(control, receiver, account="acct_other", padding_bytes=100_000))
    assert event.account == "acct_other"
