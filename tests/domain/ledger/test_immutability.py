"""On the migrated schema of both databases, what was written stays as it was written."""

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from loyalty_service import db
from loyalty_service.db import Base
from loyalty_service.domain import tables
from tests.domain.ledger.conftest import IMMUTABLE
from tests.shop import Shop

ON_SQLITE = {f"{table}_no_{verb}" for table in IMMUTABLE for verb in ("update", "delete")}
ON_POSTGRESQL = {f"{table}_no_{verb}" for table in IMMUTABLE for verb in ("change", "truncate")}

Run = Callable[[str], int]


@pytest.fixture
def run(shop: Shop) -> Run:
    """Runs one statement on books that hold a row in every immutable table; the rows touched."""
    member = shop.a_member()
    shop.order(member)
    shop.give(member, 100, who="agent")

    def execute(statement: str) -> int:
        with shop.app.app_context():
            return db.transaction(
                lambda session: session.connection().execute(text(statement)).rowcount
            )

    return execute


@pytest.mark.parametrize("table", IMMUTABLE)
def test_a_row_is_not_changed(run: Run, table: str) -> None:
    with pytest.raises(DBAPIError, match=f"{table} are only ever inserted"):
        run(f"UPDATE {table} SET program_id = program_id")


@pytest.mark.parametrize("table", IMMUTABLE)
def test_a_row_is_not_deleted(run: Run, table: str) -> None:
    with pytest.raises(DBAPIError, match=f"{table} are only ever inserted"):
        run(f"DELETE FROM {table}")


@pytest.mark.parametrize("table", IMMUTABLE)
def test_a_row_is_not_written_over_by_an_insert_that_conflicts(run: Run, table: str) -> None:
    key = ", ".join(column.name for column in Base.metadata.tables[table].primary_key)
    with pytest.raises(DBAPIError, match=f"{table} are only ever inserted"):
        run(
            f"INSERT INTO {table} SELECT * FROM {table} WHERE true "
            f"ON CONFLICT ({key}) DO UPDATE SET program_id = excluded.program_id"
        )


@pytest.mark.parametrize("kind", ["sqlite"])
@pytest.mark.parametrize("table", IMMUTABLE)
@pytest.mark.parametrize("verb", ["INSERT OR REPLACE", "REPLACE"])
def test_a_row_is_not_replaced(run: Run, table: str, verb: str) -> None:
    with pytest.raises(DBAPIError, match=f"{table} are only ever inserted"):
        run(f"{verb} INTO {table} SELECT * FROM {table}")


@pytest.mark.parametrize("kind", ["postgresql"])
@pytest.mark.parametrize("table", IMMUTABLE)
def test_a_table_is_not_truncated(run: Run, table: str) -> None:
    with pytest.raises(DBAPIError, match="are only ever inserted"):
        run(f"TRUNCATE {table} CASCADE")


@pytest.mark.parametrize("table", IMMUTABLE)
def test_the_refusals_are_tried_on_rows_that_are_there(run: Run, table: str, app: Flask) -> None:
    with app.app_context():
        count = db.read(lambda session: session.scalar(text(f"SELECT count(*) FROM {table}")))
    assert count


@pytest.mark.parametrize("kind", ["sqlite"])
def test_sqlite_has_every_trigger(app: Flask) -> None:
    with app.app_context():
        found = db.read(
            lambda session: set(
                session.scalars(text("SELECT name FROM sqlite_master WHERE type = 'trigger'"))
            )
        )
    assert found >= ON_SQLITE


@pytest.mark.parametrize("kind", ["sqlite"])
def test_sqlite_connections_run_triggers_for_replaced_rows(app: Flask) -> None:
    with app.app_context():
        on = db.read(lambda session: session.scalar(text("PRAGMA recursive_triggers")))
    assert on == 1


@pytest.mark.parametrize("kind", ["postgresql"])
def test_postgresql_has_every_trigger_switched_on(app: Flask) -> None:
    enabled = "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled = 'O'"
    with app.app_context():
        found = db.read(lambda session: set(session.scalars(text(enabled))))
    assert found >= ON_POSTGRESQL


def test_no_foreign_key_deletes_or_changes_what_points_to_it() -> None:
    for table in tables.Base.metadata.tables.values():
        for key in table.foreign_key_constraints:
            assert (key.ondelete, key.onupdate) == (None, None), key.name
