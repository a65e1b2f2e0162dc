"""What becomes of a hold: captured, whole or in part, or released. Each step is safe to repeat."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from loyalty_service import canonical
from loyalty_service.domain import (
    counters,
    expiry,
    ledger,
    members,
    notices,
    opening,
    program,
    restoring,
    rewards,
)
from loyalty_service.domain.holds import pricing, returning
from loyalty_service.domain.holds.table import (
    CAPTURED,
    EXPIRED,
    HELD,
    RELEASED,
    Hold,
    become,
    require,
)
from loyalty_service.domain.opening import Ahead
from loyalty_service.domain.program.document import Activity, Reward
from loyalty_service.errors import (
    CaptureExceedsHold,
    HoldCaptured,
    HoldExpired,
    HoldReleased,
    Refusal,
)

CAPTURE_FAILED = "hold.capture_failed"


@dataclass(frozen=True, slots=True)
class Captured:
    """A hold after its capture; or why a late one could not be: that is noted for staff, and so it
    is returned and not raised."""

    hold: Hold
    refusal: Refusal | None = None


@dataclass(frozen=True, slots=True)
class _Opened:
    """A hold under its member's lock, with the rules in force and those that priced it."""

    member: members.Known
    book: ledger.Book
    row: Hold
    now: program.InForce
    then: program.Program

    @property
    def reward(self) -> Reward | None:
        """The reward that prices the points."""
        return self.then.reward(self.row.reward_id) if self.row.reward_id else None


def capture(session: Session, program_id: str, hold_id: str, points: int | None = None) -> Captured:
    """Spend what is held, or a part of it and release the rest; the same again changes nothing.

    After its end the points are taken afresh, if they are still there. Raises HoldNotFound,
    CaptureExceedsHold, HoldCaptured, HoldReleased, PointsNotOffered.
    """
    opened = _open(session, program_id, hold_id)
    row = opened.row
    wanted = row.points if points is None else points
    if wanted > row.points:
        raise CaptureExceedsHold(
            f"{row.id} holds {row.points} points: capture at most so many.", param="points"
        )
    if row.status == RELEASED:
        raise HoldReleased(f"{row.id} was released; place a new hold.", param="id")
    if row.status == CAPTURED:
        if wanted != row.captured_points:
            raise _captured(row, "points")
        return Captured(row)
    if opened.reward:
        pricing.worth_minor(opened.reward, wanted)
    if row.status == EXPIRED:
        refusal = _refusal(opened, wanted)
        if refusal:
            _note_failed(opened, wanted, refusal)
            return Captured(row, refusal)
    _spend(opened, wanted)
    returning.catch_up(opened.book, row)
    return Captured(row)


def release(session: Session, program_id: str, hold_id: str) -> Hold:
    """Give back what is held; where nothing is held any more this changes nothing.

    Raises HoldNotFound and HoldCaptured.
    """
    opened = _open(session, program_id, hold_id)
    row = opened.row
    if row.status == CAPTURED:
        raise _captured(row, "id")
    if row.status == HELD:
        become(row, RELEASED)
        _give_back(opened, row.points, cause=RELEASED)
        counters.give_back(session, program_id, row.id)
    return row


def _open(session: Session, program_id: str, hold_id: str) -> _Opened:
    """The account first, which ends the hold where time has; then the hold as it stands."""
    member_id = require(session, program_id, hold_id).member_id
    member, book, newest, _ = opening.open_for(session, program_id, member_id, Ahead.LOTS)
    row = require(session, program_id, hold_id)
    session.refresh(row)
    now = program.as_of(session, program_id, newest, book.now)
    then = program.version(session, program_id, row.program_version)
    return _Opened(member, book, row, now, then)


