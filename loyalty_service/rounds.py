"""What goes on in rounds: one thing after the other, so that what is stuck holds up nobody else.

The worker and the sender of webhooks go round for ever; a database that is away ends a round, and
nothing more.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
    OperationalError: a database that is away is nobody's fault.
    """
    try:
        return bool(db.transaction(work))
    except OperationalError:
        raise
    except Exception:
        log.exception(failed, **about)
    if put_off is None:
        return False
    db.transaction(put_off)
    return True


@contextmanager
def survived(log: Any, failed: str, **about: Any) -> Iterator[None]:
    """Go on behind a block that goes wrong: that is logged as `failed`."""
    try:
        yield
    except OperationalError as error:
        # The database is away for a moment: say so in one line and try again.
        log.warning("database_unavailable", error=str(error.orig).splitlines()[0])
    except Exception:
        log.exception(failed, **about)
