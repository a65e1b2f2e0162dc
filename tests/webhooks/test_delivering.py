"""Deliveries: at least once, by the schedule, verified by the library; nobody holds up another."""

import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest
from sqlalchemy import update
from standardwebhooks import Webhook
from structlog.testing import capture_logs

from loyalty_service import clock, db, delivering, worker
from loyalty_service.domain.webhooks import deliveries, signing
from loyalty_service.domain.webhooks import log as history
from loyalty_service.domain.webhooks.tables import Endpoint
from loyalty_service.gateways import webhooks
from tests.shop import DEFAULT_PROGRAM, Shop
from tests.webhooks.conftest import listen
from tests.webhooks.receiving import Receiver, receiving

SCHEDULE = [
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    *(timedelta(hours=hours) for hours in (2, 5, 10, 14, 20, 24)),
]


def a_delivery(shop: Shop) -> dict[str, Any]:
    """The newest delivery as the API shows it."""
    listed = shop.get("/v1/webhook_deliveries?limit=1", who="admin")["data"]
    return dict(shop.get(f"/v1/webhook_deliveries/{listed[0]['id']}", who="admin"))


def waiting(shop: Shop) -> list[Any]:
    return list(shop.get("/v1/webhook_deliveries?status=pending", who="admin")["data"])


def wait_for(true: Callable[[], bool]) -> None:
    pause = threading.Event()
    for _ in range(100):
        if true():
            return
        pause.wait(0.1)
    raise AssertionError("it never came true")


def later(hours: int = 1) -> datetime:
    return clock.wall() + timedelta(hours=hours)


def test_what_is_sent_is_what_the_log_shows_and_is_signed(
    shop: Shop, receiver: Receiver, endpoint: str
) -> None:
    shop.a_member(points=5)
    shop.tell()
    assert shop.deliver() == 1
    shown = a_delivery(shop)
    (event,), (headers,) = receiver.received, receiver.headers
    assert shown["payload"] == event
    assert headers["webhook-id"] == event["id"] == shown["event"]
    assert headers["content-type"] == "application/json"
    assert (shown["status"], shown["attempts"], shown["endpoint"]) == ("delivered", 1, endpoint)
    (tried,) = shown["log"]
    assert (tried["status_code"], tried["error"]) == (204, None)
    assert shown["next_attempt_at"] is None
    assert shop.deliver(later()) == 0


def test_a_signature_is_the_one_that_the_library_makes() -> None:
    at = clock.wall()
    secret = signing.secret("k" * 32, "default", "whe_1", 1)
    headers = signing.headers("ntc_1", at, b'{"a":1}', [secret])
    assert headers["webhook-signature"] == Webhook(secret).sign("ntc_1", at, '{"a":1}')
    others = [("other", "whe_1", 1), ("default", "whe_2", 1), ("default", "whe_1", 2)]
    assert len({secret, *(signing.secret("k" * 32, *other) for other in others)}) == 4


def test_an_endpoint_that_fails_and_recovers_receives_every_event(
    shop: Shop, receiver: Receiver, endpoint: str
) -> None:
    receiver.answer = lambda event: 500
    members = [shop.a_member(points=number) for number in range(1, 6)]
    shop.tell()
    assert shop.deliver() == 5
    waits = [
        one["next_attempt_at"] for one in shop.get("/v1/webhook_deliveries", who="admin")["data"]
    ]
    assert all(clock.wall() < datetime.fromisoformat(at) for at in waits)
    receiver.received.clear()
    receiver.answer = lambda event: 200
    assert shop.deliver() == 0
    assert shop.deliver(later()) == 5
    assert {event["member"] for event in receiver.received} == set(members)
    shown = a_delivery(shop)
    assert [one["status_code"] for one in shown["log"]] == [500, 200]


def test_it_is_tried_by_the_schedule_and_then_given_up_in_sight(
    shop: Shop, receiver: Receiver, endpoint: str
) -> None:
    receiver.answer = lambda event: 503
    receiver.text = b"over capacity " * 1000
    shop.a_member(points=5)
    shop.tell()
    at, waits = clock.wall(), []
    for _ in range(20):
        before = clock.wall()
        assert shop.deliver(at) == 1
        if (shown := a_delivery(shop))["status"] != "pending":
            break
        at = datetime.fromisoformat(shown["next_attempt_at"])
        waits.append(at - before)
        assert shop.deliver(at - timedelta(seconds=1)) == 0
    assert len(waits) == len(SCHEDULE)
    for wait, wanted in zip(waits, SCHEDULE, strict=True):
        assert wanted <= wait < wanted + timedelta(seconds=30)
    assert (shown["status"], shown["attempts"], len(shown["log"])) == ("failed", 10, 10)
    assert shown["last_error"] == "answered 503"
    assert len(shown["log"][0]["response"]) == 500
    assert len(receiver.received) == 10
    assert len({headers["webhook-id"] for headers in receiver.headers}) == 1


