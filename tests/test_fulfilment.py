"""Fulfilment: whose key is used, and an answer for the caller whatever becomes of the call."""

from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from loyalty_service import db, fulfilment
from loyalty_service.config import Config
from loyalty_service.domain import jobs
from loyalty_service.domain.codes import ISSUE_CODE
from loyalty_service.fulfilment import issuers_for
from loyalty_service.gateways.codes import GatewayUnclear
from tests.promises import promise_of
from tests.shop import DEFAULT_PROGRAM, Shop
from tests.stripe_control import StripeControl

SANDBOX = Config(database_url="sqlite:////tmp/unused.db")
PRODUCTION = replace(SANDBOX, env="production", stripe_api_key="sk_live_first")


def test_each_named_key_has_one_issuer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECOND_SHOP_STRIPE_KEY", "sk_live_second")
    issuers = issuers_for(PRODUCTION)
    assert issuers("SECOND_SHOP_STRIPE_KEY") is issuers("SECOND_SHOP_STRIPE_KEY")
    assert issuers("LOYALTY_STRIPE_API_KEY") is issuers(None)
    assert issuers("SECOND_SHOP_STRIPE_KEY") is not issuers(None)


def test_a_key_that_is_missing_in_production_is_never_replaced_by_another_shops(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("SECOND_SHOP_STRIPE_KEY", raising=False)
    with pytest.raises(GatewayUnclear, match="SECOND_SHOP_STRIPE_KEY is not set"):
        issuers_for(PRODUCTION)("SECOND_SHOP_STRIPE_KEY")


def test_a_redemption_waits_for_the_key_that_is_missing(
    app: Flask, stripe: StripeControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SECOND_SHOP_STRIPE_KEY", raising=False)
    shop = Shop.open(
        app, DEFAULT_PROGRAM.replace("LOYALTY_STRIPE_API_KEY", "SECOND_SHOP_STRIPE_KEY")
    )
    in_production = replace(PRODUCTION, stripe_api_base="https://stripe.invalid")
    with monkeypatch.context() as here:
        here.setitem(app.extensions, "code_issuers", issuers_for(in_production))
        redemption = shop.redeem(shop.a_member(points=100))
    assert redemption["status"] == "pending"
    assert "SECOND_SHOP_STRIPE_KEY is not set" in str(promise(shop, redemption).last_error)


def test_a_sandbox_needs_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SECOND_SHOP_STRIPE_KEY", raising=False)
    assert issuers_for(SANDBOX)("SECOND_SHOP_STRIPE_KEY")


def test_a_bug_after_the_points_are_taken_is_202_and_not_an_error(
    shop: Shop, stripe: StripeControl
) -> None:
    # The points are committed: "nothing was changed" would be a lie.
    good, shop.app.extensions["code_issuers"] = shop.app.extensions["code_issuers"], broken
    body = {"member": shop.a_member(points=100), "reward": "money_off"}
    answer = shop.call("POST", "/v1/redemptions", body)
    shop.app.extensions["code_issuers"] = good
    assert (answer.status_code, answer.json["status"]) == (202, "pending")
    assert "ZeroDivisionError" in str(promise(shop, answer.json).last_error)


def test_a_request_holds_its_promise_longer_than_its_call(shop: Shop) -> None:
    for deadline_ms in (1, 999, 1000, 3000, 3999):
        config = replace(SANDBOX, stripe_deadline_ms=deadline_ms)
        assert fulfilment.lease_seconds(config) * 1000 >= deadline_ms + 1000


def test_doing_a_job_again_that_is_done_changes_nothing(shop: Shop, stripe: StripeControl) -> None:
    redemption = shop.redeem(shop.a_member(points=100))
    done = promise(shop, redemption)
    again = jobs.Claimed(done.program_id, done.id, done.kind, done.subject_id, 1, 0)
    with shop.app.app_context():
        fulfilment.fulfil(again, timeout_seconds=5)
    assert shop.get(f"/v1/redemptions/{redemption['id']}") == redemption
    assert len(stripe.codes(redemption["id"])) == 1


def test_waiting_for_another_holder_ends_with_the_time_given(
    shop: Shop, stripe: StripeControl
) -> None:
    stripe.fault("conflict_409")
    redemption = shop.redeem(shop.a_member(points=100))
    with shop.app.app_context():
        fulfilment.await_settled(shop.program_id, redemption["id"], timeout_seconds=0.1)
    assert shop.get(f"/v1/redemptions/{redemption['id']}")["status"] == "pending"


def promise(shop: Shop, redemption: Any) -> jobs.Job:
    with shop.app.app_context():
        return db.read(
            lambda session: promise_of(session, shop.program_id, ISSUE_CODE, redemption["id"])
        )


def broken(api_key_env: str | None) -> Any:
    raise ZeroDivisionError
