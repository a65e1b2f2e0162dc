"""Where the service can be held, told to a gate; patched into a process that a test starts.

`before_transaction`: nothing of the request is written. `after_commit`: PostgreSQL has committed
what it wrote, and nothing else has happened. `before_call`: Stripe is about to be asked.
`before_settling`: Stripe has answered, the books do not say so yet. `before_answer`: all is done,
and the caller has not heard. In the call itself the Stripe sandbox holds, before or after it
executes.

What is patched: `db.transaction`, psycopg's `commit`, `StripeCodes.issue` and `.withdraw`, Flask's
dispatch.
"""

import threading
from collections.abc import Callable
from functools import wraps
from typing import Any

import psycopg
from flask import Flask

from loyalty_service import db
from loyalty_service.gateways.stripe import StripeCodes
from tests.faults.gate import pass_by

BEFORE_TRANSACTION, AFTER_COMMIT = "before_transaction", "after_commit"
BEFORE_CALL, BEFORE_SETTLING = "before_call", "before_settling"
BEFORE_ANSWER = "before_answer"


def install(address: str, role: str) -> None:
    """Ask the gate at `address` at every point; names begin with the role of the process."""

    def at(point: str) -> None:
        pass_by(address, f"{role}.{point}")

    _hold_transactions(at)
    for name in ("issue", "withdraw"):
        _hold_around(StripeCodes, name, at, before=BEFORE_CALL, after=BEFORE_SETTLING)
    _hold_around(Flask, "full_dispatch_request", at, after=BEFORE_ANSWER)


def _hold_transactions(at: Callable[[str], None]) -> None:
    original, commit, here = db.transaction, psycopg.Connection.commit, threading.local()

    def held(work: Any, *, read_only: bool = False, **more: Any) -> Any:
        if not read_only:
            at(BEFORE_TRANSACTION)
        here.writes = not read_only
        return original(work, read_only=read_only, **more)

    def held_commit(connection: Any) -> None:
        commit(connection)
        if getattr(here, "writes", False):
            at(AFTER_COMMIT)

    db.transaction = held
    psycopg.Connection.commit = held_commit


def _hold_around(
    owner: Any, name: str, at: Callable[[str], None], *, after: str, before: str | None = None
) -> None:
    original = getattr(owner, name)

    @wraps(original)
    def held(*given: Any, **more: Any) -> Any:
        if before:
            at(before)
        result = original(*given, **more)
        at(after)
        return result

    setattr(owner, name, held)
