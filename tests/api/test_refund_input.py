"""Wrong input to /v1/orders/{id}/refunds: each fault is named, nothing is written."""

from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.api.contract import (
    MISSING,
    WRONG_TEXTS,
    WRONG_WHOLES,
    another_program,
    each,
    nothing_written,
    problem,
    require_all_refused,
)
from tests.shop import Shop

AT_LEAST_ONE = [*WRONG_WHOLES, (0, "below_minimum"), (-1, "below_minimum")]
GIVEN = [case for case in WRONG_TEXTS if case[0] is not None]
LINES = [
    ([], "too_short"),
    ("brush", "wrong_type"),
    ({}, "wrong_type"),
    ([{"sku": "brush", "quantity": 1}] * 501, "too_long"),
]


def an_order(shop: Shop, member: str = "") -> dict[str, Any]:
    """Three brushes and a soap for 100.00, of which 10.00 are a discount."""
    lines = [
        {"sku": "brush", "quantity": 3, "unit_amount": 3000},
        {"sku": "soap", "quantity": 1, "unit_amount": 1000},
    ]
    return {**shop.an_order(member or shop.a_member()), "lines": lines, "discount": 1000}


def send(shop: Shop, order: dict[str, Any], **more: Any) -> TestResponse:
    """A refund of an order."""
    return shop.call("POST", f"/v1/orders/{order['id']}/refunds", shop.a_refund(**more))


def items(**counts: int) -> list[dict[str, Any]]:
    return [{"sku": sku, "quantity": count} for sku, count in counts.items()]


def refused(shop: Shop, order: dict[str, Any], param: str, **more: Any) -> str:
    """A refund that is more than the order changes nothing; the detail of the refusal."""
    with nothing_written(shop.app, except_keys=True):
        answer = send(shop, order, **more)
    return str(problem(answer, 409, "refund_exceeds_order", param)["detail"])


def test_each_wrong_field_of_a_refund_is_named(shop: Shop) -> None:
    member = shop.a_member()
    order = an_order(shop, member)
    shop.post("/v1/orders", order)
    path = f"/v1/orders/{order['id']}/refunds"
    by_amount = [
        ("id", MISSING, "required"),
        ("total", 5, "unknown_field"),
        ("order", order["id"], "unknown_field"),
        *each("id", [*WRONG_TEXTS, ("a/b", "wrong_format")]),
        *each("amount", AT_LEAST_ONE),
        *each("member", GIVEN),
    ]
    good = {"id": "refund", "amount": 100, "member": member}
    require_all_refused(shop, "POST", path, good, by_amount)
    by_lines = [
        *each("lines", LINES),
        ("lines[0]", "brush", "wrong_type"),
        ("lines[0]", None, "wrong_type"),
        ("lines[0].unit_amount", 5, "unknown_field"),
        *[(f"lines[0].{field}", MISSING, "required") for field in ("sku", "quantity")],
        *each("lines[0].sku", WRONG_TEXTS),
        *each("lines[0].quantity", [*AT_LEAST_ONE, (1_000_001, "above_maximum")]),
    ]
    require_all_refused(shop, "POST", path, {"id": "refund", "lines": items(brush=1)}, by_lines)


def test_a_refund_is_of_an_amount_or_of_lines_and_never_of_neither_or_both(shop: Shop) -> None:
    order = an_order(shop)
    shop.post("/v1/orders", order)
    with nothing_written(shop.app):
        for given, code in (
            ({}, "required"),
            ({"amount": None, "lines": None}, "required"),
            ({"amount": 100, "lines": items(brush=1)}, "conflict"),
        ):
            told = problem(send(shop, order, **given), 422, "validation_failed", "amount")
            assert [fault["code"] for fault in told["errors"]] == [code]


def test_no_more_money_comes_back_than_was_paid(shop: Shop) -> None:
    order = an_order(shop)
    shop.post("/v1/orders", order)
    # The discount was never paid.
    assert "at most 9000" in refused(shop, order, "amount", amount=9001)
    shop.refund(order["id"], amount=9000)
    refused(shop, order, "amount", amount=1)


def test_no_more_items_come_back_than_were_bought(shop: Shop) -> None:
    order = an_order(shop)
    shop.post("/v1/orders", order)
    assert "At most 3 of 'brush'" in refused(shop, order, "lines", lines=items(brush=4))
    refused(shop, order, "lines", lines=items(brush=2) + items(brush=2))
    assert "No 'comb' can come back" in refused(shop, order, "lines", lines=items(comb=1))
    refused(shop, order, "lines", lines=items(brush=1, comb=1))
    shop.refund(order["id"], lines=items(brush=3))
    refused(shop, order, "lines", lines=items(brush=1))


