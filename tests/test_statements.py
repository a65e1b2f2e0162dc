"""Hot statements go past SQLAlchemy: what it would have done about errors and order still holds."""

import psycopg
import pytest
from flask import Flask
from sqlalchemy import Connection, Integer, bindparam, insert, literal_column, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.orm import Session

from loyalty_service import db, statements
from loyalty_service.db import ClockSetting
from loyalty_service.statements import Statement, together
from tests.databases import Databases

OFFSET = Statement(
    select(ClockSetting.offset_seconds).where(ClockSetting.id == bindparam("setting"))
)
ADD = Statement(insert(ClockSetting), ["id", "offset_seconds"])
MOVE = Statement(
    update(ClockSetting)
    .where(ClockSetting.id == bindparam("setting"))
    .values(offset_seconds=bindparam("seconds"))
)
on_postgresql = pytest.mark.parametrize("kind", ["postgresql"])


class Boom(Exception):
    """Something that goes wrong in a verb."""


def offset(app: Flask) -> int | None:
    with app.app_context():
        row = db.read(lambda session: OFFSET.first(session, setting=1))
    return row[0] if row else None


def set_offset(app: Flask, seconds: int) -> None:
    with app.app_context():
        db.transaction(lambda session: ADD.run(session, id=1, offset_seconds=seconds))


def test_several_statements_see_what_those_before_them_did(app: Flask) -> None:
    asked = [
        (ADD, {"id": 1, "offset_seconds": 1}),
        (MOVE, {"setting": 1, "seconds": 2}),
        (OFFSET, {"setting": 1}),
    ]
    with app.app_context():
        added, moved, read = db.transaction(lambda session: statements.together(session, asked))
    assert ([*added], [*moved], [tuple(row) for row in read]) == ([], [], [(2,)])


def test_an_error_among_several_undoes_them_all(app: Flask) -> None:
    twice = [(ADD, {"id": 1, "offset_seconds": 1})] * 2
    with app.app_context(), pytest.raises(IntegrityError):
        db.transaction(lambda session: statements.together(session, twice))
    assert offset(app) is None
    set_offset(app, 3)
    assert offset(app) == 3


def test_many_rows_go_as_one_writing(app: Flask) -> None:
    set_offset(app, 1)
    rows = [
        {"setting": 1, "seconds": 5},
        {"setting": 2, "seconds": 9},
        {"setting": 1, "seconds": 6},
    ]
    with app.app_context():
        assert db.transaction(lambda session: MOVE.run_each(session, rows)) == 2
    assert offset(app) == 6


@on_postgresql
def test_a_look_outside_a_transaction_leaves_the_connection_as_it_was(app: Flask) -> None:
    set_offset(app, 7)

    def broken(session: Session) -> None:
        MOVE.run(session, setting=1, seconds=8)
        raise Boom

    with app.app_context():
        # With one connection in the pool, the next to borrow it is the transaction.
        db.database.engine.dispose()
        assert OFFSET.alone(db.database.engine, setting=1) == (7,)
        with pytest.raises(Boom):
            db.transaction(broken)
    assert offset(app) == 7


@on_postgresql
def test_a_look_outside_a_transaction_says_what_is_wrong_and_harms_nobody(app: Flask) -> None:
    wrong = Statement(select(text("1 / 0")))
    with app.app_context(), pytest.raises(Exception, match="division by zero"):
        wrong.alone(db.database.engine)
    set_offset(app, 9)
    assert offset(app) == 9


@on_postgresql
def test_a_look_outlives_a_database_that_was_restarted(app: Flask, databases: Databases) -> None:
    set_offset(app, 4)
    with app.app_context():
        hang_up(databases)
        assert OFFSET.alone(db.database.engine, setting=1) == (4,)


@on_postgresql
def test_a_lost_connection_is_met_once_and_the_others_are_forgotten(
    app: Flask, databases: Databases
) -> None:
    with app.app_context():
        engine = db.database.engine
        # Three connections in the pool, all of which are lost.
        held = [engine.connect() for _ in range(3)]
        for one in held:
            one.close()
        hang_up(databases)
        with pytest.raises(OperationalError):
            db.transaction(lambda session: ADD.run(session, id=1, offset_seconds=1))
        db.transaction(lambda session: ADD.run(session, id=1, offset_seconds=2))
    assert offset(app) == 2


def hang_up(databases: Databases) -> None:
    """End every connection to the database of the tests, as a restart would."""
    with psycopg.connect(databases.server.dsn("postgres"), autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = %s",
            [databases.name],
        )


class Moving:
    """What waits to be sent: the clock moved to 12."""

    def send(self, connection: Connection) -> None:
        connection.execute(update(ClockSetting).values(offset_seconds=12))


def test_what_waits_is_sent_before_the_next_look(app: Flask) -> None:
    set_offset(app, 1)

    def work(session: Session) -> int:
        connection = statements.connection_of(session)
        connection.info[statements.UNSENT] = Moving()
        return session.execute(select(ClockSetting.offset_seconds)).scalar_one()

    with app.app_context():
        assert db.transaction(work) == 12


def test_what_waits_is_sent_before_the_commit_and_forgotten_by_a_rollback(app: Flask) -> None:
    set_offset(app, 1)

    def broken(session: Session) -> None:
        statements.connection_of(session).info[statements.UNSENT] = Moving()
        raise Boom

    def work(session: Session) -> None:
        statements.connection_of(session).info[statements.UNSENT] = Moving()

    with app.app_context():
        with pytest.raises(Boom):
            db.transaction(broken)
        assert offset(app) == 1
        db.transaction(work)
    assert offset(app) == 12


@pytest.mark.parametrize("times", range(4, 8))
def test_a_failure_among_several_leaves_a_connection_that_works(app: Flask, times: int) -> None:
    number = bindparam("number", type_=Integer)
    plus = Statement(select(number + literal_column(str(times))))
    divided = Statement(select(literal_column("1") / number))

    def often(session: Session) -> None:
        # The driver prepares what it has met a few times.
        for _ in range(times):
            plus.first(session, number=1)

    def broken(session: Session) -> None:
        together(session, [(divided, {"number": 0}), (plus, {"number": 1})])
        # SQLite divides by nothing without a word.
        raise OperationalError("", None, Exception())

    with app.app_context():
        db.transaction(often)
        with pytest.raises(DBAPIError):
            db.transaction(broken)
        assert db.transaction(lambda session: plus.first(session, number=1))[0] == 1 + times
