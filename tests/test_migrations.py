"""The migrated schema of both databases is what the models say, to the last CHECK."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import flask_migrate
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask import Flask
from sqlalchemy import Connection, Engine, create_engine, inspect, text

from loyalty_service import create_app, migrating, shipped
from loyalty_service.db import database
from loyalty_service.domain.tables import Base
from tests.databases import Databases

# SQLAlchemy can't reflect an index over an expression on SQLite; the catalogue's text is compared.
pytestmark = [
    pytest.mark.filterwarnings("ignore:Skipped unsupported reflection"),
    pytest.mark.filterwarnings("ignore:autogenerate skipping metadata-specified expression"),
]

Catalogue = dict[tuple[str, str], str]

CONSTRAINTS = """
    SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid, true)
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    AND conrelid <> 'alembic_version'::regclass
"""
INDEXES = """
    SELECT tablename, indexname, indexdef FROM pg_indexes
    WHERE schemaname = 'public' AND tablename <> 'alembic_version'
"""
ON_SQLITE = """
    SELECT tbl_name, name, sql FROM sqlite_master
    WHERE type = 'index' AND sql IS NOT NULL AND tbl_name <> 'alembic_version'
"""


@pytest.fixture
def scratch_url(kind: str, databases: Databases, tmp_path: Path) -> Iterator[str]:
    """An empty database that is gone afterwards."""
    if kind == "sqlite":
        yield f"sqlite:///{tmp_path / 'scratch.db'}"
        return
    name = f"{databases.name}_scratch"
    databases.server.drop_database(name)
    databases.server.create_database(name)
    yield databases.server.url(name)
    databases.server.drop_database(name)


@pytest.fixture
def from_models(scratch_url: str) -> Iterator[Engine]:
    """A database made from the models, without migrations."""
    engine = create_engine(scratch_url)
    Base.metadata.create_all(engine)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE alembic_version (version_num varchar(32))"))
    yield engine
    engine.dispose()


def test_autogenerate_finds_nothing_to_migrate(app: Flask) -> None:
    with app.app_context(), database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert compare_metadata(context, Base.metadata) == []


def test_checks_and_keys_are_those_of_the_models(app: Flask, from_models: Engine) -> None:
    with from_models.connect() as connection:
        wanted = constraints(connection)
    with app.app_context(), database.engine.connect() as connection:
        assert constraints(connection) == wanted
    assert ("accounts", "ck_accounts_debt_is_repaid_first") in wanted


def test_indexes_and_their_conditions_are_those_of_the_models(
    app: Flask, from_models: Engine
) -> None:
    with from_models.connect() as connection:
        wanted = indexes(connection)
    with app.app_context(), database.engine.connect() as connection:
        assert indexes(connection) == wanted
    assert "available > 0" in wanted["lots", "ix_lots_spend_order"]


def test_migrating_twice_is_harmless(scratch_url: str, databases: Databases, kind: str) -> None:
    app = create_app(replace(databases.config(kind), database_url=scratch_url))
    seen = []
    with app.app_context():
        for _ in range(2):
            migrating.upgrade()
            with database.engine.connect() as connection:
                version = connection.scalar(text("SELECT version_num FROM alembic_version"))
                seen.append((version, constraints(connection), indexes(connection)))
        database.engine.dispose()
    assert seen[0] == seen[1]
    assert seen[0][0] == migrating.head()


@pytest.mark.parametrize("kind", ["postgresql"])
def test_nobody_who_was_there_before_thanks_by_the_clock_is_looked_at(
    scratch_url: str, databases: Databases, kind: str
) -> None:
    app = create_app(replace(databases.config(kind), database_url=scratch_url))
    with app.app_context():
        flask_migrate.upgrade(directory=str(shipped.folder("migrations")), revision="0007")
        an_account("before")
        migrating.upgrade()
        # As the version before still writes it while this one is rolled out.
        an_account("after")
        with database.engine.connect() as connection:
            noted = connection.execute(text("SELECT member_id, thanks_at FROM accounts"))
            seen = {member: at and at.year for member, at in noted}
        database.engine.dispose()
    assert seen == {"before": None, "after": 1970}


def an_account(member: str) -> None:
    """An account of nobody: foreign keys are asleep."""
    with database.engine.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(
            text(
                "INSERT INTO accounts (program_id, member_id, head_hash, recorded_at)"
                " VALUES ('default', :member, '', now())"
            ),
            {"member": member},
        )


def test_every_key_begins_with_the_program() -> None:
    # The one table of the deployment, not of a program.
    of_the_deployment = {"clock_settings"}
    for name, table in Base.metadata.tables.items():
        if name not in of_the_deployment:
            assert next(iter(table.primary_key.columns)).name == "program_id", name


def constraints(connection: Connection) -> Catalogue:
    """Every constraint's text by table and name; on SQLite the CHECKs."""
    if connection.dialect.name == "postgresql":
        return {(table, name): said for table, name, said in connection.execute(text(CONSTRAINTS))}
    seen = inspect(connection)
    return {
        (table, str(check["name"])): _words(check["sqltext"])
        for table in seen.get_table_names()
        if table != "alembic_version"
        for check in seen.get_check_constraints(table)
    }


def indexes(connection: Connection) -> Catalogue:
    """Every index's text by table and name."""
    statement = INDEXES if connection.dialect.name == "postgresql" else ON_SQLITE
    rows = connection.execute(text(statement))
    return {(table, name): _words(said) for table, name, said in rows}


def _words(said: str) -> str:
    return re.sub(r"\s+", " ", said)
