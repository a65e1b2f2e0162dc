"""`loyalty ledger verify|checkpoint`: do the books balance, and were they ever rewritten."""

import json
import sys
from functools import partial
from pathlib import Path

import click
from flask import current_app
from sqlalchemy.orm import Session

from loyalty_service import db
from loyalty_service.cli.context import fail, json_option, with_program, with_programs
from loyalty_service.config import Config
from loyalty_service.domain import audit
from loyalty_service.domain.ledger import checkpoint as checkpoints
from loyalty_service.domain.ledger.verify import Difference

SHOWN = 50
KEY_CHARACTERS_MIN = 32

file_path = click.Path(dir_okay=False, path_type=Path)


@click.group()
def ledger() -> None:
    """The books."""


@ledger.command()
@click.option("--since", type=file_path, help="A checkpoint: look at what changed since.")
@json_option
@with_programs
def verify(program_ids: list[str], since: Path | None, as_json: bool) -> None:
    """Rebuild every figure from the postings and name each difference; exit status 1 on any."""
    start = _loaded(since) if since else None
    found = [
        one
        for program_id in ([start.program_id] if start else program_ids)
        for one in db.read(partial(_differences, program_id=program_id, since=start))
    ]
    _tell(found, as_json)
    sys.exit(1 if found else 0)


@ledger.command()
@click.argument("file", type=file_path)
@with_program
def checkpoint(program_id: str, file: Path) -> None:
    """Write a signed photograph of all accounts to FILE; keep it somewhere else."""
    key = _key()
    made = db.read(lambda session: checkpoints.take(session, program_id, key))
    file.write_text(checkpoints.dumps(made))
    click.echo(f"{len(made.heads)} accounts, root {made.root}: keep {file} somewhere else.")


def _differences(
    session: Session, program_id: str, since: checkpoints.Checkpoint | None
) -> list[Difference]:
    return list(audit.verify(session, program_id, since=since))


def _loaded(file: Path) -> checkpoints.Checkpoint:
    if not file.is_file():
        fail(f"there is no checkpoint {file}")
    try:
        return checkpoints.loads(file.read_text(), _key())
    except checkpoints.BadCheckpoint as error:
        fail(f"{file}: {error}")


def _key() -> str:
    config: Config = current_app.config["LOYALTY"]
    if len(config.checkpoint_key) < KEY_CHARACTERS_MIN:
        fail(
            f"LOYALTY_CHECKPOINT_KEY signs checkpoints: set it to {KEY_CHARACTERS_MIN} or more "
            "random characters that the database does not hold"
        )
    return config.checkpoint_key


def _tell(found: list[Difference], as_json: bool) -> None:
    if as_json:
        differences = [{"subject": one.subject, "detail": one.detail} for one in found]
        click.echo(json.dumps({"ok": not found, "differences": differences}))
        return
    for one in found[:SHOWN]:
        click.echo(f"{one.subject}: {one.detail}")
    if len(found) > SHOWN:
        click.echo(f"… and {len(found) - SHOWN} more; --json has them all.")
    click.echo("The books balance." if not found else f"{len(found)} differences.")
