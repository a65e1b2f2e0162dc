"""Requests that never come whole: their threads are free again, and others are answered."""

import contextlib
import json
import select
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from loyalty_service.config import Config, variable
from loyalty_service.db import database
from tests import running
from tests.running import Running
from tests.shop import Shop

pytestmark = [pytest.mark.slow, pytest.mark.parametrize("kind", ["sqlite"])]

SECONDS = 1
THREADS = 4


@pytest.fixture
def seconds() -> int:
    """How long it waits for what is sent to it."""
    return SECONDS


@pytest.fixture
def service(app: Flask, shop: Shop, tmp_path: Path, seconds: int) -> Iterator[Running]:
    """One process with few threads."""
    config: Config = app.config["LOYALTY"]
    with app.app_context():
        database.engine.dispose()
    environment = {
        variable("database_url"): config.database_url,
        variable("stripe_api_key"): config.stripe_api_key,
        variable("stripe_api_base"): config.stripe_api_base,
        variable("request_timeout_ms"): str(seconds * 1000),
    }
    arguments = ("serve", "--threads", str(THREADS))
    with running.command(arguments, environment, tmp_path / "serve.log") as service:
        service.wait_for(200, "/readyz")
        yield service


def connected(service: Running) -> socket.socket:
    host, _, port = service.url.removeprefix("http://").partition(":")
    return socket.create_connection((host, int(port)), timeout=20)


def a_head(shop: Shop, *more: str) -> bytes:
    """The header of a POST with a key."""
    lines = (
        "POST /v1/members HTTP/1.1",
        "Host: shop.example",
        f"Authorization: Bearer {shop.keys['checkout']}",
        "Content-Type: application/json",
        "Idempotency-Key: one",
        *more,
    )
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


def said_something(connection: socket.socket, within_seconds: float) -> bool:
    """Wait so long for an answer, or for the end of the connection; whether it came."""
    return bool(select.select([connection], [], [], within_seconds)[0])


def answer_to(connection: socket.socket) -> tuple[int, str, dict[str, Any]]:
    """The status, the type and the body of what is answered until the connection closes."""
    text = b""
    while more := connection.recv(65536):
        text += more
    head, _, body = text.partition(b"\r\n\r\n")
    fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
    return int(head.split()[1]), fields[b"content-type"].decode(), json.loads(body)


def test_a_body_that_does_not_come_is_408(service: Running, shop: Shop) -> None:
    with connected(service) as connection:
        connection.sendall(a_head(shop, "Content-Length: 100") + b"{")
        status, media_type, problem = answer_to(connection)
    assert (status, media_type) == (408, "application/problem+json")
    assert (problem["code"], problem["retryable"]) == ("request_timeout", True)


@pytest.mark.parametrize("framing", ["Content-Length: 100", "Transfer-Encoding: chunked"])
def test_a_body_that_drips_is_408(service: Running, shop: Shop, framing: str) -> None:
    with connected(service) as connection:
        connection.sendall(a_head(shop, framing))
        if framing.startswith("Transfer"):
            connection.sendall(b"64\r\n")
        for _ in range(15):
            with contextlib.suppress(OSError):
                connection.sendall(b" ")
            if said_something(connection, 0.2):
                break
        assert answer_to(connection)[0] == 408


def test_a_header_that_does_not_come_is_cut_off(service: Running) -> None:
    began = time.monotonic()
    with connected(service) as connection:
        connection.sendall(b"GET /livez HTTP/1.1\r\nHost: sh")
        assert connection.recv(100) == b""
    assert time.monotonic() - began < 10


def test_what_comes_in_two_pieces_in_time_is_served(service: Running, shop: Shop) -> None:
    body = json.dumps({"external_id": "in two pieces"}).encode()
    with connected(service) as connection:
        connection.sendall(
            a_head(shop, f"Content-Length: {len(body)}", "Connection: close") + body[:5]
        )
        assert not said_something(connection, SECONDS / 4)
        connection.sendall(body[5:])
        assert answer_to(connection)[0] == 201


def test_a_connection_that_rests_is_not_cut_off(service: Running) -> None:
    ask = b"GET /livez HTTP/1.1\r\nHost: shop.example\r\n\r\n"
    with connected(service) as connection, connection.makefile("rb") as reading:
        for _ in range(3):
            connection.sendall(ask)
            assert reading.readline().startswith(b"HTTP/1.1 200")
            while reading.readline() != b'{"status": "alive"}\n':
                pass
            assert not said_something(connection, SECONDS * 1.4)


@pytest.mark.parametrize(
    "body", [b"-1\r\nabc", b"zz\r\nabc", b"3\r\nabcd\r\n0\r\n\r\n", b"3 bytes;=\r\nabc\r\n"]
)
def test_chunks_that_are_none_are_the_callers_fault(
    service: Running, shop: Shop, body: bytes
) -> None:
    with connected(service) as connection:
        connection.sendall(a_head(shop, "Transfer-Encoding: chunked") + body)
        status, media_type, problem = answer_to(connection)
    assert (status, media_type) == (400, "application/problem+json")
    assert problem["code"] == "bad_request"


@pytest.mark.parametrize("is_known", [True, False])
def test_half_requests_hold_up_nobody_for_long(
    service: Running, shop: Shop, is_known: bool
) -> None:
    head = a_head(shop, "Content-Length: 100")
    if not is_known:
        head = head.replace(b"Bearer lk_", b"Bearer xx_")
    children = service.children()
    with contextlib.ExitStack() as held:
        for _ in range(THREADS * 4):
            held.enter_context(connected(service)).sendall(head + b"{")
        began = time.monotonic()
        assert service.status("/livez") == 200
        # Four in a row, each a second of patience, one of the main loop, and two for the close.
        assert time.monotonic() - began < 4 * (SECONDS + 1 + 2) + 4
    assert service.children() == children


@pytest.mark.parametrize("seconds", [60])
def test_patience_is_short_while_no_thread_is_left(service: Running, shop: Shop) -> None:
    half = a_head(shop, "Content-Length: 100") + b"{"
    with contextlib.ExitStack() as held:
        first = held.enter_context(connected(service))
        first.sendall(half)
        time.sleep(4)
        first.setblocking(False)
        with pytest.raises(BlockingIOError):
            first.recv(1)
        for _ in range(THREADS):
            held.enter_context(connected(service)).sendall(half)
        began = time.monotonic()
        assert service.status("/livez") == 200
        assert time.monotonic() - began < 10
