"""Every problem that a test meets must be one that its operation declares in the contract."""

from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask, Response, request

from loyalty_service.api import openapi, refusing

REST = {kind.code for kind in refusing.REST}


class Declared:
    """Watches an app's answers and notes the refusals that nobody declared."""

    def __init__(self, app: Flask) -> None:
        self.undeclared: set[str] = set()
        self.app = app
        self._codes: dict[str, set[str]] = {}
        app.after_request(self._note)

    @contextmanager
    def watched(self) -> Iterator[None]:
        """No undeclared refusal while the block runs."""
        self.undeclared.clear()
        yield
        assert self.undeclared == set(), "declare it with @refuses beside the route"

    def _note(self, response: Response) -> Response:
        if response.mimetype == "application/problem+json" and request.url_rule:
            code = (response.json or {})["code"]
            endpoint = str(request.endpoint)
            if code not in REST | self._declared().get(endpoint, {code}):
                self.undeclared.add(f"{endpoint} answered {code}")
        return response

    def _declared(self) -> dict[str, set[str]]:
        if not self._codes:
            for operation in openapi.operations(self.app):
                self._codes[operation.id] = {kind.code for kind in operation.refusals}
        return self._codes
