"""`loyalty webhooks listen|trigger`, and what does not start without a key."""

import contextlib
import json
import subprocess
import sys
from dataclasses import replace
from typing import Any

import click
import pytest

from loyalty_service import create_app, db
from loyalty_service.cli import checks, serving
from loyalty_service.config import BadConfig
from tests.running import CLEAN
from tests.shop import Shop
from tests.terminal import Run, environment, terminal
from tests.webhooks.receiving import Receiver


@pytest.fixture
def run(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Run:
    return terminal(shop.app, monkeypatch)


def test_an_example_is_sent_and_marked(
    run: Run, shop: Shop, receiver: Receiver, endpoint: str
) -> None:
    result = run("webhooks", "trigger", "tier.changed", "--json")
    (made,) = json.loads(result.output)["deliveries"]
    assert shop.deliver() == 1
    (event,) = receiver.received
    assert (event["type"], event["is_test"], event["sequence"]) == ("tier.changed", True, 0)
    shown = shop.get(f"/v1/webhook_deliveries/{made}", who="admin")
    assert (shown["event"], shown["payload"]) == (None, event)


def test_an_example_that_nobody_wants_is_refused(run: Run, shop: Shop) -> None:
    result = run("webhooks", "trigger", "tier.changed")
    assert (result.exit_code, "no enabled endpoint" in result.output) == (1, True)
    assert run("webhooks", "trigger", "points.lost").exit_code == 2


@pytest.mark.slow
def test_whoever_listens_gets_each_event_until_the_end(shop: Shop, receiver: Receiver) -> None:
    arguments = ["webhooks", "listen", "--forward-to", receiver.url, "--json"]
    # The first is killed: the next one tidies up after it.
    for end in (subprocess.Popen.kill, subprocess.Popen.terminate):
        listening = subprocess.Popen(
            [sys.executable, "-m", "loyalty_service.cli", *arguments],
            env=CLEAN | environment(shop.app),
            stdout=subprocess.PIPE,
            text=True,
        )
        assert listening.stdout is not None
        ready = json.loads(listening.stdout.readline())
        receiver.secrets[:] = [ready["secret"]]
        member = shop.a_member(points=7)
        shop.tell()
        shop.deliver()
        line: dict[str, Any] = json.loads(listening.stdout.readline())
        assert (line["status_code"], line["event"]["member"]) == (204, member)
        assert [one["member"] for one in receiver.received] == [member]
        (there,) = shop.get("/v1/webhook_endpoints", who="admin")["data"]
        assert there["id"] == ready["endpoint"]
        end(listening)
        listening.wait(timeout=30)
        listening.stdout.close()
        receiver.received.clear()
    assert shop.get("/v1/webhook_endpoints", who="admin")["data"] == []


def test_listening_is_for_a_sandbox_and_needs_an_address(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("webhooks", "listen", "--forward-to", "here").exit_code == 2
    monkeypatch.setenv("LOYALTY_ENV", "production")
    monkeypatch.delenv("LOYALTY_STRIPE_API_BASE")
    result = run("webhooks", "listen", "--forward-to", "http://127.0.0.1:1/")
    assert (result.exit_code, "sandbox" in result.output) == (1, True)


def test_the_doctor_says_where_nothing_arrives_and_where_nothing_can_be_signed(
    run: Run, shop: Shop, receiver: Receiver, endpoint: str
) -> None:
    assert doctor(run)["text"] == "every endpoint receives"
    receiver.answer = lambda event: 500
    shop.a_member(points=1)
    shop.tell()
    shop.deliver()
    said = doctor(run)
    assert (said["state"], endpoint in said["text"]) == ("warn", True)
    config = replace(shop.app.config["LOYALTY"], env="production", stripe_api_base="")
    with shop.app.app_context():
        found = db.read(lambda session: checks._webhooks(session, config))
        assert (found.state, "LOYALTY_WEBHOOK_SIGNING_KEY" in found.text) == ("fail", True)


def doctor(run: Run) -> Any:
    """What `loyalty doctor` says of webhooks."""
    told = json.loads(run("doctor", "--json").output)["checks"]
    return next(one for one in told if one["check"] == "webhooks")


def test_production_does_not_start_with_endpoints_and_without_a_key(
    shop: Shop, endpoint: str
) -> None:
    config = replace(shop.app.config["LOYALTY"], env="production", stripe_api_base="")
    served = create_app(config)
    with served.app_context(), contextlib.ExitStack() as ending:
        ending.callback(db.database.engine.dispose)
        with pytest.raises(click.ClickException, match="LOYALTY_WEBHOOK_SIGNING_KEY is missing"):
            serving._require_fit_to_serve(config)
        serving._require_fit_to_serve(replace(config, webhook_signing_key="k" * 32))
        shop.call("DELETE", f"/v1/webhook_endpoints/{endpoint}", who="admin")
        serving._require_fit_to_serve(config)


def test_a_key_that_is_too_short_stops_the_start(shop: Shop) -> None:
    with pytest.raises(BadConfig, match="LOYALTY_WEBHOOK_SIGNING_KEY is too short"):
        replace(shop.app.config["LOYALTY"], webhook_signing_key="k" * 31)
