"""One thing after the other: it stops when asked, and what is stuck holds up nobody else."""

import threading
from typing import Any
from unittest.mock import Mock, call

import pytest
from psycopg.errors import LockNotAvailable
from sqlalchemy.exc import OperationalError

from loyalty_service import db
from loyalty_service.rounds import Aside, attempt, for_each, one_by_one, survived

LOCKED = OperationalError("UPDATE", {}, LockNotAvailable("canceling statement due to lock timeout"))
AWAY = OperationalError("SELECT", {}, Exception("the server closed the connection\nand more"))


@pytest.fixture(autouse=True)
def transactions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Transactions without a database: a round knows of it only that it may be away."""
    monkeypatch.setattr(db, "transaction", lambda work: work(None))


@pytest.fixture
def log() -> Mock:
    return Mock()


def failing(error: Exception) -> Any:
    def work(_session: Any) -> int:
        raise error

    return work


def test_steps_are_taken_until_nothing_is_left() -> None:
    left = [3, 2, 1, 0]
    assert one_by_one(lambda: left.pop(0), most=20, stop=None) == 3


def test_no_more_steps_are_taken_than_were_asked_for() -> None:
    taken: list[int] = []
    assert one_by_one(lambda: taken.append(1) or True, most=4, stop=None) == 4
    assert len(taken) == 4


def test_a_stop_ends_it_behind_the_step_in_hand() -> None:
    stop = threading.Event()
    assert one_by_one(lambda: stop.set() or True, most=20, stop=stop) == 1
    assert one_by_one(lambda: True, most=20, stop=stop) == 0


def test_what_fails_is_logged_put_off_and_counts_as_a_step(log: Mock) -> None:
    put_off: list[int] = []
    assert attempt(failing(ValueError("broken")), log, "looking_failed", put_off=put_off.append)
    assert put_off == [None]
    assert log.mock_calls == [call.exception("looking_failed")]


@pytest.mark.parametrize("error", [ValueError("broken"), LOCKED])
def test_what_fails_is_left_aside_and_holds_up_nothing_behind_it(
    log: Mock, error: Exception
) -> None:
    aside = Aside()

    def verb(_session: Any, program_id: str, id_: str) -> bool:
        if id_ == "rdm_1":
            raise error
        return id_ == "rdm_2"

    found = [("default", f"rdm_{number}") for number in range(4)]
    assert for_each(found, verb, aside, log, "ending_failed", stop=None) == 2
    assert aside.names() == ["rdm_1"]
    assert log.mock_calls == [call.exception("ending_failed", about="rdm_1")]


def test_what_is_aside_comes_again_after_its_time() -> None:
    aside = Aside(seconds=0)
    aside.put("rdm_1")(Mock())
    assert aside.names() == []


def test_what_can_not_even_be_put_off_ends_the_round(log: Mock) -> None:
    assert not attempt(
        failing(ValueError("broken")), log, "looking_failed", put_off=failing(LOCKED)
    )
    assert log.mock_calls == [call.exception("looking_failed")] * 2


def test_what_fails_and_can_not_be_put_off_ends_the_round(log: Mock) -> None:
    assert not attempt(failing(ValueError("broken")), log, "ending_failed")
    assert log.mock_calls == [call.exception("ending_failed")]


def test_a_database_that_is_away_is_nobodys_failure(log: Mock) -> None:
    put_off: list[int] = []
    with pytest.raises(OperationalError):
        attempt(failing(AWAY), log, "looking_failed", put_off=put_off.append)
    assert put_off == []


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (AWAY, call.warning("database_unavailable", error="the server closed the connection")),
        (ValueError("broken"), call.exception("turn_failed", endpoint="whe_1")),
    ],
)
def test_what_goes_wrong_in_a_block_is_told_in_one_line_and_survived(
    log: Mock, error: Exception, said: Any
) -> None:
    with survived(log, "turn_failed", endpoint="whe_1"):
        raise error
    assert log.mock_calls == [said]


def test_an_end_of_the_process_is_not_survived(log: Mock) -> None:
    with pytest.raises(KeyboardInterrupt), survived(log, "turn_failed"):
        raise KeyboardInterrupt
