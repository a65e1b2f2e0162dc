"""Recording an event: once per event id, earning by the rules in force when it happened.

A rule may give to another member, too: that side is a job with the event as its business key. And
it may wait for the member's first order.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from loyalty_service import canonical, clock, ids
from loyalty_service.db import TakenMeanwhile
from loyalty_service.domain import crediting, ledger, members, program, timely
from loyalty_service.domain.crediting import Account
from loyalty_service.domain.earning import EventFacts
from loyalty_service.domain.events import data, deciding, earned
from loyalty_service.domain.events.table import RECORDED, WAITING, Event, as_it_stands, require
from loyalty_service.domain.ledger import sending
from loyalty_service.domain.opening import Ahead
from loyalty_service.domain.orders.table import CANCELLED, Order
from loyalty_service.domain.program.document import EventType
from loyalty_service.errors import EventConflict, EventInFuture, EventTooLate, SelfReferral
from loyalty_service.statements import Statement, table_of


@dataclass(frozen=True, slots=True)
class EventToRecord:
    """What the shop sends: its id, what happened, to whom, when, and the data of its type."""

    id: str
    type: str
    member: str
    occurred_at: datetime
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event's columns and the member's balance; not `created` where it was there already."""

    event: dict[str, Any]
    balance: ledger.Balance
    created: bool


_LOOK = Statement(
    select(func.count()).where(
        Event.program_id == bindparam("of_program"), Event.id == bindparam("event")
    )
)


def record(session: Session, program_id: str, event: EventToRecord) -> Recorded:
    """Record an event and earn its points.

    Raises MemberNotFound, MemberClosed, EventConflict, EventInFuture, EventTooLate, SelfReferral,
    PointsTooMany, ProgramNotApplied, ValidationFailed.
    """
    account, (((is_there,),),) = crediting.open_account(
        session,
        program_id,
        event.member,
        Ahead.EXPIRING,
        (_LOOK, {"of_program": program_id, "event": event.id}),
    )
    rules = account.history.as_of(event.occurred_at)
    kind = data.require_type(rules.rules, event.type)
    data.require_data(kind, event.data)
    other = _other_member(session, account, rules.rules, kind, event)
    if is_there:
        return _same(session, program_id, event, kind, account)
    _require_in_time(event.occurred_at, rules.rules.late_days)
    members.require_earning(account.member)
    row = _post(account, event, rules, other)
    sending.insert_key(session, sending.Key(table_of(Event), row, TakenMeanwhile(event.id)))
    return Recorded(row, ledger.balance_of(account.book), created=True)


def _post(
    account: Account, event: EventToRecord, rules: program.InForce, other: str | None
) -> dict[str, Any]:
    transaction_id = ids.new("ltx")
    row: dict[str, Any] = {
        "program_id": account.book.program_id,
        "id": event.id,
        "type": event.type,
        "member_id": account.member.id,
        "other_member_id": other,
        "status": RECORDED,
        "occurred_at": event.occurred_at,
        "content": canonical.dumps(_content(account.member.id, event)),
        "points_earned": 0,
        "available_at": None,
        "transaction_id": transaction_id,
        "settled_by": None,
        "recorded_at": clock.now(),
    }
    if _waits_for_first_order(account, rules.rules, event.type, event.occurred_at):
        context = {
            "cause": "event",
            "event": event.id,
            "event_type": event.type,
            "program_version": rules.version,
            "waiting_for": "first_order",
        }
        at = min(event.occurred_at, account.book.now)
        ledger.post(account.book, ledger.Entry("earn", [], at, context, id=transaction_id))
        return row | {"status": WAITING}
    facts = EventFacts(event.type, event.data)
    made = earned.give(account, rules, facts, event.id, event.occurred_at, transaction_id)
    return row | {"points_earned": made.points, "available_at": made.available_at}


def _waits_for_first_order(
    account: Account, rules: program.Program, on: str, occurred_at: datetime
) -> bool:
    """Say whether an event is to wait: its rules ask for a first order, and none was there before.

    A member who ordered before the event is no new customer: nothing is earned, and nothing waits.
    """
    return bool(deciding.minimums(rules, on)) and not _ordered_before(account, occurred_at)


def _ordered_before(account: Account, at: datetime) -> bool:
    book = account.book
    found = book.session.scalar(
        select(Order.id)
        .where(Order.program_id == book.program_id, Order.member_id == book.member_id)
        .where(Order.placed_at < at, Order.status != CANCELLED)
        .limit(1)
    )
    return found is not None


def _other_member(
    session: Session,
    account: Account,
    rules: program.Program,
    kind: EventType,
    event: EventToRecord,
) -> str | None:
    """The other member that the data names; raises MemberNotFound and SelfReferral."""
    named = data.member_in(rules, kind, event.data)
    if named is None:
        return None
    field, ref = named
    other = members.require(session, account.book.program_id, ref, param=f"data.{field}")
    if other.id == account.member.id:
        raise SelfReferral(
            f"data.{field} names the member whose event it is; name the other one.",
            param=f"data.{field}",
        )
    return other.id


def _require_in_time(occurred_at: datetime, late_days: int) -> None:
    told = occurred_at, "occurred_at"
    timely.require_not_ahead(*told, send="it happened", refusal=EventInFuture)
    timely.require_not_late(*told, late_days, what="an event", refusal=EventTooLate)


def _content(member_id: str, event: EventToRecord) -> dict[str, Any]:
    return {
        "member": member_id,
        "type": event.type,
        "occurred_at": canonical.timestamp(event.occurred_at),
        "data": dict(event.data),
    }


def _same(
    session: Session, program_id: str, event: EventToRecord, kind: EventType, account: Account
) -> Recorded:
    existing = require(session, program_id, event.id)
    before, sent = json.loads(existing.content), _content(account.member.id, event)
    sent["data"] |= _named_alike(session, program_id, kind, before["data"], sent["data"])
    others = [name for name in sent if sent[name] != before[name]]
    if others:
        raise EventConflict(
            f"Event {event.id!r} was recorded as transaction {existing.transaction_id} "
            f"and differs now in {', '.join(others)}. An event is recorded once: send another one "
            "under its own id.",
            param="id",
        )
    balance = ledger.balance(session, program_id, existing.member_id)
    return Recorded(as_it_stands(session, existing), balance, created=False)


def _named_alike(
    session: Session,
    program_id: str,
    kind: EventType,
    before: Mapping[str, Any],
    sent: Mapping[str, Any],
) -> dict[str, Any]:
    """The members in an event's data by the names that they went by before."""
    return {
        name: before[name]
        for name in data.member_fields(kind)
        if name in before
        and name in sent
        and members.are_one(session, program_id, str(before[name]), sent[name])
    }
