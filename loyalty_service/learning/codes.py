"""What becomes of codes: used at a checkout, withdrawn by a person."""

from functools import partial

from sqlalchemy.orm import Session

from loyalty_service.domain import coded, inbox
from loyalty_service.domain.codes import PENDING, not_its_own
from loyalty_service.gateways import stripe_objects
from loyalty_service.gateways.payments import CodeState, Event
from loyalty_service.learning.learnt import Later, Learnt
from loyalty_service.learning.patience import is_young


def code(session: Session, program_id: str, event: Event) -> Learnt:
    """A code of ours is another than it was."""
    told = stripe_objects.code_state(event.object)
    if told is None or told.program_id != program_id or not coded.is_known(told.subject_id):
        return Learnt(inbox.IGNORED, "not a code of this program")
    if told.times_redeemed:
        return _told_used(session, program_id, told)
    if not told.active:
        return _withdrawn(session, program_id, event, told)
    return Learnt()


def used(session: Session, program_id: str, event: Event) -> Learnt:
    """A checkout names the codes that paid a part of it; each may be another member's."""
    used = stripe_objects.checkout(event.object).promotion_code_ids
    return Learnt(then=tuple(partial(_use, promotion_code_id=one) for one in used))


def _use(session: Session, program_id: str, event: Event, *, promotion_code_id: str) -> Learnt:
    if found := coded.find_by_code(session, program_id, promotion_code_id):
        coded.noun_of(found.id).learn_use(session, program_id, found.id, promotion_code_id)
    return Learnt()


def _told_used(session: Session, program_id: str, told: CodeState) -> Learnt:
    """A code was used; where it is not the one that we made, somebody has to look at it."""
    noun = coded.noun_of(told.subject_id)
    row = noun.require(session, program_id, told.subject_id)
    if why := not_its_own(row, told.promotion_code_id):
        return Learnt(inbox.REFUSED, f"a code that names {row.id} was used: {why}")
    noun.learn_use(session, program_id, row.id, told.promotion_code_id)
    return Learnt()


def _withdrawn(session: Session, program_id: str, event: Event, told: CodeState) -> Learnt:
    """Withdrawn by a person at Stripe: a dead code is no reward."""
    noun = coded.noun_of(told.subject_id)
    row = noun.require(session, program_id, told.subject_id)
    if row.status == PENDING and is_young(event):
        # Which code it has is not known yet: this one may be a duplicate that nobody misses.
        return Learnt(note="its code is being made", later=Later.MOMENT)
    if noun.learn_withdrawal(session, program_id, row.id, told.promotion_code_id):
        return Learnt()
    return Learnt(note="nothing hangs on this code")
