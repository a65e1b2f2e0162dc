"""One shape for every error, whatever goes wrong; nothing of the inside leaks."""

from collections.abc import Iterator

import psycopg
import pytest
from flask import Flask
from sqlalchemy.exc import InternalError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug import exceptions

from loyalty_service import create_app, db
from loyalty_service.api.problems import FieldProblem, Problem
from loyalty_service.config import Config
from tests.api.contract import PROBLEM_FIELDS, problem, send
from tests.shop import Shop

SECRET = "hunter2 at /srv/secret.py SELECT * FROM lots"


@pytest.fixture
def breaking(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """A shop whose GET /v1/program raises what the test sets as `error`."""
    raised: list[Exception] = []

    def view() -> None:
        raise raised[0]

    view._guard = shop.app.view_functions["program.get"]._guard  # type: ignore[attr-defined]
    monkeypatch.setitem(shop.app.view_functions, "program.get", view)
    shop.raises = raised  # type: ignore[attr-defined]
    yield shop


def broken_by(shop: Shop, error: Exception):
    shop.raises[:] = [error]
    return shop.call("GET", "/v1/program")


def test_a_bug_is_500_and_tells_nothing_of_the_inside(breaking: Shop) -> None:
    for bug in (RuntimeError(SECRET), ProgrammingError(SECRET, {}, Exception(SECRET)), KeyError(1)):
        answer = broken_by(breaking, bug)
        told = problem(answer, 500, "internal_error")
        assert told["retryable"] is False
        assert "hunter2" not in answer.text
        assert answer.headers["Request-Id"] == told["request_id"]


def test_a_database_away_is_503_and_may_be_tried_again(breaking: Shop) -> None:
    for away in (
        OperationalError(SECRET, {}, Exception(SECRET)),
        PoolTimeout(SECRET),
        InternalError(SECRET, {}, psycopg.errors.ReadOnlySqlTransaction(SECRET)),
    ):
        answer = broken_by(breaking, away)
        assert problem(answer, 503, "unavailable")["retryable"] is True
        assert answer.headers["Retry-After"] == "1"
        assert "hunter2" not in answer.text


@pytest.mark.parametrize("env", ["sandbox", "production"])
def test_a_server_without_its_database_says_so_on_every_route(env: str) -> None:
    url = "postgresql+psycopg://shop@127.0.0.1:1/away"
    away = create_app(Config(url, log_level="error", env=env, stripe_api_key="sk_test_none"))
    headers = {"Authorization": "Bearer lk_default_abc", "Idempotency-Key": "a"}
    for method, path in (("GET", "/readyz"), ("GET", "/v1/program"), ("POST", "/v1/orders")):
        answer = away.test_client().open(path, method=method, headers=headers)
        problem(answer, 503, "unavailable")
        assert "127.0.0.1" not in answer.text
    assert away.test_client().get("/livez").status_code == 200


def test_every_other_status_keeps_the_shape_and_agrees_with_itself(breaking: Shop) -> None:
    for error, status, code in (
        (exceptions.BadRequest(SECRET), 400, "bad_request"),
        (exceptions.NotAcceptable(SECRET), 400, "bad_request"),
        (exceptions.RequestURITooLarge(SECRET), 400, "bad_request"),
        (exceptions.ImATeapot(SECRET), 400, "bad_request"),
        (exceptions.InternalServerError(SECRET), 500, "internal_error"),
        (exceptions.NotImplemented(SECRET), 500, "internal_error"),
        (exceptions.ServiceUnavailable(SECRET, retry_after=7), 503, "unavailable"),
    ):
        answer = broken_by(breaking, error)
        problem(answer, status, code)
        assert "hunter2" not in answer.text
        if status == 503:
            assert answer.headers["Retry-After"] == "7"


def test_an_unknown_address_is_a_problem_for_anybody(app: Flask) -> None:
    for path in ("/", "/v1", "/v2/members", "/v1/nothing", "/favicon.ico", "/v1/members/a/b/c"):
        for method in ("GET", "POST", "PATCH", "DELETE", "OPTIONS"):
            problem(app.test_client().open(path, method=method), 404, "not_found", None)


def test_a_wrong_method_is_405_and_names_the_right_ones(shop: Shop) -> None:
    for method, path, allowed in (
        ("DELETE", "/v1/members", {"GET", "HEAD", "OPTIONS", "POST"}),
        ("PUT", "/v1/members/ext:a", {"GET", "HEAD", "OPTIONS", "PATCH"}),
        ("GET", "/v1/adjustments", {"OPTIONS", "POST"}),
        ("PATCH", "/v1/orders", {"OPTIONS", "POST"}),
        ("POST", "/livez", {"GET", "HEAD", "OPTIONS"}),
    ):
        answer = shop.call(method, path)
        problem(answer, 405, "method_not_allowed", None)
        assert set(answer.headers["Allow"].split(", ")) == allowed


def test_a_missing_or_unusable_idempotency_key_is_400(shop: Shop) -> None:
    body = '{"external_id": "a"}'
    for key in ("", " ", "x" * 256, "ü", "a b", "a\tb"):
        answer = send(shop, "POST", "/v1/members", body, Idempotency_Key=key)
        problem(answer, 400, "idempotency_key_invalid", "Idempotency-Key")
    headers = {"Authorization": f"Bearer {shop.keys['checkout']}"}
    client = shop.app.test_client()
    answer = client.post("/v1/members", json={"external_id": "a"}, headers=headers)
    problem(answer, 400, "idempotency_key_missing", "Idempotency-Key")


def test_every_answer_carries_its_own_request_id(shop: Shop) -> None:
    answers = [shop.call("GET", path) for path in ("/livez", "/v1/program", "/no", "/v1/program")]
    ids = [answer.headers["Request-Id"] for answer in answers]
    assert len(set(ids)) == 4
    assert all(answer.headers["Cache-Control"] == "no-store" for answer in answers)


def test_an_unmigrated_database_is_not_ready(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    client = app.test_client()
    assert client.get("/readyz").json == {"status": "ready"}
    with monkeypatch.context() as older:
        older.setattr("loyalty_service.migrating.head", lambda: "9999")
        problem(client.get("/readyz"), 503, "unavailable")
        assert client.get("/livez").status_code == 200

    def no_table(work: object) -> None:
        raise ProgrammingError(SECRET, {}, Exception("no such table"))

    monkeypatch.setattr(db, "read", no_table)
    problem(client.get("/readyz"), 503, "unavailable")


def test_a_schema_of_a_later_version_is_no_reason_to_stop_serving(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loyalty_service.migrating.revision", lambda: "9999")
    assert app.test_client().get("/readyz").json == {"status": "ready"}


def test_an_instance_that_is_about_to_stop_is_not_ready_but_alive(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loyalty_service.draining.begun", lambda: True)
    problem(app.test_client().get("/readyz"), 503, "unavailable")
    assert app.test_client().get("/livez").status_code == 200


def test_the_documented_shape_is_the_shape() -> None:
    assert set(Problem().fields) == PROBLEM_FIELDS
    assert set(FieldProblem().fields) == {"param", "code", "detail"}
