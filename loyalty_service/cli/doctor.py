"""`loyalty doctor`: every setting, and whether what they point at answers."""

import sys
from dataclasses import fields

import click
from flask import current_app
from sqlalchemy import text

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
    faults = [*_schema(), *_keys(config)]
    for fault in faults:
        click.echo(f"wrong: {fault}")
    click.echo("Everything needed is there." if not faults else f"{len(faults)} things are wrong.")
    sys.exit(1 if faults else 0)


def _schema() -> list[str]:
    statement = text("SELECT version_num FROM alembic_version")
    try:
        revision = db.read(lambda session: session.execute(statement).scalar())
    except Exception as error:
        return [
            f"the database does not answer or is empty: {type(error).__name__}; loyalty migrate"
        ]
    if revision != migrating.head():
        return [f"the schema is at {revision}, expected {migrating.head()}: run loyalty migrate"]
    return []


def _keys(config: Config) -> list[str]:
    try:
        why = db.read(access.unsafe_keys)
    except Exception:
        return []
    return [why] if why and config.is_production else []
