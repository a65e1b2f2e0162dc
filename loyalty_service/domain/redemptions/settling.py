"""What becomes of a redemption that nobody uses: issued or failed, cancelled or ended.

Each step is safe to repeat. What is used is in `using`.
"""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from loyalty_service.domain import codes, counters, jobs, ledger, notices, program, restoring
from loyalty_service.domain.codes import (
    CANCELLED,
    CANCELLING,
    ENDING,
    EXPIRED,
    EXPIRING,
    FAILED,
    ISSUED,
    PENDING,
    become,
)
from loyalty_service.domain.ledger.entries import FIGURES
from loyalty_service.domain.program.document import UnusedCodes
from loyalty_service.domain.redemptions.table import Redemption, require
from loyalty_service.errors import (
    RedemptionFinal,
    RedemptionNotUsable,
    RedemptionPending,
    RedemptionUsedAtStripe,
)
from loyalty_service.statements import Statement, Values

REFUSALS = codes.Refusals(
    RedemptionPending, RedemptionFinal, RedemptionNotUsable, RedemptionUsedAtStripe
)
_ISSUE = codes.issuing(Redemption)
_TELL_ISSUED = codes.telling_issued(Redemption, "redemption.issued")


def issued(
    session: Session,
    program_id: str,
    redemption_id: str,
    promotion_code_id: str,
    *then: tuple[Statement, Values],
) -> bool:
    """The code exists. Safe to repeat: only a pending redemption changes; False for any other."""
    mine = (program_id, redemption_id, promotion_code_id)
    return codes.issued(session, _ISSUE, _TELL_ISSUED, *mine, *then)


def failed(session: Session, program_id: str, redemption_id: str, why: str) -> None:
    """The code can't be made: the points go back. Safe to repeat."""
    book, row = locked(session, program_id, redemption_id)
    if row.status == PENDING:
        row.failure = why[:500]
        _restore(session, book, row, FAILED)


def ask_to_cancel(
    session: Session, program_id: str, redemption_id: str, *, lease_seconds: int
) -> tuple[Redemption, jobs.Claimed | None]:
    """Begin to take an issued code back; nothing to do (None) where it is under way or done.

    What the shop applies itself is cancelled at once: there is nobody to ask.

    Raises RedemptionNotFound, RedemptionPending, RedemptionFinal.
    """
    require(session, program_id, redemption_id)
    book, row = locked(session, program_id, redemption_id)
    if not codes.is_to_cancel(row, book.now, REFUSALS):
        return row, None
    promise = codes.begin_to_end(session, row, CANCELLING, lease_seconds=lease_seconds)
    if promise is None:
        _restore(session, book, row, CANCELLED)
    return row, promise


def expire(session: Session, program_id: str, redemption_id: str) -> bool:
    """Begin to end a code whose life is over; False where it is not issued any more.

    Stripe is asked whether it was used; what the shop applies itself ends at once.
    """
    book, row = locked(session, program_id, redemption_id)
    if row.status != ISSUED:
        return False
    if codes.begin_to_end(session, row, EXPIRING) is None:
        _end(session, book, row)
    return True


def learn_withdrawal(
    session: Session, program_id: str, redemption_id: str, promotion_code_id: str
) -> bool:
    """A person has withdrawn an unused code at Stripe: it is cancelled. Safe to repeat.

    False where nothing follows: it was over before, or has another code than this one.

    Raises RedemptionNotFound.
    """
    require(session, program_id, redemption_id)
    book, row = locked(session, program_id, redemption_id)
    return codes.withdrawn_by_hand(session, row, promotion_code_id, book.now)


def withdrawn(session: Session, program_id: str, redemption_id: str, times_redeemed: int) -> None:
    """The code is dead at Stripe: used it is used, else the points go back. Safe to repeat."""
    book, row = locked(session, program_id, redemption_id)
    if row.status not in ENDING:
        return
    if times_redeemed:
        codes.become_used(session, row, book.now)
        tell(session, row, "redemption.used", book.now)
    else:
        _end(session, book, row)


def locked(session: Session, program_id: str, redemption_id: str) -> tuple[ledger.Book, Redemption]:
    """The account first, as everywhere, then the redemption as it stands under both locks."""
    row = session.get_one(Redemption, (program_id, redemption_id))
    book = ledger.open_book(session, program_id, row.member_id)
    session.refresh(row, with_for_update={"key_share": True})
    return book, row


def _end(session: Session, book: ledger.Book, row: Redemption) -> None:
    """Nobody used it: what was cancelled comes back; what only ended, as the program says."""
    if row.status == CANCELLING:
        _restore(session, book, row, CANCELLED)
        return
    rules = program.version(session, row.program_id, row.program_version)
    if rules.restored_points.unused_codes is UnusedCodes.GIVE_BACK:
        _restore(session, book, row, EXPIRED)
    else:
        become(row, EXPIRED)
        session.flush()
        tell(session, row, "redemption.expired", book.now, _nothing_back(book, row))


def _nothing_back(book: ledger.Book, row: Redemption) -> dict[str, Any]:
    """What a restoration would have told."""
    balance = {figure: getattr(book, figure) for figure in FIGURES}
    said = {"redemption": row.id, "reward": row.reward_id, "points": 0}
    return said | {"transaction": None, "balance": balance}


def tell(
    session: Session, row: Redemption, type_: str, at: datetime, data: dict[str, Any] | None = None
) -> None:
    """What became of a redemption, for whoever listens."""
    notices.announce(
        session, row.program_id, row.member_id, type_, row.id, occurred_at=at, data=data
    )


def _restore(session: Session, book: ledger.Book, row: Redemption, status: str) -> None:
    rules = program.version(session, row.program_id, row.program_version)
    # A gift has no points to bring back; what it used comes back all the same.
    planned = ledger.restore(
        book,
        row.transaction_id,
        row.points,
        restoring.when_expired(book.now, rules, book.standing.tier),
    )
    context: dict[str, Any] = {
        "cause": status,
        "redemption": row.id,
        "reward_name": row.reward_name,
        "program_version": row.program_version,
    }
    row.restored_by = ledger.post(
        book,
        ledger.Entry(
            "restoration", planned.moves, book.now, context, row.transaction_id, planned.new_lots
        ),
    )
    become(row, status)
    counters.give_back(session, row.program_id, row.id)
    session.flush()
