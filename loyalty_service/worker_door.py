"""/livez and /metrics beside a worker, which has no other door."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask
from werkzeug import Request, Response
from werkzeug.serving import WSGIRequestHandler, make_server

from loyalty_service import metrics, watching, worker


@contextmanager
def opened(app: Flask, host: str, port: int) -> Iterator[int]:
    """Answer as long as the worker works; gives the port."""

    @Request.application
    def answer(request: Request) -> Response:
        with app.app_context():
            return _answer(app, request.path)

    server = make_server(host, port, answer, threaded=True, request_handler=_Quiet)
    threading.Thread(target=server.serve_forever, name="loyalty-watching", daemon=True).start()
    try:
        yield server.port
    finally:
        server.shutdown()
        server.server_close()


class _Quiet(WSGIRequestHandler):
    """Probes every few seconds are no news."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""


def _answer(app: Flask, path: str) -> Response:
    if path == "/metrics":
        return Response(watching.metrics_text(), content_type=metrics.MEDIA_TYPE)
    if path == "/livez":
        stuck = worker.is_stuck(app.config["LOYALTY"])
        return Response("stuck\n" if stuck else "alive\n", 503 if stuck else 200)
    return Response("not found\n", 404)
