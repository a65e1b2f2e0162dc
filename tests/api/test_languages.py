"""Sentences speak the language of whoever reads; nothing else of an answer does."""

from typing import Any

import pytest

from tests.shop import Shop

GERMAN = {"Accept-Language": "de-AT, en;q=0.5"}


def read(shop: Shop, path: str, language: str | None = None, **more: Any) -> Any:
    headers = {"Accept-Language": language} if language is not None else {}
    answer = shop.call("GET", path, headers=headers, **more)
    assert answer.status_code == 200, answer.text
    return answer


@pytest.mark.parametrize(
    ("asked", "own", "spoken"),
    [
        (None, None, "en"),
        (None, "de-AT", "de"),
        (None, "fr", "en"),
        (None, "no tag at all", "en"),
        ("de", None, "de"),
        ("en", "de", "en"),
        ("fr, de;q=0.8, en;q=0.1", None, "de"),
        ("en;q=0.1, de;q=0.8", None, "de"),
        ("fr", "de", "de"),
        ("*", "de", "de"),
        ("de;q=0", None, "en"),
        ("%%%;;q=x", "de", "de"),
    ],
)
def test_the_request_decides_then_the_member_then_english(
    shop: Shop, asked: str | None, own: str | None, spoken: str
) -> None:
    member = shop.a_member(**({"locale": own} if own else {}))
    shop.give(member, -1 + 2)
    answer = read(shop, f"/v1/members/{member}/transactions", asked)
    said = answer.json["data"][0]["summary"]
    begins = {"en": "1 point given by our staff", "de": "1 Punkt von unserem Team"}
    assert said.startswith(begins[spoken])
    assert answer.headers["Content-Language"] == spoken
    assert answer.headers["Vary"] == "Accept-Language"


def test_every_route_that_speaks_speaks_german(shop: Shop) -> None:
    member = shop.a_member()
    order = shop.order(member, 12050)
    told = read(shop, f"/v1/transactions/{order['transaction']}", "de").json
    assert told["summary"].startswith(
        f"Bestellung {order['id']}: 120,50 EUR angerechnet, 1 Punkt je 1,00, abgerundet: "
        "120 Punkte, verfügbar ab "
    )
    shown = read(shop, f"/v1/members/{member}", "de").json["tier"]["sentences"]
    found = read(shop, "/v1/members?limit=1", "de").json["data"][0]["tier"]["sentences"]
    changed = shop.call("PATCH", f"/v1/members/{member}", {"name": "Ada"}, headers=GERMAN)
    assert shown[0].startswith("Noch 379,50 EUR bis zum ")
    assert shown == found == changed.json["tier"]["sentences"]
    assert changed.headers["Content-Language"] == "de"


def test_a_quote_says_just_what_the_order_will_say(shop: Shop) -> None:
    member = shop.a_member(locale="de")
    order = shop.an_order(member, 8000)
    quoted = shop.call("POST", "/v1/quotes", {"member": member, "order": _facts(order)})
    recorded = shop.post("/v1/orders", order)
    told = read(shop, f"/v1/transactions/{recorded['transaction']}").json["summary"]
    said = quoted.json["earn"]["summary"]
    assert said.startswith("80,00 EUR angerechnet, 1 Punkt je 1,00: 80 Punkte, verfügbar ab ")
    assert told == f"Bestellung {order['id']}: {said}"
    assert quoted.headers["Content-Language"] == "de"
    english = shop.call(
        "POST",
        "/v1/quotes",
        {"member": member, "order": _facts(order)},
        headers={"Accept-Language": "en"},
    )
    assert english.json["earn"]["summary"].startswith("80.00 EUR counted, 1 point per 1.00: 80 p")
    assert english.json["earn"]["explanation"] == quoted.json["earn"]["explanation"]


def test_a_list_of_members_speaks_to_each_in_their_own_language(shop: Shop) -> None:
    shop.a_member(locale="de")
    shop.a_member()
    answer = read(shop, "/v1/members?limit=2")
    said = [one["tier"]["sentences"][0].partition(" ")[0] for one in answer.json["data"]]
    assert said == ["500.00", "Noch"]
    assert answer.headers["Content-Language"] == "de, en"
    assert read(shop, "/v1/members?q=nobody@nowhere.example", "de").headers["Content-Language"] == (
        "de"
    )


def test_what_is_kept_under_a_key_does_not_depend_on_the_header(shop: Shop) -> None:
    member = shop.a_member(locale="de")
    given = shop.give(member, 50)
    path = f"/v1/transactions/{given['transaction']}/reverse"
    body = {"reason": "correction"}
    first = shop.call("POST", path, body, who="admin", key="undo", headers=GERMAN)
    again = shop.call("POST", path, body, who="admin", key="undo")
    assert first.json["summary"] == "50 points that our staff gave you were taken back: correction."
    assert first.data == again.data
    assert "Content-Language" not in first.headers


def test_an_enrolment_speaks_the_members_language_whoever_repeats_it(shop: Shop) -> None:
    body = {"external_id": "ada", "locale": "de"}
    first = shop.call("POST", "/v1/members", body, key="enrol", headers={"Accept-Language": "en"})
    again = shop.call("POST", "/v1/members", body, key="enrol")
    for answer in (first, again):
        assert answer.json["tier"]["sentences"][0].startswith("Noch 500,00 EUR")


def test_a_refusal_tells_of_no_language(shop: Shop) -> None:
    refused = shop.call("GET", "/v1/members/mem_nobody", headers=GERMAN)
    assert (refused.status_code, refused.headers.get("Content-Language")) == (404, None)


def test_no_sentence_holds_a_name_an_address_or_a_note(shop: Shop) -> None:
    friend = shop.a_member(name="Canary Friend", email="canary.friend@shop.example")
    member = shop.a_member(points=150, name="Canary Ada", email="canary@shop.example", locale="de")
    shop.give(member, 9, note="canary for staff", customer_note="canary for the customer")
    event = {"id": "e", "type": "referral", "member": friend, "occurred_at": _now(shop)}
    shop.post("/v1/events", {**event, "data": {"referrer": member}})
    order = shop.order(friend, 60000)
    shop.work()
    shop.redeem(member)
    shop.post(f"/v1/orders/{order['id']}/refunds", {"id": "r", "amount": 60000})
    shop.advance(days=800)
    for whose in (member, friend):
        for language in ("en", "de"):
            rows = read(shop, f"/v1/members/{whose}/transactions?limit=100", language).json["data"]
            tier = read(shop, f"/v1/members/{whose}", language).json["tier"]
            said = " ".join([*(row["summary"] for row in rows), *tier["sentences"]])
            assert len(rows) >= 3
            assert "anary" not in said


def _facts(order: dict[str, Any]) -> dict[str, Any]:
    return {name: order[name] for name in ("placed_at", "currency", "lines")}


def _now(shop: Shop) -> str:
    return shop.now().isoformat().replace("+00:00", "Z")
