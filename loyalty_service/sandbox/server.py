"""The sandbox over HTTP, on the loopback address only and never in production."""

import contextlib
import json
import os
import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from loyalty_service.sandbox import control, endpoints
from loyalty_service.sandbox.api import Api
from loyalty_service.sandbox.messages import Answer, Call, Refusal
from loyalty_service.sandbox.state import new_id

_HOST = "127.0.0.1"
_LARGEST_BODY_BYTES = 1 << 20


class NotInProduction(RuntimeError):
    """The sandbox hands out discounts that nobody pays for, so production must not reach one."""


class Server:
    """A running sandbox; close it, or use it as a context manager."""

    def __init__(self, port: int, state_path: Path | None, webhook: tuple[str, str] | None) -> None:
        self.api = Api(state_path)
        with self.api.state.lock:
            endpoints.from_the_start(self.api.state, webhook)
            self.api.state.commit()
        self._http = _HttpServer((_HOST, port), self.api)
        self.port: int = self._http.server_address[1]
        self.url = f"http://{_HOST}:{self.port}"
        self._thread = threading.Thread(
            target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        )
        self._thread.start()
        # What an earlier run did not get rid of.
        self.api.postman.look()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop taking calls, finish those under way and close the state. Safe to call twice."""
        self._http.shutdown()
        self._thread.join()
        self.api.close()
        self._http.hang_up()
        self._http.server_close()


def serve(
    port: int = 0, state_path: Path | None = None, *, webhook: tuple[str, str] | None = None
) -> Server:
    """Start a sandbox in a thread; port 0 picks a free one.

    `state_path` names a file in which it keeps its objects; `webhook` is a URL that is told of
    every event, and the secret that signs them. Raises `NotInProduction`, and OSError where the
    port is taken.
    """
    if os.environ.get("LOYALTY_ENV") == "production":
        raise NotInProduction("the Stripe sandbox does not run where LOYALTY_ENV is production")
    return Server(port, state_path, webhook)


class _HttpServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], api: Api) -> None:
        self.api = api
        self._open: set[Any] = set()
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        """Close kept connections: their threads wait for a next call that nobody will answer."""
        for request in tuple(self._open):
            with contextlib.suppress(OSError):
                request.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Leave callers that hung up unmentioned: time-outs are what the sandbox is for."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: _HttpServer
    protocol_version = "HTTP/1.1"
    # Without a buffer head and body leave as two packets, and each call stalls for 40 ms.
    wbufsize = -1

    def finish(self) -> None:
        """Close both files: flushing to a caller that hung up must not leave the other one open."""
        with contextlib.suppress(OSError):
            super().finish()
        self.rfile.close()

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_DELETE(self) -> None:
        self._serve()

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def _serve(self) -> None:
        address = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        if length > _LARGEST_BODY_BYTES:
            self.close_connection = True
            self._send(Refusal("Request too large.", status=413).answer())
            return
        body = self.rfile.read(length).decode("utf-8", "replace")
        if address.path.startswith(control.PREFIX):
            self._send(self._control(address.path, address.query, body))
            return
        answer = self.server.api.call(self._call(address.path, address.query, body))
        if answer is None:
            self.close_connection = True
        else:
            self._send(answer)

    def _control(self, path: str, query: str, body: str) -> Answer:
        try:
            given = json.loads(body) if body else dict(parse_qsl(query))
        except ValueError:
            return Refusal("The body is not JSON.").answer()
        if not isinstance(given, dict):
            return Refusal("The body is not a JSON object.").answer()
        return control.answer(self.server.api, self.command, path, given)

    def _call(self, path: str, query: str, body: str) -> Call:
        sent = body if self.command == "POST" else query
        return Call(
            method=self.command,
            path=path,
            fields=tuple(parse_qsl(sent, keep_blank_values=True)),
            authorization=self.headers.get("Authorization", ""),
            idempotency_key=self.headers.get("Idempotency-Key"),
        )

    def _send(self, answer: Answer) -> None:
        body = json.dumps(answer.body).encode()
        self.send_response(answer.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Request-Id", new_id("req"))
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
