"""Whatever a receiver answers is an answer: kept as text, bounded, given up by the schedule."""

import contextlib
import resource
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from loyalty_service import clock
from loyalty_service.gateways import webhooks
from tests.shop import Shop

MEBIBYTE = 2**20
SENT_AT_MOST = 200 * MEBIBYTE
REFUSED = b"HTTP/1.1 500 Oops\r\n"
CHUNKED = REFUSED + b"Transfer-Encoding: chunked\r\n\r\n"
SHOWN = {
    "a NUL in the body": (REFUSED + b"Content-Length: 3\r\n\r\na\x00b", 500, "a\ufffdb"),
    "a body that is gzip": (REFUSED + b"Content-Length: 4\r\n\r\n\x1f\x8b\x08\x00", 500, None),
    "bytes that are no text": (REFUSED + b"Content-Length: 2\r\n\r\n\xed\xa0", 500, None),
    "a NUL in the reason": (b"HTTP/1.1 500 O\x00ops\r\nContent-Length: 0\r\n\r\n", 500, None),
    "a length below nought": (REFUSED + b"Content-Length: -1\r\n\r\nabc", 500, "abc"),
    "a length of no digits": ("Content-Length: ²\r\n\r\nabc", 500, "abc"),
    "a length of many digits": (
        REFUSED + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\nabc",
        500,
        "abc",
    ),
    "a protocol that is switched": (b"HTTP/1.1 101 x\r\n\r\n", 101, None),
    "a redirect": (b"HTTP/1.1 302 x\r\nLocation: http://169.254.169.254/\r\n\r\n", 302, None),
    "a status that nobody uses": (b"HTTP/1.1 999 x\r\n\r\n", 999, None),
}
NO_ANSWER = {
    "nothing": b"",
    "no HTTP": b"\x00\x01\x02garbage\r\n\r\n",
    "HTTP 0.9": b"hello",
    "a NUL in the status": b"HTTP/1.1 2\x000 x\r\n\r\n",
    "a NUL in the protocol": b"HT\x00TP/1.1 200 x\r\n\r\n",
    "a status of many digits": b"HTTP/1.1 9999999999999999999999 x\r\n\r\n",
    "a status of nought": b"HTTP/1.1 000 x\r\n\r\n",
    "a status below nought": b"HTTP/1.1 -5 x\r\n\r\n",
    "a chunk size that is none": CHUNKED + b"\x00zz\r\nabc",
    "a chunk of minus one": CHUNKED + b"-1\r\nabc",
    "a chunk of minus five": CHUNKED + b"-5\r\nabcdef\r\n0\r\n\r\n",
    "a chunk that breaks off": CHUNKED + b"f\r\nabc",
    "too many headers": REFUSED + b"X: y\r\n" * 500 + b"\r\n",
    "a header that is too long": REFUSED + b"X: " + b"y" * 100000 + b"\r\n\r\n",
}
ENDLESS = {
    "a chunk of minus one": (CHUNKED + b"-1\r\n", b"a"),
    "trailers": (CHUNKED + b"0\r\n", b"X: y\r\n"),
    "small chunks": (CHUNKED, b"1\r\na\r\n"),
    "a body": (REFUSED + b"\r\n", b"a"),
    "headers": (REFUSED, b"X: y\r\n"),
    "a header": (REFUSED, b"X"),
    "a status": (b"", b"H"),
    "answers before the answer": (b"", b"HTTP/1.1 100 x\r\n\r\n"),
}


@contextmanager
def answering(answer: bytes, then: bytes = b"") -> Iterator[tuple[str, list[int]]]:
    """A receiver that answers just these bytes, then others as long as they are taken.

    Its address, and how many bytes of the latter were taken by each request.
    """
    taken: list[int] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    taken.append(0)
                    with connection, contextlib.suppress(OSError):
                        _take_request(connection)
                        connection.sendall(answer)
                        while then and taken[-1] < SENT_AT_MOST:
                            taken[-1] += connection.send(then)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/hooks", taken
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


def _take_request(connection: socket.socket) -> None:
    # All of it: closing on what is unread would break the connection.
    with connection.makefile("rb") as reading:
        length = 0
        while (line := reading.readline()) not in (b"\r\n", b""):
            name, _, value = line.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        reading.read(length)


def tried(shop: Shop, answer: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    """A delivery that is answered so, as the API shows it, and its only attempt."""
    with answering(answer) as (url, _):
        shop.post("/v1/webhook_endpoints", {"url": url, "types": ["*"]}, who="admin")
        shop.a_member(points=5)
        shop.tell()
        assert shop.deliver() == 1
    (listed,) = shop.get("/v1/webhook_deliveries", who="admin")["data"]
    shown = shop.get(f"/v1/webhook_deliveries/{listed['id']}", who="admin")
    (attempt,) = shown["log"]
    return shown, attempt


@pytest.mark.parametrize("case", SHOWN)
def test_an_odd_answer_is_written_down_with_its_status(shop: Shop, case: str) -> None:
    answer, status, text = SHOWN[case]
    raw = answer if isinstance(answer, bytes) else REFUSED + answer.encode("latin-1")
    shown, attempt = tried(shop, raw)
    assert (attempt["status_code"], attempt["error"]) == (status, None)
    assert text is None or attempt["response"] == text
    assert (shown["status"], shown["last_error"]) == ("pending", f"answered {status}")


@pytest.mark.parametrize("case", NO_ANSWER)
def test_what_is_no_answer_is_written_down_as_an_error(shop: Shop, case: str) -> None:
    shown, attempt = tried(shop, NO_ANSWER[case])
    assert attempt["status_code"] is None
    assert attempt["error"] and "\x00" not in attempt["error"]
    assert (shown["status"], shown["last_error"]) == ("pending", attempt["error"])


def test_a_receiver_that_answers_a_nul_is_given_up_in_the_end(shop: Shop) -> None:
    answer, _, _ = SHOWN["a NUL in the body"]
    with answering(answer) as (url, taken):
        shop.post("/v1/webhook_endpoints", {"url": url, "types": ["*"]}, who="admin")
        shop.a_member(points=5)
        shop.tell()
        for day in range(1, 12):
            shop.deliver(clock.wall() + timedelta(days=day))
    (shown,) = shop.get("/v1/webhook_deliveries", who="admin")["data"]
    assert (shown["status"], shown["attempts"], len(taken)) == ("failed", 10, 10)


@pytest.mark.parametrize("case", ENDLESS)
def test_an_answer_without_end_is_read_no_further_than_the_log_needs(case: str) -> None:
    answer, line = ENDLESS[case]
    then = line * (MEBIBYTE // len(line))
    before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with answering(answer, then) as (url, taken), contextlib.suppress(webhooks.NotSent):
        webhooks.post(url, {}, b"{}", is_sandbox=True, timeout_seconds=10)
    # What is taken beyond lies in the buffers of two sockets.
    assert taken[0] < 16 * MEBIBYTE
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kib < 16 * 1024
