"""What is noted of a refused event: codes and ids, never what was told."""

from typing import Any

import pytest

from loyalty_service.domain import inbox
from tests.test_listening import Told
from tests.test_listening_to_oddities import checkout

PERSONAL = "ada.lovelace@example.com"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"metadata": {"loyalty_member": f"ext:{PERSONAL}"}}, "member_not_found"),
        ({"metadata": {"loyalty_member": PERSONAL}}, "member_not_found"),
        ({"currency": "usd", "client_reference_id": PERSONAL}, "currency_not_priced"),
        ({"created": 0, "client_reference_id": PERSONAL}, "order_too_late"),
        ({"amount_total": PERSONAL}, "checkout"),
        ({"currency": PERSONAL}, "currency_not_priced"),
        ({"metadata": PERSONAL}, "checkout"),
        ({"metadata": {"order_id": f"{PERSONAL}/"}}, "the order's id is too long"),
        ({"id": PERSONAL, "currency": "usd"}, "currency_not_priced"),
    ],
)
def test_a_refusal_is_noted_without_what_was_told(
    told: Told, change: dict[str, Any], code: str
) -> None:
    told.member()
    event = checkout(told)
    event["data"]["object"] |= change
    told.tell_all([event])
    row = told.row(event)
    assert (row.status, row.note[: len(code)]) == (inbox.REFUSED, code)
    assert PERSONAL not in row.note and "lovelace" not in row.note


def test_a_refusal_names_what_it_is_about(told: Told) -> None:
    told.member()
    event = checkout(told)
    event["data"]["object"] |= {"currency": "usd"}
    told.tell_all([event])
    assert f"({event['data']['object']['id']})" in told.row(event).note


def test_an_order_of_another_member_is_refused_without_its_name(told: Told) -> None:
    told.member()
    other = told.shop.a_member()
    told.shop.post("/v1/orders", told.shop.an_order(other, 5000, id=PERSONAL))
    event = checkout(told, client_reference_id=PERSONAL)
    told.tell_all([event])
    note = told.row(event).note
    assert (note.split(":")[0], PERSONAL in note) == ("order_conflict", False)
