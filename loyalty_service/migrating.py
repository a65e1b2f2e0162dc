"""Bringing a database to the current schema."""

from functools import lru_cache

import flask_migrate
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from loyalty_service import db, shipped

migrate = flask_migrate.Migrate(directory=str(shipped.folder("migrations")))


def upgrade() -> None:
    """Run the migrations that are missing. Needs the app's context; safe to repeat."""
    flask_migrate.upgrade(directory=str(shipped.folder("migrations")))


def revision() -> str | None:
    """The revision that the database has; None where it does not answer or has no schema."""
    asked = text("SELECT version_num FROM alembic_version")
    try:
        return db.read(lambda session: session.execute(asked).scalar())
    except DBAPIError:
        return None


@lru_cache
def head() -> str:
    """The revision that this code expects."""
    settings = Config()
    settings.set_main_option("script_location", str(shipped.folder("migrations")))
    return str(ScriptDirectory.from_config(settings).get_current_head())
