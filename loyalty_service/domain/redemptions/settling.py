"""What becomes of a redemption that nobody uses: issued or failed, cancelled or ended.

Each step is safe to repeat. What is used is in `using`.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, literal_column, null, select, update
from sqlalchemy.orm import Session

from loyalty_service import canonical, clock
from loyalty_service.domain import counters, jobs, ledger, notices, program, restoring
from loyalty_service.domain.ledger.entries import FIGURES
from loyalty_service.domain.notices import untold
from loyalty_service.domain.program.document import UnusedCodes
from loyalty_service.domain.redemptions.table import (
    CANCELLED,
    CANCELLING,
    EXPIRED,
    EXPIRING,
    FAILED,
    ISSUED,
    PENDING,
    TRANSITIONS,
    USED,
    WITHDRAW_CODE,
    Redemption,
    become,
    require,
)
from loyalty_service.errors import (
    RedemptionFinal,
    RedemptionPending,
)
from loyalty_service.statements import Statement, Values, together

_ISSUE = Statement(
    update(Redemption)
    .where(Redemption.program_id == bindparam("of_program"), Redemption.id == bindparam("ref"))
    .where(Redemption.status == literal_column(f"'{PENDING}'"))
    .values(status=literal_column(f"'{ISSUED}'"), promotion_code_id=bindparam("made"))
    .returning(Redemption.id)
)
# Where the code was there before, the notice is as well: it is told once.
_TELL_ISSUED = untold.about(
    select(
        Redemption.program_id,
        Redemption.member_id,
        literal_column("'redemption.issued'"),
        Redemption.id,
        bindparam("at", type_=untold.MOMENT),
        null(),
    )
    .where(Redemption.program_id == bindparam("of_program"), Redemption.id == bindparam("ref"))
    .where(Redemption.status == literal_column(f"'{ISSUED}'")),
    bindparam("of_program"),
)


def issued(
    session: Session,
    program_id: str,
    redemption_id: str,
    promotion_code_id: str,
    *then: tuple[Statement, Values],
) -> bool:
    """The code exists. Safe to repeat: only a pending redemption changes; False for any other.

    No points move, so that the redemption's own row is lock enough. `then` goes the same way.
    """
    assert ISSUED in TRANSITIONS[PENDING]
    mine = {"of_program": program_id, "ref": redemption_id}
    issue = _ISSUE, {**mine, "made": promotion_code_id}
    changed, *_ = together(session, [issue, (_TELL_ISSUED, {**mine, "at": clock.now()}), *then])
    return bool(changed)


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
    if row.status == PENDING:
        raise RedemptionPending(f"{row.id} has no code yet; try again in a moment.", param="id")
    if row.status in (CANCELLING, CANCELLED):
        return row, None
    if CANCELLING not in TRANSITIONS[row.status]:
        raise RedemptionFinal(f"{row.id} is {row.status}.", param="id")
    if row.expires_at is not None and row.status_at(book.now) == EXPIRING:
        ended = canonical.timestamp(row.expires_at)
        raise RedemptionFinal(f"The code of {row.id} ended at {ended}.", param="id")
    become(row, CANCELLING)
    if row.is_settled_here:
        _restore(session, book, row, CANCELLED)
        return row, None
    session.flush()
    return row, jobs.promise(
        session, program_id, WITHDRAW_CODE, row.id, lease_seconds=lease_seconds
    )


def expire_due(session: Session, *, limit: int) -> int:
    """Begin to end codes whose life is over, oldest first; returns how many were found.

    Stripe is asked whether they were used; what the shop applies itself ends at once.
    """
    found = session.execute(
        select(Redemption.program_id, Redemption.id)
        .where(Redemption.status == ISSUED, Redemption.expires_at <= clock.now())
        .order_by(Redemption.expires_at)
        .limit(limit)
    ).all()
    for program_id, redemption_id in found:
        _expire(session, program_id, redemption_id)
    return len(found)


def learn_withdrawal(session: Session, program_id: str, redemption_id: str) -> None:
    """A person has withdrawn an unused code at Stripe: it is cancelled. Safe to repeat.

    Raises RedemptionNotFound.
    """
    require(session, program_id, redemption_id)
    book, row = locked(session, program_id, redemption_id)
    if row.status_at(book.now) == ISSUED:
        become(row, CANCELLING)
        session.flush()
        jobs.promise(session, program_id, WITHDRAW_CODE, row.id, lease_seconds=0)


def withdrawn(session: Session, program_id: str, redemption_id: str, times_redeemed: int) -> None:
    """The code is dead at Stripe: used it is used, else the points go back. Safe to repeat."""
    book, row = locked(session, program_id, redemption_id)
    if row.status not in (CANCELLING, EXPIRING):
        return
    if times_redeemed:
        become_used(session, row, book.now)
    else:
        _end(session, book, row)


def become_used(session: Session, row: Redemption, at: datetime) -> None:
    """The code was used, and whoever listens is told."""
    become(row, USED)
    row.used_at = at
    session.flush()
    _tell(session, row, "redemption.used", at)


def locked(session: Session, program_id: str, redemption_id: str) -> tuple[ledger.Book, Redemption]:
    """The account first, as everywhere, then the redemption as it stands under both locks."""
    row = session.get_one(Redemption, (program_id, redemption_id))
    book = ledger.open_book(session, program_id, row.member_id)
    session.refresh(row, with_for_update={"key_share": True})
    return book, row


def _expire(session: Session, program_id: str, redemption_id: str) -> None:
    book, row = locked(session, program_id, redemption_id)
    if row.status != ISSUED:
        return
    become(row, EXPIRING)
    if row.is_settled_here:
        _end(session, book, row)
        return
    session.flush()
    jobs.promise(session, program_id, WITHDRAW_CODE, row.id, lease_seconds=0)


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
        _tell(session, row, "redemption.expired", book.now, _nothing_back(book, row))


def _nothing_back(book: ledger.Book, row: Redemption) -> dict[str, Any]:
    """What a restoration would have told."""
    balance = {figure: getattr(book, figure) for figure in FIGURES}
    said = {"redemption": row.id, "reward": row.reward_id, "points": 0}
    return said | {"transaction": None, "balance": balance}


def _tell(
    session: Session, row: Redemption, type_: str, at: datetime, data: dict[str, Any] | None = None
) -> None:
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
