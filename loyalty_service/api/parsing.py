"""Reading a request: strict JSON into a schema, and every fault named at once."""

import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import wraps
from itertools import islice
from typing import Any, NoReturn

import flask_smorest
import marshmallow as ma
from flask import Request, Response, g, request
from webargs.flaskparser import FlaskParser

from loyalty_service.api.answers import ok
from loyalty_service.api.fields import Fault
from loyalty_service.errors import (
    BadRequest,
    BodyTooLarge,
    FieldFault,
    NotJson,
    UnsupportedMediaType,
    ValidationFailed,
)

FAULTS_TOLD = 100
FIELDS_READ = 10000
NAME_CHARACTERS_TOLD = 200


def fields_sent(req: Request) -> dict[str, Any]:
    """The body as one JSON object, `{}` where there is none; numbers stay exact. Read once.

    Raises BodyTooLarge, UnsupportedMediaType and NotJson.
    """
    if "fields_sent" not in g:
        g.fields_sent = _read(req)
    fields: dict[str, Any] = g.fields_sent
    return fields


def _read(req: Request) -> dict[str, Any]:
    raw = req.get_data(cache=True)
    # A body that comes in chunks has no length: werkzeug cuts it at the limit without a word.
    if req.content_length is None and len(raw) >= (req.max_content_length or len(raw) + 1):
        raise BodyTooLarge(f"Send less than {req.max_content_length} bytes.")
    if not raw:
        return {}
    _require_plain_json(req)
    try:
        # Decoded here: Python would take UTF-16 and UTF-32 too, whatever was announced.
        text = raw.decode("utf-8-sig")
        body = json.loads(
            text, parse_float=Decimal, parse_constant=_refuse, object_pairs_hook=_objects_read()
        )
    except (ValueError, RecursionError, ArithmeticError) as error:
        raise NotJson(f"The body can't be read as JSON: {_why(error)}.") from error
    if not isinstance(body, dict):
        raise NotJson("The body must be one JSON object: { … }.")
    return body


class Parser(FlaskParser):
    """webargs, with our own reading of JSON and our own error."""

    DEFAULT_UNKNOWN_BY_LOCATION = {"json": None, "query": ma.RAISE, "path": None}

    def use_args(self, argmap: Any, *args: Any, **kwargs: Any) -> Any:
        """Read arguments; the schema is made once and not for every request."""
        return super().use_args(argmap(), *args, **kwargs)

    def load_json(self, req: Request, schema: ma.Schema) -> Any:
        """The body's fields."""
        return fields_sent(req)

    def handle_error(self, error: ma.ValidationError, *args: Any, **kwargs: Any) -> NoReturn:
        """Name every wrong field."""
        raise refused(error)


class Blueprint(flask_smorest.Blueprint):  # type: ignore[misc]
    """A blueprint whose arguments are read by our parser, and whose views render themselves."""

    ARGUMENTS_PARSER = Parser()

    def arguments(self, schema: Any, *, location: str = "json", **more: Any) -> Any:
        """Document and read what is sent; only a body with a required field has to be there."""
        is_needed = any(field.required for field in schema().fields.values())
        return super().arguments(schema, location=location, required=is_needed, **more)

    def response(self, status_code: int, schema: Any = None, **more: Any) -> Any:
        """Document an answer; a view returns it rendered.

        flask-smorest would dump it a second time, and take what is rendered for raw values.
        """
        document = super().response(status_code, schema, **more)

        def decorate(view: Callable[..., Any]) -> Any:
            @wraps(view)
            def rendered(*args: Any, **kwargs: Any) -> Response:
                made = view(*args, **kwargs)
                return made if isinstance(made, Response) else ok(made)

            return document(rendered)

        return decorate


def refused(error: ma.ValidationError) -> ValidationFailed:
    """marshmallow's nested messages as a flat list of faults."""
    messages: Any = error.messages
    # webargs groups by location.
    if isinstance(messages, dict) and set(messages) <= {"json", "query"}:
        messages = next(iter(messages.values()))
    # Nobody reads more; a hostile body could hold hundreds of thousands.
    faults = list(islice(_flat("", messages), FAULTS_TOLD))
    words = "; ".join(f"{fault.param} {fault.detail}" for fault in faults)
    return ValidationFailed(f"{words}.", param=faults[0].param, faults=faults)


def require_text_in_url() -> None:
    """A NUL in the address reaches no database; raises BadRequest."""
    if "\x00" in request.path or "\x00" in request.query_string.decode("latin-1"):
        raise BadRequest("The address must not hold NUL characters.")


def _require_plain_json(req: Request) -> None:
    charset = req.mimetype_params.get("charset", "utf-8")
    if req.mimetype != "application/json" or charset.lower() != "utf-8":
        raise UnsupportedMediaType("Send Content-Type: application/json, written in UTF-8.")
    if req.content_encoding:
        raise UnsupportedMediaType("Send the body as it is, without a Content-Encoding.")


def _flat(path: str, messages: Any) -> Iterator[FieldFault]:
    if isinstance(messages, dict):
        for key, inner in messages.items():
            yield from _flat(_join(path, key), inner)
        return
    for message in messages:
        code = message.code if isinstance(message, Fault) else "invalid"
        yield FieldFault(_tellable(path), code, str(message))


def _join(path: str, key: Any) -> str:
    if key == "_schema":
        return path or "body"
    if isinstance(key, int):
        return f"{path}[{key}]"
    return f"{path}.{key}" if path else str(key)


def _why(error: Exception) -> str:
    # Other errors speak of Python's insides.
    if isinstance(error, json.JSONDecodeError | NotOurJson):
        return str(error)[:200]
    return "it is not UTF-8, nested too deep, or holds a number that is too long"


class NotOurJson(ValueError):
    """JSON that Python would take and we don't."""


def _tellable(path: str) -> str:
    # A field's name comes from the caller: half a surrogate pair can't be written as UTF-8.
    return path[:NAME_CHARACTERS_TOLD].encode(errors="replace").decode()


def _refuse(constant: str) -> NoReturn:
    raise NotOurJson(f"{constant} is not JSON")


def _objects_read() -> Callable[[list[tuple[str, Any]]], dict[str, Any]]:
    """A reader of one body's objects: no field twice, and not more of them than any call needs."""
    read = 0

    def once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal read
        read += len(pairs)
        if read > FIELDS_READ:
            # Each would become a fault with its own words: a megabyte of them would hold others up.
            raise NotOurJson(f"it holds more than {FIELDS_READ} fields")
        body: dict[str, Any] = {}
        for name, value in pairs:
            if name in body:
                raise NotOurJson(f"the field {name!r} stands twice")
            body[name] = value
        return body

    return once_each
