"""Points in the service at which a test holds a thread open until it is killed.

The test opens a `Gate` and arms points by name; the service's processes ask it at each point
whether to go on. A held thread waits for an answer that never comes.
"""

import socket
import socketserver
import threading
from collections import Counter
from contextlib import suppress
from typing import Any

HELD_SECONDS = 240


def pass_by(address: str, point: str) -> None:
    """Ask the gate at `address` to go on; returns when it lets us, or when it is gone."""
    host, port = address.rsplit(":", 1)
    with suppress(OSError), socket.create_connection((host, int(port))) as asked:
        asked.sendall(f"{point}\n".encode())
        asked.recv(1)


class Gate:
    """What is armed, and who is held."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._armed: Counter[str] = Counter()
        self._held: Counter[str] = Counter()
        self._closing = threading.Event()
        self._server = _Server(self)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )
        self._thread.start()

    @property
    def address(self) -> str:
        host, port = self._server.server_address[:2]
        return f"{host}:{port}"

    def arm(self, point: str) -> None:
        """Hold the next one that comes by a point."""
        with self._changed:
            self._armed[point] += 1

    def wait_for_held(self, point: str) -> None:
        """Wait until everybody for whom the point was armed is held there."""
        with self._changed:
            met = self._changed.wait_for(lambda: not self._armed[point], HELD_SECONDS)
        assert met, f"nobody came to {point}; held are {self._held}"

    def forget(self) -> None:
        """Disarm everything; who was held is dead."""
        with self._changed:
            self._armed.clear()
            self._held.clear()

    def close(self) -> None:
        """Let everybody go on, now and from now on."""
        self.forget()
        self._closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def holds(self, point: str) -> bool:
        """True where whoever asks is to be held."""
        with self._changed:
            if not self._armed[point]:
                return False
            self._armed[point] -= 1
            self._held[point] += 1
            self._changed.notify_all()
            return True


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, gate: Gate) -> None:
        self.gate = gate
        super().__init__(("127.0.0.1", 0), _Asked)


class _Asked(socketserver.StreamRequestHandler):
    server: Any

    def handle(self) -> None:
        with suppress(OSError):
            point = self.rfile.readline().decode().strip()
            if self.server.gate.holds(point):
                # Ends when the one who waits for the answer is killed.
                self.rfile.read(1)
            else:
                self.wfile.write(b"g")
