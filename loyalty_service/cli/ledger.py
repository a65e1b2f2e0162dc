"""`loyalty ledger verify`: do the books balance."""

import json
import sys

import click

from loyalty_service import db
from loyalty_service.cli.context import json_option, with_program
from loyalty_service.domain import audit

SHOWN = 50


@click.group()
def ledger() -> None:
    """The books."""


@ledger.command()
@json_option
@with_program
def verify(program_id: str, as_json: bool) -> None:
    """Rebuild every figure from the postings and name each difference; exit status 1 on any."""
    found = db.read(lambda session: list(audit.verify(session, program_id)))
    if as_json:
        differences = [{"subject": one.subject, "detail": one.detail} for one in found]
        click.echo(json.dumps({"ok": not found, "differences": differences}))
    else:
        for one in found[:SHOWN]:
            click.echo(f"{one.subject}: {one.detail}")
        if len(found) > SHOWN:
            click.echo(f"… and {len(found) - SHOWN} more; --json has them all.")
        click.echo("The books balance." if not found else f"{len(found)} differences.")
    sys.exit(1 if found else 0)
