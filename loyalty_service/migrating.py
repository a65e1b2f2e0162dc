"""Bringing a database to the current schema."""

import flask_migrate
from alembic.config import Config
from alembic.script import ScriptDirectory

from loyalty_service import shipped

migrate = flask_migrate.Migrate(directory=str(shipped.folder("migrations")))


def upgrade() -> None:
    """Run the migrations that are missing. Needs the app's context; safe to repeat."""
    flask_migrate.upgrade(directory=str(shipped.folder("migrations")))


def head() -> str:
    """The revision that this code expects."""
    settings = Config()
    settings.set_main_option("script_location", str(shipped.folder("migrations")))
    return str(ScriptDirectory.from_config(settings).get_current_head())