def test_an_endpoint_that_is_gone_is_switched_off_and_what_comes_waits_until_it_is_on_again(
    shop: Shop, receiver: Receiver, endpoint: str
) -> None:
    receiver.answer = lambda event: 410
    shop.a_member(points=1)
    shop.tell()
    with capture_logs() as lines:
        shop.deliver()
    shown = shop.get(f"/v1/webhook_endpoints/{endpoint}", who="admin")
    assert (shown["status"], shown["disabled_reason"]) == ("disabled", "gone")
    said = [
        (one["endpoint"], one["reason"]) for one in lines if one["event"] == "endpoint_disabled"
    ]
    assert said == [(endpoint, "gone")]
    assert shown["disabled_at"]
    assert a_delivery(shop)["status"] == "failed"
    meanwhile = shop.a_member(points=2)
    shop.tell()
    assert shop.deliver(later()) == 0
    receiver.answer = lambda event: 200
    on = {"status": "enabled"}
    shop.call("PATCH", f"/v1/webhook_endpoints/{endpoint}", on, who="admin")
    assert shop.deliver() == 1
    assert receiver.received[-1]["member"] == meanwhile


@pytest.mark.parametrize(
    ("days", "failures", "status"),
    [(5, 19, "disabled"), (5, 18, "enabled"), (4, 100, "enabled")],
)
def test_an_endpoint_that_failed_for_days_is_switched_off(
    shop: Shop, receiver: Receiver, endpoint: str, days: int, failures: int, status: str
) -> None:
    receiver.answer = lambda event: 500
    since = clock.wall() - timedelta(days=days, seconds=1)
    with shop.app.app_context():
        db.transaction(
            lambda session: session.execute(
                update(Endpoint).values(failing_since=since, failures=failures)
            )
        )
    shop.a_member(points=1)
    shop.tell()
    shop.deliver()
    shown = shop.get(f"/v1/webhook_endpoints/{endpoint}", who="admin")
    assert shown["status"] == status
    assert shown["disabled_reason"] == ("failing" if status == "disabled" else None)
    assert shown["failing_since"]


def test_one_success_forgets_the_failures(shop: Shop, receiver: Receiver, endpoint: str) -> None:
    receiver.answer = lambda event: 500
    shop.a_member(points=1)
    shop.tell()
    shop.deliver()
    receiver.answer = lambda event: 200
    shop.deliver(later())
    shown = shop.get(f"/v1/webhook_endpoints/{endpoint}", who="admin")
    assert shown["failing_since"] is None


def test_a_redirect_is_not_followed(shop: Shop, receiver: Receiver, endpoint: str) -> None:
    with receiving() as elsewhere:
        receiver.answer = lambda event: 307
        receiver.more_headers = {"Location": elsewhere.url}
        shop.a_member(points=1)
        shop.tell()
        shop.deliver()
        assert (len(elsewhere.received), elsewhere.refused) == (0, 0)
    shown = a_delivery(shop)
    assert (shown["status"], shown["last_error"]) == ("pending", "answered 307")


def test_a_secret_that_rotates_signs_beside_its_successor_until_the_overlap_ends(
    shop: Shop, receiver: Receiver, endpoint: str
) -> None:
    path = f"/v1/webhook_endpoints/{endpoint}/rotate_secret"
    made = shop.post(path, {"overlap_hours": 1}, who="admin")
    (old,), new = receiver.secrets, made["secret"]
    assert new and new != old and made["overlap_ends_at"]
    shop.a_member(points=1)
    shop.tell()
    shop.deliver()
    assert len(receiver.headers[0]["webhook-signature"].split(" ")) == 2
    receiver.secrets[:] = [new]
    shop.a_member(points=1)
    shop.tell()
    shop.deliver()
    assert shop.post(path, {"overlap_hours": 0}, who="admin")["overlap_ends_at"] is None
    shop.a_member(points=1)
    shop.tell()
    shop.deliver()
    assert (len(receiver.received), receiver.refused) == (2, 1)


