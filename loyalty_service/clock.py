"""The only clock.

`now()` is business time: what the ledger, programs and codes live by. In the sandbox it can be
moved with `loyalty clock advance 15d`; the offset is kept in the database, for every process.
`wall()` is the machine's time: leases, signatures and key expiry use it, and nothing moves it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta

_stopped_at: ContextVar[datetime | None] = ContextVar("stopped_at", default=None)
_offset = timedelta(0)


def wall() -> datetime:
    """The machine's time in UTC."""
    return datetime.now(UTC)


def now() -> datetime:
    """Business time in UTC: the machine's time, moved by the sandbox's offset."""
    return _stopped_at.get() or wall() + _offset


def set_offset(offset: timedelta) -> None:
    """Move business time in this process; `db.transaction` calls it with what the database says."""
    global _offset
    _offset = offset


@contextmanager
def stopped_at(moment: datetime) -> Iterator[None]:
    """Hold business time still for this thread: for tests and for writing a demo's history."""
    token = _stopped_at.set(moment.astimezone(UTC))
    try:
        yield
    finally:
        _stopped_at.reset(token)
