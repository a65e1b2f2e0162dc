"""Quotes: wrong input is named as it stands in the call; nothing is ever written."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from loyalty_service import db
from loyalty_service.domain import program
from tests.api.contract import (
    MISSING,
    WRONG_MOMENTS,
    WRONG_TEXTS,
    WRONG_WHOLES,
    another_program,
    changed,
    each,
    nothing_written,
    problem,
    program_text,
    require_all_refused,
)
from tests.shop import Shop, moment

NOT_NEGATIVE = [*WRONG_WHOLES, (-1, "below_minimum"), (None, "wrong_type")]


def ask(shop: Shop, quote: dict[str, Any], **more: Any) -> TestResponse:
    return shop.call("POST", "/v1/quotes", quote, **more)


def a_quote(shop: Shop, member: str = "", amount_minor: int = 10000) -> dict[str, Any]:
    return {"member": member or shop.a_member(), "order": shop.a_cart(amount_minor)}


def basis(quoted: Any) -> dict[str, int]:
    """What an order says of the quote that was shown."""
    return {name: quoted[name] for name in ("program_version", "account_sequence")}


def test_each_wrong_field_of_a_quote_is_named(shop: Shop) -> None:
    good = a_quote(shop)
    without_null = [case for case in WRONG_MOMENTS if case[0] is not None]
    cases = [
        *[(name, MISSING, "required") for name in ("member", "order")],
        *[(f"order.{name}", MISSING, "required") for name in ("currency", "lines")],
        ("points", 5, "unknown_field"),
        ("order.member", "ext:ana", "unknown_field"),
        ("order.quote", {}, "unknown_field"),
        *each("member", WRONG_TEXTS),
        *each("order", [(5, "wrong_type"), ([], "wrong_type"), (None, "wrong_type")]),
        *each("order.currency", [(5, "wrong_type"), ("eu", "too_short"), ("euro", "too_long")]),
        *each("order.lines", [([], "too_short"), ("cream", "wrong_type"), (None, "wrong_type")]),
        *each("order.placed_at", without_null),
        *each("order.discount", NOT_NEGATIVE),
        ("order.lines[0].price", 5, "unknown_field"),
        *each("order.lines[0].quantity", [*NOT_NEGATIVE, (0, "below_minimum")]),
        *each("order.lines[0].unit_amount", NOT_NEGATIVE),
    ]
    require_all_refused(shop, "POST", "/v1/quotes", good, cases)


def test_a_refusal_names_the_field_as_it_stands_in_the_call(shop: Shop) -> None:
    good, most = a_quote(shop), 2**53 - 1
    closed = shop.a_member()
    shop.call("PATCH", f"/v1/members/{closed}", {"status": "closed"})
    foreign = another_program(shop.app).a_member()
    cases: list[tuple[str, Any, int, str, str]] = [
        ("member", "mem_nobody", 404, "member_not_found", "member"),
        ("member", "ext:nobody", 404, "member_not_found", "member"),
        ("member", foreign, 404, "member_not_found", "member"),
        ("member", closed, 409, "member_closed", "member"),
        ("order.currency", "usd", 422, "currency_not_priced", "order.currency"),
        ("order.lines[0].unit_amount", most, 422, "points_too_many", "order.lines"),
        ("order.shipping", most, 422, "validation_failed", "order.lines"),
    ]
    with nothing_written(shop.app):
        for field, value, status, code, param in cases:
            told = problem(ask(shop, changed(good, field, value)), status, code, param)
            assert [fault["param"] for fault in told["errors"]] in ([], [param])


def test_a_quote_writes_nothing_and_needs_no_key(shop: Shop) -> None:
    good = a_quote(shop)
    client = shop.app.test_client()
    bearer = {"Authorization": f"Bearer {shop.keys['checkout']}"}
    with nothing_written(shop.app):
        bare = client.post("/v1/quotes", json=good, headers=bearer)
        assert (bare.status_code, bare.json["earn"]["points"]) == (200, 100)
        # A key that comes along binds nothing.
        for amount in (5000, 7000):
            answer = ask(shop, a_quote_of(good, amount), key="one")
            assert answer.json["earn"]["points"] == amount // 100
            assert "Idempotent-Replayed" not in answer.headers


def a_quote_of(quote: dict[str, Any], amount_minor: int) -> dict[str, Any]:
    return changed(quote, "order.lines[0].unit_amount", amount_minor)


def test_an_order_earns_what_was_quoted_and_is_told_that_nothing_changed(shop: Shop) -> None:
    member = shop.a_member()
    for amount_minor in (60000, 10000, 199):
        quoted = ask(shop, a_quote(shop, member, amount_minor)).json
        made = shop.order(member, amount_minor, quote=basis(quoted))
        assert made["changed"] == []
        assert made["points_earned"] == quoted["earn"]["points"]
        assert made["available_at"] == quoted["earn"]["available_at"]
        kept = shop.get(f"/v1/transactions/{made['transaction']}")["explanation"]["explanation"]
        assert kept == quoted["earn"]["explanation"]


def test_a_moment_that_no_order_may_have_is_refused_in_a_quote_as_well(shop: Shop) -> None:
    member, now = shop.a_member(), shop.now()
    early, late = now - timedelta(days=30, minutes=5), now + timedelta(minutes=5)
    for moments, code, param in (
        ({"placed_at": late}, "order_in_future", "placed_at"),
        ({"placed_at": early}, "order_too_late", "placed_at"),
        ({"paid_at": late}, "order_in_future", "paid_at"),
        ({"fulfilled_at": late}, "order_in_future", "fulfilled_at"),
        ({"paid_at": now - timedelta(hours=1)}, "validation_failed", "paid_at"),
        ({"fulfilled_at": now - timedelta(hours=1)}, "validation_failed", "fulfilled_at"),
    ):
        given = {name: moment(at) for name, at in {"placed_at": now, **moments}.items()}
        cart = {"member": member, "order": {**shop.a_cart(), **given}}
        with nothing_written(shop.app):
            told = problem(ask(shop, cart), 422, code, f"order.{param}")
            assert [fault["param"] for fault in told["errors"]] in ([], [f"order.{param}"])
            # Just as the order that would follow.
            order = {**shop.an_order(member), **given}
            problem(shop.call("POST", "/v1/orders", order), 422, code, param)


@pytest.mark.parametrize("when", ["placed", "paid", "fulfilled"])
def test_an_order_earns_what_was_quoted_by_the_moment_that_the_program_waits_for(
    app: Flask, when: str
) -> None:
    shop = Shop.open(app, program_text(("late_days: 30", f"earn_when: {when}\nlate_days: 30")))
    today = shop.now().replace(hour=12, minute=0)
    days = {"placed_at": 9, "paid_at": 6, "fulfilled_at": 3}
    given = {name: moment(today - timedelta(days=ago)) for name, ago in days.items()}
    member = shop.a_member()
    quoted = ask(shop, {"member": member, "order": {**shop.a_cart(), **given}}).json["earn"]
    made = shop.post("/v1/orders", {**shop.an_order(member), **given})
    assert made["available_at"] == quoted["available_at"]
    assert made["points_earned"] == quoted["points"] == 100


def test_a_reward_is_usable_whatever_the_order_is_worth_and_the_contract_says_so(
    shop: Shop,
) -> None:
    member = shop.a_member(points=500)
    small, large = (ask(shop, a_quote(shop, member, minor)).json for minor in (1, 100000))
    assert small["rewards"] == large["rewards"]
    assert any(one["usable"] for one in small["rewards"])
    assert shop.redeem(member)["discount"]["minimum_order"]["amount"] > 1
    schemas = shop.app.test_client().get("/openapi.json").json["components"]["schemas"]
    said = schemas["UsableOut"]["properties"]["usable"]["description"]
    assert "The order's size is not looked at" in said


def test_an_order_with_a_stale_quote_is_told_what_changed(shop: Shop) -> None:
    member = shop.a_member()
    edits: list[tuple[list[str], Callable[[], Any]]] = [
        (["account_sequence"], lambda: shop.order(member, 60000)),
        (["program_version"], lambda: apply(shop, ("points: 1 ", "points: 2 "))),
    ]
    for names, happens in edits:
        quoted = ask(shop, a_quote(shop, member)).json
        happens()
        made = shop.order(member, quote=basis(quoted))
        assert made["changed"] == names
        assert made["points_earned"] > quoted["earn"]["points"]
    assert "changed" not in shop.order(member)


def test_each_wrong_field_of_an_orders_quote_is_named(shop: Shop) -> None:
    good = shop.an_order(shop.a_member(), quote={"program_version": 1, "account_sequence": 0})
    wrong = [case for case in NOT_NEGATIVE if case[0] != -1]
    cases = [
        *[(f"quote.{name}", MISSING, "required") for name in good["quote"]],
        *each("quote", [(5, "wrong_type"), ([], "wrong_type"), ("q", "wrong_type")]),
        ("quote.points", 5, "unknown_field"),
        *each("quote.program_version", [*wrong, (0, "below_minimum")]),
        *each("quote.account_sequence", [*wrong, (-1, "below_minimum")]),
    ]
    require_all_refused(shop, "POST", "/v1/orders", good, cases)


def apply(shop: Shop, *edits: tuple[str, str]) -> None:
    """Put the default program in force with some of its text replaced."""
    with shop.app.app_context():
        db.transaction(lambda session: program.apply(session, program_text(*edits)))
