"""What Stripe tells: proven, kept, answered; and worked on later, each event once.

An event may come twice, late, or before the one that it follows from: what is learnt of it does not
depend on that. Only what is ours is kept, since the account may be shared with others.
"""

import json
from collections.abc import Collection, Sequence
from functools import partial
from typing import NamedTuple

from flask import current_app
from sqlalchemy.orm import Session

from loyalty_service import db, logs
from loyalty_service.config import Config
from loyalty_service.domain import coded, inbox, jobs, program
from loyalty_service.domain.program.document import StripeFact
from loyalty_service.errors import (
    LoyaltyError,
    StripeEventNotRead,
    StripeNotSigned,
    StripeSignatureOld,
    StripeWebhookNotSet,
)
from loyalty_service.gateways import stripe_events, stripe_objects
from loyalty_service.gateways.payments import (
    BadSignature,
    Event,
    EventRefused,
    OldSignature,
    ThinEvent,
    Unreadable,
)
from loyalty_service.learning import Later, Learnt, Step, steps_of

log = logs.get("listening")

CODES = ("promotion_code.created", "promotion_code.updated")
CHECKOUTS = ("checkout.session.completed", "checkout.session.async_payment_succeeded")
INVOICES = ("invoice.paid",)
PAYMENTS = (
    "invoice_payment.paid",
    "charge.refunded",
    "refund.failed",
    "charge.dispute.created",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.funds_reinstated",
    "charge.dispute.closed",
)
HANDLED = (*CODES, *CHECKOUTS, *INVOICES, *PAYMENTS)
EVENT_ID_LENGTH = 40


class Received(NamedTuple):
    """What became of what arrived: the event, for how many programs it was kept, and why for
    none. Not `is_new` where all of them had it."""

    event: Event
    kept: int
    why: str | None = None
    is_new: bool = False


def receive(payload: bytes, header: str) -> Received:
    """Prove what arrived and keep it for whom it concerns; the worker does the rest.

    Raises StripeWebhookNotSet, StripeNotSigned, StripeSignatureOld, StripeEventNotRead.
    """
    config: Config = current_app.config["LOYALTY"]
    event = _proven(payload, header, _secrets(config))
    return keep(event, payload.decode())


def keep(event: Event, payload: str) -> Received:
    """Keep an event that is known to be Stripe's, for each program that it concerns."""
    if event.type not in HANDLED:
        return Received(event, 0, "this type is not used")
    if event.account is not None:
        return Received(event, 0, "it is another account's")
    if len(event.id) > EVENT_ID_LENGTH:
        return Received(event, 0, "its id is too long")
    return db.transaction(partial(_keep, event=event, payload=payload))


def work(session: Session, job: jobs.Claimed) -> None:
    """Learn from one event, and note what became of it."""
    row = inbox.require(session, job.program_id, job.subject_id)
    if row.status != inbox.DUE or row.payload is None:
        return jobs.done(session, job)
    event = stripe_objects.event(json.loads(row.payload, parse_float=str))
    learnt = _learn(session, job.program_id, event)
    if learnt.later is Later.CUSTOMER:
        inbox.wait_for(row, learnt.note)
    elif learnt.later is Later.MOMENT:
        return jobs.try_again(session, job, learnt.note)
    else:
        inbox.close(row, learnt.status, learnt.note or None)
    return jobs.done(session, job)


def _learn(session: Session, program_id: str, event: Event) -> Learnt:
    """All that an event tells: what is refused of it does not hold up the rest."""
    learnt = [_step(session, program_id, event, step) for step in steps_of(event.type)]
    refused = [one for one in learnt if one.status == inbox.REFUSED]
    return learnt[-1] if learnt[-1].later or not refused else refused[0]


def _step(session: Session, program_id: str, event: Event, step: Step) -> Learnt:
    """Learn in a savepoint: a refusal leaves nothing half done, and says why."""
    try:
        with session.begin_nested():
            return step(session, program_id, event)
    except LoyaltyError as refusal:
        log.warning("refused", event_id=event.id, code=refusal.code)
        return Learnt(inbox.REFUSED, f"{refusal.code}: {refusal.detail}")
    except Unreadable as error:
        log.error("unreadable", event_id=event.id, reason=str(error))
        return Learnt(inbox.REFUSED, str(error))


def _secrets(config: Config) -> list[str]:
    """Several, separated by commas, while one takes over from another."""
    secrets = [one.strip() for one in config.stripe_webhook_secret.split(",") if one.strip()]
    if not secrets:
        raise StripeWebhookNotSet("LOYALTY_STRIPE_WEBHOOK_SECRET is not set.")
    return secrets


def _proven(payload: bytes, header: str, secrets: Sequence[str]) -> Event:
    refusal: EventRefused | None = None
    for secret in secrets:
        try:
            return stripe_events.read_event(payload, header, secret)
        except BadSignature as error:
            refusal = refusal or error
        except EventRefused as error:
            # The secret is the right one.
            refusal = error
            break
    raise _refused(refusal)


def _refused(refusal: EventRefused | None) -> LoyaltyError:
    if isinstance(refusal, BadSignature):
        return StripeNotSigned("The Stripe-Signature header does not prove this body.")
    if isinstance(refusal, OldSignature):
        seconds = stripe_events.TOLERANCE_SECONDS
        return StripeSignatureOld(f"It was signed more than {seconds} seconds ago.")
    if isinstance(refusal, ThinEvent):
        return StripeEventNotRead(
            "The endpoint sends thin events; choose snapshot events at Stripe."
        )
    return StripeEventNotRead(f"The body is signed and no event: {refusal}.")


def _keep(session: Session, event: Event, payload: str) -> Received:
    concerned = _concerned(session, event)
    new = [
        inbox.receive(
            session,
            program_id,
            event.id,
            type_=event.type,
            created_at=event.created_at,
            payload=payload,
        )
        for program_id in concerned
    ]
    why = None if concerned else "it is nothing of ours"
    return Received(event, len(concerned), why, any(new))


def _concerned(session: Session, event: Event) -> list[str]:
    """The programs that an event is about."""
    named = stripe_objects.program_named(event.object)
    if event.type in CODES:
        return [named] if named and program.exists(session, named) else []
    earning = [
        one for one, rules in program.all_in_force(session) if _earns(event, rules.stripe.earn_from)
    ]
    if event.type in (*CHECKOUTS, *INVOICES):
        # Money that names no program is nobody's where several could take it.
        earning = [named] if named in earning else ([] if named or len(earning) > 1 else earning)
    return sorted({*earning, *_with_codes(session, event)})


def _earns(event: Event, earn_from: Collection[StripeFact]) -> bool:
    if event.type in INVOICES:
        return StripeFact.INVOICES in earn_from
    # A recurring checkout names the order that its invoice is; payments may be of either.
    return bool(earn_from)


def _with_codes(session: Session, event: Event) -> list[str]:
    """The programs whose codes a checkout used."""
    if event.type not in CHECKOUTS:
        return []
    try:
        used = stripe_objects.checkout(event.object).promotion_code_ids
    except Unreadable:
        return []
    return coded.programs_of_codes(session, used)