def test_money_and_items_together_are_no_more_than_was_paid(shop: Shop) -> None:
    order = an_order(shop)
    shop.post("/v1/orders", order)
    shop.refund(order["id"], amount=900)
    # All brushes were 81.00 of the 90.00: just the 9.00 would be left.
    shop.refund(order["id"], lines=items(brush=3))
    refused(shop, order, "amount", amount=1)
    refused(shop, order, "amount", lines=items(soap=1))
    assert [row["points_taken"] for row in refunds_of(shop, order)] == [81, 9]


def test_no_more_comes_back_in_several_parts_than_at_once(shop: Shop) -> None:
    order = an_order(shop)
    shop.post("/v1/orders", order)
    for _ in range(2):
        shop.refund(order["id"], amount=4000)
    refused(shop, order, "amount", amount=1001)
    shop.refund(order["id"], amount=1000)
    assert shop.get(f"/v1/orders/{order['id']}")["points_earned"] == 0


def test_another_members_order_is_not_refunded(shop: Shop) -> None:
    member = shop.a_member(external_id="ana")
    order = an_order(shop, member)
    shop.post("/v1/orders", order)
    other = shop.a_member()
    with nothing_written(shop.app, except_keys=True):
        answer = send(shop, order, amount=100, member=other)
        problem(answer, 409, "order_of_another_member", "member")
        answer = send(shop, order, amount=100, member="ext:nobody")
        problem(answer, 404, "member_not_found", "member")
    for own in (member, "ext:ana"):
        assert send(shop, order, amount=100, member=own).status_code == 201


def test_the_same_refund_under_a_new_key_is_200_with_what_was_taken(shop: Shop) -> None:
    order = an_order(shop)
    shop.post("/v1/orders", order)
    first = send(shop, order, id="one", lines=items(brush=1, soap=1))
    with nothing_written(shop.app, except_keys=True):
        again = send(shop, order, id="one", lines=items(brush=1, soap=1))
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json["transaction"] == first.json["transaction"]
    assert "Idempotent-Replayed" not in again.headers


def test_the_same_refund_by_another_name_of_its_member_is_the_same_refund(shop: Shop) -> None:
    member = shop.a_member(external_id="ana")
    shop.a_member(external_id="ben")
    order, later = an_order(shop, member), an_order(shop, member)
    shop.post("/v1/orders", order)
    for one, first, again in ((order, 201, 200), (later, 202, 202)):
        body = shop.a_refund(amount=100)
        assert send(shop, one, **body, member="ext:ana").status_code == first
        with nothing_written(shop.app, except_keys=True):
            assert send(shop, one, **body, member=member).status_code == again
            for name in ("ext:ben", "ext:nobody", "mem_nobody"):
                problem(send(shop, one, **body, member=name), 409, "refund_conflict", "id")
            problem(send(shop, one, **body), 409, "refund_conflict", "id")


def test_a_waiting_refund_of_somebody_not_enrolled_yet_is_the_same_when_it_is_sent_again(
    shop: Shop,
) -> None:
    order, body = an_order(shop), shop.a_refund(amount=100, member="ext:nobody")
    assert [send(shop, order, **body).status_code for _ in range(2)] == [202, 202]


def test_a_refund_id_taken_by_other_content_names_the_order(shop: Shop) -> None:
    order, other = an_order(shop), an_order(shop)
    for one in (order, other):
        shop.post("/v1/orders", one)
    shop.refund(order["id"], id="one", amount=100)
    never = an_order(shop)
    with nothing_written(shop.app, except_keys=True):
        for place, given in (
            (order, {"amount": 101}),
            (order, {"lines": items(soap=1)}),
            (order, {"amount": 100, "member": order["member"]}),
            (other, {"amount": 100}),
            (never, {"amount": 100}),
        ):
            told = problem(send(shop, place, id="one", **given), 409, "refund_conflict", "id")
            assert order["id"] in told["detail"]


def test_a_refund_before_its_order_waits_and_is_settled_with_it(shop: Shop) -> None:
    member = shop.a_member()
    order = an_order(shop, member)
    early = send(shop, order, id="early", amount=4500)
    assert (early.status_code, early.json["status"]) == (202, "waiting")
    assert (early.json["balance"], early.json["transaction"]) == (None, None)
    assert [row["status"] for row in refunds_of(shop, order)] == ["waiting"]
    made = shop.post("/v1/orders", order)
    assert (made["points_earned"], made["balance"]["pending"]) == (45, 45)
    (row,) = refunds_of(shop, order)
    assert (row["status"], row["points_taken"], row["balance"]["pending"]) == ("settled", 45, 45)
    assert shop.get(f"/v1/transactions/{row['transaction']}")["kind"] == "claw_back"
    refused(shop, order, "amount", amount=4501)


