"""A code that a person withdrew at Stripe: only the one that counts gives points back."""

import copy
from typing import Any

import pytest

from loyalty_service import db
from loyalty_service.domain import codes, discounts, inbox, redemptions
from loyalty_service.learning.patience import PATIENCE
from tests.test_listening import Event, Told


def withdrawn(told: Told, subject_id: str, key: str = "loyalty_redemption") -> Event:
    """The event of a code that was withdrawn by hand."""
    (code,) = told.stripe.codes_of(subject_id, key)
    told.stripe.post(f"promotion_codes/{code['id']}", {"active": "false"})
    return copy.deepcopy(told.events("promotion_code.updated")[-1])


def test_a_duplicate_that_is_withdrawn_leaves_the_good_code(told: Told) -> None:
    member = told.shop.a_member(points=100)
    redemption = told.shop.redeem(member)
    event = withdrawn(told, redemption["id"])
    event["data"]["object"]["id"] = "promo_of_a_duplicate"
    told.tell_all([event])
    assert told.shop.get(f"/v1/redemptions/{redemption['id']}")["status"] == "issued"
    assert told.shop.available(member) == 0
    assert told.row(event).note == "nothing hangs on this code"


def test_a_duplicate_of_a_thank_you_that_is_withdrawn_leaves_the_good_code(told: Told) -> None:
    given = told.shop.thank(told.shop.a_member())
    event = withdrawn(told, given["id"], "loyalty_discount")
    good = event["data"]["object"]["id"]
    event["data"]["object"]["id"] = "promo_of_a_duplicate"
    told.tell_all([event])
    assert told.shop.get(f"/v1/discounts/{given['id']}")["status"] == "issued"
    event["data"]["object"]["id"] = good
    told.tell_all([event | {"id": "evt_of_the_good_one"}])
    assert told.shop.get(f"/v1/discounts/{given['id']}")["status"] == "cancelled"


def test_a_code_that_is_withdrawn_before_it_is_known_waits_until_it_is(told: Told) -> None:
    redemption = told.shop.redeem(told.shop.a_member(points=100))
    event = withdrawn(told, redemption["id"])
    become(told, redemption["id"], codes.PENDING, None)
    told.tell_all([event])
    assert told.row(event).status == inbox.DUE
    become(told, redemption["id"], codes.ISSUED, event["data"]["object"]["id"])
    while told.work():
        pass
    assert told.row(event).status == inbox.DONE
    assert told.shop.get(f"/v1/redemptions/{redemption['id']}")["status"] == "cancelled"


def test_nothing_waits_for_ever_for_a_code_that_is_not_made(told: Told) -> None:
    redemption = told.shop.redeem(told.shop.a_member(points=100))
    event = withdrawn(told, redemption["id"])
    become(told, redemption["id"], codes.PENDING, None)
    event["created"] -= 2 * int(PATIENCE.total_seconds())
    told.tell_all([event])
    assert told.row(event).status == inbox.DONE
    assert told.shop.get(f"/v1/redemptions/{redemption['id']}")["status"] == "pending"
    become(told, redemption["id"], codes.ISSUED, event["data"]["object"]["id"])


@pytest.mark.parametrize("noun", [redemptions, discounts])
def test_both_nouns_say_whether_anything_follows(told: Told, noun: Any) -> None:
    shop = told.shop
    member = shop.a_member(points=100)
    made = shop.redeem(member) if noun is redemptions else shop.thank(member)
    key = "loyalty_redemption" if noun is redemptions else "loyalty_discount"
    (code,) = told.stripe.codes_of(made["id"], key)

    def learn(code_id: str) -> bool:
        with shop.app.app_context():
            return db.transaction(
                lambda s: bool(noun.learn_withdrawal(s, shop.program_id, made["id"], code_id))
            )

    assert [learn("promo_other"), learn(code["id"]), learn(code["id"])] == [False, True, False]


def become(told: Told, redemption_id: str, status: str, promotion_code_id: str | None) -> None:
    def change(session: Any) -> None:
        row = redemptions.require(session, told.shop.program_id, redemption_id)
        row.status, row.promotion_code_id = status, promotion_code_id

    with told.shop.app.app_context():
        db.transaction(change)
