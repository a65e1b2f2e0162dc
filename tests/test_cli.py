"""The operator's door, on both databases: an order in, a balance out, a code issued."""

import json
from typing import Any

import pytest
from click.testing import CliRunner, Result

from loyalty_service import cli
from tests.shop import DEFAULT_PROGRAM, Shop
from tests.terminal import Run, terminal


@pytest.fixture
def run(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command with the shop's settings in the environment."""
    return terminal(shop.app, monkeypatch)


def told(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.output)


def test_an_order_becomes_a_code_by_hand(run: Run, shop: Shop) -> None:
    assert told(run("members", "enrol", "ada", "--json"))["created"]
    order = ("orders", "record", "--id", "A-1", "--member", "ext:ada", "--amount", "120.50")
    assert told(run(*order, "--json"))["points_earned"] == 120
    assert run("clock", "advance", "15d").exit_code == 0
    assert told(run("members", "show", "ext:ada", "--json"))["available"] == 120
    place = ("redemptions", "place", "--member", "ext:ada", "--reward", "money_off", "--json")
    made = told(run(*place))
    assert made["status"] == "issued"
    assert made["code"]
    assert told(run("ledger", "verify", "--json")) == {"ok": True, "differences": []}


def test_a_refusal_is_a_sentence_and_exit_status_one(run: Run) -> None:
    result = run("members", "show", "ext:nobody")
    assert result.exit_code == 1
    assert "member_not_found" in result.output
    assert "Traceback" not in result.output


def test_a_key_is_made_listed_rotated_and_revoked(run: Run, shop: Shop) -> None:
    made = told(run("keys", "create", "--name", "till 7", "--scope", "checkout", "--json"))
    shop.keys["till"] = made["key"]
    assert shop.call("GET", "/v1/program", who="till").status_code == 200
    rotated = told(run("keys", "rotate", made["id"], "--overlap-hours", 1, "--json"))
    shop.keys["new till"] = rotated["key"]
    assert shop.call("GET", "/v1/program", who="new till").status_code == 200
    assert run("keys", "revoke", made["id"]).exit_code == 0
    assert shop.call("GET", "/v1/program", who="till").status_code == 401
    listed = told(run("keys", "list", "--json"))
    assert made["key"] not in json.dumps(listed)
    assert {"id": made["id"], "status": "revoked"}.items() <= listed[-2].items()


def test_a_staff_key_needs_a_person(run: Run) -> None:
    result = run("keys", "create", "--name", "desk", "--scope", "staff")
    assert result.exit_code == 1
    assert "--person" in result.output


def test_a_person_of_staff_has_one_role_with_every_key(run: Run) -> None:
    assert "manager  mia@shop.example" in run("staff", "list").output
    asked = ("--scope", "staff", "--person", "Mia@Shop.example", "--role", "agent")
    refused = run("keys", "create", "--name", "till", *asked)
    assert refused.exit_code == 1
    assert "loyalty staff role mia@shop.example agent" in refused.output
    changed = run("staff", "role", "mia@shop.example", "agent")
    assert "mia@shop.example was manager and is agent now." in changed.output
    assert {"person": "mia@shop.example", "role": "agent"} in told(run("staff", "list", "--json"))
    assert "(mia@shop.example, agent)" in run("keys", "list").output
    assert run("staff", "role", "max", "agent").exit_code == 1


def test_a_changed_program_is_shown_then_applied(run: Run, tmp_path: Any) -> None:
    draft = tmp_path / "draft.yaml"
    draft.write_text(DEFAULT_PROGRAM.replace("pending_days: 14", "pending_days: 7"))
    result = run("program", "apply", draft, "--yes")
    assert "-    pending_days: 14" in result.output
    assert "+    pending_days: 7" in result.output
    assert "version 2 is in force" in result.output
    assert "was in force already" in run("program", "apply", draft, "--yes").output
    assert run("program", "show").output == draft.read_text()


def test_a_wrong_program_names_its_lines_and_applies_nothing(run: Run, tmp_path: Any) -> None:
    draft = tmp_path / "draft.yaml"
    draft.write_text(DEFAULT_PROGRAM.replace("rounding: floor", "rounding: down"))
    result = run("program", "apply", draft, "--yes")
    assert result.exit_code == 1
    assert "line " in result.output
    assert "rounding" in result.output
    assert "pending_days: 14" in run("program", "show").output


def test_the_clock_refuses_nonsense_and_stands_still_in_production(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "write 15d" in run("clock", "advance", "soon").output
    monkeypatch.setenv("LOYALTY_ENV", "production")
    monkeypatch.delenv("LOYALTY_STRIPE_API_BASE")
    result = run("clock", "advance", "1d")
    assert result.exit_code == 1
    assert "production" in result.output


def test_waiting_jobs_are_listed_and_made_due(run: Run, shop: Shop, stripe: Any) -> None:
    stripe.fault("error_500_before", path="/v1/promotion_codes")
    redemption = shop.redeem(shop.a_member(points=100))
    assert redemption["status"] == "pending"
    (job,) = told(run("jobs", "list", "--json"))
    assert job["subject"] == redemption["id"]
    assert "1 jobs are due" in run("jobs", "retry", job["id"]).output
    assert shop.work() == 1
    assert shop.get(f"/v1/redemptions/{redemption['id']}")["status"] == "issued"


def test_a_missing_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOYALTY_DATABASE_URL", raising=False)
    result = CliRunner().invoke(cli.main, ["ledger", "verify"])
    assert result.exit_code == 1
    assert "LOYALTY_DATABASE_URL" in result.output


def test_a_checkpoint_is_written_and_verified_against(
    run: Run, shop: Shop, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "checkpoint.json"
    assert "LOYALTY_CHECKPOINT_KEY" in run("ledger", "checkpoint", file).output
    monkeypatch.setenv("LOYALTY_CHECKPOINT_KEY", "x" * 32)
    shop.a_member(points=50)
    assert "1 accounts" in run("ledger", "checkpoint", file).output
    shop.a_member(points=70)
    assert told(run("ledger", "verify", "--since", file, "--json"))["ok"]
    monkeypatch.setenv("LOYALTY_CHECKPOINT_KEY", "y" * 32)
    assert "another key" in run("ledger", "verify", "--since", file).output


def test_a_slip_in_the_id_does_not_open_a_second_program_unasked(run: Run, tmp_path: Any) -> None:
    draft = tmp_path / "draft.yaml"
    draft.write_text(DEFAULT_PROGRAM.replace("id: default", "id: defualt", 1))
    result = run("program", "apply", draft)
    assert result.exit_code == 1
    assert "new program defualt beside default" in result.output
    assert run("program", "show").exit_code == 0


def test_a_command_on_an_empty_database_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setenv("LOYALTY_DATABASE_URL", f"sqlite:///{tmp_path / 'empty.db'}")
    for command in (("keys", "list"), ("ledger", "verify"), ("clock", "show")):
        result = CliRunner().invoke(cli.main, command)
        assert result.exit_code == 1
        assert "loyalty migrate" in result.output
        assert "Traceback" not in result.output


def test_the_clock_stays_where_calendars_are_known(run: Run) -> None:
    before = told(run("clock", "show", "--json"))["now"]
    result = run("clock", "advance", "999999d")
    assert (result.exit_code, "too far" in result.output) == (1, True)
    assert told(run("clock", "show", "--json"))["now"][:16] == before[:16]


def test_books_and_jobs_are_looked_at_in_every_program(run: Run, shop: Shop) -> None:
    Shop.open(shop.app, DEFAULT_PROGRAM.replace("id: default", "id: second"))
    assert told(run("ledger", "verify", "--json"))["ok"]
    assert told(run("jobs", "list", "--json")) == []
    assert run("program", "show").exit_code == 2
    assert "id: second" in run("program", "show", "--program", "second").output


def test_every_version_can_be_read_again(run: Run, tmp_path: Any) -> None:
    draft = tmp_path / "draft.yaml"
    draft.write_text(DEFAULT_PROGRAM.replace("pending_days: 14", "pending_days: 7"))
    run("program", "apply", draft, "--yes")
    assert run("program", "show", "--version", 1).output == DEFAULT_PROGRAM
    assert "version 2" in run("program", "list").output
    assert "no version 3" in run("program", "show", "--version", 3).output
