"""Who may call what: every route of the service, every kind of key."""

from datetime import timedelta

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from loyalty_service import api, clock, db
from loyalty_service.api.guard import is_signed
from loyalty_service.domain import access
from tests.api.contract import nothing_written, problem
from tests.api.routes import Things, calls
from tests.shop import Shop


def without_guard(app: Flask) -> list[str]:
    return [call.rule for call in calls(app) if not call.guard]


def test_every_route_declares_who_may_call_it(app: Flask) -> None:
    assert without_guard(app) == []


def test_a_route_without_a_guard_is_found_and_serves_nobody() -> None:
    bare = Flask("bare", static_folder=None)
    bare.config.from_mapping(MAX_CONTENT_LENGTH=1000)
    api.register(bare)
    bare.add_url_rule("/open", "open", lambda: "secret")
    assert without_guard(bare) == ["/open"]
    problem(bare.test_client().get("/open"), 500, "internal_error")


def test_only_health_and_the_contract_are_public(app: Flask) -> None:
    public = {call.rule for call in calls(app) if call.is_public}
    pages = {"/docs", "/docs/errors", "/docs/assets/<version>/<path:name>"}
    assert public == {"/livez", "/readyz", "/metrics", "/openapi.json", *pages}


def test_only_stripe_proves_itself_by_a_signature(app: Flask) -> None:
    views = app.view_functions
    rules = {one.rule for one in app.url_map.iter_rules() if is_signed(views[one.endpoint])}
    assert rules == {"/webhooks/stripe"}


def test_reporting_reads_and_never_writes(app: Flask) -> None:
    for call in calls(app):
        assert "reporting" not in call.guard or call.method == "GET", call
        assert call.is_public or "admin" in call.guard, call


def test_every_post_that_writes_needs_an_idempotency_key(things: Things) -> None:
    shop = things.shop
    with nothing_written(shop.app):
        for call in calls(shop.app):
            if call.takes_a_key:
                key, path = f"Bearer {shop.keys['admin']}", call.path(things.ids)
                answer = bearing(shop, key, "POST", path, things.body(call))
                problem(answer, 400, "idempotency_key_missing", "Idempotency-Key")


@pytest.mark.parametrize(
    "token",
    [
        "lk_",
        "lk__",
        "lk_default",
        "lk_default_",
        "sk_live_abc",
        "lk_nowhere_abc",
        "lk_default_ü",
        "lk_d\x00efault_abc",
        "lk_" + "x" * 5000 + "_abc",
        "lk_default_abc def",
        "' OR 1=1 --",
    ],
)
def test_what_is_no_key_of_ours_is_401(shop: Shop, token: str) -> None:
    environ = {"HTTP_AUTHORIZATION": f"Bearer {token}"}
    answer = shop.app.test_client().get("/v1/program", environ_overrides=environ)
    problem(answer, 401, "key_unknown")


def test_the_word_bearer_may_be_written_in_any_case(shop: Shop) -> None:
    for header in ("bearer", "BEARER", "Bearer "):
        answer = bearing(shop, f"{header} {shop.keys['checkout']}", "GET", "/v1/program")
        assert answer.status_code == 200


def test_a_revoked_key_ends_at_once(shop: Shop) -> None:
    made = a_key(shop)
    assert program_with(shop, made).status_code == 200
    with shop.app.app_context():
        db.transaction(lambda session: access.revoke(session, shop.program_id, made.id))
    problem(program_with(shop, made), 401, "key_revoked")


def test_a_key_expires_by_the_machines_time_and_not_the_sandboxs(shop: Shop) -> None:
    lasting = a_key(shop, "lasting", expires_in=timedelta(days=1))
    over = a_key(shop, "over", expires_in=timedelta(seconds=-1))
    shop.advance(days=400)
    assert program_with(shop, lasting).status_code == 200
    problem(program_with(shop, over), 401, "key_expired")


def test_rotated_keys_overlap_and_then_the_old_one_ends(shop: Shop) -> None:
    old = a_key(shop)
    new = rotated(shop, old, timedelta(days=1))
    assert [program_with(shop, key).status_code for key in (old, new)] == [200, 200]
    newest = rotated(shop, new, timedelta(0))
    assert program_with(shop, newest).status_code == 200
    problem(program_with(shop, new), 401, "key_expired")


def bearing(
    shop: Shop, header: str | None, method: str, path: str, body: object = None
) -> TestResponse:
    headers = {} if header is None else {"Authorization": header}
    return shop.app.test_client().open(path, method=method, json=body or {}, headers=headers)


def program_with(shop: Shop, key: access.NewKey) -> TestResponse:
    return bearing(shop, f"Bearer {key.token}", "GET", "/v1/program")


def a_key(shop: Shop, name: str = "till", expires_in: timedelta | None = None) -> access.NewKey:
    expires_at = clock.wall() + expires_in if expires_in else None
    with shop.app.app_context():
        return db.transaction(
            lambda session: access.create_client(
                session, shop.program_id, name=name, scope="checkout", expires_at=expires_at
            )
        )


def rotated(shop: Shop, key: access.NewKey, overlap: timedelta) -> access.NewKey:
    with shop.app.app_context():
        return db.transaction(
            lambda session: access.rotate(session, shop.program_id, key.id, overlap=overlap)
        )