def test_a_waiting_refund_is_told_as_it_stands_whenever_it_is_asked_for(shop: Shop) -> None:
    order = an_order(shop)
    path, body = f"/v1/orders/{order['id']}/refunds", shop.a_refund(amount=4500)
    shop.post(path, body, key="once")
    with nothing_written(shop.app, except_keys=True):
        again = [shop.call("POST", path, body, key=key) for key in ("once", "twice")]
        other = shop.call("POST", path, {**body, "amount": 1})
    assert [answer.status_code for answer in again] == [202, 202]
    problem(other, 409, "refund_conflict", "id")
    shop.post("/v1/orders", order)
    for key, status in (("once", 201), ("twice", 200), ("thrice", 200)):
        answer = shop.call("POST", path, body, key=key)
        assert (answer.status_code, answer.json["status"]) == (status, "settled"), key
        assert answer.json["balance"]["pending"] == 45


@pytest.mark.parametrize(
    ("given", "refusal"),
    [
        ({"amount": 9001}, "refund_exceeds_order"),
        ({"lines": items(brush=4)}, "refund_exceeds_order"),
        ({"lines": items(comb=1)}, "refund_exceeds_order"),
        ({"amount": 100, "member": "ext:other"}, "order_of_another_member"),
        ({"amount": 100, "member": "ext:nobody"}, "member_not_found"),
    ],
    ids=["too much money", "too many items", "not bought", "another's", "nobody's"],
)
def test_a_refund_that_waited_in_vain_is_refused_and_its_order_stands(
    shop: Shop, given: dict[str, Any], refusal: str
) -> None:
    shop.a_member(external_id="other")
    order = an_order(shop)
    body = shop.a_refund(**given)
    path = f"/v1/orders/{order['id']}/refunds"
    assert shop.call("POST", path, body, key="once").status_code == 202
    assert shop.post("/v1/orders", order)["points_earned"] == 90
    (row,) = refunds_of(shop, order)
    assert (row["status"], row["refusal"]) == ("refused", refusal)
    assert (row["points_taken"], row["transaction"], row["balance"]) == (0, None, None)
    for key, status in (("once", 201), ("twice", 200)):
        again = shop.call("POST", path, body, key=key)
        assert (again.status_code, again.json) == (status, row)
    shop.refund(order["id"], amount=9000)


def test_of_refunds_that_wait_those_fit_that_came_first(shop: Shop) -> None:
    order = an_order(shop)
    for name, amount in (("a", 5000), ("b", 5000), ("c", 4000), ("d", 1)):
        send(shop, order, id=name, amount=amount)
    assert shop.post("/v1/orders", order)["points_earned"] == 0
    found = {row["id"]: row["status"] for row in refunds_of(shop, order)}
    assert found == {"a": "settled", "b": "refused", "c": "settled", "d": "refused"}


def test_no_refund_waits_for_an_order_that_can_never_come(shop: Shop) -> None:
    for order_id in ("x" * 201, "a%01b", "a%7fb", "a/b", "a/refunds"):
        with nothing_written(shop.app):
            answer = shop.call("POST", f"/v1/orders/{order_id}/refunds", shop.a_refund(amount=1))
            problem(answer, 404, "order_not_found", "id")


def test_an_order_of_another_program_is_none(shop: Shop) -> None:
    other = another_program(shop.app)
    order = an_order(other)
    other.post("/v1/orders", order)
    assert send(shop, order, amount=1).json["status"] == "waiting"
    assert refunds_of(other, order) == []
    assert other.get(f"/v1/orders/{order['id']}")["points_earned"] == 90


def test_a_cancelled_order_gives_nothing_more_and_no_more_comes_back_than_was_paid(
    shop: Shop,
) -> None:
    order = an_order(shop)
    shop.post("/v1/orders", order)
    shop.post(f"/v1/orders/{order['id']}/cancel", {})
    assert shop.refund(order["id"], amount=9000)["points_taken"] == 0
    refused(shop, order, "amount", amount=1)


def test_refunds_are_listed_newest_first_page_by_page(shop: Shop) -> None:
    order = an_order(shop)
    shop.post("/v1/orders", order)
    newest_first = [shop.refund(order["id"], amount=1)["id"] for _ in range(5)][::-1]
    path = f"/v1/orders/{order['id']}/refunds"
    first = shop.get(f"{path}?limit=2")
    assert ([row["id"] for row in first["data"]], first["has_more"]) == (newest_first[:2], True)
    rest = shop.get(f"{path}?limit=3&starting_after={newest_first[1]}")
    assert ([row["id"] for row in rest["data"]], rest["has_more"]) == (newest_first[2:], False)
    back = shop.get(f"{path}?limit=1&ending_before={newest_first[3]}")
    assert ([row["id"] for row in back["data"]], back["has_more"]) == ([newest_first[2]], True)
    problem(shop.call("GET", f"{path}?starting_after=none"), 404, "cursor_not_found")
    problem(shop.call("GET", "/v1/orders/none/refunds"), 404, "order_not_found", "id")


def refunds_of(shop: Shop, order: dict[str, Any]) -> list[dict[str, Any]]:
    """The refunds of an order as they are listed."""
    return list(shop.get(f"/v1/orders/{order['id']}/refunds")["data"])
