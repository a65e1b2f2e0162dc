"""What Stripe tells: proven, kept, answered; and worked on later, each event once.

An event may come twice, late, or before the one that it follows from: what is learnt of it does not
depend on that. Only what is ours is kept, since the account may be shared with others.
"""

import json
import re
from collections.abc import Collection, Sequence
from functools import partial
from typing import NamedTuple

from flask import current_app
from sqlalchemy.orm import Session

from loyalty_service import db, learning, logs
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
from loyalty_service.learning import About, Later, Learnt, Step, about, steps_of

log = logs.get("listening")

EVENT_ID_LENGTH = 40
# Ids of Stripe's and of ours, which are nobody's words.
_STRIPES_ID = re.compile(r"[A-Za-z]+_[A-Za-z0-9_]{1,80}")
_OUR_ID = re.compile(r"\b[a-z]{3}_[0-9a-hjkmnp-tv-z]{26}\b")


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
    if event.type not in learning.TYPES:
        return Received(event, 0, "this type is not used")
    if event.account is not None:
        return Received(event, 0, "it is another account's")
    if len(event.id) > EVENT_ID_LENGTH:
        return Received(event, 0, "its id is too long")
    return db.transaction(partial(_keep, event=event, payload=payload))


def work(job: jobs.Claimed) -> None:
    """Learn from one event, step by step, and note what became of it.

    Each step is a transaction of its own, since it may change another member's points than the
    last. A crash between them leaves the event due, and all steps are taken again.
    """
    event = db.read(partial(_due, job=job))
    learnt: list[Learnt] = []
    steps = list(steps_of(event.type)) if event else []
    while event and steps:
        learnt.append(_take(job, event, steps.pop(0)))
        if learnt[-1].later:
            return
        steps[:0] = learnt[-1].then
    db.transaction(partial(_close, job=job, learnt=learnt))


def _due(session: Session, job: jobs.Claimed) -> Event | None:
    row = inbox.find(session, job.program_id, job.subject_id)
    if row.status != inbox.DUE or row.payload is None:
        return None
    return stripe_objects.event(json.loads(row.payload, parse_float=str))


def _take(job: jobs.Claimed, event: Event, step: Step) -> Learnt:
    """Take a step: a refusal leaves nothing half done, says why, and does not hold up the rest."""
    try:
        return db.transaction(partial(_learn, job=job, event=event, step=step))
    except LoyaltyError as refusal:
        log.warning("refused", event_id=event.id, code=refusal.code)
        return Learnt(inbox.REFUSED, _why(event, refusal))
    except Unreadable as error:
        log.error("unreadable", event_id=event.id, reason=str(error))
        return Learnt(inbox.REFUSED, str(error))


def _learn(session: Session, job: jobs.Claimed, event: Event, step: Step) -> Learnt:
    # Locked: whoever has the event from a lease that ended waits, and then repeats what is done.
    row = inbox.require(session, job.program_id, job.subject_id)
    learnt = step(session, job.program_id, event)
    if row.status == inbox.DUE and learnt.later is Later.CUSTOMER:
        # In this transaction, in which it has its turn: the customer can't become a member unseen.
        inbox.wait_for(row, learnt.note)
        jobs.done(session, job)
    elif learnt.later is Later.MOMENT:
        jobs.try_again(session, job, learnt.note)
    return learnt


def _close(session: Session, job: jobs.Claimed, learnt: Sequence[Learnt]) -> None:
    row = inbox.require(session, job.program_id, job.subject_id)
    if row.status == inbox.DUE and learnt:
        refused = [one for one in learnt if one.status == inbox.REFUSED]
        said = [one for one in learnt if one.note]
        last = [*refused[:1], *said[-1:], learnt[-1]][0]
        inbox.close(row, last.status, last.note or None)
    jobs.done(session, job)


def _why(event: Event, refusal: LoyaltyError) -> str:
    """Why something was refused, in our own words and ids alone: what was told may be personal."""
    told = str(event.object.get("id"))
    ids = [told] if _STRIPES_ID.fullmatch(told) else []
    named = ", ".join([*ids, *_OUR_ID.findall(refusal.detail)])
    return f"{refusal.code}: {refusal.title}" + (f" ({named})" if named else "")


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
        return StripeSignatureOld(f"It was signed more than {seconds} seconds ago, or ahead.")
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
    kind = about(event.type)
    if kind is About.CODE:
        return [named] if named and program.exists(session, named) else []
    earning = [
        one for one, rules in program.all_in_force(session) if _earns(event, rules.stripe.earn_from)
    ]
    if kind in (About.CHECKOUT, About.INVOICE):
        # Money that names no program is nobody's where several could take it.
        earning = [named] if named in earning else ([] if named or len(earning) > 1 else earning)
    return sorted({*earning, *_with_codes(session, event)})


def _earns(event: Event, earn_from: Collection[StripeFact]) -> bool:
    if about(event.type) is About.INVOICE:
        return StripeFact.INVOICES in earn_from
    # A recurring checkout names the order that its invoice is; payments may be of either.
    return bool(earn_from)


def _with_codes(session: Session, event: Event) -> list[str]:
    """The programs whose codes a checkout used."""
    if about(event.type) is not About.CHECKOUT:
        return []
    try:
        used = stripe_objects.checkout(event.object).promotion_code_ids
    except Unreadable:
        return []
    return coded.programs_of_codes(session, used)
