"""What becomes of a discount: issued or failed, used, cancelled or ended. Each may be repeated.

No points move, so that the discount's own row is lock enough; the budget that paid comes last.
"""

from datetime import datetime

from sqlalchemy.orm import Session

from loyalty_service import clock
from loyalty_service.domain import codes, counters, jobs, notices
from loyalty_service.domain.codes import (
    CAME_TO_NOTHING,
    CANCELLED,
    CANCELLING,
    ENDING,
    EXPIRED,
    EXPIRING,
    FAILED,
    ISSUED,
    PENDING,
    USED,
    become,
)
from loyalty_service.domain.discounts.table import Discount, require
from loyalty_service.errors import (
    DiscountFinal,
    DiscountNotUsable,
    DiscountPending,
    DiscountUsedAtStripe,
)
from loyalty_service.statements import Statement, Values

TOLD_ISSUED, TOLD_USED = "discount.issued", "discount.used"
_ISSUE = codes.issuing(Discount)
_TELL_ISSUED = codes.telling_issued(Discount, TOLD_ISSUED)
_REFUSALS = codes.Refusals(DiscountPending, DiscountFinal, DiscountNotUsable, DiscountUsedAtStripe)


def issued(
    session: Session,
    program_id: str,
    discount_id: str,
    promotion_code_id: str,
    *then: tuple[Statement, Values],
) -> bool:
    """The code exists. Safe to repeat: only a pending discount changes; False for any other."""
    mine = (program_id, discount_id, promotion_code_id)
    return codes.issued(session, _ISSUE, _TELL_ISSUED, *mine, *then)


def failed(session: Session, program_id: str, discount_id: str, why: str) -> None:
    """The code can't be made: the budget gets back what it paid. Safe to repeat."""
    row = _locked(session, program_id, discount_id)
    if row.status == PENDING:
        row.failure = why[:500]
        _come_to_nothing(session, row, FAILED)


def ask_to_cancel(
    session: Session, program_id: str, discount_id: str, *, lease_seconds: int
) -> tuple[Discount, jobs.Claimed | None]:
    """Begin to take an issued code back; nothing to do (None) where it is under way or done.

    What the shop applies itself is cancelled at once: there is nobody to ask.

    Raises DiscountNotFound, DiscountPending, DiscountFinal.
    """
    require(session, program_id, discount_id)
    row = _locked(session, program_id, discount_id)
    if not codes.is_to_cancel(row, clock.now(), _REFUSALS):
        return row, None
    promise = codes.begin_to_end(session, row, CANCELLING, lease_seconds=lease_seconds)
    if promise is None:
        _come_to_nothing(session, row, CANCELLED)
    return row, promise


def use(session: Session, program_id: str, discount_id: str) -> Discount:
    """The shop has given what the discount is for: its code is used, once.

    Raises DiscountNotFound, DiscountUsedAtStripe, DiscountNotUsable.
    """
    row = require(session, program_id, discount_id)
    codes.use(session, row, _REFUSALS)
    assert row.used_at, "what was used was used at a moment"
    _tell(session, row, TOLD_USED, row.used_at)
    return row


def learn_use(
    session: Session, program_id: str, discount_id: str, promotion_code_id: str
) -> Discount:
    """Stripe honoured the code; safe to repeat, whenever it is learnt.

    A budget that had got back what it paid pays again. Raises DiscountNotFound.
    """
    require(session, program_id, discount_id)
    row = _locked(session, program_id, discount_id)
    if row.status == USED:
        return row
    came_to_nothing, now = row.status in CAME_TO_NOTHING, clock.now()
    if row.status == PENDING:
        _tell(session, row, TOLD_ISSUED, now)
    codes.note_use(session, row, promotion_code_id, now)
    _tell(session, row, TOLD_USED, now)
    if came_to_nothing:
        counters.use_again(session, program_id, row.id)
    return row


def expire(session: Session, program_id: str, discount_id: str) -> bool:
    """Begin to end a code whose life is over; False where it is not issued any more.

    Stripe is asked whether it was used; what the shop applies itself ends at once. The budget has
    paid for the promise: nothing goes back.
    """
    row = _locked(session, program_id, discount_id)
    if row.status != ISSUED:
        return False
    if codes.begin_to_end(session, row, EXPIRING) is None:
        _end(session, row)
    return True


def learn_withdrawal(
    session: Session, program_id: str, discount_id: str, promotion_code_id: str
) -> bool:
    """A person has withdrawn an unused code at Stripe: it is cancelled. Safe to repeat.

    False where nothing follows: it was over before, or has another code than this one.

    Raises DiscountNotFound.
    """
    require(session, program_id, discount_id)
    row = _locked(session, program_id, discount_id)
    return codes.withdrawn_by_hand(session, row, promotion_code_id, clock.now())


def withdrawn(session: Session, program_id: str, discount_id: str, times_redeemed: int) -> None:
    """The code is dead at Stripe: used it is used, else it never was. Safe to repeat."""
    row = _locked(session, program_id, discount_id)
    if row.status not in ENDING:
        return
    if times_redeemed:
        now = clock.now()
        codes.become_used(session, row, now)
        _tell(session, row, TOLD_USED, now)
    else:
        _end(session, row)


def _tell(session: Session, row: Discount, type_: str, at: datetime) -> None:
    notices.announce(session, row.program_id, row.member_id, type_, row.id, occurred_at=at)


def _end(session: Session, row: Discount) -> None:
    """Nobody used it: only what was cancelled comes to nothing."""
    if row.status == CANCELLING:
        _come_to_nothing(session, row, CANCELLED)
        return
    become(row, EXPIRED)
    session.flush()


def _come_to_nothing(session: Session, row: Discount, status: str) -> None:
    become(row, status)
    session.flush()
    counters.give_back(session, row.program_id, row.id)


def _locked(session: Session, program_id: str, discount_id: str) -> Discount:
    row = session.get_one(Discount, (program_id, discount_id))
    session.refresh(row, with_for_update={"key_share": True})
    return row
