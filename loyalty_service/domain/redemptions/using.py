"""The use of a redemption: told by the shop, or learnt from Stripe, early or late."""

from typing import Any

from sqlalchemy.orm import Session

from loyalty_service.domain import codes, counters, ledger, program
from loyalty_service.domain.codes import PENDING, USED
from loyalty_service.domain.redemptions.settling import REFUSALS, locked, tell
from loyalty_service.domain.redemptions.table import Redemption, require


def use(session: Session, program_id: str, redemption_id: str) -> Redemption:
    """The shop has applied the reward: its code is used, once.

    Whoever shows it again is refused. Raises RedemptionNotFound, RedemptionUsedAtStripe,
    RedemptionNotUsable.
    """
    row = require(session, program_id, redemption_id)
    codes.use(session, row, REFUSALS)
    assert row.used_at, "what was used was used at a moment"
    tell(session, row, "redemption.used", row.used_at)
    return row


def learn_use(
    session: Session, program_id: str, redemption_id: str, promotion_code_id: str
) -> Redemption:
    """Stripe honoured the code; safe to repeat, whenever it is learnt.

    Points that came back meanwhile are taken again, by the refund policy of the version that gave
    the reward; what it used up of a stock or a limit is used again. Raises RedemptionNotFound.
    """
    require(session, program_id, redemption_id)
    book, row = locked(session, program_id, redemption_id)
    if row.status == USED:
        return row
    if row.status == PENDING:
        tell(session, row, "redemption.issued", book.now)
    codes.note_use(session, row, promotion_code_id, book.now)
    if row.restored_by is not None:
        _take_again(session, book, row, row.restored_by)
    tell(session, row, "redemption.used", book.now)
    return row


def _take_again(session: Session, book: ledger.Book, row: Redemption, restored_by: str) -> None:
    rules = program.version(session, row.program_id, row.program_version)
    taken = ledger.take_again(book, restored_by, allow_debt=rules.refunds.allow_debt)
    context: dict[str, Any] = {
        "cause": "late_use",
        "redemption": row.id,
        "reward_name": row.reward_name,
        "points": taken.asked,
        "short": taken.short,
        "program_version": row.program_version,
    }
    ledger.post(book, ledger.Entry("claw_back", taken.moves, book.now, context, restored_by))
    counters.use_again(session, row.program_id, row.id)
