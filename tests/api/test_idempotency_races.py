"""Sixty-four callers with one key at the same moment: one effect, one answer."""

from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.api.contract import nothing_written
from tests.faults.outcomes import deadline
from tests.shop import Shop
from tests.stripe_control import together

CALLERS = 64

pytestmark = pytest.mark.slow


def all_at_once(shop: Shop, path: str, body: Any, who: str = "checkout") -> list[TestResponse]:
    """The same request under the same key, from everybody at once."""
    return together(CALLERS, lambda _: shop.call("POST", path, body, who=who, key="one"))


def under_many_keys(shop: Shop, path: str, body: Any) -> list[TestResponse]:
    """The same request from everybody at once, each under a key of its own."""
    return together(CALLERS, lambda index: shop.call("POST", path, body, key=f"key-{index}"))


def one_answer(answers: list[TestResponse]) -> None:
    """All have the same status and bytes; all but one say that they are replays."""
    assert {(answer.status_code, answer.data) for answer in answers} == {(201, answers[0].data)}, (
        sorted({answer.status_code for answer in answers})
    )
    replayed = [answer for answer in answers if "Idempotent-Replayed" in answer.headers]
    assert len(replayed) == CALLERS - 1


def test_an_order_sent_by_all_earns_once(shop: Shop) -> None:
    member = shop.a_member()
    one_answer(all_at_once(shop, "/v1/orders", shop.an_order(member, 10000)))
    assert shop.balance(member)["pending"] == 100


def test_an_adjustment_sent_by_all_is_given_once(shop: Shop) -> None:
    member = shop.a_member()
    gift = {"member": member, "points": 50, "reason": "correction"}
    one_answer(all_at_once(shop, "/v1/adjustments", gift, who="agent"))
    assert shop.available(member) == 50


def test_a_redemption_sent_by_all_has_one_id_and_one_code(shop: Shop) -> None:
    deadline(shop, 60_000)
    member = shop.a_member(points=500)
    answers = all_at_once(shop, "/v1/redemptions", {"member": member, "reward": "money_off"})
    assert {answer.status_code for answer in answers} == {201}
    assert len({(answer.json["id"], answer.json["code"]) for answer in answers}) == 1
    assert answers[0].json["code"]
    assert shop.available(member) == 400


def test_a_customer_enrolled_by_all_is_one_member(shop: Shop) -> None:
    answers = all_at_once(shop, "/v1/members", {"external_id": "c-1"})
    assert len({answer.json["id"] for answer in answers}) == 1
    assert {answer.status_code for answer in answers} == {201}


def test_a_refusal_sent_by_all_is_one_refusal(shop: Shop) -> None:
    member = shop.a_member(points=99)
    with nothing_written(shop.app, except_keys=True):
        answers = all_at_once(shop, "/v1/redemptions", {"member": member, "reward": "money_off"})
    assert {(answer.status_code, answer.data) for answer in answers} == {(409, answers[0].data)}


def test_the_same_order_under_many_keys_earns_once(shop: Shop) -> None:
    member = shop.a_member()
    order = shop.an_order(member, 10000)
    answers = under_many_keys(shop, "/v1/orders", order)
    assert sorted(answer.status_code for answer in answers) == [200] * (CALLERS - 1) + [201]
    assert len({answer.json["transaction"] for answer in answers}) == 1
    assert shop.balance(member)["pending"] == 100


def test_the_same_customer_under_many_keys_is_one_member(shop: Shop) -> None:
    body = {"external_id": "c-1", "email": "ana@shop.example"}
    answers = under_many_keys(shop, "/v1/members", body)
    assert sorted(answer.status_code for answer in answers) == [200] * (CALLERS - 1) + [201]
    assert len({answer.json["id"] for answer in answers}) == 1


def test_one_order_id_told_for_many_members_at_once_is_one_members_order(shop: Shop) -> None:
    members = [shop.a_member() for _ in range(8)]
    orders = [{**shop.an_order(member), "id": "one-id"} for member in members]
    answers = together(
        CALLERS, lambda index: shop.call("POST", "/v1/orders", orders[index % 8], key=f"k-{index}")
    )
    told = sorted(answer.status_code for answer in answers)
    assert told == [200] * (CALLERS // 8 - 1) + [201] + [409] * (CALLERS // 8 * 7)
    assert sum(shop.balance(member)["pending"] for member in members) == 100


def test_one_key_used_for_many_members_at_once_is_one_gift(shop: Shop) -> None:
    members = [shop.a_member() for _ in range(8)]
    gifts = [{"member": one, "points": 50, "reason": "correction"} for one in members]
    answers = together(
        CALLERS,
        lambda index: shop.call("POST", "/v1/adjustments", gifts[index % 8], who="admin", key="k"),
    )
    told = sorted(answer.status_code for answer in answers)
    assert told == [201] * (CALLERS // 8) + [422] * (CALLERS // 8 * 7)
    assert sum(shop.available(member) for member in members) == 50
