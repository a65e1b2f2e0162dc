"""What goes in and out of the sandbox, free of HTTP, and refusals in Stripe's error shape."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

# One object of Stripe's as it is rendered, or one that a caller sent.
Resource = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Call:
    """One request: `fields` are the name-value pairs of its form or query, in order."""

    method: str
    path: str
    fields: tuple[tuple[str, str], ...] = ()
    authorization: str = ""
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer; `body` is rendered as JSON."""

    status: int
    body: Resource
    headers: Mapping[str, str] = field(default_factory=dict)


class Refusal(Exception):
    """A no in Stripe's words; becomes an answer in one place."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        code: str | None = None,
        param: str | None = None,
        kind: str = "invalid_request_error",
    ) -> None:
        super().__init__(message)
        self.status = status
        self.error: Resource = {"message": message, "type": kind}
        if code is not None:
            self.error["code"] = code
        if param is not None:
            self.error["param"] = param

    def answer(self, headers: Mapping[str, str] | None = None) -> Answer:
        """Return this refusal as the answer to send."""
        return Answer(self.status, {"error": self.error}, headers or {})


def missing(what: str, resource_id: str, *, param: str, status: int = 400) -> Refusal:
    """Return the refusal for an unknown id: 404 in the path, 400 in a parameter."""
    return Refusal(
        f"No such {what}: '{resource_id}'", status=status, code="resource_missing", param=param
    )


def refuse_unsupported(params: Mapping[str, Any], supported: str) -> None:
    """Refuse what Stripe takes and the sandbox does not imitate, instead of ignoring it.

    `supported` are names with spaces between them.
    """
    for name in params:
        if name not in supported.split():
            raise Refusal(
                f"The Stripe sandbox does not imitate `{name}` here.",
                code="sandbox_unsupported",
                param=name,
            )
