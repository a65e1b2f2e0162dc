"""What an event earns: at once, or with the first order that it waits for."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from loyalty_service import ids
from loyalty_service.domain import crediting, jobs, program
from loyalty_service.domain.crediting import Account
from loyalty_service.domain.earning import EventFacts, pinning
from loyalty_service.domain.events.deciding import change, decide, minimums
from loyalty_service.domain.events.other_side import OTHER_SIDE
from loyalty_service.domain.events.table import RECORDED, WAITING, Event


@dataclass(frozen=True, slots=True)
class Made:
    """What was earned, and when it can be spent."""

    points: int
    available_at: datetime


def give(
    account: Account,
    rules: program.InForce,
    facts: EventFacts,
    event_id: str,
    occurred_at: datetime,
    transaction_id: str,
    *,
    order_id: str | None = None,
    paid_minor: int = 0,
) -> Made:
    """Post what an event earns, and promise the other side; raises PointsTooMany.

    `order_id` is the first order that it waited for, `paid_minor` that order's merchandise.
    """
    pins = pinning.pins(
        account.book,
        rules.rules,
        account.member,
        tier=crediting.tier_at(account, occurred_at),
        on=facts.type,
        at=occurred_at,
    )
    decided = decide(
        rules, facts, pins, occurred_at, account.book.now, order_id=order_id, paid_minor=paid_minor
    )
    crediting.post(account, change(decided, event_id, transaction_id, order_id=order_id))
    sides = decided.other_sides
    if any(side.other_side and side.other_side.field in facts.data for side in sides):
        jobs.promise(
            account.book.session,
            account.book.program_id,
            OTHER_SIDE,
            transaction_id,
            lease_seconds=0,
        )
    return Made(decided.earned.points, decided.matures_at)


def settle_waiting(account: Account, order_id: str, paid_minor: int, at: datetime) -> None:
    """Give what waited for a first order, where this one is large enough; raises PointsTooMany."""
    for event in _waiting(account):
        rules = account.history.as_of(event.occurred_at)
        wanted = minimums(rules.rules, event.type)
        if at < event.occurred_at or not wanted or paid_minor < min(wanted):
            continue
        transaction_id = ids.new("ltx")
        made = give(
            account,
            rules,
            event.facts,
            event.id,
            event.occurred_at,
            transaction_id,
            order_id=order_id,
            paid_minor=paid_minor,
        )
        _note_settled(account.book.session, event, made, transaction_id)


def _waiting(account: Account) -> list[Event]:
    book = account.book
    found = book.session.scalars(
        select(Event)
        .where(Event.program_id == book.program_id, Event.member_id == book.member_id)
        .where(Event.status == WAITING)
        .order_by(Event.occurred_at, Event.id)
    )
    return list(found)


def _note_settled(session: Session, event: Event, made: Made, transaction_id: str) -> None:
    session.execute(
        update(Event)
        .where(Event.program_id == event.program_id, Event.id == event.id)
        .values(
            status=RECORDED,
            points_earned=made.points,
            available_at=made.available_at,
            settled_by=transaction_id,
        )
        .execution_options(synchronize_session=False)
    )
