"""`loyalty doctor`: every setting, and whether what they point at answers."""

import sys
from dataclasses import fields

import click
from flask import current_app

from loyalty_service import db, migrating
from loyalty_service.cli.context import with_app
from loyalty_service.config import Config, variable
from loyalty_service.domain import access

SECRET = ("stripe_api_key", "stripe_webhook_secret", "database_url", "checkpoint_key")


@click.command()
@with_app
def doctor() -> None:
    """List every setting, check database and keys; exit status 1 when something is wrong."""
    config: Config = current_app.config["LOYALTY"]
    for field in fields(Config):
        value = getattr(config, field.name)
        shown = ("set" if value else "not set") if field.name in SECRET else value
        click.echo(f"{variable(field.name)} = {shown}")
    faults = _schema() or _keys(config)
    for fault in faults:
        click.echo(f"wrong: {fault}")
    for warning in _warnings(config):
        click.echo(f"look at: {warning}")
    click.echo("Everything needed is there." if not faults else f"{len(faults)} things are wrong.")
    sys.exit(1 if faults else 0)


def _warnings(config: Config) -> list[str]:
    found = []
    if not config.stripe_api_key:
        found.append("LOYALTY_STRIPE_API_KEY is not set: codes can only come from a sandbox")
    if config.is_sqlite and not config.worker_in_process:
        found.append("LOYALTY_WORKER_IN_PROCESS is false: on SQLite nobody else retries codes")
    return found


def _schema() -> list[str]:
    revision = migrating.revision()
    if revision is None:
        return ["the database does not answer or has no schema: run `loyalty migrate`"]
    if migrating.lags(revision):
        return [f"the schema is at {revision}, expected {migrating.head()}: run `loyalty migrate`"]
    return []


def _keys(config: Config) -> list[str]:
    why = db.read(access.unsafe_keys)
    return [why] if why and config.is_production else []
