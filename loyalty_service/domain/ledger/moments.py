"""When time next matters to an account: two moments that are noted on its row.

`next_due_at`: the first at which time changes a lot, a hold or the tier. `warn_at`: the first at
which an expiry is to be announced. Neither is ever later than the truth; earlier costs a look, no
more.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, func, select, update

from loyalty_service.domain.ledger import reserved, sending
from loyalty_service.domain.ledger.entries import Book
from loyalty_service.domain.ledger.standing import Standing, earliest
from loyalty_service.domain.ledger.tables import Account, Lot
from loyalty_service.statements import ZERO, Statement

# The first warning comes with the local day that is 30 before the last good one: a day and a clock
# change more than that.
WARNING_AHEAD = timedelta(days=32)

_FIRST_DATES = Statement(
    select(
        select(func.min(Lot.matures_at))
        .where(*sending.MY_LOTS, Lot.pending > ZERO)
        .scalar_subquery(),
        select(func.min(Lot.expires_at))
        .where(*sending.MY_LOTS, Lot.available > ZERO)
        .scalar_subquery(),
        reserved.FIRST_END,
    )
)
_SET = Statement(
    update(Account)
    .where(*sending.MY_ACCOUNT)
    .values(next_due_at=bindparam("next_due"), warn_at=bindparam("warn"))
)


def has_fallen_due(next_due_at: datetime | None, at: datetime) -> bool:
    """Say whether time has changed something by `at` that is not posted; None is nothing to come.

    Where it has not, the account's row is the balance as it stands.
    """
    return next_due_at is not None and next_due_at <= at


def expect(
    book: Book, before: Standing, lots: Sequence[dict[str, Any]], hold_ends: Sequence[datetime] = ()
) -> None:
    """Note when new lots, and a standing that was another `before`, will matter; `hold_ends`
    are those of new holds."""
    standing = book.standing
    ends = {lot["id"]: standing.end_of(lot["expires_at"]) for lot in lots}
    due = [lot["matures_at"] if lot["pending"] else ends[lot["id"]] for lot in lots]
    book.next_due_at = earliest(book.next_due_at, standing.next_step_at, *due, *hold_ends)
    warnings = [end - WARNING_AHEAD for end in ends.values() if end]
    if standing != before or any(lot["expires_at"] for lot in lots):
        warnings += [at for at in [standing.ends_change_at] if at]
    if not standing.expiry_paused and not standing.has_same_ends_as(before):
        floor = standing.expires_not_before
        warnings.append(floor - WARNING_AHEAD if floor else book.now)
    book.warn_at = earliest(book.warn_at, *warnings)


def come_sooner(standing: Standing, before: Standing) -> bool:
    """True where points may end earlier than they would have."""
    if standing.expiry_paused or standing.has_same_ends_as(before):
        return False
    floor, floor_before = standing.expires_not_before, before.expires_not_before
    is_lower = floor_before is not None and (floor is None or floor < floor_before)
    return before.expiry_paused or is_lower


def set_next_due(book: Book, *, warns_again: bool = False) -> None:
    """Find the first moment at which time changes something, and note it.

    `warns_again` where points are back that nobody may be going to announce any more.
    """
    mine = {"of_program": book.program_id, "of_member": book.member_id}
    matures_at, expires_at, hold_end = _FIRST_DATES.first(book.session, **mine)
    end = book.standing.end_of(expires_at)
    book.next_due_at = earliest(book.standing.next_step_at, matures_at, end, hold_end)
    if warns_again and expires_at:
        first = end - WARNING_AHEAD if end else None
        book.warn_at = earliest(book.warn_at, book.standing.ends_change_at, first)
    _set(book)


def set_warn_at(book: Book, at: datetime | None) -> None:
    """Note when the next expiry is to be announced; None for never."""
    book.warn_at = at
    _set(book)


def _set(book: Book) -> None:
    _SET.run(
        book.session,
        of_program=book.program_id,
        of_member=book.member_id,
        next_due=book.next_due_at,
        warn=book.warn_at,
    )
