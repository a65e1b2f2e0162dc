"""What webhooks missed, found by asking Stripe: its events again, and every code, both ways."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy.orm import Session

from loyalty_service import db, learning, listening
from loyalty_service.domain import coded, codes, payments
from loyalty_service.domain.codes import HasCode
from loyalty_service.errors import NotFound
from loyalty_service.gateways.codes import CodeIssuer, IssuedCode
from loyalty_service.gateways.payments import CodeState, Event
from loyalty_service.gateways.stripe_reading import StripePayments

# Stripe keeps events for 30 days.
REACH = timedelta(days=30)
TIMEOUT_SECONDS = 20.0


@dataclass(slots=True)
class Found:
    """What a look at Stripe came to; `differences` are what nobody can mend from here."""

    events: int = 0
    missed: list[str] = field(default_factory=list)
    codes: int = 0
    used: list[str] = field(default_factory=list)
    withdrawn: list[str] = field(default_factory=list)
    strays: list[str] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)


def reconcile(
    program_id: str,
    reader: StripePayments,
    issuer: CodeIssuer,
    since: datetime,
    progress: Callable[[], None] = lambda: None,
) -> Found:
    """Take in the events since a moment that never arrived, then hold every code against ours.

    What an event tells is worked on by the worker. Safe to repeat. Raises GatewayError where Stripe
    can't be asked, and Unreadable.
    """
    found = Found()
    for event in reader.list_events(since, learning.TYPES):
        found.events += 1
        if listening.keep(event, payload_of(event)).is_new:
            found.missed.append(f"{event.type} {event.id}")
        progress()
    # What is issued while we read is on no page that we have read already.
    issued = db.read(partial(coded.issued_at_stripe, program_id=program_id))
    seen = set()
    for code in reader.list_codes(program_id):
        found.codes += 1
        seen.add(code.subject_id)
        _compare(found, code, issuer)
        progress()
    for id_ in sorted(set(issued) - seen):
        found.differences += _not_there(program_id, id_, issuer)
    untold = db.read(partial(payments.untold, program_id=program_id))
    found.differences += [_untold(one) for one in untold]
    return found


def payload_of(event: Event) -> str:
    """An event that was read as it would have arrived."""
    told = {
        "id": event.id,
        "object": "event",
        "type": event.type,
        "created": int(event.created_at.timestamp()),
        "account": event.account,
        "api_version": event.api_version,
        "livemode": event.livemode,
        "data": {"object": event.object, "previous_attributes": event.previous},
    }
    return json.dumps(told)


def _compare(found: Found, code: CodeState, issuer: CodeIssuer) -> None:
    row = db.read(partial(_row, program_id=code.program_id, id_=code.subject_id))
    if row is None:
        found.differences.append(f"code {code.code} names {code.subject_id}, which is not here")
        return
    noun = coded.noun_of(row.id)
    why = codes.not_its_own(row, code.promotion_code_id)
    if code.times_redeemed and why and row.status == codes.ISSUED:
        # The one that we made can still be used: a person has to decide whether it may be.
        found.differences.append(f"code {code.code} names {row.id} and was used: {why}")
    if code.times_redeemed and not why and row.status != codes.USED:
        _learn(found.used, row, noun.learn_use, code.promotion_code_id)
    elif not code.active and not code.times_redeemed and row.status == codes.ISSUED:
        _learn(found.withdrawn, row, noun.learn_withdrawal, code.promotion_code_id)
    elif code.active and row.promotion_code_id not in (None, code.promotion_code_id):
        # Somebody has made a second one: both would be honoured.
        _withdraw(found, row, code.promotion_code_id, issuer)
    elif code.active and row.status in (codes.FAILED, codes.CANCELLED, codes.EXPIRED):
        _withdraw_stray(found, row, code.code, issuer)


def _withdraw_stray(found: Found, row: HasCode, code: str, issuer: CodeIssuer) -> None:
    """The points are back: the code must not be honoured.

    The page may be older than our row, so that the code has died meanwhile: Stripe is asked again.
    """
    now = _at_stripe(row, code, issuer)
    if now is not None and now.active:
        _withdraw(found, row, now.promotion_code_id, issuer)


def _withdraw(found: Found, row: HasCode, promotion_code_id: str, issuer: CodeIssuer) -> None:
    issuer.withdraw(promotion_code_id, timeout_seconds=TIMEOUT_SECONDS)
    found.strays.append(row.id)


def _row(session: Session, program_id: str, id_: str) -> HasCode | None:
    if not coded.is_known(id_):
        return None
    try:
        return coded.noun_of(id_).require(session, program_id, id_)
    except NotFound:
        return None


def _at_stripe(row: HasCode, code: str, issuer: CodeIssuer) -> IssuedCode | None:
    return issuer.find(
        program_id=row.program_id, subject_id=row.id, code=code, timeout_seconds=TIMEOUT_SECONDS
    )


def _learn(into: list[str], row: HasCode, verb: Callable[..., object], *more: str) -> None:
    if db.transaction(lambda session: verb(session, row.program_id, row.id, *more)):
        into.append(row.id)


def _untold(order: payments.Untold) -> str:
    return (
        f"order {order.order_id} is the shop's: {order.gone_minor} ({order.currency}, minor units) "
        f"went back at Stripe, and of its merchandise the shop has told of {order.told_minor}; "
        "POST its refund"
    )


def _not_there(program_id: str, id_: str, issuer: CodeIssuer) -> list[str]:
    """A code that we call good and no page had: both are asked again, since time has passed."""
    row = db.read(partial(_row, program_id=program_id, id_=id_))
    if row is None or row.status != codes.ISSUED or row.code is None:
        return []
    if _at_stripe(row, row.code, issuer) is not None:
        return []
    return [f"{coded.name_of(id_)} {id_} is issued, and Stripe has no code of it"]