@pytest.mark.slow
def test_a_dead_endpoint_holds_up_no_other_and_no_code(
    shop: Shop, receiver: Receiver, endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivering, "TIMEOUT_SECONDS", 2)
    with receiving() as slow:
        slow.seconds_a_byte = 1
        listen(shop, slow)
        for _ in range(5):
            shop.a_member(points=100)
        shop.tell()
        began = time.monotonic()
        assert shop.deliver() == 6
        assert time.monotonic() - began < 6
    assert len(receiver.received) == 5
    silent = shop.get("/v1/webhook_deliveries?status=pending", who="admin")["data"]
    assert len(silent) == 5
    assert [one["last_error"] for one in silent].count("no answer within 2 s") == 1


@pytest.mark.slow
def test_twenty_endpoints_that_are_slow_hold_up_none_of_another_program(
    shop: Shop, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Shop.open(shop.app, DEFAULT_PROGRAM.replace("id: default", "id: other", 1))
    listen(other, receiver)
    for number in range(20):
        body = {"url": f"http://127.0.0.1:{number + 1}/slow", "types": ["*"]}
        shop.post("/v1/webhook_endpoints", body, who="admin")
    ended, stop = threading.Event(), threading.Event()
    real = delivering.webhooks.post

    def post(url: str, *args: Any, **more: Any) -> Any:
        if url.endswith("/slow"):
            ended.wait(30)
            raise webhooks.NotSent("no answer")
        return real(url, *args, **more)

    monkeypatch.setattr(delivering.webhooks, "post", post)
    shop.a_member(points=1)
    with delivering.running(shop.app, stop):
        try:
            wait_for(lambda: len(waiting(shop)) == 20)
            members = [other.a_member(points=1) for _ in range(2)]
            wait_for(lambda: len(receiver.received) == 2)
        finally:
            ended.set()
    assert {event["member"] for event in receiver.received} == set(members)


def test_a_lease_that_ends_is_due_again_and_whoever_held_it_changes_nothing(
    shop: Shop, receiver: Receiver, endpoint: str
) -> None:
    shop.a_member(points=1)
    shop.tell()
    with shop.app.app_context():
        key = shop.app.config["LOYALTY"].webhook_key

        def lease(session: Any) -> Any:
            return deliveries.claim(session, shop.program_id, endpoint, key=key, lease_seconds=30)

        held = db.transaction(lease)
        assert held is not None and db.transaction(lease) is None
        assert shop.deliver(clock.wall() + timedelta(seconds=31)) == 1
        late = deliveries.Answered(clock.wall(), 5, 500)
        db.transaction(lambda session: deliveries.settle(session, held, late))
    shown = a_delivery(shop)
    assert (shown["status"], shown["attempts"]) == ("delivered", 2)
    assert shown["last_error"] is None
    assert [one["status_code"] for one in shown["log"]] == [500, 204]


@pytest.mark.slow
def test_the_worker_tells_sends_and_stops(shop: Shop, receiver: Receiver, endpoint: str) -> None:
    thread, stop = worker.start_thread(shop.app)
    member = shop.a_member(points=7)
    waiting = threading.Event()
    for _ in range(300):
        if receiver.received:
            break
        waiting.wait(0.1)
    stop.set()
    thread.join(timeout=30)
    assert [event["member"] for event in receiver.received] == [member]
    assert not thread.is_alive()
    assert "loyalty-webhooks" not in {one.name for one in threading.enumerate()}


def test_no_network_inside_a_transaction(shop: Shop, receiver: Receiver, endpoint: str) -> None:
    shop.a_member(points=1)
    shop.tell()
    open_now: list[int] = []
    post = delivering.webhooks.post

    def spying(*args: Any, **more: Any) -> Any:
        open_now.append(db.database.engine.pool.checkedout())  # type: ignore[attr-defined]
        return post(*args, **more)

    with patch.object(delivering.webhooks, "post", spying):
        shop.deliver()
    assert open_now == [0]


def test_what_ended_long_ago_is_forgotten(
    shop: Shop, receiver: Receiver, endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.a_member(points=1)
    shop.tell()
    shop.deliver()

    def forget() -> int:
        with shop.app.app_context():
            return db.transaction(history.forget_old)

    assert forget() == 0
    ahead = clock.wall() + timedelta(days=31)
    monkeypatch.setattr(history.clock, "wall", lambda: ahead)
    assert forget() == 1
    assert shop.get("/v1/webhook_deliveries", who="admin")["data"] == []
