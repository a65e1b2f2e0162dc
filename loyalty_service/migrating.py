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


def lags(revision: str | None) -> bool:
    """Say whether a migration is missing.

    A revision that this code has never heard of is a later version's. Migrations only add before
    they take away, so the version before them goes on: during a rollout, and after a rollback.
    """
    return revision is None or (revision != head() and revision in _known())


@lru_cache
def head() -> str:
    """The revision that this code expects."""
    return str(_scripts().get_current_head())


@lru_cache
def _known() -> frozenset[str]:
    return frozenset(script.revision for script in _scripts().walk_revisions())


def _scripts() -> ScriptDirectory:
    settings = Config()
    settings.set_main_option("script_location", str(shipped.folder("migrations")))
    return ScriptDirectory.from_config(settings)
