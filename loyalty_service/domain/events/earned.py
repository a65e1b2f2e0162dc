"""What an event earns: at once or with a first order, and for the other side as a job."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from loyalty_service import clock, ids
from loyalty_service.db import insert_unless_there
from loyalty_service.domain import calendar, crediting, earning, expiry, jobs, ledger, program
from loyalty_service.domain.crediting import Account, Change
from loyalty_service.domain.earning import Earned, EventFacts, Pins, TierCredit, pinning
from loyalty_service.domain.earning.explained import RuleShare
from loyalty_service.domain.earning.lots import points_in
from loyalty_service.domain.events.table import RECORDED, WAITING, Event, require
from loyalty_service.domain.members import CLOSED
from loyalty_service.domain.opening import Ahead
from loyalty_service.domain.program.document import Activity, EarningRule
from loyalty_service.domain.tiers.tables import Grant
from loyalty_service.errors import PointsTooMany

OTHER_SIDE = "other_side"


@dataclass(frozen=True, slots=True)
class Made:
    """What was earned, and when it can be spent."""

    points: int
    available_at: datetime


@dataclass(frozen=True, slots=True)
class Decided:
    """What an event earns, by which rules, and what was known then."""

    type: str
    occurred_at: datetime
    earned_at: datetime
    rules: program.InForce
    pins: Pins
    earned: Earned

    @property
    def matures_at(self) -> datetime:
        """When its points become available."""
        rules = self.rules.rules
        return calendar.matures_at(self.earned_at, rules.pending_days_of(self.type), rules.zone)

    @property
    def other_sides(self) -> list[EarningRule]:
        """The rules that gave something and give to the other member, too."""
        return _sides(self.rules.rules, self.type, self.earned.explanation["rules"])


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


def decide(
    rules: program.InForce,
    facts: EventFacts,
    pins: Pins,
    occurred_at: datetime,
    now: datetime,
    *,
    order_id: str | None = None,
    paid_minor: int = 0,
) -> Decided:
    """Decide what an event earns; nothing by rules that wait for a first order of more than came.

    `order_id` is the first order that it waited for, `paid_minor` that order's merchandise. Pure;
    raises PointsTooMany.
    """
    if minimums(rules.rules, facts.type):
        pins = pins.with_stopped(_not_reached(rules.rules, facts.type, order_id, paid_minor))
    day = calendar.local_date(occurred_at, rules.rules.zone)
    try:
        earned = earning.earn_event(rules.rules, facts, pins, on=day)
    except earning.PointsOutOfRange as error:
        raise PointsTooMany(str(error), param="data") from error
    # What waited is earned by the order that it waited for.
    earned_at = now if order_id else min(occurred_at, now)
    return Decided(facts.type, occurred_at, earned_at, rules, pins, earned)


def change(
    decided: Decided, event_id: str, transaction_id: str, *, order_id: str | None = None
) -> Change:
    """The earning as it is posted; `order_id` is the first order that it waited for."""
    rules, earned, earned_at = decided.rules.rules, decided.earned, decided.earned_at
    context = {
        "cause": "event",
        "event": event_id,
        "event_type": decided.type,
        "program_version": decided.rules.version,
        "currency": rules.currency,
        "explanation": earned.explanation,
        "pinned": decided.pins.as_json(),
        **({"order": order_id} if order_id else {}),
    }
    moves, lots = points_in(
        earned.points,
        earned_at=earned_at,
        matures_at=decided.matures_at,
        expires_at=expiry.lot_end(rules, decided.pins.tier, earned_at),
        at=earned_at,
    )
    return Change(
        cause="event",
        entry=ledger.Entry("earn", moves, earned_at, context, new_lots=lots, id=transaction_id),
        version=decided.rules.version,
        day=calendar.local_date(decided.occurred_at, rules.zone),
        used_at=decided.occurred_at,
        tier_credit=earned.tier_credit,
        uses=earned.uses,
        activity=Activity.EVENT,
    )


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


def settle_other_side(session: Session, job: jobs.Claimed) -> None:
    """Give the other member of an event what its rules say, once."""
    kept = ledger.require_transaction(session, job.program_id, job.subject_id)
    context = json.loads(kept.context)
    event = require(session, job.program_id, context["event"])
    number = context["program_version"]
    rules = program.version(session, job.program_id, number)
    sides = _sides(rules, event.type, context["explanation"]["rules"])
    points = sum(rule.other_side.points for rule in sides if rule.other_side)
    account, _ = crediting.open_account(
        session, job.program_id, str(event.other_member_id), Ahead.EXPIRING
    )
    # Under the lock: whoever takes it back looks for what was given under the same one.
    is_kept = ledger.find_reversal(session, job.program_id, kept.id) is None
    if points and is_kept and account.member.status != CLOSED:
        _give_other(account, rules, number, event, points, max(rule.pending_days for rule in sides))
    jobs.done(session, job)


def other_cause(event: Event) -> str:
    """Under which name the other side of an event is given once."""
    return f"other_side:{event.transaction_id}"


def _give_other(
    account: Account,
    rules: program.Program,
    number: int,
    event: Event,
    points: int,
    pending_days: int,
) -> None:
    book = account.book
    cause = other_cause(event)
    if book.session.get(Grant, (book.program_id, book.member_id, cause)) is not None:
        return
    change = other_change(
        rules,
        {"event": event.id, "event_type": event.type, "program_version": number},
        points,
        pending_days,
        tier=crediting.tier_at(account, book.now),
        now=book.now,
    )
    crediting.post(account, change)
    row = {
        "program_id": book.program_id,
        "member_id": book.member_id,
        "cause": cause,
        "transaction_id": change.entry.id,
        "points": points,
        "withdrawn": 0,
        "recorded_at": clock.now(),
    }
    assert insert_unless_there(book.session, Grant, row), "granted twice under the account's lock"


def other_change(
    rules: program.Program,
    event: dict[str, Any],
    points: int,
    pending_days: int,
    *,
    tier: str | None,
    now: datetime,
) -> Change:
    """What the other member of an event gets now, as it is posted; `event` names it."""
    moves, lots = points_in(
        points,
        earned_at=now,
        matures_at=calendar.matures_at(now, pending_days, rules.zone),
        expires_at=expiry.lot_end(rules, tier, now),
        at=now,
    )
    context = {"cause": "other_side", **event, "points": points}
    return Change(
        cause="other_side",
        entry=ledger.Entry("earn", moves, now, context, new_lots=lots),
        version=event["program_version"],
        day=calendar.local_date(now, rules.zone),
        used_at=now,
        tier_credit=TierCredit(),
        uses={},
        activity=Activity.EVENT,
    )


def minimums(rules: program.Program, on: str) -> list[int]:
    """How large a first order must be, for each rule that waits for one."""
    return [
        rule.first_order_minimum_minor
        for rule in rules.rules_on(on)
        if rule.first_order_minimum_minor is not None
    ]


def _sides(rules: program.Program, on: str, shares: Iterable[RuleShare]) -> list[EarningRule]:
    """The rules that gave something and give to the other member, too."""
    points = {share["rule"]: share["points"] for share in shares}
    # A rule that gives nothing to spend gives by applying; any other, unless its caps left nothing.
    return [
        rule
        for rule in rules.rules_on(on)
        if rule.other_side and rule.id in points and (points[rule.id] or not rule.points_numerator)
    ]


def _not_reached(
    rules: program.Program, on: str, order_id: str | None, paid_minor: int
) -> set[str]:
    """What gives nothing: rules that ask for a larger first order; all where there is none."""
    if order_id is None:
        campaigns = {one.id for one in rules.campaigns if on in one.on}
        return campaigns | {rule.id for rule in rules.rules_on(on)}
    return {
        rule.id for rule in rules.rules_on(on) if (rule.first_order_minimum_minor or 0) > paid_minor
    }


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
