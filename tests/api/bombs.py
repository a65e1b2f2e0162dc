"""Hostile bodies, each with the one status and code that it must be answered with.

What can be read as JSON names a field that no call has, so that none of it is ever taken.
"""

import gzip
import io
import json
from dataclasses import dataclass
from typing import Any

from werkzeug.test import EnvironBuilder, run_wsgi_app

from tests.api.contract import PROBLEM_FIELDS
from tests.api.overheard import CANARY
from tests.shop import Shop

LIMIT_BYTES = 2**20
JSON = "application/json"
GOOD = '{"bomb": 1}'
UNKNOWN, UNREADABLE = (422, "validation_failed"), (400, "not_json")
TOO_LARGE, UNSUPPORTED = (413, "body_too_large"), (415, "unsupported_media_type")


@dataclass(frozen=True)
class Bomb:
    """A body byte for byte, how it is announced, and its answer."""

    raw: bytes
    answer: tuple[int, str]
    content_type: str | None = JSON
    encoding: str | None = None


def text(of: str, answer: tuple[int, str]) -> Bomb:
    return Bomb(of.encode(), answer)


def filled(size: int) -> str:
    """A readable body of so many bytes."""
    return '{"bomb": "' + CANARY + "x" * (size - 12 - len(CANARY)) + '"}'


BOMBS = {
    "lists in lists": text('{"bomb": ' + "[" * 200000 + "]" * 200000 + "}", UNREADABLE),
    "objects in objects": text('{"bomb":' * 100000 + "1" + "}" * 100000, UNREADABLE),
    "half of a nest": text("[" * 900000, UNREADABLE),
    "a nest that can be read": text('{"bomb": ' + "[" * 300 + "]" * 300 + "}", UNKNOWN),
    "the limit": text(filled(LIMIT_BYTES), UNKNOWN),
    "a byte above the limit": text(filled(LIMIT_BYTES + 1), TOO_LARGE),
    "ten times the limit": text(filled(LIMIT_BYTES * 10), TOO_LARGE),
    "spaces": text(" " * (LIMIT_BYTES - 20) + GOOD, UNKNOWN),
    "as many names as there is room for": text(
        "{" + ",".join(f'"{number:x}":1' for number in range(100000)) + "}", UNREADABLE
    ),
    "as many names in lists": text(
        '{"bomb": [' + ",".join(['{"a": 1, "b": 2}'] * 6000) + "]}", UNREADABLE
    ),
    "the names of a whole order of many lines": text(
        '{"bomb": [' + ",".join(['{"a": 1, "b": 2}'] * 4999) + "]}", UNKNOWN
    ),
    "a million names": text(
        "{" + ",".join(f'"{number}":1' for number in range(10**6)) + "}", TOO_LARGE
    ),
    "one name a thousand times": text("{" + ",".join(['"bomb":1'] * 1000) + "}", UNREADABLE),
    "one name written in two ways": text('{"bomb": 1, "b\\u006fmb": 2}', UNREADABLE),
    "a name of a megabyte": text('{"' + "x" * 10**6 + '": 1}', UNKNOWN),
    "a great exponent": text('{"bomb": 1e999999}', UNKNOWN),
    "a great exponent below zero": text('{"bomb": -1e999999}', UNKNOWN),
    "an exponent beyond measure": text('{"bomb": 1e99999999999999999999}', UNREADABLE),
    "hundreds of digits": text('{"bomb": ' + "9" * 400 + "}", UNKNOWN),
    "thousands of digits": text('{"bomb": ' + "9" * 5000 + "}", UNREADABLE),
    "a megabyte of digits": text('{"bomb": ' + "9" * 10**6 + "}", UNREADABLE),
    "a megabyte of decimals": text('{"bomb": 0.' + "9" * 10**6 + "}", UNKNOWN),
    "no number": text('{"bomb": NaN}', UNREADABLE),
    "a NUL": Bomb(GOOD.encode() + b"\x00", UNREADABLE),
    "a written NUL": text('{"bo\\u0000mb": 1}', UNKNOWN),
    "half a pair": text('{"\\ud800": "\\udfff"}', UNKNOWN),
    "not UTF-8": Bomb(b'{"bomb": "\xff\xfe"}', UNREADABLE),
    "UTF-8 that is too long": Bomb(b'{"bomb": "\xc0\xaf"}', UNREADABLE),
    "UTF-16": Bomb(GOOD.encode("utf-16"), UNREADABLE),
    "UTF-16 without a mark": Bomb(GOOD.encode("utf-16-le"), UNREADABLE),
    "UTF-32": Bomb(GOOD.encode("utf-32-be"), UNREADABLE),
    "UTF-7": Bomb(GOOD.encode("utf-7"), UNSUPPORTED, f"{JSON}; charset=utf-7"),
    "UTF-16 as it says": Bomb(GOOD.encode("utf-16"), UNSUPPORTED, f"{JSON}; charset=utf-16"),
    "no charset at all": Bomb(GOOD.encode(), UNSUPPORTED, f"{JSON}; charset=nonsense"),
    "packed": Bomb(gzip.compress(GOOD.encode()), UNSUPPORTED, JSON, "gzip"),
    "packed, a bomb": Bomb(gzip.compress(b" " * 10**6) * 100, UNSUPPORTED, JSON, "gzip"),
    "packed without a word": Bomb(gzip.compress(GOOD.encode()), UNREADABLE),
    "not packed, though it says so": Bomb(GOOD.encode(), UNSUPPORTED, JSON, "br"),
    "a form": Bomb(b"bomb=1", UNSUPPORTED, "application/x-www-form-urlencoded"),
    "a form in parts": Bomb(b"--x\r\n\r\n--x--", UNSUPPORTED, "multipart/form-data; boundary=x"),
    "text": Bomb(GOOD.encode(), UNSUPPORTED, "text/plain"),
    "XML with an entity": Bomb(b"<!DOCTYPE a [<!ENTITY b 'b'>]>", UNSUPPORTED, "application/xml"),
    "no word of what it is": Bomb(GOOD.encode(), UNSUPPORTED, None),
    "a megabyte of what it is": Bomb(GOOD.encode(), UNSUPPORTED, "a/" + "b" * 10**6),
    "a list": text(json.dumps([{"bomb": CANARY}]), UNREADABLE),
    "a text": text(json.dumps(CANARY), UNREADABLE),
    "half a person": text('{"email": "' + CANARY, UNREADABLE),
}


def chunked(shop: Shop, path: str, raw: bytes, **more: Any) -> dict[str, Any]:
    """The problem of a POST without a length, as a server that decodes chunks hands it over."""
    environ = EnvironBuilder(path, method="POST").get_environ()
    environ.pop("CONTENT_LENGTH", None)
    environ |= {
        "wsgi.input": io.BytesIO(raw),
        "wsgi.input_terminated": True,
        "HTTP_TRANSFER_ENCODING": "chunked",
        "CONTENT_TYPE": JSON,
        "HTTP_AUTHORIZATION": f"Bearer {shop.keys['admin']}",
        "HTTP_IDEMPOTENCY_KEY": "in-chunks",
        **more,
    }
    body, _status, _headers = run_wsgi_app(shop.app, environ)
    told: dict[str, Any] = json.loads(b"".join(body))
    assert set(told) == PROBLEM_FIELDS
    return told
