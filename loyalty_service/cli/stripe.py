"""`loyalty stripe reconcile|events`: what Stripe told, and what it would have told."""

import json
from dataclasses import asdict
from datetime import datetime

import click
from flask import current_app

from loyalty_service import canonical, clock, db, reconciling
from loyalty_service.cli.context import json_option, with_program, with_programs
from loyalty_service.config import Config
from loyalty_service.domain import inbox, program
from loyalty_service.domain.lists import Page
from loyalty_service.fulfilment import account_key
from loyalty_service.gateways.codes import GatewayError
from loyalty_service.gateways.payments import Unreadable
from loyalty_service.gateways.stripe_reading import StripePayments

_day = click.DateTime(["%Y-%m-%d"])
_TOLD = {
    "missed": "events that had not arrived, and are worked on now",
    "used": "codes that were used and not known to be",
    "withdrawn": "codes withdrawn at Stripe; their points come back",
    "strays": "codes that were honoured although their points are back; withdrawn now",
    "differences": "differences that need a person",
}


@click.group()
def stripe() -> None:
    """What Stripe tells of codes and payments."""


@stripe.command()
@click.option("--since", type=_day, help="The first day; 30 days ago where it is left out.")
@json_option
@with_programs
def reconcile(program_ids: list[str], since: datetime | None, as_json: bool) -> None:
    """Find what webhooks missed, both ways, and mend it, in every program; safe to repeat.

    Events that never arrived are taken in, and every code at Stripe is held against ours. With
    --json one line a program. Exit status 1 where something is left that needs a person, or Stripe
    can't be asked.
    """
    first = since.astimezone() if since else clock.wall() - reconciling.REACH
    is_ok = True
    for program_id in program_ids:
        try:
            found = _reconcile(program_id, first)
        except (GatewayError, Unreadable) as error:
            click.echo(f"{program_id}: Stripe can't be asked: {error}", err=True)
            is_ok = False
            continue
        is_ok = is_ok and not found.differences
        if as_json:
            facts = {"program": program_id, "ok": not found.differences, **asdict(found)}
            click.echo(json.dumps(facts))
        else:
            _tell(program_id, found)
    if not is_ok:
        raise SystemExit(1)


def _reconcile(program_id: str, first: datetime) -> reconciling.Found:
    config: Config = current_app.config["LOYALTY"]
    name = db.read(lambda session: program.in_force(session, program_id).rules.stripe.api_key_env)
    reader = StripePayments(account_key(config, name), config.stripe_api_base or None)
    issuer = current_app.extensions["code_issuers"](name)
    return reconciling.reconcile(program_id, reader, issuer, first)


def _tell(program_id: str, found: reconciling.Found) -> None:
    click.echo(f"{program_id}: {found.events} events and {found.codes} codes looked at.")
    for field, what in _TOLD.items():
        listed = getattr(found, field)
        if listed:
            click.echo(f"{len(listed)} {what}:")
            click.echo("\n".join(f"  {one}" for one in listed))


@stripe.command()
@click.option("--status", type=click.Choice(inbox.STATUSES), help="Only those.")
@click.option("--limit", type=click.IntRange(1, 100), default=20)
@json_option
@with_program
def events(program_id: str, status: str | None, limit: int, as_json: bool) -> None:
    """What arrived, newest first, and what became of it."""
    rows = db.read(lambda session: inbox.listed(session, program_id, status, Page(limit)))
    lines = [
        {
            "id": row.id,
            "type": row.type,
            "status": row.status,
            "received_at": canonical.timestamp(row.received_at),
            "note": row.note,
        }
        for row in rows[:limit]
    ]
    if as_json:
        click.echo(json.dumps(lines))
        return
    for line in lines:
        click.echo(
            "{id}  {type:<34} {status:<8} {note}".format(**line | {"note": line["note"] or ""})
        )
    if not lines:
        click.echo("Nothing has arrived.")
