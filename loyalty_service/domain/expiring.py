"""Points that end soon are announced 30 and 7 local days before their last good day, each once.

Nothing depends on the moment at which somebody looks: an announcement that was missed is made by
the next look, unless a later one is due as well by then, or the points are gone.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from loyalty_service import canonical, clock
from loyalty_service.domain import calendar, ledger, notices, program
from loyalty_service.domain.ledger import Account, Book, Lot, LotState, Standing
from loyalty_service.domain.ledger.lots import lot_states, lots_of
from loyalty_service.domain.ledger.moments import set_warn_at
from loyalty_service.domain.ledger.standing import earliest
from loyalty_service.domain.ledger.state import ends_at

EXPIRING_SOON = "points.expiring_soon"
DAYS_BEFORE = (30, 7)
PUT_OFF = timedelta(hours=1)
_AN_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Ending:
    """Points that are gone from `expires_at` on, announced `days` before."""

    points: int
    expires_at: datetime
    days: int

    @property
    def cause(self) -> str:
        """What is announced once."""
        return f"{canonical.timestamp(self.expires_at)}:{self.days}"


def warnings(
    lots: Iterable[LotState], standing: Standing, now: datetime, zone: ZoneInfo
) -> tuple[list[Ending], datetime | None]:
    """What is to be announced at `now`, and the first moment after it with something more to say.

    Of one end only the last announcement that is due. Takes lots as they are at `now`; points that
    still wait are announced when they can be spent.
    """
    points: Counter[datetime] = Counter()
    later: list[datetime] = []
    for lot in lots:
        if lot.expires_at and (lot.available or lot.pending) and standing.ends_change_at:
            later.append(standing.ends_change_at)
        end = ends_at(lot, standing)
        if end and lot.available:
            points[end] += lot.available
        elif end and lot.pending:
            later.append(max(lot.matures_at, _moments(end, zone)[DAYS_BEFORE[0]]))
    due = []
    for end in sorted(points):
        moments = _moments(end, zone)
        days = [days for days, at in moments.items() if at <= now]
        due += [Ending(points[end], end, min(days))] if days else []
        later += [at for at in moments.values() if at > now]
    return due, earliest(*later)


def warn_due(session: Session, *, limit: int, at: datetime | None = None) -> int:
    """Announce for up to `limit` members whose `warn_at` has come by `at` (default now); how many.

    What fell due until now is posted first, so that nothing is announced that is gone. Two workers
    never take the same member.
    """
    members = _due_first(session, limit, at or clock.now())
    for program_id, member_id in members:
        book = ledger.open_book(session, program_id, member_id)
        zone = program.in_force(session, program_id, book.now).rules.zone
        due, next_at = warnings(_open_lots(book), book.standing, book.now, zone)
        for ending in due:
            _announce(book, ending)
        set_warn_at(book, next_at)
    return len(members)


def put_off(session: Session, *, at: datetime | None = None) -> None:
    """Let the member who comes first wait an hour: one whose books are broken holds up nobody."""
    now = at or clock.now()
    for program_id, member_id in _due_first(session, 1, now):
        session.execute(
            update(Account)
            .where(Account.program_id == program_id, Account.member_id == member_id)
            .values(warn_at=now + PUT_OFF)
            .execution_options(synchronize_session=False)
        )


def _moments(end: datetime, zone: ZoneInfo) -> dict[int, datetime]:
    """From when on an end is announced, by how many days before its last good day."""
    last_good = calendar.local_date(end - _AN_INSTANT, zone)
    return {
        days: calendar.first_moment(last_good - timedelta(days=days), zone) for days in DAYS_BEFORE
    }


def _due_first(session: Session, limit: int, at: datetime) -> list[tuple[str, str]]:
    """The members whose moment came first, locked; whom somebody else has locked comes later."""
    rows = session.execute(
        select(Account.program_id, Account.member_id)
        .where(Account.warn_at <= at)
        .order_by(Account.warn_at)
        .limit(limit)
        .with_for_update(skip_locked=True, key_share=True)
    )
    return [(program_id, member_id) for program_id, member_id in rows]


def _open_lots(book: Book) -> list[LotState]:
    dated = lots_of(book.program_id, book.member_id).where(Lot.expires_at.is_not(None))
    return lot_states(book.session.execute(dated.where(or_(Lot.available > 0, Lot.pending > 0))))


def _announce(book: Book, ending: Ending) -> None:
    notices.tell(
        book.session,
        book.program_id,
        book.member_id,
        EXPIRING_SOON,
        ending.cause,
        occurred_at=book.now,
        data={
            "points": ending.points,
            "expires_at": canonical.timestamp(ending.expires_at),
            "days": ending.days,
        },
    )
