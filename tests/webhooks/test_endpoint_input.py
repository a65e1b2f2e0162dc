"""/v1/webhook_endpoints and /v1/webhook_deliveries: one clear answer to whatever is sent."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from loyalty_service import clock, db
from loyalty_service.domain.notices import types
from loyalty_service.domain.webhooks import deliveries
from tests.api.contract import another_program
from tests.databases import Databases
from tests.shop import Shop
from tests.webhooks.receiving import Receiver

ENDPOINTS, DELIVERIES = "/v1/webhook_endpoints", "/v1/webhook_deliveries"
GOOD = {"url": "https://shop.example/hooks", "types": ["*"]}


@pytest.fixture
def in_production(app: Flask) -> Iterator[None]:
    before = app.config["LOYALTY"]
    app.config["LOYALTY"] = replace(
        before, env="production", stripe_api_base="", webhook_signing_key="k" * 32
    )
    yield
    app.config["LOYALTY"] = before


def make(shop: Shop, **more: Any) -> Any:
    return shop.post(ENDPOINTS, GOOD | more, who="admin")


def fault_of(shop: Shop, body: Any) -> tuple[int, str, str]:
    """Status, and which field broke which rule."""
    answer = shop.call("POST", ENDPOINTS, body, who="admin")
    said = answer.json or {}
    (wrong, *_) = said["errors"] or [{"param": "", "code": said["code"]}]
    return answer.status_code, wrong["param"], wrong["code"]


@pytest.mark.parametrize(
    ("body", "param", "code"),
    [
        ({"types": ["*"]}, "url", "required"),
        ({"url": "https://shop.example"}, "types", "required"),
        (GOOD | {"url": 5}, "url", "wrong_type"),
        (GOOD | {"url": "shop"}, "url", "wrong_format"),
        (GOOD | {"url": "https://ana:x@shop.example"}, "url", "wrong_format"),
        (GOOD | {"url": f"https://shop.example/{'x' * 2000}"}, "url", "too_long"),
        (GOOD | {"url": "http://10.0.0.1/"}, "url", "not_public"),
        (GOOD | {"url": "http://169.254.169.254/latest"}, "url", "not_public"),
        (GOOD | {"types": []}, "types", "too_short"),
        (GOOD | {"types": ["points.lost"]}, "types[0]", "not_a_choice"),
        (GOOD | {"types": "points.earned"}, "types", "wrong_type"),
        (GOOD | {"types": ["*"] * 100}, "types", "too_long"),
        (GOOD | {"secret": "mine"}, "secret", "unknown_field"),
        (GOOD | {"description": "x" * 201}, "description", "too_long"),
    ],
)
def test_a_wrong_endpoint_is_told_what_is_wrong(
    shop: Shop, body: dict[str, Any], param: str, code: str
) -> None:
    assert fault_of(shop, body) == (422, param, code)


@pytest.mark.usefixtures("in_production")
@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://shop.example/", "not_https"),
        ("https://127.0.0.1/", "not_public"),
        ("https://localhost/", "not_public"),
        ("https://[::ffff:10.0.0.1]/", "not_public"),
    ],
)
def test_production_takes_public_addresses_by_https_only(shop: Shop, url: str, code: str) -> None:
    assert fault_of(shop, GOOD | {"url": url}) == (422, "url", code)
    assert make(shop)["status"] == "enabled"


def test_production_without_a_key_makes_no_endpoint(app: Flask, shop: Shop) -> None:
    before = app.config["LOYALTY"]
    app.config["LOYALTY"] = replace(before, env="production", stripe_api_base="")
    answer = shop.call("POST", ENDPOINTS, GOOD, who="admin")
    app.config["LOYALTY"] = before
    assert (answer.status_code, answer.json["code"]) == (409, "webhooks_not_set_up")
    assert "LOYALTY_WEBHOOK_SIGNING_KEY" in answer.json["detail"]


def test_a_giant_body_is_refused(shop: Shop) -> None:
    answer = shop.call("POST", ENDPOINTS, GOOD | {"description": "x" * 1100000}, who="admin")
    assert (answer.status_code, answer.json["code"]) == (413, "body_too_large")


def test_a_program_has_twenty_endpoints_at_most(shop: Shop) -> None:
    made = [make(shop)["id"] for _ in range(20)]
    answer = shop.call("POST", ENDPOINTS, GOOD, who="admin")
    assert (answer.status_code, answer.json["code"]) == (409, "webhook_endpoints_full")
    shop.call("DELETE", f"{ENDPOINTS}/{made[0]}", who="admin")
    assert make(shop)["id"] not in made
    assert len(shop.get(f"{ENDPOINTS}?limit=100", who="admin")["data"]) == 20


def test_the_endpoints_of_another_program_are_not_there(shop: Shop) -> None:
    theirs = make(another_program(shop.app))["id"]
    for method, path, body in (
        ("GET", f"{ENDPOINTS}/{theirs}", None),
        ("PATCH", f"{ENDPOINTS}/{theirs}", {"description": "mine"}),
        ("DELETE", f"{ENDPOINTS}/{theirs}", None),
        ("POST", f"{ENDPOINTS}/{theirs}/rotate_secret", {}),
        ("GET", f"{DELIVERIES}?endpoint={theirs}", None),
    ):
        answer = shop.call(method, path, body, who="admin")
        assert (answer.status_code, answer.json["code"]) == (404, "webhook_endpoint_not_found")
    missing = shop.call("GET", f"{DELIVERIES}/whd_nobody", who="admin")
    assert (missing.status_code, missing.json["code"]) == (404, "webhook_delivery_not_found")


def test_a_secret_is_shown_where_it_is_made_and_nowhere_else(
    app: Flask, shop: Shop, databases: Databases, kind: str
) -> None:
    first = shop.call("POST", ENDPOINTS, GOOD, who="admin", key="one")
    secret = first.json["secret"]
    again = shop.call("POST", ENDPOINTS, GOOD, who="admin", key="one")
    assert again.headers["Idempotent-Replayed"] == "true"
    # Who lost the first answer learns it from the same request, and nobody else.
    assert again.json == first.json
    path = f"{ENDPOINTS}/{first.json['id']}"
    assert shop.get(path, who="admin")["secret"] is None
    assert shop.get(ENDPOINTS, who="admin")["data"][0]["secret"] is None
    assert secret not in everything(app)
    newer = shop.post(f"{path}/rotate_secret", {}, who="admin")["secret"]
    assert newer not in (None, secret)
    outdated = shop.call("POST", ENDPOINTS, GOOD, who="admin", key="one")
    assert outdated.json["secret"] is None


def everything(app: Flask) -> str:
    """All that the database holds of keys and endpoints."""
    with app.app_context():
        return db.read(
            lambda session: str(
                [
                    session.execute(text(f"SELECT * FROM {table}")).all()
                    for table in ("idempotency_keys", "webhook_endpoints")
                ]
            )
        )


def test_an_endpoint_can_be_changed_switched_off_and_deleted(shop: Shop) -> None:
    path = f"{ENDPOINTS}/{make(shop)['id']}"
    change = {"url": "https://new.example/", "types": ["tier.changed"], "description": "Mail"}
    answer = shop.call("PATCH", path, change, who="admin")
    assert {name: answer.json[name] for name in change} == change
    off = shop.call("PATCH", path, {"status": "disabled"}, who="admin").json
    assert (off["status"], off["disabled_reason"]) == ("disabled", "by_hand")
    on = shop.call("PATCH", path, {"status": "enabled"}, who="admin").json
    assert (on["status"], on["disabled_reason"], on["disabled_at"]) == ("enabled", None, None)
    assert shop.call("PATCH", path, {"status": "deleted"}, who="admin").status_code == 422
    gone = shop.call("DELETE", path, who="admin")
    assert (gone.status_code, gone.json["deleted"]) == (200, True)
    assert shop.call("DELETE", path, who="admin").status_code == 404


def test_everything_includes_each_type_and_types_are_those_of_the_catalogue(shop: Shop) -> None:
    assert make(shop, types=["tier.changed", "*"])["types"] == ["*"]
    assert make(shop, types=list(types.names()))["types"] == list(types.names())


def test_what_waits_for_a_deleted_endpoint_is_given_up(
    shop: Shop, receiver: Receiver, endpoint: str
) -> None:
    shop.a_member(points=1)
    shop.tell()
    shop.call("DELETE", f"{ENDPOINTS}/{endpoint}", who="admin")
    assert shop.deliver() == 0
    (given_up,) = shop.get(DELIVERIES, who="admin")["data"]
    assert (given_up["status"], given_up["last_error"]) == ("failed", "the endpoint was deleted")
    again = shop.call("POST", f"{DELIVERIES}/{given_up['id']}/replay", who="admin")
    assert (again.status_code, again.json["code"]) == (409, "webhook_endpoint_off")


def test_deliveries_are_found_by_status_and_type(
    shop: Shop, receiver: Receiver, endpoint: str
) -> None:
    member = shop.a_member(points=500)
    shop.tell()
    shop.deliver()
    shop.redeem(member)
    shop.tell()
    for asked, count in (
        ("", 2),
        ("?status=delivered", 1),
        ("?status=pending", 1),
        ("?status=failed", 0),
        ("?type=redemption.issued", 1),
        (f"?endpoint={endpoint}&type=tier.changed", 0),
    ):
        assert len(shop.get(f"{DELIVERIES}{asked}", who="admin")["data"]) == count, asked
    assert shop.call("GET", f"{DELIVERIES}?status=lost", who="admin").status_code == 422
    assert shop.call("GET", f"{DELIVERIES}?type=lost", who="admin").status_code == 422


def test_a_delivery_is_sent_again_under_the_same_id(
    shop: Shop, receiver: Receiver, endpoint: str
) -> None:
    shop.a_member(points=1)
    shop.tell()
    shop.deliver()
    (sent,) = shop.get(DELIVERIES, who="admin")["data"]
    path = f"{DELIVERIES}/{sent['id']}/replay"
    first = shop.call("POST", path, {}, who="admin", key="again")
    assert (first.status_code, first.json["status"]) == (200, "pending")
    assert shop.deliver() == 1
    assert len({headers["webhook-id"] for headers in receiver.headers}) == 1
    assert len(receiver.headers) == 2
    # The same request again sends nothing more.
    assert shop.call("POST", path, {}, who="admin", key="again").json["status"] == "delivered"
    assert shop.deliver() == 0


def test_a_delivery_in_flight_is_not_sent_a_second_time(
    shop: Shop, receiver: Receiver, endpoint: str
) -> None:
    shop.a_member(points=1)
    shop.tell()
    with shop.app.app_context():
        held = db.transaction(
            lambda session: deliveries.claim(
                session, shop.program_id, endpoint, key="k" * 32, lease_seconds=30
            )
        )
        assert held is not None
        path = f"{DELIVERIES}/{held.id}/replay"
        refused = shop.call("POST", path, who="admin", key="soon")
        assert (refused.status_code, refused.json["code"]) == (409, "webhook_in_flight")
        assert refused.json["retryable"] is True
        done = deliveries.Answered(clock.wall(), 1, 500)
        db.transaction(lambda session: deliveries.settle(session, held, done))
    # It waits for five seconds now; who asks again is not made to.
    assert shop.call("POST", path, who="admin", key="soon").status_code == 200
    assert shop.deliver() == 1
