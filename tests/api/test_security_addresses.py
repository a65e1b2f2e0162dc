"""Hostile headers, addresses and queries to every call: no bug, no way round, nothing written.

What is answered and logged meanwhile is overheard, and holds nothing secret.
"""

import re
import uuid
from dataclasses import replace
from itertools import zip_longest
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.api.contract import nothing_written, problem
from tests.api.overheard import ADDRESSED
from tests.api.routes import Call, Things, calls, guarded, queries_of
from tests.shop import Shop

pytestmark = pytest.mark.usefixtures("overheard")

A_MEGABYTE = "x" * 2**20
# In the place of an id: ways up, ways out, and what some reader might take for its own.
PATHS = (
    "..",
    ".",
    "%2e%2e",
    "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
    "..%5c..%5cwindows",
    "%252e%252e%252f",
    "%2f",
    "%5c",
    "a%2fb",
    "a;b=c",
    "%3f%23%26",
    "%ff%fe",
    "%c0%ae%c0%ae",
    "%ed%a0%80",
    "%",
    "%zz",
    "%u0041",
    "%0d%0aX-Admin:%201",
    "%01%1b%5b2J%7f",
    "%27%20OR%20%271%27=%271",
    "%22;--",
    "%25s%25n%25x",
    "%7b%7b7*7%7d%7d",
    "$%7bjndi:ldap:a%7d",
    "%e2%80%ae%f0%9f%92%a3",
    "ext:",
    "ext:ext:",
    "ext:%ff",
    "mem_",
    "null",
    "-1",
    "9" * 400,
    "mem_" + "x" * 300,
    ADDRESSED,
)
# More than any database or index takes; told apart because an answer repeats what was asked.
LONG = ("x" * 10**5, "ext:" + "x" * 10**5, "%f0%9f%92%a3" * 10**4, "a/" * 10**4)
QUERIES = (
    "",
    "%",
    "%ff",
    "%ed%a0%80",
    "%0d%0aX-Admin:%201",
    "%27%20OR%20%271%27=%271",
    "%25",
    "_" * 210,
    "%25" * 210,
    "*" * 200,
    "9" * 400,
    "-" + "9" * 400,
    "1e999999",
    "NaN",
    "0x10",
    "%d9%a1",
    "1_0",
    " 5",
    "null",
    "true",
    "[]",
    "-1",
    "0",
    "2026-01-01T00:00:00Z/..",
    "9999-12-31T23:59:59Z",
    "0000-00-00T00:00:00Z",
    ADDRESSED,
    A_MEGABYTE,
)
# They change nothing: what a proxy may say about us is not taken from a caller.
IGNORED: dict[str, tuple[str, ...]] = {
    "HTTP_X_HTTP_METHOD_OVERRIDE": ("DELETE", "POST"),
    "HTTP_X_ORIGINAL_URL": ("/livez",),
    "HTTP_X_REWRITE_URL": ("/livez",),
    "HTTP_X_FORWARDED_FOR": ("127.0.0.1", A_MEGABYTE),
    "HTTP_X_FORWARDED_HOST": ("evil.example",),
    "HTTP_X_FORWARDED_PREFIX": ("/../..",),
    "HTTP_FORWARDED": ("for=127.0.0.1;host=evil.example",),
    "HTTP_REQUEST_ID": ("req_mine\r\nX-Admin: 1", A_MEGABYTE),
    "HTTP_X_REQUEST_ID": ("req_mine",),
    "HTTP_TRACEPARENT": ("00-" + "0" * 32,),
    "HTTP_ACCEPT": ("text/html", "*/*;q=abc", "application/xml;q=1e999", A_MEGABYTE),
    "HTTP_ACCEPT_ENCODING": ("gzip;q=nan", A_MEGABYTE),
    "HTTP_ACCEPT_LANGUAGE": ("\xff\xfe", "de;q=1e9999"),
    "HTTP_COOKIE": ("session=" + A_MEGABYTE, "a=\x00", ";=;="),
    "HTTP_USER_AGENT": ("${jndi:ldap:a}", ADDRESSED, "\r\n\r\n"),
    "HTTP_REFERER": (ADDRESSED,),
    "HTTP_RANGE": ("bytes=0-0", "bytes=" + "0-," * 10**5),
    "HTTP_IF_NONE_MATCH": ("*",),
    "HTTP_IF_MODIFIED_SINCE": ("Sun, 99 Foo 99999 99:99:99 GMT",),
    "HTTP_EXPECT": ("100-continue", "200-ok"),
    "HTTP_UPGRADE": ("h2c",),
    "HTTP_ORIGIN": ("null", "https://evil.example"),
}


def send(
    shop: Shop, call: Call, path: str, body: Any, environ: dict[str, Any] | None = None
) -> TestResponse:
    headers = {
        "Authorization": f"Bearer {shop.keys['admin']}",
        "Idempotency-Key": str(uuid.uuid4()),
    }
    return shop.app.test_client().open(
        path, method=call.method, json=body, headers=headers, environ_overrides=environ
    )


@pytest.mark.slow
def test_an_id_that_is_none_is_404_wherever_one_may_stand(things: Things) -> None:
    shop = things.shop
    tried = 0
    with nothing_written(shop.app):
        for call in calls(shop.app):
            for argument in call.arguments:
                if call.takes_any_order_id:
                    continue
                for hostile in PATHS + LONG:
                    path = call.path({**things.ids, argument: hostile})
                    answer = send(shop, call, path, things.body(call))
                    # A way up leads to another call, which may be one that takes no such method.
                    assert answer.status_code in (404, 405), (call, hostile[:40], answer.text)
                    tried += 1
    assert tried > 200


