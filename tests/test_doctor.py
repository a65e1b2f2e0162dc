"""`loyalty doctor`: settings told without their secrets, faults found, each with its fix."""

import json
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import update

from loyalty_service import clock, db
from loyalty_service.cli import checks, settings
from loyalty_service.config import Config, variable
from loyalty_service.domain.access import ApiKey
from loyalty_service.domain.jobs import Job
from tests.shop import Shop
from tests.stripe_control import StripeControl
from tests.terminal import Run, terminal

SECRETS = ("sk_test_hunter2", "whsec_hunter2", "hunter2" * 5)


@pytest.fixture
def run(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the doctor with the app's settings in the environment."""
    monkeypatch.setenv(variable("worker_in_process"), "true")
    return partial(terminal(app, monkeypatch), "doctor")


def told(result: Result) -> dict[str, Any]:
    """What `--json` prints; the exit status says the same as `ok`."""
    body: dict[str, Any] = json.loads(result.output)
    assert result.exit_code == (0 if body["ok"] else 1)
    assert body["ok"] == all(one["state"] != "fail" for one in body["checks"])
    assert all(one["fix"] for one in body["checks"] if one["state"] != "ok")
    return body


def states(result: Result) -> dict[str, str]:
    return {one["check"]: one["state"] for one in told(result)["checks"]}


def found(result: Result, check: str) -> dict[str, str]:
    (one,) = [one for one in told(result)["checks"] if one["check"] == check]
    return dict(one)


def test_a_sound_shop_passes_every_check(run: Run, shop: Shop, kind: str) -> None:
    result = run("--json", "--stripe")
    seen = states(result)
    # The tests' own PostgreSQL runs without fsync, for speed.
    assert seen.pop("durability") == ("ok" if kind == "sqlite" else "warn")
    assert set(seen.values()) == {"ok"}, result.output
    assert list(seen) == [
        *("database", "schema", "clock", "keys", "program", "stripe key", "stripe"),
        *("worker", "dead jobs", "checkpoints", "webhooks"),
    ]
    database = found(result, "database")["text"]
    assert database.startswith("SQLite 3" if kind == "sqlite" else "PostgreSQL 1")
    assert found(result, "program")["text"] == "default at version 1"


def test_every_setting_says_its_value_where_it_comes_from_and_what_it_is_for(
    run: Run, shop: Shop
) -> None:
    shown = {one["name"]: one for one in told(run("--json"))["settings"]}
    assert list(shown) == [variable(name) for name in Config.__dataclass_fields__]
    assert shown["LOYALTY_DATABASE_POOL_SIZE"]["value"] == "2"
    assert shown["LOYALTY_DATABASE_POOL_SIZE"]["source"] == "environment"
    assert shown["LOYALTY_STRIPE_DEADLINE_MS"]["value"] == "3000"
    assert shown["LOYALTY_STRIPE_DEADLINE_MS"]["source"] == "default"
    assert shown["LOYALTY_WORKER_IN_PROCESS"]["value"] == "true"
    assert all(one["purpose"].endswith(".") for one in shown.values())
    page = run().output
    assert all(name in page and one["purpose"] in page for name, one in shown.items())


def test_no_secret_is_ever_shown() -> None:
    config = Config(
        database_url="postgresql+psycopg://shop:hunter2@db/loyalty?password=hunter2",
        stripe_api_key=SECRETS[0],
        stripe_webhook_secret=SECRETS[1],
        checkpoint_key=SECRETS[2],
        webhook_signing_key="hunter2" * 5,
        signing_key="hunter2" * 5,
        stripe_api_base="https://hunter2:hunter2@stripe.example",
    )
    shown = {one.name: one.value for one in settings.in_force(config, {}, "environment")}
    assert "hunter2" not in str(shown)
    assert shown["LOYALTY_DATABASE_URL"] == "postgresql+psycopg://shop:***@db/loyalty"
    assert shown["LOYALTY_STRIPE_API_KEY"] == "set"
    assert shown["LOYALTY_WEBHOOK_SIGNING_KEY"] == "set"
    assert shown["LOYALTY_STRIPE_API_BASE"] == "https://stripe.example"


def test_a_wrong_setting_is_a_finding_like_any_other(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOYALTY_LOG_LEVEL", "loud")
    assert "LOYALTY_LOG_LEVEL" in found(run("--json"), "settings")["text"]
    assert "fail settings: " in run().output


def test_a_database_that_is_away_or_empty_fails(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setenv("LOYALTY_DATABASE_URL", "postgresql+psycopg://a:b@127.0.0.1:1/none")
    assert states(run("--json")) == {"database": "fail"}
    monkeypatch.setenv("LOYALTY_DATABASE_URL", f"sqlite:///{tmp_path / 'empty.db'}")
    schema = found(run("--json"), "schema")
    assert (schema["state"], schema["fix"]) == ("fail", "run `loyalty migrate`")


def test_an_empty_deployment_is_warned_in_a_sandbox_and_fails_in_production(
    run: Run, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert {states(run("--json"))[check] for check in ("keys", "program")} == {"warn"}
    seen = examined(app, env="production", stripe_api_key="sk_live_1", stripe_api_base="")
    assert {seen[check].state for check in ("keys", "program")} == {"fail"}
    assert "loyalty keys create" in seen["keys"].fix
    assert seen["checkpoints"].state == "warn"


def test_demo_keys_fail_in_production_and_belong_in_a_sandbox(shop: Shop) -> None:
    with shop.app.app_context():
        db.transaction(lambda session: session.execute(update(ApiKey).values(is_demo=True)))
    assert examined(shop.app)["keys"].state == "ok"
    production = {"env": "production", "stripe_api_key": "sk_live_1", "stripe_api_base": ""}
    keys = examined(shop.app, **production)["keys"]
    assert (keys.state, "revoke" in keys.fix) == ("fail", True)


@pytest.mark.parametrize(
    ("env", "key", "state"),
    [
        ("sandbox", "", "warn"),
        ("sandbox", "sk_test_1", "ok"),
        ("sandbox", "sk_live_1", "fail"),
        ("production", "sk_test_1", "warn"),
        ("production", "sk_live_1", "ok"),
        ("production", "rk_live_1", "ok"),
    ],
)
def test_the_stripe_key_must_fit_the_place(env: str, key: str, state: str) -> None:
    config = Config(database_url="sqlite:////nowhere.db", env=env, stripe_api_key=key)
    assert checks._stripe_key(config, "LOYALTY_STRIPE_API_KEY").state == state


def test_a_programs_own_stripe_key_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    config = Config(database_url="sqlite:////nowhere.db", stripe_api_key="sk_test_1")
    assert checks._stripe_key(config, "BEAUTY_KEY").state == "warn"
    monkeypatch.setenv("BEAUTY_KEY", "sk_test_2")
    assert checks._stripe_key(config, "BEAUTY_KEY").state == "ok"


def test_stripe_is_asked_only_on_demand_and_only_read(
    run: Run, shop: Shop, stripe: StripeControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOYALTY_STRIPE_API_BASE", "http://127.0.0.1:1")
    assert "stripe" not in states(run("--json"))
    away = found(run("--json", "--stripe"), "stripe")
    assert away["state"] == "fail"
    monkeypatch.setenv("LOYALTY_STRIPE_API_BASE", stripe.url)
    assert states(run("--json", "--stripe"))["stripe"] == "ok"
    assert stripe.codes("doctor") == []


@pytest.mark.slow
def test_a_late_job_and_a_dead_one_are_told(run: Run, shop: Shop, stripe: StripeControl) -> None:
    stripe.fault("error_500_before", path="/v1/promotion_codes")
    shop.redeem(shop.a_member(points=100))
    for minutes, state in ((0, "ok"), (5, "warn"), (60, "fail")):
        set_jobs(shop, available_at=clock.wall() - timedelta(minutes=minutes))
        assert states(run("--json"))["worker"] == state
    assert "loyalty worker" in found(run("--json"), "worker")["fix"]
    set_jobs(shop, status="dead")
    assert {**states(run("--json")), "durability": ""}.items() >= {
        "worker": "ok",
        "dead jobs": "warn",
    }.items()


def test_sqlite_without_a_worker_is_warned(app: Flask, kind: str) -> None:
    Shop.open(app)
    state = "warn" if kind == "sqlite" else "ok"
    assert examined(app, worker_in_process=False)["worker"].state == state


def test_a_clock_that_is_off_is_told(
    app: Flask, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if kind == "sqlite":
        assert "this machine's" in examined(app)["clock"].text
        return
    wall = clock.wall
    for seconds, state in ((0, "ok"), (10, "warn"), (-10, "warn"), (300, "fail")):
        ahead = timedelta(seconds=seconds)
        monkeypatch.setattr(clock, "wall", lambda ahead=ahead: wall() + ahead)
        assert examined(app)["clock"].state == state


@pytest.mark.parametrize("kind", ["postgresql"])
def test_a_database_that_may_lose_commits_fails_in_production(app: Flask) -> None:
    durability = examined(app, env="production", stripe_api_key="sk_live_1", stripe_api_base="")
    assert durability["durability"].state == "fail"
    assert "fsync" in durability["durability"].fix


def examined(app: Flask, **changed: Any) -> dict[str, checks.Finding]:
    """What the doctor finds in the app's database under other settings."""
    config = replace(app.config["LOYALTY"], **changed)
    with app.app_context():
        return {one.check: one for one in checks.examine(config, ask_stripe=False)}


def set_jobs(shop: Shop, **values: Any) -> None:
    with shop.app.app_context():
        db.transaction(lambda session: session.execute(update(Job).values(**values)))
