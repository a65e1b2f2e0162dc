"""`loyalty keys create|list|revoke|rotate`: who may call."""

import json
from datetime import timedelta

import click

from loyalty_service import clock, db
from loyalty_service.cli.context import fail, json_option, with_program
from loyalty_service.domain import access


@click.group()
def keys() -> None:
    """Keys for the API: shown once, kept as a hash."""


@keys.command()
@click.option("--name", required=True, help="Who calls with it, such as `web checkout`.")
@click.option("--scope", required=True, type=click.Choice(access.SCOPES))
@click.option("--person", help="For scope staff: the person's e-mail.")
@click.option(
    "--role",
    type=click.Choice(access.ROLES),
    help="What a person who is new may do, with every key of theirs; agent where it is left out.",
)
@click.option("--days", type=click.IntRange(1, 3650), help="Ends after so many days.")
@json_option
@with_program
def create(
    program_id: str,
    name: str,
    scope: str,
    person: str | None,
    role: str | None,
    days: int | None,
    as_json: bool,
) -> None:
    """Make a client and its first key."""
    ends = clock.wall() + timedelta(days=days) if days else None
    try:
        made = db.transaction(
            lambda session: access.create_client(
                session,
                program_id,
                name=name,
                scope=scope,
                person=person,
                role=role,
                expires_at=ends,
            )
        )
    except access.BadKeyRequest as error:
        fail(str(error))
    _show(made, as_json)


@keys.command("list")
@json_option
@with_program
def list_(program_id: str, as_json: bool) -> None:
    """Every key: whose, which scope, how it stands. Never the key itself."""
    rows = db.read(lambda session: access.listed(session, program_id))
    lines = [
        {
            "id": key.id,
            "client": client.name,
            "scope": client.scope,
            "person": staff.person if staff else None,
            "role": staff.role if staff else None,
            "ends_in": f"…{key.last_four}",
            "status": _status(key),
        }
        for key, client, staff in rows
    ]
    if as_json:
        click.echo(json.dumps(lines))
        return
    for line in lines:
        whose = "{client} ({person}, {role})" if line["person"] else "{client}"
        click.echo(f"{{id}}  {{scope:<10}} {{status:<8}} {{ends_in}}  {whose}".format(**line))


@keys.command()
@click.argument("key_id")
@with_program
def revoke(program_id: str, key_id: str) -> None:
    """End a key at once."""
    db.transaction(lambda session: access.revoke(session, program_id, key_id))
    click.echo(f"{key_id} is revoked.")


@keys.command()
@click.argument("key_id")
@click.option("--overlap-hours", default=24, show_default=True, type=click.IntRange(0, 8760))
@json_option
@with_program
def rotate(program_id: str, key_id: str, overlap_hours: int, as_json: bool) -> None:
    """Make a new key for the same client; the old one ends after the overlap."""
    overlap = timedelta(hours=overlap_hours)
    made = db.transaction(
        lambda session: access.rotate(session, program_id, key_id, overlap=overlap)
    )
    _show(made, as_json)


def _show(made: access.NewKey, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"id": made.id, "client": made.client_id, "key": made.token}))
        return
    click.echo(f"{made.id}: keep this key, it is shown once:\n{made.token}")


def _status(key: access.ApiKey) -> str:
    if key.revoked_at:
        return "revoked"
    return "expired" if key.expires_at and key.expires_at <= clock.wall() else "active"
