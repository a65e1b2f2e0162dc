"""What is written to the log of a day's work: no key, no code, no person."""

import io
import json
import sys
from collections.abc import Iterator

import pytest

from loyalty_service import logs
from loyalty_service.domain.members import Member
from tests.api.contract import send
from tests.shop import Shop


@pytest.fixture
def written(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What is logged, at the level of production."""
    with monkeypatch.context() as patch:
        patch.setattr("sys.stderr", io.StringIO())
        logs.configure("info")
        yield sys.stderr  # type: ignore[misc]
    logs.configure("error")


PERSONAL = {
    "email": "ana.secret@shop.example",
    "name": "Ana Verborgen",
    "birthday": "1990-03-01",
    "external_id": "customer-secret-77",
}


def test_no_key_code_or_person_reaches_the_log(
    shop: Shop,
    written: io.StringIO,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    code = a_days_work(shop)
    monkeypatch.setattr("loyalty_service.domain.members.enrol", twice_the_same_id)
    broken = {**PERSONAL, "external_id": "customer-secret-78"}
    assert shop.call("POST", "/v1/members", broken).status_code == 500
    text = written.getvalue() + caplog.text
    assert '"route": "/v1/members/<ref>"' in text
    assert '"event": "unexpected"' in text
    for secret in (*PERSONAL.values(), code, "called on Monday", *shop.keys.values()):
        assert secret not in text, secret


def test_every_request_is_one_line_with_its_id_route_and_status(
    shop: Shop, written: io.StringIO
) -> None:
    answers = [shop.call("GET", path) for path in ("/v1/program", "/v1/members/ext:a", "/nothing")]
    lines = [json.loads(line) for line in written.getvalue().splitlines()]
    told = [(line["request_id"], line["route"], line["status"]) for line in lines]
    routes = ("/v1/program", "/v1/members/<ref>", None)
    assert told[-3:] == [
        (answer.headers["Request-Id"], route, answer.status_code)
        for answer, route in zip(answers, routes, strict=True)
    ]
    assert all(line["microseconds"] >= 0 for line in lines)


def a_days_work(shop: Shop) -> str:
    """Good and bad requests that carry what must stay out of the log; returns a code."""
    member = shop.post("/v1/members", PERSONAL)["id"]
    shop.get(f"/v1/members/ext:{PERSONAL['external_id']}")
    shop.get(f"/v1/members?q={PERSONAL['email']}")
    shop.call("GET", f"/v1/members?q={PERSONAL['email']}&email={PERSONAL['email']}")
    shop.call("POST", "/v1/members", {**PERSONAL, "name": "x" * 300})
    shop.call("POST", "/v1/members", {**PERSONAL, "email": "other@shop.example"})
    shop.call("PATCH", f"/v1/members/{member}", {"name": PERSONAL["name"]})
    shop.give(member, 200, note="called on Monday", customer_note="called on Monday")
    shop.order(member)
    send(shop, "POST", "/v1/members", json.dumps(PERSONAL)[:-1])
    shop.call("GET", "/v1/program", headers={"Authorization": f"Bearer {shop.keys['admin']}x"})
    redemption = shop.redeem(member)
    shop.post(f"/v1/redemptions/{redemption['id']}/cancel")
    return str(redemption["code"])


def twice_the_same_id(session, program_id, **fields):
    """A bug that makes the database itself complain about a person's row."""
    session.add(Member(program_id="nowhere", id="mem_1", **fields))
    session.flush()
