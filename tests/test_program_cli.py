"""What a draft changes, for whom, and what it would have cost: by the operator's door."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import Engine, inspect, text

from loyalty_service import cli, db
from tests.domain.program.documents import changed
from tests.shop import DEFAULT_PROGRAM, Shop
from tests.terminal import Run, terminal

Draft = Callable[..., Path]


@pytest.fixture
def run(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs `loyalty program …` with the shop's settings in the environment."""
    return partial(terminal(shop.app, monkeypatch), "program")


@pytest.fixture
def draft(tmp_path: Path) -> Draft:
    """The default program with some words replaced, in a file."""

    def written(*changes: tuple[str, str]) -> Path:
        file = tmp_path / "draft.yaml"
        file.write_text(changed(*changes, document=DEFAULT_PROGRAM))
        return file

    return written


SOONER = ("pending_days: 14", "pending_days: 7")
EASIER = ("name: Platinum, from: 500.00", "name: Platinum, from: 50.00")


def yesterday(shop: Shop) -> str:
    shop.advance(1)
    return f"{shop.now():%Y}-01-01"


def dump(engine: Engine) -> dict[str, list[str]]:
    """Every row of every table that there is."""
    with engine.connect() as connection:
        names = inspect(connection).get_table_names()
        assert {"orders", "transactions", "jobs"} <= set(names)
        rows = {name: connection.execute(text(f'SELECT * FROM "{name}"')) for name in names}
        return {name: sorted(map(repr, found)) for name, found in rows.items()}


def test_a_difference_is_named_in_the_words_of_the_document(run: Run, draft: Draft) -> None:
    result = run("diff", draft(SOONER))
    assert result.exit_code == 1
    assert result.output == "earning.purchase.pending_days: 14 -> 7\n"
    change = {"path": "earning.purchase.pending_days", "before": "14", "after": "7"}
    assert json.loads(run("diff", draft(SOONER), "--json").output) == {"changes": [change]}


def test_no_difference_is_exit_status_nought(run: Run, draft: Draft) -> None:
    result = run("diff", draft(("# The rules", "# These are the rules")))
    assert (result.exit_code, result.output) == (0, "Nothing differs.\n")
    assert json.loads(run("diff", draft(), "--json").output) == {"changes": []}


def test_an_earlier_version_and_another_program_are_compared_with(
    run: Run, draft: Draft, shop: Shop
) -> None:
    run("apply", draft(SOONER), "--yes")
    assert run("diff", draft(SOONER)).exit_code == 0
    assert "14 -> 7" in run("diff", draft(SOONER), "--version", 1).output
    Shop.open(shop.app, DEFAULT_PROGRAM.replace("id: default", "id: second"))
    assert "id: second -> default" in run("diff", draft(), "--program", "second").output


def test_a_fault_is_no_difference(run: Run, draft: Draft) -> None:
    wrong = ("rounding: floor", "rounding: down")
    for changes, more, said in (
        ([wrong], (), "rounding"),
        ([], ("--version", 7), "no version 7"),
        ([], ("--program", "nobody"), "nobody"),
    ):
        result = run("diff", draft(*changes), *more)
        assert result.exit_code == 2
        assert said in result.output
        assert "Traceback" not in result.output
    assert "can't be used as a program; mend it first:" in run("diff", draft(wrong)).output


def test_a_draft_is_shown_for_whom_it_is(run: Run, draft: Draft, shop: Shop) -> None:
    shop.order(shop.a_member(points=30), 10000)
    shop.a_member()
    result = run("apply", draft(EASIER), "--dry-run")
    assert "+    - {id: platinum, name: Platinum, from: 50.00" in result.output
    assert "tiers.platinum.from: 500.00 -> 50.00" in result.output
    assert "2 members with 130 open points" in result.output
    lines = [line.split() for line in result.output.splitlines()]
    assert ["member", "2", "1", "-1"] in lines
    assert ["platinum", "0", "1", "+1"] in lines
    # What is counted is not what a backtest counts, and both say so.
    assert "members by tier".split() + "held now by the next order".split() in lines
    played = run("backtest", draft(EASIER), "--since", yesterday(shop)).output
    head = "members by tier at the end draft today".split()
    assert head in [line.split() for line in played.splitlines()]


