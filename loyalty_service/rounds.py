"""What goes on in rounds: one thing after the other, so that what is stuck holds up nobody else.

The worker and the sender of webhooks go round for ever; a database that is away ends a round, and
nothing more.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from threading import Event
from typing import Any

from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from loyalty_service import db

Work = Callable[[Session], Any]


def one_by_one(step: Callable[[], Any], *, most: int, stop: Event | None) -> int:
    """Take a step until one finds nothing to do, `most` are taken or `stop` is set; how many."""
    taken = 0
    while taken < most and not (stop and stop.is_set()):
        if not step():
            break
        taken += 1
    return taken


def attempt(
    work: Work, log: Any, failed: str, *, put_off: Work | None = None, **about: Any
) -> bool:
    """Do some work in a transaction; True where it found something to do.

    What fails is logged as `failed` and put off; it ends the round where it can't be. Raises
    OperationalError where the database is away, which is nobody's fault.
    """
    try:
        return bool(db.transaction(work))
    except Exception as error:
        if isinstance(error, OperationalError) and db.is_away(error):
            raise
        log.exception(failed, **about)
    if put_off is None:
        return False
    return attempt(lambda session: (put_off(session), True), log, failed, **about)


class Aside:
    """What went wrong and is left aside for a while: it holds up nobody, and the log is short.

    Kept in this process alone: another one finds out by itself.
    """

    def __init__(self, seconds: int = 3600) -> None:
        self._seconds = seconds
        self._until: dict[str, float] = {}

    def put(self, name: str) -> Work:
        """Work that leaves something aside."""
        return lambda _session: self._until.update({name: time.monotonic() + self._seconds})

    def names(self) -> list[str]:
        """What is aside now."""
        now = time.monotonic()
        self._until = {name: until for name, until in self._until.items() if until > now}
        return list(self._until)


def for_each(
    found: Iterable[tuple[str, str]],
    verb: Callable[[Session, str, str], Any],
    aside: Aside,
    log: Any,
    failed: str,
    *,
    stop: Event | None,
) -> int:
    """Do a verb for each program and id, in transactions of their own, until `stop`; how many.

    What fails is left aside, by its id.
    """
    done = 0
    for program_id, id_ in found:
        if stop and stop.is_set():
            break
        work = partial(_take, verb, program_id, id_)
        done += attempt(work, log, failed, put_off=aside.put(id_), about=id_)
    return done


def _take(
    verb: Callable[[Session, str, str], Any], program_id: str, id_: str, session: Session
) -> Any:
    return verb(session, program_id, id_)


@contextmanager
def survived(log: Any, failed: str, **about: Any) -> Iterator[None]:
    """Go on behind a block that goes wrong: that is logged as `failed`."""
    try:
        yield
    except Exception as error:
        if isinstance(error, OperationalError) and db.is_away(error):
            # For a moment: say so in one line and try again.
            log.warning("database_unavailable", error=db.why(error))
        else:
            log.exception(failed, **about)
