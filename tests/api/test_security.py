"""Whoever may not, can't: every call of the url map, every unfit key, every foreign id.

What is answered and logged meanwhile is overheard, and holds nothing secret.
"""

import base64
import uuid
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import quote

import pytest
from werkzeug.test import TestResponse

from loyalty_service import clock, db
from loyalty_service.domain import access
from tests.api.contract import nothing_written, problem
from tests.api.overheard import Overheard
from tests.api.routes import HOLDERS, Call, Things, calls, guarded, queries_of
from tests.shop import Shop

pytestmark = pytest.mark.usefixtures("overheard")
# What a query asks for in other words than an id.
NO_IDS = {"limit", "at", "status", "type", "capture"}


def send(
    things: Things, call: Call, path: str, key: str, *, method: str = "", **more: object
) -> TestResponse:
    """A call whose `Authorization` is just `key`."""
    headers = {"Authorization": key, "Idempotency-Key": str(uuid.uuid4())}
    return things.shop.app.test_client().open(
        path, method=method or call.method, headers=headers, **{"json": things.body(call), **more}
    )


def unfit(shop: Shop, other: Shop) -> Iterator[tuple[str, str]]:
    """Values of `Authorization` that open nothing, and the code of the refusal."""
    good, theirs = shop.keys["admin"], other.keys["admin"]
    for header in ("", " ", "Bearer", "Bearer ", good, f"Token {good}", f"Bearer: {good}"):
        yield header, "key_missing"
    as_password = base64.b64encode(f"{good}:".encode()).decode()
    yield f"Basic {as_password}", "key_missing"
    yield f"Bearer {ended(shop, revoke=True)}", "key_revoked"
    yield f"Bearer {ended(shop, revoke=False)}", "key_expired"
    # The other program's key under our program's name, and ours under theirs.
    yield f"Bearer {theirs.replace('lk_other_', 'lk_default_')}", "key_unknown"
    yield f"Bearer {good.replace('lk_default_', 'lk_other_')}", "key_unknown"
    for wrong in (good[:-1], good + "x", good.swapcase(), f"{good},{good}", f"{good} {good}"):
        yield f"Bearer {wrong}", "key_unknown"
    for wrong in ("lk_default_" + "x" * 10**6, "x" * 10**6, f"{good}\x00", f"\x00{good}", "é" * 9):
        yield f"Bearer {wrong}", "key_unknown"
    yield f"Bearer {good}\r\nX-Admin: 1", "key_unknown"


def ended(shop: Shop, *, revoke: bool) -> str:
    """The token of an admin's key that was revoked, or has expired."""
    expires_at = None if revoke else clock.wall() - timedelta(seconds=1)

    def work(session) -> str:
        made = access.create_client(
            session, shop.program_id, name=f"{revoke}", scope="admin", expires_at=expires_at
        )
        if revoke:
            access.revoke(session, shop.program_id, made.id)
        return made.token

    with shop.app.app_context():
        return db.transaction(work)


@pytest.mark.slow
def test_an_unfit_key_opens_no_call(things: Things, theirs: Things) -> None:
    shop = things.shop
    keys = list(unfit(shop, theirs.shop))
    with nothing_written(shop.app):
        for call in guarded(shop.app):
            for header, code in keys:
                environ = {"HTTP_AUTHORIZATION": header}
                answer = send(things, call, call.path(things.ids), "", environ_overrides=environ)
                problem(answer, 401, code)
                assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.slow
def test_a_key_that_is_not_in_its_header_is_no_key(things: Things) -> None:
    shop, key = things.shop, things.shop.keys["admin"]
    with nothing_written(shop.app):
        for call in guarded(shop.app):
            client = shop.app.test_client()
            client.set_cookie("Authorization", f"Bearer {key}")
            for name in ("key", "access_token", "token", "Authorization"):
                answer = client.open(
                    f"{call.path(things.ids)}?{name}={key}",
                    method=call.method,
                    json=things.body(call),
                    headers={"X-Api-Key": key, "Proxy-Authorization": f"Bearer {key}"},
                )
                problem(answer, 401, "key_missing")


