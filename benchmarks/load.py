"""The callers: some kept-open connections, each with one request at a time.

One thread waits for all of them, and requests are bytes made by one format: on few cores a caller
that works would slow down what it measures. A phase is bounded in time and in count.
"""

import contextlib
import select
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass

TIMEOUT_SECONDS = 30
READ_BYTES = 65536
Make = Callable[[], bytes]


class Unexpected(RuntimeError):
    """An answer that is no success, or a connection that was closed; the text carries it."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What one phase saw; `client_cpu` is the caller's share of one core."""

    latencies_ns: list[int]
    elapsed_ns: int
    client_cpu: float

    @property
    def per_second(self) -> float:
        """Requests answered in a second."""
        return len(self.latencies_ns) / (self.elapsed_ns / 1e9)

    def percentile_ms(self, percent: int) -> float:
        """The latency that `percent` of the requests did not exceed, in milliseconds."""
        ordered = sorted(self.latencies_ns)
        return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)] / 1e6


@dataclass(slots=True)
class _Caller:
    connection: socket.socket
    sent_ns: int = 0
    received: bytes = b""


def run(
    address: tuple[str, int], make: Make, *, clients: int, seconds: float, at_most: int
) -> Sample:
    """Send what `make` gives over `clients` connections; raises Unexpected on any other answer."""
    with contextlib.ExitStack() as stack:
        callers: dict[int, _Caller] = {}
        waiting = stack.enter_context(contextlib.closing(select.epoll()))
        for _ in range(clients):
            connection = stack.enter_context(socket.create_connection(address, TIMEOUT_SECONDS))
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            callers[connection.fileno()] = _Caller(connection)
            waiting.register(connection, select.EPOLLIN)
        return _measure(callers, waiting, make, int(seconds * 1e9), at_most)


def _measure(
    callers: dict[int, _Caller], waiting: select.epoll, make: Make, nanoseconds: int, at_most: int
) -> Sample:
    latencies: list[int] = []
    cpu, began = time.process_time_ns(), time.perf_counter_ns()
    for caller in callers.values():
        _send(caller, make())
    under_way = len(callers)
    while under_way:
        events = waiting.poll(TIMEOUT_SECONDS)
        if not events:
            raise Unexpected(f"no answer within {TIMEOUT_SECONDS} s")
        for number, _ in events:
            caller = callers[number]
            if not _answered(caller):
                continue
            now = time.perf_counter_ns()
            latencies.append(now - caller.sent_ns)
            if now - began < nanoseconds and len(latencies) + under_way <= at_most:
                _send(caller, make())
            else:
                under_way -= 1
    elapsed = time.perf_counter_ns() - began
    return Sample(latencies, elapsed, (time.process_time_ns() - cpu) / elapsed)


def _send(caller: _Caller, request: bytes) -> None:
    caller.received = b""
    caller.sent_ns = time.perf_counter_ns()
    caller.connection.sendall(request)


def _answered(caller: _Caller) -> bool:
    """Read what is there; True once the answer is whole."""
    piece = caller.connection.recv(READ_BYTES)
    caller.received += piece
    head, end, body = caller.received.partition(b"\r\n\r\n")
    if not piece:
        raise Unexpected(f"the connection was closed after {caller.received[:400]!r}")
    if not end:
        return False
    length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
    if len(body) < int(length):
        return False
    # 202 would mean that the code came too late: not the work that is measured.
    if head[9:12] not in (b"200", b"201"):
        raise Unexpected(caller.received.decode(errors="replace"))
    return True
