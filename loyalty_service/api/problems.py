"""One shape for every error: RFC 9457 `application/problem+json`, made here and nowhere else."""

from typing import Any

import marshmallow as ma
from flask import Flask, Response, g, request
from sqlalchemy.exc import DBAPIError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from loyalty_service import errors, logs
from loyalty_service.api import answers, texts
from loyalty_service.api.fields import Choice
from loyalty_service.errors import LoyaltyError

MEDIA_TYPE = "application/problem+json"
log = logs.get("api")
# A connection may be lost while the answer to a commit is on its way.
UNKNOWN_OUTCOME = (
    "It is not known whether this was done: send the same request again under the same "
    "Idempotency-Key, and it is done once."
)

# Read-only (a standby), idle for too long, running for too long.
ENDED_BY_THE_SERVER = frozenset({"25006", "25P03", "25P04"})

BY_STATUS: dict[int, type[LoyaltyError]] = {
    400: errors.BadRequest,
    404: errors.NotFound,
    405: errors.MethodNotAllowed,
    408: errors.RequestTimeout,
    413: errors.BodyTooLarge,
    415: errors.UnsupportedMediaType,
    503: errors.Unavailable,
}


class FieldProblem(ma.Schema):
    """One wrong field."""

    param = ma.fields.String(
        required=True, metadata={"description": "Where, such as `lines[0].quantity`."}
    )
    code = Choice(texts.errors()["fields"], required=True)
    detail = ma.fields.String(required=True)


class Problem(ma.Schema):
    """What every error looks like."""

    type = ma.fields.String(
        required=True,
        metadata={"description": "Where the code is explained.", "format": "uri-reference"},
    )
    title = ma.fields.String(required=True)
    status = ma.fields.Integer(required=True, metadata={"minimum": 400, "maximum": 599})
    detail = ma.fields.String(
        required=True, metadata={"description": "What is wrong, and the fix."}
    )
    code = Choice(
        [kind.code for kind in errors.catalogue()],
        required=True,
        metadata={"description": "Stable, for programs."},
    )
    param = ma.fields.String(required=True, allow_none=True)
    errors = ma.fields.List(ma.fields.Nested(FieldProblem), required=True)
    retryable = ma.fields.Boolean(required=True)
    customer_message = ma.fields.String(required=True, allow_none=True)
    request_id = ma.fields.String(required=True, allow_none=True)


def text_of(error: LoyaltyError) -> str:
    """The problem's JSON."""
    faults = [
        {"param": fault.param, "code": fault.code, "detail": fault.detail} for fault in error.faults
    ]
    body: dict[str, Any] = {
        "type": f"/docs/errors#{error.code}",
        "title": error.title,
        "status": error.status,
        "detail": error.detail,
        "code": error.code,
        "param": error.param,
        "errors": faults,
        "retryable": error.retryable,
        "customer_message": error.customer_message,
        "request_id": g.get("request_id"),
    }
    return answers.text_of(body)


def answer(error: LoyaltyError) -> Response:
    """The whole answer to an error."""
    response = Response(text_of(error), error.status, content_type=MEDIA_TYPE)
    if error.status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="loyalty"'
    return response


def register(app: Flask) -> None:
    """Turn every exception into a problem."""
    app.register_error_handler(LoyaltyError, answer)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(OperationalError, _database)
    app.register_error_handler(PoolTimeout, _database)
    app.register_error_handler(InternalError, _internal)
    app.register_error_handler(Exception, _bug)


def _http(error: HTTPException) -> Response:
    status = error.code or 500
    kind = BY_STATUS.get(status, errors.BadRequest if status < 500 else LoyaltyError)
    response = answer(kind(_detail(error, kind)))
    for name, value in error.get_headers():
        if name in ("Allow", "Retry-After"):
            response.headers[name] = value
    return response


def _detail(error: HTTPException, kind: type[LoyaltyError]) -> str:
    if error.code == 404:
        return f"There is no {request.path}; the addresses are listed at /openapi.json."
    if error.code == 405:
        return f"{request.path} does not take {request.method}; see the Allow header."
    if error.code == 413:
        return f"Send less than {request.max_content_length} bytes."
    return kind.title


def _database(error: DBAPIError | PoolTimeout) -> Response:
    log.error("database_unavailable", error=str(getattr(error, "orig", error))[:200])
    response = answer(errors.Unavailable(UNKNOWN_OUTCOME))
    response.headers["Retry-After"] = "1"
    return response


def _internal(error: InternalError) -> Response:
    """The server ended the transaction, or became one that only reads: no bug of ours."""
    if getattr(error.orig, "sqlstate", None) in ENDED_BY_THE_SERVER:
        return _database(error)
    return _bug(error)


def _bug(error: Exception) -> Response:
    log.exception("unexpected", error_type=type(error).__name__)
    return answer(LoyaltyError(f"{UNKNOWN_OUTCOME} Tell us the request_id if it stays."))
