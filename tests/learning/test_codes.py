"""A code that a person withdrew or copied at Stripe: only the one that counts changes anything."""

import copy
import time
from typing import Any

import pytest
from sqlalchemy import select

from loyalty_service import db
from loyalty_service.domain import codes, discounts, inbox, redemptions
from loyalty_service.learning.patience import PATIENCE
from tests.domain.discounts.offers import with_only
from tests.gateways import fixtures
from tests.shop import SAMPLE, with_rewards
from tests.test_listening import EARNING, Event, Told
from tests.test_listening_to_oddities import undone


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


def used(told: Told, subject_id: str, key: str, **more: Any) -> Event:
    """The event of somebody's code that names one of ours and was used."""
    event = copy.deepcopy(fixtures.event("promotion_code.updated"))
    event |= {"created": int(time.time()), "id": f"evt_{subject_id[-30:]}"}
    event["data"]["object"] |= {
        "id": "promo_foreign",
        "code": "FOREIGN",
        "times_redeemed": 1,
        "active": False,
        "metadata": {"loyalty_program": "default", key: subject_id},
        **more,
    }
    return event


def noted(told: Told, event: Event) -> tuple[str, str]:
    """What became of an event, and why."""
    assert undone(told) == []
    row = told.row(event)
    return row.status, row.note


def test_the_code_of_a_discount_that_the_shop_settles_is_not_stripes_to_use(told: Told) -> None:
    told.shop.apply(with_only(SETTLED_BY_THE_SHOP, EARNING))
    given = told.shop.thank(told.shop.a_member(), "one")["id"]
    event = used(told, given, "loyalty_discount")
    told.tell_all([event])
    assert told.shop.get(f"/v1/discounts/{given}")["status"] == "issued"
    assert noted(told, event) == (
        inbox.REFUSED,
        f"a code that names {given} was used: its code is the shop's to honour, not Stripe's",
    )


def test_the_code_of_a_redemption_that_the_shop_settles_is_not_stripes_to_use(told: Told) -> None:
    told.shop.apply(with_rewards(EARNING, SAMPLE))
    made = told.shop.redeem(told.shop.a_member(points=100), "sample")["id"]
    event = used(told, made, "loyalty_redemption")
    told.tell_all([event])
    assert told.shop.get(f"/v1/redemptions/{made}")["status"] == "issued"
    assert noted(told, event)[0] == inbox.REFUSED


@pytest.mark.parametrize("times", ["0", "1", -1, None, True, 1.0, []])
def test_a_number_of_uses_that_is_none_is_refused(told: Told, times: Any) -> None:
    redemption = told.shop.redeem(told.shop.a_member(points=100))
    (code,) = told.stripe.codes(redemption["id"])
    event = used(told, redemption["id"], "loyalty_redemption", times_redeemed=times, id=code["id"])
    told.tell_all([event])
    assert told.shop.get(f"/v1/redemptions/{redemption['id']}")["status"] == "issued"
    status, note = noted(told, event)
    assert (status, note[:10]) == (inbox.REFUSED, "code_state")


def test_the_use_of_a_copied_code_is_noted_and_leaves_ours_good(told: Told) -> None:
    given = told.shop.thank(told.shop.a_member())["id"]
    event = used(told, given, "loyalty_discount")
    told.tell_all([event])
    assert told.shop.get(f"/v1/discounts/{given}")["status"] == "issued"
    assert noted(told, event) == (
        inbox.REFUSED,
        f"a code that names {given} was used: it has another code; this one is a copy",
    )
    (code,) = told.stripe.codes_of(given)
    told.tell_all([used(told, given, "loyalty_discount", id=code["id"]) | {"id": "evt_of_ours"}])
    assert told.shop.get(f"/v1/discounts/{given}")["status"] == "used"


def test_a_code_that_was_used_before_it_is_known_is_ours(told: Told) -> None:
    redemption = told.shop.redeem(told.shop.a_member(points=100))
    become(told, redemption["id"], codes.PENDING, None)
    told.tell_all([used(told, redemption["id"], "loyalty_redemption")])
    assert told.shop.get(f"/v1/redemptions/{redemption['id']}")["status"] == "used"


def test_a_code_that_names_what_was_withheld_is_noted_and_done(told: Told) -> None:
    told.shop.apply(with_only(ONE_A_MONTH, EARNING))
    for _ in range(2):
        told.shop.order(told.shop.a_member())
    told.work()

    def withheld(session: Any) -> list[str]:
        found = select(discounts.Discount.id).where(discounts.Discount.code.is_(None))
        return list(session.scalars(found))

    with told.shop.app.app_context():
        (one,) = db.read(withheld)
    for times in (1, 0):
        event = used(told, one, "loyalty_discount", times_redeemed=times) | {"id": f"evt_{times}"}
        told.tell_all([event])
        assert undone(told) == []
    assert told.row(event | {"id": "evt_1"}).note.endswith("nothing was given with it")


SETTLED_BY_THE_SHOP = """\
  - id: one
    name: One
    trigger: staff
    type: amount_off
    amount_off: 7.00
    settlement: app_applied
"""
ONE_A_MONTH = """\
  - id: first
    name: First
    trigger: {nth_order: 1}
    type: amount_off
    amount_off: 7.00
    budget: {month: 7.00}
"""
