"""The database: `Base`, set-up for SQLite and PostgreSQL, and `transaction(work)`.

SQLite is served by one process: every writer takes the file lock beside the database first,
and `BEGIN IMMEDIATE` takes SQLite's own. PostgreSQL runs writes at READ COMMITTED under row locks
and reads at REPEATABLE READ, so that one answer is one snapshot.
"""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import (
    BigInteger,
    Connection,
    DateTime,
    Engine,
    Integer,
    MetaData,
    String,
    TypeDecorator,
    event,
    select,
    update,
)
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from loyalty_service import clock, metrics
from loyalty_service.statements import (
    POSTGRESQL,
    UNSENT,
    Statement,
    inserting_unless_there,
    roll_back,
    settle,
    table_of,
)

T = TypeVar("T")

# Serialisation failure and deadlock: PostgreSQL asks to run the whole transaction again.
RUN_AGAIN = frozenset({"40001", "40P01"})
# A lock or a statement that took too long: the database is there, and somebody else was slow.
TOOK_TOO_LONG = frozenset({"55P03", "57014"})
ATTEMPTS = 5
SESSION_OPTIONS: Any = {"expire_on_commit": False, "autoflush": False}

FIRST_YEAR, LAST_YEAR = 1970, 2200

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

# Points reach 10^12.
Points = BigInteger()
ProgramId = String(40)
Id = String(40)


class TakenMeanwhile(Exception):
    """Somebody took a key, or the last of a budget, between a look and the write: run again."""


class OutOfTime(ValueError):
    """Business time was moved to where calendars end."""


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC datetime on both databases; SQLite by itself would forget the zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:
        """Refuse a naive value, store UTC."""
        if value is None:
            return None
        assert value.tzinfo is not None, "a naive datetime reached the database"
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:
        """Give UTC back."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """Every table. Keys begin with `program_id`; names of constraints follow one convention."""

    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map = {datetime: UtcDateTime()}


class ClockSetting(Base):
    """How far the sandbox's business time is ahead of the machine's: one row for the deployment."""

    __tablename__ = "clock_settings"
    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    offset_seconds: Mapped[int] = mapped_column(BigInteger)


database = SQLAlchemy()
_OFFSET = Statement(select(ClockSetting.offset_seconds))


def transaction(work: Callable[[Session], T], *, read_only: bool = False) -> T:
    """Run `work(session)` in one transaction and commit.

    Again when the database asks for it, or a key was taken between a look and the insert.

    `work` must be a function without effects outside the session. Needs the app's context.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with _write_lock(database.engine, read_only):
                return _run(work, read_only)
        except TakenMeanwhile:
            if attempt == ATTEMPTS:
                raise
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) not in RUN_AGAIN or attempt == ATTEMPTS:
                raise
            metrics.conflict()
    raise AssertionError("unreachable")


def is_away(error: OperationalError) -> bool:
    """Say whether the database can't be reached, rather than that something waited in vain."""
    return getattr(error.orig, "sqlstate", None) not in RUN_AGAIN | TOOK_TOO_LONG


def why(error: DBAPIError) -> str:
    """What the database says of itself, in one line: what follows may hold whole rows."""
    return str(error.orig).splitlines()[0]


def read(work: Callable[[Session], T]) -> T:
    """Run `work(session)` on one snapshot that can't write."""
    return transaction(work, read_only=True)


def ask(statement: Statement, **values: Any) -> Any:
    """The only row of a SELECT on its own, or None: one statement is one snapshot."""
    if clock_travels() or database.engine.dialect.name != POSTGRESQL:
        return read(lambda session: statement.first(session, **values))
    return statement.alone(database.engine, **values)


def move_clock(session: Session, by_seconds: int) -> timedelta:
    """Move the sandbox's business time by some seconds; returns how far it is ahead now.

    Raises OutOfTime.
    """
    insert_unless_there(session, ClockSetting, {"id": 1, "offset_seconds": 0})
    session.execute(
        update(ClockSetting).values(offset_seconds=ClockSetting.offset_seconds + by_seconds)
    )
    offset = _offset(session)
    if not FIRST_YEAR <= (clock.wall() + offset).year < LAST_YEAR:
        raise OutOfTime(f"business time stays between {FIRST_YEAR} and {LAST_YEAR}")
    clock.set_offset(offset)
    return offset


def insert_unless_there(session: Session, model: Any, values: dict[str, Any]) -> bool:
    """Insert one row; False where its key exists already.

    Waits for a concurrent transaction that holds the same key, and sees its outcome.
    """
    statement = inserting_unless_there(table_of(model), tuple(values))
    return bool(statement.run(session, **values))


def prepare(engine: Engine) -> None:
    """Set up an engine's connections; called once for each engine."""
    event.listen(engine, "before_cursor_execute", _settle_first)
    event.listen(engine, "rollback", _forget_unsent)
    if engine.dialect.name != "sqlite":
        return
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)


def _run(work: Callable[[Session], T], read_only: bool) -> T:
    with database.engine.connect() as connection:
        if read_only:
            connection.execution_options(**_read_options(connection))
        # The session joins the connection's transaction, which ends with its block: hot statements
        # go to the connection and never wake the session.
        with connection.begin(), Session(connection, **SESSION_OPTIONS) as session:
            if clock_travels():
                clock.set_offset(_offset(session))
            result = work(session)
            session.flush()
            settle(connection)
    return result


def clock_travels() -> bool:
    """True in the sandbox, where business time may be moved."""
    return bool(database.engine.get_execution_options().get("clock_travels"))


def _offset(session: Session) -> timedelta:
    row = _OFFSET.first(session)
    return timedelta(seconds=row[0] if row else 0)


def _read_options(connection: Connection) -> dict[str, Any]:
    if connection.dialect.name == "sqlite":
        return {"sqlite_begin": "DEFERRED"}
    return {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}


def _settle_first(connection: Connection, *_args: Any) -> None:
    # A statement that SQLAlchemy sends must not read past what waits on its connection.
    settle(connection)


def _forget_unsent(connection: Connection) -> None:
    if connection.invalidated:
        return
    connection.info.pop(UNSENT, None)
    if connection.dialect.name == POSTGRESQL:
        roll_back(connection)


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # The driver's own transaction control loses updates: switch it off and emit BEGIN ourselves.
    connection.isolation_level = None
    for pragma in (
        "busy_timeout=10000",
        "journal_mode=WAL",
        "synchronous=NORMAL",
        "foreign_keys=ON",
        # Without this, INSERT OR REPLACE passes the triggers that refuse DELETE.
        "recursive_triggers=ON",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Any) -> None:
    kind = connection.get_execution_options().get("sqlite_begin", "IMMEDIATE")
    connection.exec_driver_sql(f"BEGIN {kind}")


@contextmanager
def _write_lock(engine: Engine, read_only: bool) -> Iterator[None]:
    # SQLite's own busy handler is unfair and starves writers; a lock on a file queues threads
    # and the CLI's process alike, since each opening of the file is a holder of its own.
    path = engine.url.database
    if read_only or engine.dialect.name != "sqlite" or not path:
        yield
        return
    descriptor = os.open(f"{path}.lock", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