def _spend(opened: _Opened, points: int) -> None:
    book, row = opened.book, opened.row
    moves = _moves(opened, points)
    is_held = row.status == HELD
    after = expiry.moved_by(book.standing, opened.now.rules, Activity.REDEMPTION, book.now)
    entry = ledger.Entry(
        "capture",
        moves,
        book.now,
        _context(opened, "capture"),
        row.transaction_id,
        standing=after,
    )
    become(row, CAPTURED)
    row.captured_points = points
    if opened.reward:
        row.amount_minor = pricing.worth_minor(opened.reward, points)
        row.minimum_order_minor = pricing.minimum_order_minor(opened.reward, points)
    row.captured_by, row.captured_at = entry.id, book.now
    rest = row.points - points
    if is_held and rest:
        _give_back(opened, rest, cause="capture", after=entry)
    else:
        book.session.flush()
        ledger.post(book, entry)


def _moves(opened: _Opened, points: int) -> list[ledger.Move]:
    """From the hold, what was reserved first; afresh from the lots, once it has ended."""
    book, row = opened.book, opened.row
    if row.status != HELD:
        return ledger.spending(book, points, ledger.REDEEMED)
    reserved = ledger.moves_of(book.session, book.program_id, [row.transaction_id])
    moves = []
    for move in reserved[row.transaction_id]:
        if part := min(points, move.points):
            moves.append(ledger.Move(move.credit, ledger.REDEEMED, part))
            points -= part
    return moves


def _give_back(
    opened: _Opened, points: int, *, cause: str, after: ledger.Entry | None = None
) -> None:
    """Post the release of `points`, `after` the capture of the others where there is one."""
    book, row = opened.book, opened.row
    tier = book.standing.tier
    past = restoring.when_expired(book.now, opened.then, tier)
    standing = after.standing if after and after.standing else book.standing
    planned = ledger.restore(book, row.transaction_id, points, past, standing=standing)
    entry = ledger.Entry(
        "release",
        planned.moves,
        book.now,
        _context(opened, cause),
        row.transaction_id,
        planned.new_lots,
    )
    row.released_by = entry.id
    # Before it is posted: what is due next is told by the holds that stand.
    book.session.flush()
    for one in (after, entry) if after else (entry,):
        ledger.post(book, one)


def _context(opened: _Opened, cause: str) -> dict[str, Any]:
    row, reward = opened.row, opened.reward
    context: dict[str, Any] = {
        "cause": cause,
        "hold": row.id,
        "order": row.order_id,
        "program_version": row.program_version,
    }
    return context | ({"reward": reward.id, "reward_name": reward.name} if reward else {})


def _refusal(opened: _Opened, points: int) -> Refusal | None:
    """Why points can't be taken afresh after the end; None where they are there."""
    book, row = opened.book, opened.row
    try:
        members.require_spending(opened.member)
        if book.available < points:
            raise HoldExpired(
                f"{row.id} ended at {canonical.timestamp(row.expires_at)}; {points} points are "
                f"needed and {book.available} are available.",
                param="id",
            )
        if opened.reward:
            rewards.use(book, opened.reward, opened.then, row.id)
    except Refusal as refusal:
        counters.give_back(book.session, book.program_id, row.id)
        return refusal
    return None


def _note_failed(opened: _Opened, points: int, refusal: Refusal) -> None:
    """The order was paid, and the points were not there: somebody has to look at it."""
    book, row = opened.book, opened.row
    row.capture_failed_at = row.capture_failed_at or book.now
    book.session.flush()
    notices.tell(
        book.session,
        book.program_id,
        book.member_id,
        CAPTURE_FAILED,
        row.id,
        occurred_at=book.now,
        data={
            "hold": row.id,
            "order": row.order_id,
            "points": points,
            "available": book.available,
            "refusal": refusal.code,
        },
    )


def _captured(row: Hold, param: str) -> HoldCaptured:
    return HoldCaptured(
        f"{row.id} was captured with {row.captured_points} points as {row.captured_by}; what was "
        "spent comes back with a refund of its order.",
        param=param,
    )
