"""Bugs to plant, one at a time, to see that they are found; see `test_planted.py`.

`FAULT_PLANT` names one. The launcher plants it in the service's processes; as a pytest plugin
(`-p tests.faults.planted`) it is planted in the test process as well.
"""

import os
import sys
from collections.abc import Callable
from typing import Any

from flask import current_app
from sqlalchemy import update
from sqlalchemy.orm import Session

import loyalty_service
from loyalty_service import fulfilment, statements
from loyalty_service.domain import idempotency, opening, redemptions
from loyalty_service.domain.ledger import sending
from loyalty_service.domain.ledger.lots import lot_states, lots_of
from loyalty_service.domain.ledger.moves import LOT_SIDES
from loyalty_service.domain.ledger.tables import Account, Lot
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
    """The idempotency key is written in a second transaction. Patches `idempotency.keep`."""
    original = idempotency.keep

    def keep(session: Session, ask: Any, answer: Any) -> Any:
        connection = statements.connection_of(session)
        statements.settle(connection)
        connection.get_transaction().commit()
        original(session, ask, answer)
        connection.commit()
        return answer

    _replace(original, keep)


def joined_lock() -> None:
    """Lots come with the lock, in its statement. Patches `opening.together`."""
    together = opening.together

    def joined(session: Session, asked: Any) -> Any:
        whose = asked[0][1]
        mine = (Account.program_id == whose["of_program"]) & (Account.member_id == whose["ref"])
        lots = lots_of(whose["of_program"], whose["ref"]).join(Account, mine)
        read = session.execute(lots.where(Lot.available > 0).with_for_update(of=Account)).all()
        found, newest, _, *others = together(session, asked)
        return [found, newest, read, *others]

    opening.together = joined


def call_before_the_commit() -> None:
    """Stripe is asked inside the transaction, and not again after it.

    Patches `redemptions.place` and `StripeCodes.issue`.
    """
    place, issue = redemptions.place, StripeCodes.issue
    answers: dict[str, Any] = {}

    def place_and_ask(*given: Any, **more: Any) -> Any:
        placed = place(*given, **more)
        issuer = current_app.extensions["code_issuers"](None)
        request = fulfilment._request(placed, placed.promise)
        try:
            made = issuer.issue(request, timeout_seconds=600)
        except GatewayError as error:
            made = error
        answers[placed.row.id] = made
        return placed

    def issue_unless_answered(self: Any, request: Any, **more: Any) -> Any:
        made = answers.pop(request.subject_id, None)
        if isinstance(made, GatewayError):
            raise made
        return made or issue(self, request, **more)

    _replace(place, place_and_ask)
    StripeCodes.issue = issue_unless_answered


def absolute_write() -> None:
    """A lot's points are set to what was read before the lock, less what is spent.

    Patches `opening.together` and `sending.send`. Under the lock an absolute write is right as
    long as what it starts from was read there too: so the reading goes with it.
    """
    together, send = opening.together, sending.send

    def read_first(session: Session, asked: Any) -> Any:
        whose = asked[0][1]
        lots = lot_states(session.execute(lots_of(whose["of_program"], whose["ref"])))
        session.info[READ_TOO_EARLY] = {lot.id: lot for lot in lots}
        return together(session, asked)

    def send_absolutely(session: Session, rows: Any) -> None:
        for change in rows.changes:
            lot = session.info[READ_TOO_EARLY][change["lot"]]
            now = {place: getattr(lot, place) + change[f"{place}_by"] for place in LOT_SIDES}
            mine = (Lot.program_id == rows.program_id, Lot.id == lot.id)
            session.execute(update(Lot).where(*mine).values(now))
        send(session, rows._replace(changes=()))

    opening.together, sending.send = read_first, send_absolutely


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
