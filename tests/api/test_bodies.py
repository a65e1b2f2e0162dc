"""Bodies and addresses that are not what HTTP or JSON allow: named, and nothing is written."""

import io
import json

import pytest
from werkzeug.test import EnvironBuilder, run_wsgi_app

from tests.api.contract import nothing_written, problem, send
from tests.shop import Shop

NOT_JSON = [
    "",
    "{",
    "}",
    "null",
    "5",
    '"text"',
    "true",
    "[]",
    '[{"external_id": "a"}]',
    '{"external_id": "a"} {}',
    "{'external_id': 'a'}",
    '{"external_id": "a",}',
    '{"external_id": NaN}',
    '{"external_id": Infinity}',
    '{"external_id": -Infinity}',
    '{"external_id": "a", "external_id": "b"}',
    '{"external_id": "a", "external_id": "a"}',
    '{"external_id": {"a": 1, "a": 2}}',
    '{"external_id": "a\nb"}',
    '{"external_id": 1e99999999999999999999}',
    '{"external_id": ' + "9" * 5000 + "}",
    '{"external_id": ' + "[" * 200000 + "]" * 200000 + "}",
    '{"a":' * 50000 + "1" + "}" * 50000,
    b'{"external_id": "\xff"}',
    b"\x00",
    b"PK\x03\x04",
]
INSIDES = ("Traceback", "decimal", "sys.", "codec", "Python", ".py", "recursion")


def test_a_body_that_is_not_one_json_object_is_refused(shop: Shop) -> None:
    with nothing_written(shop.app):
        for raw in NOT_JSON[1:]:
            answer = send(shop, "POST", "/v1/members", raw)
            told = problem(answer, 400, "not_json")
            assert not any(word in told["detail"] for word in INSIDES), told["detail"]


def test_an_empty_body_lacks_its_fields(shop: Shop) -> None:
    with nothing_written(shop.app):
        for raw in ("", None, "{}", b"\xef\xbb\xbf{}"):
            answer = send(shop, "POST", "/v1/members", raw)
            problem(answer, 422, "validation_failed", "external_id")


@pytest.mark.parametrize("number", ["1e999999", "-1e999999", "1e-999999", "5e-1", "1" * 4000])
def test_a_number_beyond_measure_is_refused_at_once(shop: Shop, number: str) -> None:
    member = shop.a_member()
    raw = f'{{"member": "{member}", "reason": "correction", "points": {number}}}'
    with nothing_written(shop.app):
        problem(send(shop, "POST", "/v1/adjustments", raw, who="agent"), 422, "validation_failed")


def test_a_field_name_may_be_anything_and_is_refused(shop: Shop) -> None:
    with nothing_written(shop.app):
        for name in ("\\ud800", "\\u0000", "", "a.b", "a[0]", "__class__", "_schema", "json"):
            raw = f'{{"external_id": "a", "{name}": 1}}'
            told = problem(send(shop, "POST", "/v1/members", raw), 422, "validation_failed")
            assert [fault["code"] for fault in told["errors"]] == ["unknown_field"]


def test_another_content_type_is_415(shop: Shop) -> None:
    raw = json.dumps({"external_id": "a"})
    with nothing_written(shop.app):
        for kind in (None, "text/plain", "application/x-www-form-urlencoded", "application/xml"):
            answer = send(shop, "POST", "/v1/members", raw, content_type=kind)
            problem(answer, 415, "unsupported_media_type")
    with_charset = "application/json; charset=utf-8"
    assert send(shop, "POST", "/v1/members", raw, content_type=with_charset).status_code == 201


def test_a_body_over_the_limit_is_413(shop: Shop) -> None:
    raw = json.dumps({"external_id": "a", "name": "x" * 2**20})
    with nothing_written(shop.app):
        problem(send(shop, "POST", "/v1/members", raw), 413, "body_too_large")


def test_a_chunked_body_over_the_limit_is_413_too(shop: Shop) -> None:
    assert chunked(shop, b'{"external_id": "a"}')[0] == "201 CREATED"
    with nothing_written(shop.app):
        status, body = chunked(shop, b'{"external_id": "b", "name": "' + b"x" * 2**20 + b'"}')
    assert status.startswith("413")
    assert json.loads(body)["code"] == "body_too_large"


def test_thousands_of_faults_are_not_all_told(shop: Shop) -> None:
    member = shop.a_member()
    order = {**shop.an_order(member), "lines": [{}] * 100000}
    told = problem(send(shop, "POST", "/v1/orders", json.dumps(order)), 422, "validation_failed")
    assert [fault["code"] for fault in told["errors"]] == ["too_long"]
    strange = {f"field_{number}": 1 for number in range(5000)}
    told = problem(send(shop, "POST", "/v1/members", json.dumps(strange)), 422, "validation_failed")
    assert len(told["errors"]) == 100


def test_control_characters_in_an_address_reach_no_database(shop: Shop) -> None:
    for path in (
        "/v1/members/mem_%00",
        "/v1/members/ext:%00",
        "/v1/orders/%00",
        "/v1/transactions/%00",
        "/v1/redemptions/%00",
        "/v1/members/%00/balance",
    ):
        problem(shop.call("GET", path), 400, "bad_request")
    for path in ("/v1/members/ext:%01%1f", "/v1/orders/%ED%A0%80", "/v1/redemptions/%FF"):
        assert shop.call("GET", path).status_code == 404


def test_a_doubled_slash_is_an_unknown_address_and_no_redirect(shop: Shop) -> None:
    for path in ("/v1//members", "/v1/members/", "//v1/members/x"):
        answer = shop.call("GET", "http://localhost" + path)
        problem(answer, 404, "not_found")


def chunked(shop: Shop, raw: bytes) -> tuple[str, bytes]:
    """A POST without a length, as a server that decodes chunks hands it over."""
    environ = EnvironBuilder("/v1/members", method="POST").get_environ()
    environ.pop("CONTENT_LENGTH", None)
    environ |= {
        "wsgi.input": io.BytesIO(raw),
        "wsgi.input_terminated": True,
        "HTTP_TRANSFER_ENCODING": "chunked",
        "CONTENT_TYPE": "application/json",
        "HTTP_AUTHORIZATION": f"Bearer {shop.keys['checkout']}",
        "HTTP_IDEMPOTENCY_KEY": str(len(raw)),
    }
    body, status, _headers = run_wsgi_app(shop.app, environ)
    return status, b"".join(body)
