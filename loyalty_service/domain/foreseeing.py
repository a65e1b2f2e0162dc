"""For whom a draft is: how many members there are, and which tier they hold now and would hold.

Read member by member in the order of their ids; only sums are kept.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from loyalty_service import clock
from loyalty_service.domain import following, program
from loyalty_service.domain.ledger.standing import Standing, columns, from_columns
from loyalty_service.domain.ledger.state import NEVER
from loyalty_service.domain.ledger.tables import Account
from loyalty_service.domain.members import Member
from loyalty_service.domain.program import Program
from loyalty_service.domain.program.document import Tiers
from loyalty_service.domain.tiers import credits, holding
from loyalty_service.domain.tiers.holding import Held

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Affected:
    """Members, their open points (available, pending, held), and members by tier: now, and under
    the draft with their next fact that counts. None is the tier of a program without tiers."""

    members: int
    open_points: int
    now: Counter[str | None]
    then: Counter[str | None]


def affected(session: Session, program_id: str, draft: Program) -> Affected:
    """Look at every member of a program; writes nothing. Raises ProgramNotApplied."""
    kept = program.versions(session, program_id)
    versions = {row.version: program.version(session, program_id, row.version) for row in kept}
    newest = program.in_force(session, program_id)
    versions[max(versions) + 1] = draft
    at = clock.now()
    now, then = Counter[str | None](), Counter[str | None]()
    for rows in _slices(session, program_id):
        counted = credits.of_members(session, program_id, [row.id for row in rows])
        for row in rows:
            now[_tier(row, newest.rules, at)] += 1
            tier = None
            if draft.tiers:
                held = holding.hold(counted[row.id], versions, row.enrolled_at, at)
                tier = _next(held, draft.tiers)
            then[tier] += 1
    return Affected(now.total(), _open_points(session, program_id), now, then)


def _slices(session: Session, program_id: str) -> Iterator[Any]:
    """Members with their standing, some at a time."""
    standing = [getattr(Account, name) for name in _STANDING]
    its_account = (Account.program_id == Member.program_id) & (Account.member_id == Member.id)
    wanted = (
        select(Member.id, Member.enrolled_at, *standing)
        .join(Account, its_account)
        .where(Member.program_id == program_id)
        .order_by(Member.id)
        .limit(_AT_ONCE)
    )
    rows = session.execute(wanted).all()
    while rows:
        yield rows
        rows = session.execute(wanted.where(Member.id > rows[-1].id)).all()


_STANDING = tuple(columns(Standing()))


def _next(held: Held, tiers: Tiers) -> str:
    """The tier that is kept, or the one above it that the window is enough for: it comes with the
    next fact that counts."""
    names = [level.id for level in tiers.levels if level.from_credits <= held.credits]
    order = [level.id for level in tiers.levels]
    return max([held.tier, *names], key=order.index)


def _tier(row: Any, rules: Program, at: datetime) -> str | None:
    standing = from_columns(*(getattr(row, name) for name in _STANDING))
    while (standing.next_step_at or NEVER) <= at:
        standing = standing.after_step()
    return standing.tier or following.lowest(rules)


def _open_points(session: Session, program_id: str) -> int:
    points = func.coalesce(func.sum(Account.available + Account.pending + Account.held), 0)
    found = session.execute(select(points).where(Account.program_id == program_id))
    return int(found.scalar_one())