def test_a_dry_run_applies_nothing(run: Run, draft: Draft) -> None:
    result = run("apply", draft(SOONER), "--dry-run")
    assert "The document is right. Nothing is applied." in result.output
    assert run("show").output == DEFAULT_PROGRAM


def test_a_draft_is_applied_once_it_is_agreed_to(run: Run, draft: Draft) -> None:
    file = str(draft(SOONER))
    no = CliRunner().invoke(cli.main, ["program", "apply", file], input="n\n")
    assert no.exit_code == 1
    assert run("show").output == DEFAULT_PROGRAM
    yes = CliRunner().invoke(cli.main, ["program", "apply", file], input="y\n")
    assert "version 2 is in force" in yes.output


def test_another_text_with_the_same_rules_is_said_to_be_that(run: Run, draft: Draft) -> None:
    result = run("apply", draft(("# The rules", "# These are the rules")), "--yes")
    assert "Only the text changes" in result.output
    assert "version 2 is in force" in result.output


def test_a_backtest_tells_what_a_draft_would_have_cost(run: Run, draft: Draft, shop: Shop) -> None:
    member = shop.a_member(points=30)
    shop.order(member, 10000)
    changes = ("points: 1        ", "points: 2        ")
    result = run("backtest", draft(changes, EASIER), "--since", yesterday(shop))
    assert result.exit_code == 0, result.output
    lines = [line.split() for line in result.output.splitlines()]
    assert ["points", "issued", "200", "100", "+100"] in lines
    assert ["points", "outstanding", "230", "130", "+100"] in lines
    assert ["platinum", "1", "0", "+1"] in lines
    assert "draft: 100 points count 3.00 EUR." in result.output
    assert any(line[0] == member and line[-1] == "+100" for line in lines if line)


def test_a_backtest_is_read_by_a_script(run: Run, draft: Draft, shop: Shop) -> None:
    member = shop.a_member()
    shop.order(member, 10000)
    dearer = draft(("per: 1.00", "per: 4.00"))
    since = yesterday(shop)
    told = json.loads(run("backtest", dearer, "--since", since, "--json").output)
    assert (told["members"], told["facts"]) == (1, 1)
    assert told["today"]["points_issued"] == 100
    assert told["draft"]["points_issued"] == 25
    assert told["draft"]["liability"] == {"amount": 75, "currency": "eur"}
    assert told["draft"]["point_value"] == {"points": 100, "amount": 300}
    assert told["lose"][0].items() >= {"member": member, "points": -75}.items()
    assert (told["gain"], told["not_replayed"]) == ([], [])
    none = json.loads(run("backtest", dearer, "--since", since, "--json", "--top", 0).output)
    assert none["lose"] == []


def test_a_backtest_writes_nothing_at_all(run: Run, draft: Draft, shop: Shop) -> None:
    member = shop.a_member(points=200)
    order = shop.order(member, 10000)
    shop.redeem(member)
    shop.post(f"/v1/orders/{order['id']}/refunds", {"id": "r-1", "amount": 1000})
    # Points fall due meanwhile, and are not posted by looking.
    shop.advance(40)
    with shop.app.app_context():
        before = dump(db.database.engine)
    assert run("backtest", draft(SOONER), "--since", yesterday(shop)).exit_code == 0
    shop.advance(-1)
    with shop.app.app_context():
        assert dump(db.database.engine) == before


def test_a_backtest_says_what_it_could_not_live_again(run: Run, draft: Draft, shop: Shop) -> None:
    member = shop.a_member()
    shop.order(member, 10000)
    file = draft(("currency: eur", "currency: usd"))
    result = run("backtest", file, "--since", yesterday(shop))
    assert "1 fact in eur: the draft prices another currency" in result.output
    (one,) = json.loads(run("backtest", file, "--since", "2020-01-01", "--json").output)[
        "not_replayed"
    ]
    assert one == {"reason": "currency_not_priced", "about": "eur", "facts": 1}


def test_a_backtest_of_days_that_have_not_been_is_refused(run: Run, draft: Draft) -> None:
    assert "not past yet" in run("backtest", draft(), "--since", "2190-01-01").output
    wrong = run("backtest", draft(), "--since", "2020-02-01", "--until", "2020-01-01")
    assert (wrong.exit_code, "not before --until" in wrong.output) == (1, True)
    nobody = draft(("id: default", "id: defualt"))
    assert run("backtest", nobody, "--since", "2020-01-01").exit_code == 1
