"""Transactions: run again when the database asks for it, and undone whole when something breaks."""

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from loyalty_service import db

OFFSET = "SELECT offset_seconds FROM clock_settings"


class Deadlock(Exception):
    """As PostgreSQL reports one."""

    sqlstate = "40P01"


def deadlock() -> OperationalError:
    return OperationalError("SELECT 1", {}, Deadlock())


def test_a_transaction_runs_again_after_a_deadlock(app: Flask) -> None:
    tries: list[int] = []

    def work(session: Session) -> str:
        db.move_clock(session, 60)
        tries.append(len(tries))
        if len(tries) < 3:
            raise deadlock()
        return "done"

    with app.app_context():
        assert db.transaction(work) == "done"
        moved = db.read(lambda s: s.execute(text(OFFSET)).scalar())
    assert (len(tries), moved) == (3, 60)


def test_a_transaction_gives_up_after_five_deadlocks(app: Flask) -> None:
    tries: list[int] = []

    def work(session: Session) -> None:
        tries.append(1)
        raise deadlock()

    with app.app_context(), pytest.raises(OperationalError):
        db.transaction(work)
    assert len(tries) == db.ATTEMPTS


def test_another_error_is_not_tried_again(app: Flask) -> None:
    tries: list[int] = []

    def work(session: Session) -> None:
        db.move_clock(session, 60)
        tries.append(1)
        raise ZeroDivisionError

    with app.app_context():
        with pytest.raises(ZeroDivisionError):
            db.transaction(work)
        kept = db.read(lambda s: s.execute(text("SELECT count(*) FROM clock_settings")).scalar())
    assert (len(tries), kept) == (1, 0)


def test_a_reading_can_not_write(app: Flask, kind: str) -> None:
    if kind == "postgresql":
        with app.app_context(), pytest.raises(Exception, match="read-only"):
            db.read(lambda session: db.move_clock(session, 60))
    with app.app_context():
        kept = db.read(lambda s: s.execute(text("SELECT count(*) FROM clock_settings")).scalar())
    assert kept == 0
