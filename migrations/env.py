"""Alembic's entry: runs migrations on the engine of the Flask app that called it."""

from alembic import context
from flask import current_app
from sqlalchemy import text

from loyalty_service.db import UtcDateTime
from loyalty_service.domain.tables import Base


def render_item(kind, item, _context):
    """Migrations stand on plain SQL types, so that later code can't change an old one."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and type(item).__name__ == "BigInteger":
        return "sa.BigInteger()"
    return False


def run() -> None:
    engine = current_app.extensions["migrate"].db.engine
    with engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            render_as_batch=True,
            render_item=render_item,
            transactional_ddl=True,
        )
        with context.begin_transaction():
            if connection.dialect.name == "postgresql":
                # A migration that waits for a lock makes everybody behind it wait too.
                connection.execute(text("SET LOCAL lock_timeout = '5s'"))
            context.run_migrations()


run()
