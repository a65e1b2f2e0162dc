"""Codes are held against ours while both live: what changed meanwhile is no difference."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from loyalty_service import clock, db, reconciling
from loyalty_service.domain import redemptions
from loyalty_service.gateways.stripe_reading import StripePayments
from loyalty_service.reconciling import Found
from tests.domain.test_life_of_a_code import fail
from tests.stripe_control import StripeControl
from tests.test_listening import Told


@pytest.fixture
def told(app: Flask, stripe: StripeControl) -> Told:
    return Told(app, stripe)


def reconciled(
    told: Told, monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[], Any], unread: str = ""
) -> Found:
    """What is found where something happens after the codes were read, without `unread`."""
    read = StripePayments.list_codes

    def slowly(reader: StripePayments, program_id: str) -> Iterator[Any]:
        page = list(read(reader, program_id))
        meanwhile()
        yield from (one for one in page if one.subject_id != unread)

    monkeypatch.setattr(StripePayments, "list_codes", slowly)
    shop = told.shop
    with shop.app.app_context():
        config = shop.app.config["LOYALTY"]
        reader = StripePayments(config.stripe_api_key, config.stripe_api_base)
        issuer = shop.app.extensions["code_issuers"](None)
        since = clock.wall() - timedelta(minutes=1)
        return reconciling.reconcile(shop.program_id, reader, issuer, since)


def about(found: Found, id_: str) -> list[str]:
    """Everything that is said of a redemption."""
    said = [*found.used, *found.withdrawn, *found.strays, *found.differences]
    return [one for one in said if id_ in one]


def test_a_code_that_is_cancelled_while_codes_are_read_is_no_stray(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = told.shop.redeem(told.shop.a_member(points=100))
    found = reconciled(told, monkeypatch, lambda: cancel(told, made["id"]))
    assert told.shop.get(f"/v1/redemptions/{made['id']}")["status"] == "cancelled"
    assert about(found, made["id"]) == []


def test_a_code_that_no_page_had_is_asked_for_before_it_is_called_missing(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = told.shop.redeem(told.shop.a_member(points=100))
    found = reconciled(told, monkeypatch, lambda: None, unread=made["id"])
    assert about(found, made["id"]) == []


def test_a_code_that_is_cancelled_before_its_page_is_read_is_not_missing(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = told.shop.redeem(told.shop.a_member(points=100))

    def lose() -> None:
        cancel(told, made["id"])
        monkeypatch.setattr(reconciling, "_at_stripe", lambda *given: None)

    assert about(reconciled(told, monkeypatch, lose, unread=made["id"]), made["id"]) == []


def test_a_code_that_stripe_has_lost_is_still_missing(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = told.shop.redeem(told.shop.a_member(points=100))

    def lose() -> None:
        monkeypatch.setattr(reconciling, "_at_stripe", lambda *given: None)

    (said,) = about(reconciled(told, monkeypatch, lose, unread=made["id"]), made["id"])
    assert "Stripe has no code of it" in said


def test_a_stray_is_still_withdrawn(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    stray = fail(told.shop, told.shop.a_member(points=400))
    found = reconciled(told, monkeypatch, lambda: None)
    assert about(found, stray["id"]) == [stray["id"]]
    assert [one["active"] for one in told.stripe.codes(stray["id"])] == [False]


def test_a_duplicate_that_was_withdrawn_cancels_nothing(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = told.shop.redeem(told.shop.a_member(points=100))
    (code,) = told.stripe.codes(made["id"])
    told.stripe.post(f"promotion_codes/{code['id']}", {"active": "false"})

    def another_is_the_good_one(session: Any) -> None:
        row = redemptions.require(session, told.shop.program_id, made["id"])
        row.promotion_code_id = "promo_of_the_good_one"

    with told.shop.app.app_context():
        db.transaction(another_is_the_good_one)
    assert about(reconciled(told, monkeypatch, lambda: None), made["id"]) == []
    assert told.shop.get(f"/v1/redemptions/{made['id']}")["status"] == "issued"


def test_a_second_code_of_one_redemption_is_withdrawn_and_the_first_stays_good(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = told.shop.redeem(told.shop.a_member(points=100))
    (code,) = told.stripe.codes(made["id"])
    second = told.stripe.post(
        "promotion_codes",
        {
            "code": f"{made['code']}-2",
            "promotion[type]": "coupon",
            "promotion[coupon]": code["promotion"]["coupon"],
            **{f"metadata[{name}]": value for name, value in code["metadata"].items()},
        },
    )
    found = reconciled(told, monkeypatch, lambda: None)
    assert about(found, made["id"]) == [made["id"]] == found.strays
    active = {one["id"]: one["active"] for one in told.stripe.codes(made["id"])}
    assert active == {code["id"]: True, second["id"]: False}
    assert told.shop.get(f"/v1/redemptions/{made['id']}")["status"] == "issued"


def test_a_copy_that_was_used_is_named_and_withdrawn_and_ours_stays_good(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = told.shop.redeem(told.shop.a_member(points=100))
    (code,) = told.stripe.codes(made["id"])
    told.stripe.post(
        "promotion_codes",
        {
            "code": f"{made['code']}-2",
            "promotion[type]": "coupon",
            "promotion[coupon]": code["promotion"]["coupon"],
            **{f"metadata[{name}]": value for name, value in code["metadata"].items()},
        },
    )
    told.stripe.pay(f"{made['code']}-2", 10000)
    found = reconciled(told, monkeypatch, lambda: None)
    assert found.strays == [made["id"]]
    (said,) = [one for one in found.differences if made["id"] in one]
    assert said.endswith("this one is a copy")
    assert told.shop.get(f"/v1/redemptions/{made['id']}")["status"] == "issued"


def cancel(told: Told, redemption_id: str) -> None:
    assert told.shop.call("POST", f"/v1/redemptions/{redemption_id}/cancel").status_code == 200