def test_without_a_key_nobody_learns_what_there_is(things: Things) -> None:
    shop = things.shop
    unknown = {name: "nothing" for name in things.ids}
    for call in guarded(shop.app):
        there, nowhere = (
            anonymous(send(things, call, call.path(ids), "")) for ids in (things.ids, unknown)
        )
        assert there == nowhere
        for method in ("OPTIONS", "HEAD") if call.method == "GET" else ("OPTIONS",):
            assert send(things, call, call.path(things.ids), "", method=method).status_code == 401


@pytest.mark.slow
def test_a_scope_that_may_not_does_nothing_and_one_that_may_does_it(things: Things) -> None:
    shop = things.shop
    for call in calls(shop.app):
        path, body = call.path(things.ids_for(call)), things.body(call)
        key = str(uuid.uuid4())
        fit = [scope for scope in HOLDERS if call.is_public or scope in call.guard]
        with nothing_written(shop.app):
            for scope in set(HOLDERS) - set(fit):
                answer = shop.call(call.method, path, body, who=call.holder(scope), key=key)
                assert f"scope {scope};" in problem(answer, 403, "scope_missing")["detail"]
        done = shop.call(call.method, path, body, who=call.holder(fit[0]), key=key)
        assert done.status_code in (200, 201), (call, done.text)
        assert "Idempotent-Replayed" not in done.headers


@pytest.mark.slow
def test_a_foreign_id_is_answered_as_one_that_never_was(
    things: Things, theirs: Things, overheard: Overheard
) -> None:
    overheard.shops.append(theirs.shop)
    shop = things.shop
    asked = 0
    with nothing_written(shop.app):
        for call in guarded(shop.app):
            if call.takes_any_order_id:
                continue
            for foreign, unknown in foreign_requests(things, theirs, call):
                asked += 1
                answers = []
                for method, path, body, named in (foreign, unknown):
                    answer = shop.call(method, path, body, who="admin")
                    answers.append(anonymous(answer).replace(named, "ID").replace(quote(named), ""))
                    assert answer.status_code == 404 or answer.json["data"] == [], answer.text
                assert answers[0] == answers[1]
    assert asked > 20


@pytest.mark.slow
def test_a_refund_for_a_foreign_order_waits_as_for_one_that_never_was(
    things: Things, theirs: Things
) -> None:
    answers = []
    for order_id in (theirs.ids["order_id"], "order-zzz"):
        wanted = things.shop.a_refund(amount=1)
        answer = things.shop.call("POST", f"/v1/orders/{order_id}/refunds", wanted)
        known = {"id", "order", "recorded_at"}
        answers.append({name: answer.json[name] for name in set(answer.json) - known})
        assert answer.status_code == 202
    assert answers[0] == answers[1]
    assert theirs.shop.get(f"/v1/orders/{theirs.ids['order_id']}/refunds")["data"] == []


Request = tuple[str, str, object, str]


def foreign_requests(
    things: Things, theirs: Things, call: Call
) -> Iterator[tuple[Request, Request]]:
    """A call with each id of theirs wherever one may stand, and the same with an unknown one."""
    for name, id_ in [*theirs.ids.items(), ("ref", f"ext:{theirs.external_id}")]:
        unknown = id_[:-3] + "zzz"
        if name in call.arguments:
            yield tuple(  # type: ignore[misc]
                (call.method, call.path({**things.ids, name: one}), things.body(call), one)
                for one in (id_, unknown)
            )
        for query in set(queries_of(things.shop.app, call)) - NO_IDS:
            yield tuple(  # type: ignore[misc]
                (call.method, f"{call.path(things.ids)}?{query}={one}", None, one)
                for one in (id_, unknown)
            )
        body = things.body(call) or {}
        if name == "ref" and "member" in body:
            yield tuple(  # type: ignore[misc]
                (call.method, call.path(things.ids), {**body, "member": one}, one)
                for one in (id_, unknown)
            )


def anonymous(answer: TestResponse) -> str:
    """Status, headers and body, without what differs each time."""
    told = {name: value for name, value in answer.headers.items() if name != "Request-Id"}
    told.pop("Content-Length", None)
    text = answer.text.replace(answer.headers["Request-Id"], "")
    return f"{answer.status_code} {told} {text}"