@pytest.mark.slow
def test_a_refund_waits_for_any_id_that_an_order_may_have_and_for_no_other(things: Things) -> None:
    shop = things.shop
    (call,) = [call for call in calls(shop.app) if call.takes_any_order_id]
    for hostile in PATHS + LONG:
        path = call.path({"order_id": hostile})
        answer = send(shop, call, path, things.body(call))
        assert answer.status_code in (202, 404, 405), (hostile[:40], answer.text)
        if answer.status_code == 202:
            assert len(answer.json["order"]) <= 200
            assert not re.search("[\x00-\x1f\x7f]", answer.json["order"])


def test_a_nul_in_any_address_is_refused(things: Things) -> None:
    shop = things.shop
    with nothing_written(shop.app):
        for call in guarded(shop.app):
            for name in call.arguments:
                path = call.path({**things.ids, name: "a%00b"})
                problem(send(shop, call, path, things.body(call)), 400, "bad_request")
            for name in queries_of(shop.app, call):
                for query in (f"{name}=a%00b", f"{name}%00=1"):
                    answer = send(shop, call, f"{call.path(things.ids)}?{query}", None)
                    problem(answer, 422, "validation_failed")


@pytest.mark.slow
def test_no_value_of_a_query_is_a_bug_or_says_more_than_it_may(things: Things) -> None:
    shop = things.shop
    tried = 0
    with nothing_written(shop.app):
        for call in calls(shop.app):
            for name in queries_of(shop.app, call):
                for hostile in QUERIES:
                    answer = send(shop, call, f"{call.path(things.ids)}?{name}={hostile}", None)
                    assert answer.status_code in (200, 404, 422), (call, name, hostile[:40])
                    assert ADDRESSED in hostile or len(answer.data) < 50_000
                    tried += 1
    assert tried > 200


@pytest.mark.slow
def test_a_query_that_no_list_has_is_refused_however_often_it_stands(things: Things) -> None:
    shop = things.shop
    strange = (
        "q[$ne]=1",
        "limit[]=1",
        "__proto__=1",
        "a=1&" * 10**5,
        "&" * 10**6,
        "=1",
        "a" * 10**6,
    )
    with nothing_written(shop.app):
        for call in calls(shop.app):
            if queries_of(shop.app, call):
                for query in strange:
                    answer = send(shop, call, f"{call.path(things.ids)}?{query}", None)
                    assert answer.status_code == (200 if not query.strip("&") else 422), query[:40]
                    assert len(answer.data) < 100_000


@pytest.mark.slow
def test_headers_that_are_not_ours_change_nothing(things: Things) -> None:
    shop = things.shop
    with nothing_written(shop.app):
        for call in calls(shop.app):
            # Pages may be kept by a browser, and say so.
            if call.method != "GET" or call.is_public:
                continue
            plain = send(shop, call, call.path(things.ids), None)
            assert plain.status_code == 200
            for together in zip_longest(*IGNORED.values(), fillvalue=""):
                environ = dict(zip(IGNORED, together, strict=True))
                answer = send(shop, call, call.path(things.ids), None, environ)
                assert without_moment(answer) == without_moment(plain)


@pytest.mark.slow
@pytest.mark.parametrize(
    "key",
    ["", " ", "a b", "a\r\nX-Admin: 1", "a\nb", "a\x00", "\x7f", "é", "a" * 256, A_MEGABYTE],
    ids=lambda key: repr(key)[:12],
)
def test_a_hostile_idempotency_key_is_400_for_each_writing_post(things: Things, key: str) -> None:
    shop = things.shop
    with nothing_written(shop.app):
        for call in guarded(shop.app):
            if call.takes_a_key:
                environ = {"HTTP_IDEMPOTENCY_KEY": key}
                answer = send(shop, call, call.path(things.ids), things.body(call), environ)
                problem(answer, 400, "idempotency_key_invalid", "Idempotency-Key")


@pytest.mark.slow
@pytest.mark.parametrize(
    "host", ["evil.example", "ev il", "ev\r\nil", "", "[::1", "x" * 2**20, "/../"]
)
def test_a_hostile_host_is_repeated_nowhere(things: Things, host: str) -> None:
    shop = things.shop
    for call in calls(shop.app):
        if call.method == "GET":
            answer = send(shop, call, call.path(things.ids), None, {"HTTP_HOST": host})
            assert answer.status_code in (200, 400), answer.text
            assert not host or host not in answer.text.replace("/", "") + str(answer.headers)


@pytest.mark.slow
def test_a_method_that_nobody_knows_is_405_or_404(things: Things) -> None:
    shop = things.shop
    with nothing_written(shop.app):
        for call in guarded(shop.app):
            for method in ("TRACE", "CONNECT", "PROPFIND", "BREW", "G\r\nET", "X" * 10**5):
                odd = replace(call, method=method)
                answer = send(shop, odd, call.path(things.ids), None)
                problem(answer, 405, "method_not_allowed")


def without_moment(answer: TestResponse) -> dict[str, Any] | str:
    """A body without the moment of which it tells."""
    if not answer.is_json:
        return answer.text
    body: dict[str, Any] = dict(answer.json or {})
    body.pop("at", None)
    for one in (body, *body.get("data", [])):
        if isinstance(one, dict) and isinstance(one.get("balance"), dict):
            one["balance"].pop("at", None)
    return body
