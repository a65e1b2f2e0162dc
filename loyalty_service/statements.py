"""Statements of the hot path: compiled once, and on PostgreSQL handed straight to the driver.

SQLAlchemy says what a statement is, on both databases; sent through its own execution each costs
three times what the driver takes (docs/decisions/0014). Errors come out as SQLAlchemy's own, so
that nobody above has to know which way a statement went.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from functools import cache
from typing import Any, cast

import psycopg
from psycopg import RawCursor
from psycopg.pq import TransactionStatus
from sqlalchemy import (
    BindParameter,
    Connection,
    Dialect,
    Engine,
    Executable,
    Table,
    Text,
    bindparam,
    func,
    insert,
    literal_column,
    select,
)
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.engine import CursorResult
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session

POSTGRESQL = "postgresql"
# Under this name a connection's `info` keeps what has a method `send(connection)` and waits.
UNSENT = "unsent"
# Under this one, that a statement failed, and the driver may be wrong about what it has prepared.
_IN_DOUBT = "in_doubt"
Values = dict[str, Any]
_NUMBERED: Any = cast(Any, PGDialect_psycopg)(paramstyle="numeric_dollar")
ZERO: Any = literal_column("0")
ONE: Any = literal_column("1")
# The program that a statement is about, given as `of_program`.
OF_PROGRAM: BindParameter[str] = bindparam("of_program")


class Statement:
    """One statement with named parameters; rows come back as tuples in the order of its columns.

    `core` may be one for each dialect; `columns` are the parameters of a plain INSERT.
    """

    def __init__(
        self, core: Executable | Mapping[str, Executable], columns: Sequence[str] | None = None
    ) -> None:
        self._core = core
        self._columns = columns
        self._sql = ""
        self._order: list[str] = []

    def first(self, session: Session, **values: Any) -> Any:
        """The only row, or None."""
        connection = connection_of(session)
        settle(connection)
        return self.first_on(connection, values)

    def first_on(self, connection: Connection, values: Values) -> Any:
        """The only row, or None, on a connection on which nothing waits to be sent."""
        if connection.dialect.name != POSTGRESQL:
            return self._result(connection, values).first()
        self._compile()
        with _own_errors(connection, self._sql):
            return self._sent(connection, values).fetchone()

    def order(self) -> list[str]:
        """The names of the parameters, in the order in which PostgreSQL takes them."""
        self._compile()
        return self._order

    def first_in_order(self, connection: Connection, parameters: list[Any]) -> Any:
        """The only row, or None, on PostgreSQL, of parameters that are in order already."""
        with _own_errors(connection, self._sql):
            return RawCursor(_driver(connection)).execute(self._sql, parameters).fetchone()

    def all(self, session: Session, **values: Any) -> Sequence[Any]:
        """Every row."""
        (rows,) = together(session, [(self, values)])
        return rows

    def run(self, session: Session, **values: Any) -> int:
        """Write; returns how many rows it touched."""
        return self.run_each(session, [values])

    def run_each(self, session: Session, rows: Sequence[Values]) -> int:
        """Write once for each of the rows; returns how many rows it touched."""
        connection = connection_of(session)
        settle(connection)
        if connection.dialect.name != POSTGRESQL:
            return self._result(connection, rows).rowcount
        self._compile()
        with _own_errors(connection, self._sql):
            if len(rows) == 1:
                return int(self._sent(connection, rows[0]).rowcount)
            cursor = RawCursor(_driver(connection))
            cursor.executemany(self._sql, [self._in_order(row) for row in rows])
            return int(cursor.rowcount)

    def alone(self, engine: Engine, **values: Any) -> Any:
        """The only row or None, of a SELECT outside any transaction, on PostgreSQL.

        One round trip: there is no BEGIN and no COMMIT.
        """
        self._compile()
        try:
            return self._once(engine, values)
        except OperationalError as error:
            if not error.connection_invalidated:
                raise
        # The database went away and came back: reading again does no harm.
        _forget_dead_connections(engine)
        return self._once(engine, values)

    def _once(self, engine: Engine, values: Values) -> Any:
        with _autocommit(engine) as driver:
            return RawCursor(driver).execute(self._sql, self._in_order(values)).fetchone()

    def _sent(self, connection: Connection, values: Values) -> Any:
        # Its parameters are numbered as the server wants them: there is nothing to translate.
        return RawCursor(_driver(connection)).execute(self._sql, self._in_order(values))

    def _in_order(self, values: Values) -> list[Any]:
        return [values[name] for name in self._order]

    def _result(self, connection: Connection, values: Any) -> CursorResult[Any]:
        return connection.execute(self._for(connection.dialect.name), values)

    def _for(self, dialect_name: str) -> Executable:
        return self._core[dialect_name] if isinstance(self._core, Mapping) else self._core

    def _compile(self) -> None:
        if self._sql:
            return
        core: Any = self._for(POSTGRESQL)
        compiled = core.compile(dialect=_NUMBERED, column_keys=self._columns)
        self._order = list(compiled.positiontup)
        # A value that never changes is part of the text: an index with a condition needs to see it.
        fixed = [name for name in self._order if not compiled.binds[name].required]
        assert not fixed, f"write {fixed} with literal_column"
        self._sql = str(compiled)


def together(session: Session, asked: Sequence[tuple[Statement, Values]]) -> list[Sequence[Any]]:
    """The rows of several statements, run in this order; on PostgreSQL in one way there and back.

    Each sees what those before it did and, under READ COMMITTED, what others committed until it
    began: a statement after a lock reads the world as it is under the lock.
    """
    connection = connection_of(session)
    settle(connection)
    if connection.dialect.name != POSTGRESQL:
        return [_rows(statement._result(connection, values)) for statement, values in asked]
    for statement, _ in asked:
        statement._compile()
    pipeline = _driver(connection).pipeline() if len(asked) > 1 else nullcontext()
    with _own_errors(connection, asked[0][0]._sql), pipeline:
        cursors = [statement._sent(connection, values) for statement, values in asked]
    return [cursor.fetchall() if cursor.pgresult.nfields else [] for cursor in cursors]


def connection_of(session: Session) -> Connection:
    """The connection whose transaction a session has joined."""
    bind = session.bind
    assert isinstance(bind, Connection), "a session outside db.transaction"
    return bind


def settle(connection: Connection) -> None:
    """Send what waits on a connection: nothing may be read or committed before it."""
    if unsent := connection.info.pop(UNSENT, None):
        unsent.send(connection)


def _driver(connection: Connection) -> Any:
    return connection.connection.driver_connection


def roll_back(connection: Connection) -> None:
    """End the transaction on PostgreSQL, and keep the driver's prepared statements.

    The driver's own rollback forgets them all, for the sake of tables made in the transaction: a
    refusal would make each statement of its connection be parsed and planned anew.
    """
    driver = _driver(connection)
    if connection.info.pop(_IN_DOUBT, False):
        # What came after a failure in one way there and back was never prepared, though the driver
        # remembers that it was: its own rollback, which follows, forgets them all.
        return
    if not _is_dead(driver) and driver.pgconn.transaction_status != TransactionStatus.IDLE:
        driver.pgconn.exec_(b"ROLLBACK")


def _rows(result: CursorResult[Any]) -> Sequence[Any]:
    return result.all() if result.returns_rows else []


def table_of(model: Any) -> Table:
    """A model's table."""
    return cast(Table, model.__table__)


