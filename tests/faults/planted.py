"""Bugs to plant, one at a time, to see that they are found; see `test_planted.py`.

`FAULT_PLANT` names one. The launcher plants it in the service's processes; as a pytest plugin
(`-p tests.faults.planted`) it is planted in the test process as well.
"""

import os
import sys
from collections.abc import Callable
from typing import Any

from flask import current_app
from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

import loyalty_service
from loyalty_service import clock, db, fulfilment
from loyalty_service.domain import idempotency, redemptions
from loyalty_service.domain.idempotency import IdempotencyKey
from loyalty_service.domain.ledger import book as books
from loyalty_service.domain.ledger import writing
from loyalty_service.domain.ledger.lots import lot_states, lots_of
from loyalty_service.domain.ledger.tables import Account
from loyalty_service.gateways.codes import GatewayError
from loyalty_service.gateways.stripe import StripeCodes

READ_TOO_EARLY = "lots_read_too_early"


def pytest_configure() -> None:
    """Plant it in the tests' own process."""
    plant_named()


def plant_named() -> None:
    """Plant the bug that `FAULT_PLANT` names, if any."""
    if name := os.environ.get("FAULT_PLANT"):
        PLANTS[name]()


def key_after_the_effect() -> None:
    """The idempotency key is written in a second transaction. Patches `idempotency.once`."""

    def once(session: Session, ask: Any, verb: Any, refuse: Any) -> Any:
        mine = (IdempotencyKey.program_id == ask.program_id, IdempotencyKey.key == ask.key)
        if session.scalar(select(IdempotencyKey.key).where(*mine)):
            return idempotency._replay(session, ask)
        answer = idempotency._run(session, verb, refuse)
        session.flush()
        session.commit()
        row = {name: getattr(ask, name) for name in ("program_id", "principal", "key")}
        row |= {name: getattr(answer, name) for name in ("status", "body", "resource_id")}
        row |= {"fingerprint": ask.fingerprint, "created_at": clock.wall()}
        db.insert_unless_there(session, IdempotencyKey, row)
        return answer

    _replace(idempotency.once, once)


def joined_lock() -> None:
    """Lots come with the lock, in its statement. Patches `book.open_book`, `.lots_to_spend`."""
    original = books.open_book

    def open_book(session: Session, program_id: str, member_id: str) -> Any:
        joined = (
            lots_of(program_id, member_id)
            .join(Account, (Account.program_id == program_id) & (Account.member_id == member_id))
            .with_for_update(of=Account)
        )
        session.info[READ_TOO_EARLY] = lot_states(session.execute(joined))
        return original(session, program_id, member_id)

    def lots_to_spend(book: Any, points: int) -> Any:
        return [lot for lot in book.session.info[READ_TOO_EARLY] if lot.available > 0]

    _replace(books.lots_to_spend, lots_to_spend)
    _replace(original, open_book)


def call_before_the_commit() -> None:
    """Stripe is asked inside the transaction, and not again after it.

    Patches `redemptions.place` and `StripeCodes.issue`.
    """
    place, issue = redemptions.place, StripeCodes.issue
    answers: dict[str, Any] = {}

    def place_and_ask(*given: Any, **more: Any) -> Any:
        row, job = place(*given, **more)
        issuer = current_app.extensions["code_issuers"](None)
        try:
            made = issuer.issue(fulfilment._request(row, job), timeout_seconds=600)
        except GatewayError as error:
            made = error
        answers[row.id] = made
        return row, job

    def issue_unless_answered(self: Any, request: Any, **more: Any) -> Any:
        made = answers.pop(request.redemption_id, None)
        if isinstance(made, GatewayError):
            raise made
        return made or issue(self, request, **more)

    _replace(place, place_and_ask)
    StripeCodes.issue = issue_unless_answered


def absolute_write() -> None:
    """A lot's points are set to what was read before the lock, less what is spent.

    Patches `book.open_book` and `writing._change_lots`. Under the lock an absolute write is
    right as long as what it starts from was read there too: so the reading goes with it.
    """
    original = books.open_book

    def open_book(session: Session, program_id: str, member_id: str) -> Any:
        lots = lot_states(session.execute(lots_of(program_id, member_id)))
        session.info[READ_TOO_EARLY] = {lot.id: lot for lot in lots}
        return original(session, program_id, member_id)

    def change_lots(book: Any, changes: dict[str, dict[str, int]]) -> None:
        read = book.session.info[READ_TOO_EARLY]
        lots = writing.LOTS
        for lot, by in changes.items():
            now = {place: getattr(read[lot], place) + points for place, points in by.items()}
            mine = (lots.c.program_id == book.program_id, lots.c.id == bindparam("lot"))
            book.session.connection().execute(update(lots).where(*mine).values(now), {"lot": lot})

    _replace(writing._change_lots, change_lots)
    _replace(original, open_book)


def commit_without_the_disk() -> None:
    """PostgreSQL says "committed" before it is written. Patches `_engine_options`."""
    original = loyalty_service._engine_options

    def careless(config: Any) -> Any:
        options = original(config)
        options["connect_args"]["options"] += " -c synchronous_commit=off"
        return options

    _replace(original, careless)


PLANTS: dict[str, Callable[[], None]] = {
    "key_after_the_effect": key_after_the_effect,
    "joined_lock": joined_lock,
    "call_before_the_commit": call_before_the_commit,
    "absolute_write": absolute_write,
    "commit_without_the_disk": commit_without_the_disk,
}


def _replace(function: Any, by: Any) -> None:
    """Put `by` wherever a module of the service names `function`."""
    found = 0
    for name, module in list(sys.modules.items()):
        if name.startswith("loyalty_service"):
            for word, value in list(vars(module).items()):
                if value is function:
                    setattr(module, word, by)
                    found += 1
    assert found, f"{function} is gone: the plant must follow it"
