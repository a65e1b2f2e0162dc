"""The way out to a shop's own endpoints: to a checked address, signed, within a deadline.

The name is resolved once; every address that it has must be public, and the connection goes to
just the one that was looked at: a name that changes its mind in between gains nothing. No proxy,
no redirect, no more of the answer than the log keeps. Whatever comes of it is an Answer or NotSent.
"""

import contextlib
import http.client
import io
import ipaddress
import os
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import SplitResult

import certifi

from loyalty_service import addresses
from loyalty_service.addresses import BadUrl

ANSWER_BYTES = 2000
# The status, the headers and how the body is framed, of any answer that is meant as one.
AROUND_BYTES = 65536
USER_AGENT = "loyalty-service-webhooks/1"


class NotSent(Exception):
    """Nobody answered in time, or nobody may be asked; the text says which, and can be kept."""

    def __init__(self, why: str) -> None:
        super().__init__(_kept(why))


@dataclass(frozen=True, slots=True)
class Answer:
    """What an endpoint answered: the status and, unless that is 2xx, how its text begins.

    The text can be kept by either database.
    """

    status: int
    text: str


def post(
    url: str, headers: Mapping[str, str], body: bytes, *, is_sandbox: bool, timeout_seconds: int
) -> Answer:
    """Send a body and read the answer, all within the timeout; raises NotSent."""
    until = time.monotonic() + timeout_seconds
    try:
        parts = addresses.require_url(url, is_sandbox=is_sandbox)
        known = _checked(parts, is_sandbox, until)
        with _connected(parts, known, until) as connection:
            return _asked(connection, parts, headers, body)
    except NotSent:
        raise
    except BadUrl as error:
        raise NotSent(f"the address {error}") from error
    except TimeoutError as error:
        raise NotSent(f"no answer within {timeout_seconds} s") from error
    except ssl.SSLError as error:
        raise NotSent(f"TLS: {error.reason or error}") from error
    except Exception as error:
        # The library takes some answers for our own mistakes: a chunk of -5 bytes is a ValueError.
        if time.monotonic() >= until:
            raise NotSent(f"no answer within {timeout_seconds} s") from error
        raise NotSent(_words(error)) from error


def _checked(parts: SplitResult, is_sandbox: bool, until: float) -> list[str]:
    """The addresses that a name has; raises NotSent where one of them is not to be spoken to."""
    host = parts.hostname or ""
    found = _looked_up(host, _port(parts), until)
    known = list(dict.fromkeys(str(one[4][0]) for one in found))
    for one in known:
        if not addresses.may_reach(ipaddress.ip_address(one.partition("%")[0]), is_sandbox):
            raise NotSent(f"the name {host} leads to {one}, which is no public address")
    return known


def _looked_up(host: str, port: int, until: float) -> list[Any]:
    """What the resolver says. It keeps to no deadline: where it is slow, its thread is left."""
    found: Future[list[Any]] = Future()
    threading.Thread(target=_look_up, args=(found, host, port), daemon=True).start()
    try:
        return found.result(_left(until))
    except TimeoutError as error:
        raise NotSent(f"the name {host} could not be looked up in time") from error
    except (OSError, UnicodeError) as error:
        raise NotSent(f"the name {host} has no address") from error


def _look_up(found: "Future[list[Any]]", host: str, port: int) -> None:
    try:
        found.set_result(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    except Exception as error:
        found.set_exception(error)


@contextlib.contextmanager
def _connected(
    parts: SplitResult, known: Sequence[str], until: float
) -> Iterator[http.client.HTTPConnection]:
    """A connection to one of just these; it is cut when the time is up, whoever is slow."""
    plain = _first_that_answers(known, _port(parts), until)
    connection = http.client.HTTPConnection(parts.hostname or "", _port(parts))
    connection.response_class = _Response
    with plain, contextlib.closing(connection), plain.dup() as handle:
        ending = threading.Timer(max(until - time.monotonic(), 0), _cut, [handle])
        ending.daemon = True
        ending.start()
        try:
            connection.sock = _secured(plain, parts)
            yield connection
        finally:
            ending.cancel()


def _first_that_answers(known: Sequence[str], port: int, until: float) -> socket.socket:
    for address in known[:-1]:
        with contextlib.suppress(OSError):
            return socket.create_connection((address, port), timeout=_left(until) / len(known))
    return socket.create_connection((known[-1], port), timeout=_left(until))


def _left(until: float) -> float:
    return max(until - time.monotonic(), 0.001)


def _secured(plain: socket.socket, parts: SplitResult) -> socket.socket:
    if parts.scheme != "https":
        return plain
    # The certificate must be the name's, not the address's.
    return _trust().wrap_socket(plain, server_hostname=parts.hostname)


def _asked(
    connection: http.client.HTTPConnection,
    parts: SplitResult,
    headers: Mapping[str, str],
    body: bytes,
) -> Answer:
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    own = {"Content-Type": "application/json", "User-Agent": USER_AGENT, "Connection": "close"}
    # http.client names the port only where it is not the usual one of http.
    own["Host"] = parts.netloc
    connection.request("POST", path, body, {**own, **headers})
    answer = connection.getresponse()
    # Who received it needs to say no more; who did not may say why.
    is_received = 200 <= answer.status < 300
    text = b"" if is_received else answer.read(ANSWER_BYTES)
    # What calls itself a chunk of -1 bytes is read to its end, whatever was asked for.
    return Answer(answer.status, _kept(text[:ANSWER_BYTES].decode(errors="replace")))


class _Response(http.client.HTTPResponse):
    """An answer that ends after so many bytes, whatever it says of its own length."""

    def __init__(self, sock: socket.socket, *args: Any, **more: Any) -> None:
        super().__init__(sock, *args, **more)
        self.fp.close()
        self.fp = io.BufferedReader(_Bounded(sock.makefile("rb", buffering=0)))


class _Bounded(io.RawIOBase):
    """The first bytes of a socket, then its end."""

    def __init__(self, raw: io.RawIOBase) -> None:
        self._raw = raw
        self._left = AROUND_BYTES + ANSWER_BYTES

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        read = self._raw.readinto(memoryview(buffer)[: self._left]) if self._left else 0
        self._left -= read or 0
        return read

    def close(self) -> None:
        self._raw.close()
        super().close()


def _port(parts: SplitResult) -> int:
    return parts.port or (443 if parts.scheme == "https" else 80)


def _cut(handle: socket.socket) -> None:
    with contextlib.suppress(OSError):
        handle.shutdown(socket.SHUT_RDWR)


@cache
def _trust() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=os.environ.get("SSL_CERT_FILE") or certifi.where())


def _words(error: Exception) -> str:
    if isinstance(error, ConnectionRefusedError):
        return "the connection was refused"
    if isinstance(error, ConnectionError | http.client.RemoteDisconnected):
        return "the connection broke off"
    return f"{type(error).__name__}: {error}"[:200]


def _kept(text: str) -> str:
    # PostgreSQL keeps every character but this one.
    return text.replace("\x00", "\ufffd")