# Locks a name, which need not be anybody's key yet, until the transaction ends. SQLite has one
# writer at a time anyway.
LOCK_NAME = Statement(
    {
        POSTGRESQL: select(
            func.pg_advisory_xact_lock(
                func.hashtextextended(sql_cast(bindparam("name"), Text), ZERO)
            )
        ),
        "sqlite": select(bindparam("name")),
    }
)


@cache
def inserting(table: Table) -> Statement:
    """An INSERT with a parameter for each column of a table."""
    return Statement(insert(table), [column.name for column in table.columns])


@cache
def inserting_unless_there(table: Table, columns: tuple[str, ...] | None = None) -> Statement:
    """An INSERT of all or some columns that does nothing where the key exists.

    Waits for a concurrent transaction that holds the same key, and sees its outcome.
    """
    return Statement(
        {
            POSTGRESQL: postgresql.insert(table).on_conflict_do_nothing(),
            "sqlite": sqlite.insert(table).on_conflict_do_nothing(),
        },
        columns or [column.name for column in table.columns],
    )


@contextmanager
def _own_errors(connection: Connection, sql: str) -> Iterator[None]:
    try:
        yield
    except psycopg.Error as error:
        connection.info[_IN_DOUBT] = True
        if _is_dead(_driver(connection)):
            # A statement of SQLAlchemy's own that meets a dead connection raises, and makes the
            # pool forget every connection of before.
            connection.exec_driver_sql("SELECT 1")
        raise _as_sqlalchemy(error, sql, connection.dialect) from error


@contextmanager
def _autocommit(engine: Engine) -> Iterator[Any]:
    """A connection without BEGIN and COMMIT."""
    try:
        pooled = engine.raw_connection()
    except psycopg.Error as error:
        raise _as_sqlalchemy(error, None, engine.dialect, dead=True) from error
    driver: Any = pooled.driver_connection
    try:
        driver.autocommit = True
        yield driver
        driver.autocommit = False
    except BaseException as error:
        dead = _is_dead(driver)
        # Nobody may get a connection that commits by itself.
        pooled.invalidate(error)
        if isinstance(error, psycopg.Error):
            raise _as_sqlalchemy(error, None, engine.dialect, dead=dead) from error
        raise
    finally:
        pooled.close()


def _as_sqlalchemy(
    error: psycopg.Error, sql: str | None, dialect: Dialect, *, dead: bool = False
) -> BaseException:
    return DBAPIError.instance(
        sql,
        None,
        error,
        psycopg.Error,
        hide_parameters=True,
        connection_invalidated=dead,
        dialect=dialect,
    )


def _is_dead(driver: Any) -> bool:
    return bool(driver is None or driver.closed)


def _forget_dead_connections(engine: Engine) -> None:
    with suppress(DBAPIError), engine.connect() as connection:
        connection.exec_driver_sql("SELECT 1")
