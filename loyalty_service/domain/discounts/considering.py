"""What facts make due: a tier that was reached, an order of a certain number, low feedback.

The worker keeps the promise that was written with the fact. The rules that were in force when the
fact was recorded decide; whoever is not active by then gets none.
"""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from loyalty_service.domain import jobs, ledger, opening, program
from loyalty_service.domain.discounts.due import Due
from loyalty_service.domain.discounts.giving import give_due
from loyalty_service.domain.discounts.promising import is_low
from loyalty_service.domain.events import table as event_rows
from loyalty_service.domain.ledger import Transaction
from loyalty_service.domain.members import ACTIVE, Known
from loyalty_service.domain.opening import Ahead
from loyalty_service.domain.orders import table as order_rows
from loyalty_service.domain.orders.table import EARNING_ID, RECORDED, Order
from loyalty_service.domain.program import Program
from loyalty_service.domain.program.document import TriggerKind
from loyalty_service.domain.tiers import entry as tier_entry


def consider(session: Session, job: jobs.Claimed) -> None:
    """Give what a fact made due, each once for its cause."""
    fact = ledger.require_transaction(session, job.program_id, job.subject_id)
    member, book, newest, _ = opening.open_for(
        session, job.program_id, fact.member_id, Ahead.EXPIRING
    )
    rules = program.as_of(session, job.program_id, newest, fact.recorded_at)
    # A history that is written down afterwards is no reason for thanks today.
    is_late = fact.occurred_at < book.now - timedelta(days=rules.rules.late_days)
    # Budgets come last of all.
    jobs.done(session, job)
    if member.status == ACTIVE and not is_late:
        give_due(book, rules, _due(book, fact, member, rules.rules))


def _due(book: ledger.Book, fact: Transaction, member: Known, rules: Program) -> Iterator[Due]:
    context = json.loads(fact.context)
    if fact.kind == "tier_change":
        yield from _by_tier(book, fact, context, member, rules)
    elif context["cause"] == "order":
        yield from _by_number(book, fact, context, rules)
    elif context["cause"] == "event":
        yield from _by_feedback(book, fact, context, rules)


def _by_tier(
    book: ledger.Book, fact: Transaction, context: dict[str, Any], member: Known, rules: Program
) -> Iterator[Due]:
    """For each tier that was newly reached, once a period, and only while it is held."""
    if rules.tiers is None:
        return
    reached = tier_entry.between(rules, context["from"], context["to"])
    kept = tier_entry.between(rules, None, book.standing.tier)
    period = tier_entry.period_of(rules, member.enrolled_at, fact.occurred_at)
    held = {tier.id for tier in reached} & {tier.id for tier in kept}
    for offer in rules.offers_for(TriggerKind.TIER_REACHED):
        tier = offer.trigger.tier
        if tier in held:
            yield Due(offer, tier_entry.cause_of(tier, period))


def _by_number(
    book: ledger.Book, fact: Transaction, context: dict[str, Any], rules: Program
) -> Iterator[Due]:
    """An order that was cancelled meanwhile has no number: the next one has it."""
    order = order_rows.require(book.session, book.program_id, context["order"])
    offers = rules.offers_for(TriggerKind.NTH_ORDER)
    if order.status != RECORDED or not offers:
        return
    highest = max(offer.trigger.order_number or 0 for offer in offers)
    number = _number_of(book, fact, highest + 1)
    for offer in offers:
        if offer.trigger.order_number == number:
            yield Due(offer, f"orders:{number}")


def _by_feedback(
    book: ledger.Book, fact: Transaction, context: dict[str, Any], rules: Program
) -> Iterator[Due]:
    event = event_rows.require(book.session, book.program_id, context["event"])
    for offer in rules.offers_for(TriggerKind.LOW_FEEDBACK):
        if is_low(offer, event.type, dict(event.facts.data)):
            yield Due(offer, f"event:{fact.id}")


def _number_of(book: ledger.Book, fact: Transaction, most: int) -> int:
    """How many of the member's orders had earned with this one, of those that stand; at most so
    many are counted: whoever waits for the member's lock need not wait for all of a long life."""
    its_own = (Transaction.program_id == Order.program_id) & (Transaction.id == EARNING_ID)
    counted = (
        select(Order.id)
        .join(Transaction, its_own)
        .where(Order.program_id == book.program_id, Order.member_id == book.member_id)
        .where(Order.status == RECORDED, Transaction.sequence <= fact.sequence)
        .limit(most)
        .subquery()
    )
    return int(book.session.scalar(select(func.count()).select_from(counted)) or 0)
