"""One effect for one key, and the same answer however often it is sent."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from loyalty_service import clock, db
from loyalty_service.domain import access, approvals, idempotency, orders
from loyalty_service.domain.idempotency import IdempotencyKey
from tests.api.contract import another_program, nothing_written, problem, send
from tests.shop import Shop
from tests.stripe_control import StripeControl


def test_a_replay_gives_the_same_status_and_bytes_and_says_so(shop: Shop) -> None:
    member = shop.a_member(points=100)
    for path, body, who in writes(shop, member):
        first = shop.call("POST", path, body, who=who, key=path)
        assert first.status_code == 201
        assert "Idempotent-Replayed" not in first.headers
        with nothing_written(shop.app):
            again = shop.call("POST", path, body, who=who, key=path)
        assert (again.status_code, again.data) == (201, first.data)
        assert again.headers["Idempotent-Replayed"] == "true"
        assert again.headers["Request-Id"] != first.headers["Request-Id"]


def test_a_kept_answer_does_not_change_with_the_balance(shop: Shop) -> None:
    member = shop.a_member()
    gift = {"member": member, "points": 5, "reason": "correction"}
    first = shop.call("POST", "/v1/adjustments", gift, who="agent", key="once")
    shop.give(member, 100)
    again = shop.call("POST", "/v1/adjustments", gift, who="agent", key="once")
    assert again.data == first.data
    assert shop.available(member) == 105


def test_what_lives_on_is_replayed_as_it_stands(shop: Shop) -> None:
    member = shop.a_member(points=100)
    wish = {"member": member, "reward": "money_off"}
    first = shop.call("POST", "/v1/redemptions", wish, key="once")
    shop.post(f"/v1/redemptions/{first.json['id']}/cancel")
    again = shop.call("POST", "/v1/redemptions", wish, key="once")
    assert (again.status_code, again.json["id"]) == (201, first.json["id"])
    assert again.json["status"] == "cancelled"
    assert again.headers["Idempotent-Replayed"] == "true"


def test_a_promise_under_way_is_202_until_it_is_kept(shop: Shop, stripe: StripeControl) -> None:
    stripe.fault("error_500_after", times=20)
    wish = {"member": shop.a_member(points=100), "reward": "money_off"}
    first = shop.call("POST", "/v1/redemptions", wish, key="once")
    assert (first.status_code, first.json["code"]) == (202, None)
    stripe.clear()
    shop.work(at=clock.wall() + timedelta(hours=1))
    again = shop.call("POST", "/v1/redemptions", wish, key="once")
    assert (again.status_code, again.json["status"]) == (201, "issued")


def test_another_request_under_a_used_key_names_what_the_key_made(shop: Shop) -> None:
    member = shop.a_member()
    gift = {"member": member, "points": 5, "reason": "correction"}
    made = shop.call("POST", "/v1/adjustments", gift, who="admin", key="used").json["id"]
    with nothing_written(shop.app):
        for path, body in (
            ("/v1/adjustments", {**gift, "points": 6}),
            ("/v1/adjustments", {**gift, "note": "a"}),
            ("/v1/orders", shop.an_order(member)),
            ("/v1/members", {"external_id": "b"}),
        ):
            answer = shop.call("POST", path, body, who="admin", key="used")
            told = problem(answer, 422, "idempotency_key_reused", "Idempotency-Key")
            assert made in told["detail"]


def test_the_same_body_for_another_resource_is_another_request(shop: Shop) -> None:
    one, other = (shop.redeem(shop.a_member(points=100))["id"] for _ in range(2))
    shop.post(f"/v1/redemptions/{one}/cancel", key="cancel")
    answer = shop.call("POST", f"/v1/redemptions/{other}/cancel", key="cancel")
    assert one in problem(answer, 422, "idempotency_key_reused")["detail"]


def test_the_same_fields_written_otherwise_are_the_same_request(shop: Shop) -> None:
    member = shop.a_member()
    for raw in (
        '{"member": "%s", "points": 5, "reason": "correction"}',
        '{"reason":"correction","points":5.0,"member":"%s"}',
        '{"points":0.5e1, "member":"%s", "reason":"c\\u006frrection"}',
    ):
        answer = send(
            shop, "POST", "/v1/adjustments", raw % member, who="agent", Idempotency_Key="once"
        )
        assert answer.status_code == 201
    assert shop.available(member) == 5


def test_a_field_left_out_and_one_sent_as_its_default_differ(shop: Shop) -> None:
    gift = {"member": shop.a_member(), "points": 5, "reason": "correction"}
    shop.call("POST", "/v1/adjustments", gift, who="agent", key="once")
    answer = shop.call("POST", "/v1/adjustments", {**gift, "note": None}, who="agent", key="once")
    problem(answer, 422, "idempotency_key_reused")


def test_a_refusal_stays_refused_until_a_new_key_is_sent(shop: Shop) -> None:
    member = shop.a_member(points=99)
    wish = {"member": member, "reward": "money_off"}
    first = shop.call("POST", "/v1/redemptions", wish, key="poor")
    problem(first, 409, "insufficient_points")
    shop.give(member, 500)
    again = shop.call("POST", "/v1/redemptions", wish, key="poor")
    assert (again.status_code, again.data) == (409, first.data)
    assert again.content_type == "application/problem+json"
    assert again.headers["Idempotent-Replayed"] == "true"
    assert shop.available(member) == 599
    assert shop.call("POST", "/v1/redemptions", wish, key="rich").status_code == 201


def test_mistakes_leave_the_key_free(shop: Shop) -> None:
    member = shop.a_member()
    order = shop.an_order(member)
    with nothing_written(shop.app):
        for wrong in (
            {**order, "lines": []},
            {**order, "member": "mem_nobody"},
            {**order, "currency": "usd"},
        ):
            assert shop.call("POST", "/v1/orders", wrong, key="free").status_code in (404, 422)
        assert send(shop, "POST", "/v1/orders", "{", Idempotency_Key="free").status_code == 400
        wrong_key = {"Authorization": "Bearer lk_default_no"}
        answer = shop.call("POST", "/v1/orders", order, key="free", headers=wrong_key)
        assert answer.status_code == 401
    assert shop.call("POST", "/v1/orders", order, key="free").status_code == 201


def test_a_crash_in_the_verb_leaves_nothing(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    member = shop.a_member()
    posts = {
        "/v1/adjustments": {"member": member, "points": 5, "reason": "correction"},
        "/v1/orders": shop.an_order(member),
    }
    for module, name in ((approvals, "give_or_ask"), (orders, "record")):
        verb = getattr(module, name)

        def crash(*args: Any, verb: Any = verb) -> None:
            verb(*args)
            raise RuntimeError("the lights went out")

        monkeypatch.setattr(module, name, crash)
    with nothing_written(shop.app):
        for path, body in posts.items():
            problem(shop.call("POST", path, body, who="admin", key=path), 500, "internal_error")
    monkeypatch.undo()
    for path, body in posts.items():
        answer = shop.call("POST", path, body, who="admin", key=path)
        assert (answer.status_code, "Idempotent-Replayed" in answer.headers) == (201, False)


def test_a_key_belongs_to_one_client_of_one_program(shop: Shop) -> None:
    member = shop.a_member()
    gift = {"member": member, "points": 5, "reason": "correction"}
    clients = ("agent", "other_agent", "admin")
    first = [shop.call("POST", "/v1/adjustments", gift, who=who, key="same") for who in clients]
    again = [shop.call("POST", "/v1/adjustments", gift, who=who, key="same") for who in clients]
    assert not any("Idempotent-Replayed" in answer.headers for answer in first)
    assert [answer.data for answer in again] == [answer.data for answer in first]
    assert shop.available(member) == 15
    other = another_program(shop.app)
    theirs = {**gift, "member": other.a_member()}
    assert other.call("POST", "/v1/adjustments", theirs, who="agent", key="same").status_code == 201


def test_a_client_whose_key_was_rotated_still_replays(shop: Shop) -> None:
    member = shop.a_member()
    order = shop.an_order(member)
    first = shop.call("POST", "/v1/orders", order, key="once")
    shop.keys["checkout"] = rotated(shop, "checkout")
    again = shop.call("POST", "/v1/orders", order, key="once")
    assert (again.data, again.headers["Idempotent-Replayed"]) == (first.data, "true")


def test_after_thirty_days_a_replay_renders_the_resource(shop: Shop) -> None:
    member = shop.a_member(points=100)
    kept = {
        path: (body, who, shop.call("POST", path, body, who=who, key=path))
        for path, body, who in writes(shop, member)
    }
    assert grow_old(shop, days=29) == 0
    assert grow_old(shop, days=31) >= 3
    shop.give(member, 7)
    for path, (body, who, first) in kept.items():
        again = shop.call("POST", path, body, who=who, key=path)
        assert again.status_code == first.status_code, path
        assert again.json["id"] == first.json["id"]
        assert again.headers["Idempotent-Replayed"] == "true"
        reused = shop.call("POST", path, changed(body), who=who, key=path)
        problem(reused, 422, "idempotency_key_reused")


def test_after_thirty_days_a_refusal_is_no_longer_told(shop: Shop) -> None:
    member = shop.a_member()
    wish = {"member": member, "reward": "money_off"}
    problem(shop.call("POST", "/v1/redemptions", wish, key="poor"), 409, "insufficient_points")
    grow_old(shop, days=31)
    shop.give(member, 500)
    with nothing_written(shop.app):
        problem(shop.call("POST", "/v1/redemptions", wish, key="poor"), 409, "replay_expired")


def test_no_code_and_no_key_is_kept_in_an_answer(shop: Shop) -> None:
    member = shop.a_member(points=100)
    code = shop.redeem(member)["code"]
    shop.order(member)
    with shop.app.app_context():
        bodies = db.read(lambda session: session.scalars(select(IdempotencyKey.body)).all())
    texts = " ".join(body for body in bodies if body)
    assert "ltx_" in texts
    assert code not in texts
    assert not any(key in texts for key in shop.keys.values())


def writes(shop: Shop, member: str) -> list[tuple[str, dict[str, Any], str]]:
    """One good body for each writing address."""
    given = shop.give(member, 1)["transaction"]
    return [
        ("/v1/orders", shop.an_order(member), "checkout"),
        ("/v1/adjustments", {"member": member, "points": 5, "reason": "correction"}, "agent"),
        (f"/v1/transactions/{given}/reverse", {"reason": "correction"}, "agent"),
        ("/v1/redemptions", {"member": member, "reward": "money_off"}, "checkout"),
    ]


def changed(body: dict[str, Any]) -> dict[str, Any]:
    """Another request that is right in itself."""
    last = [name for name in body if isinstance(body[name], str)][-1]
    return {**body, last: "usd"}


def grow_old(shop: Shop, *, days: int) -> int:
    """Make every key some days old and tidy up; how many answers were dropped."""

    def work(session: Session) -> int:
        session.execute(
            update(IdempotencyKey).values(created_at=clock.wall() - timedelta(days=days))
        )
        return idempotency.drop_old_bodies(session)

    with shop.app.app_context():
        return db.transaction(work)


def rotated(shop: Shop, client: str) -> str:
    """A new key for a client; the old one ends."""

    def work(session: Session) -> str:
        listed = access.listed(session, shop.program_id)
        key_id = next(key.id for key, owner, _ in listed if owner.name == client)
        return access.rotate(session, shop.program_id, key_id, overlap=timedelta(0)).token

    with shop.app.app_context():
        return db.transaction(work)
