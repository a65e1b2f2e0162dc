"""`loyalty staff list|role`: the persons behind the keys of staff, and what they may do."""

import json

import click

from loyalty_service import db
from loyalty_service.cli.context import fail, json_option, with_program
from loyalty_service.domain import access


@click.group()
def staff() -> None:
    """Persons of staff: a role is a person's, with every key of theirs."""


@staff.command("list")
@json_option
@with_program
def list_(program_id: str, as_json: bool) -> None:
    """Everybody of the staff, and their role."""
    rows = db.read(lambda session: access.staff_listed(session, program_id))
    lines = [{"person": row.person, "role": row.role} for row in rows]
    if as_json:
        click.echo(json.dumps(lines))
        return
    for line in lines:
        click.echo("{role:<8} {person}".format(**line))


@staff.command()
@click.argument("person")
@click.argument("role", type=click.Choice(access.ROLES))
@with_program
def role(program_id: str, person: str, role: str) -> None:
    """Change what a person may do, with every key of theirs, from now on."""
    try:
        before = db.transaction(
            lambda session: access.change_role(session, program_id, person, role)
        )
    except access.BadKeyRequest as error:
        fail(str(error))
    click.echo(f"{person} was {before} and is {role} now.")
