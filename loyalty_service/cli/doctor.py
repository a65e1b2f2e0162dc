"""`loyalty doctor`: every setting, and whether what they point at answers and is fit."""

import json
import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path

import click

from loyalty_service import create_app, db
from loyalty_service.cli import checks, settings
from loyalty_service.cli.checks import FAIL, Finding
from loyalty_service.cli.context import DEMO_FILE, json_option, load_config
from loyalty_service.cli.settings import Setting
from loyalty_service.config import Config

COLOURS = {"ok": "green", "warn": "yellow", "fail": "red"}


@click.command()
@click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path),
    help="A demo's folder, instead of the LOYALTY_… settings.",
)
@click.option("--stripe", "ask_stripe", is_flag=True, help="Also read one thing at Stripe.")
@json_option
def doctor(folder: Path | None, ask_stripe: bool, as_json: bool) -> None:
    """Show every setting and check what they point at; exit status 1 when a check fails.

    Nothing is changed. `warn` is worth a look; `fail` keeps the service from doing its work.
    """
    try:
        config = load_config(folder)
    except click.ClickException as error:
        refused = Finding("settings", FAIL, error.message, "set what is named, then run me again")
        shown, found = list[Setting](), [refused]
    else:
        shown = list(settings.in_force(config, *_source(folder)))
        found = _examine(config, ask_stripe)
    is_ok = all(one.state != FAIL for one in found)
    if as_json:
        click.echo(_as_json(is_ok, shown, found))
    else:
        _print(shown, found)
    sys.exit(0 if is_ok else 1)


def _examine(config: Config, ask_stripe: bool) -> list[Finding]:
    app = create_app(config)
    with app.app_context():
        try:
            return list(checks.examine(config, ask_stripe=ask_stripe))
        finally:
            db.database.engine.dispose()


def _source(folder: Path | None) -> tuple[Mapping[str, str], str]:
    if folder is None:
        return os.environ, "environment"
    return json.loads((folder / DEMO_FILE).read_text())["environment"], DEMO_FILE


def _as_json(is_ok: bool, shown: Iterable[Setting], found: Iterable[Finding]) -> str:
    told = {
        "ok": is_ok,
        "settings": [asdict(one) for one in shown],
        "checks": [asdict(one) for one in found],
    }
    return json.dumps(told, ensure_ascii=False)


def _print(shown: list[Setting], found: list[Finding]) -> None:
    if shown:
        click.echo("Settings")
    for setting in shown:
        click.echo(f"  {setting.name} = {setting.value} ({setting.source})")
        click.echo(f"      {setting.purpose}")
    click.echo("Checks")
    for one in found:
        click.echo(f"  {click.style(f'{one.state:4}', COLOURS[one.state])} {one.check}: {one.text}")
        if one.fix:
            click.echo(f"       what to do: {one.fix}")
    failed = sum(one.state == FAIL for one in found)
    click.echo("Everything needed is there." if not failed else f"{failed} of the checks failed.")
