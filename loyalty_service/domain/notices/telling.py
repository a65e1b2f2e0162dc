"""The worker's part: read what was told to nobody, number it, and promise it to who listens.

One member in one transaction. Whoever numbers a member's notices holds the member's counter; rows
that are read after that are all that was committed, in the order of their causes. A crash leaves
everything as it was.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from loyalty_service import canonical, clock, ids
from loyalty_service.db import insert_unless_there
from loyalty_service.domain import codes, ledger
from loyalty_service.domain.ledger import Lot, Transaction
from loyalty_service.domain.ledger.reserved import Hold
from loyalty_service.domain.notices import of_codes
from loyalty_service.domain.notices.from_ledger import (
    Posted,
    Said,
    hold_of,
    redemption_of,
    told_of,
)
from loyalty_service.domain.notices.of_codes import Coded
from loyalty_service.domain.notices.table import MemberNotices, Notice
from loyalty_service.domain.notices.untold import Untold
from loyalty_service.domain.redemptions import Redemption
from loyalty_service.domain.webhooks import endpoints
from loyalty_service.domain.webhooks.tables import PENDING, Delivery, Endpoint
from loyalty_service.statements import POSTGRESQL, Statement, inserting, table_of

ROWS_READ = 200
# Only a cause that was told makes it do nothing; a number that is taken is our own bug.
_CAUSE = [Notice.program_id, Notice.member_id, Notice.type, Notice.cause]
_NOTE = Statement(
    {
        dialect: insert(table_of(Notice)).on_conflict_do_nothing(index_elements=_CAUSE)
        for dialect, insert in ((POSTGRESQL, postgresql.insert), ("sqlite", sqlite.insert))
    },
    [column.name for column in table_of(Notice).columns],
)
PUT_OFF = timedelta(hours=1)


def tell_next(session: Session, *, at: datetime | None = None) -> bool:
    """Tell of one member what waits longest; False where nothing waits by the machine's `at`."""
    first = _first(session, at or clock.wall())
    if first is None:
        return False
    program_id, member_id = first
    counter = _locked(session, program_id, member_id)
    mine = (Untold.program_id == program_id, Untold.member_id == member_id)
    rows = session.scalars(select(Untold).where(*mine).order_by(Untold.number).limit(ROWS_READ))
    waiting = list(rows)
    if listeners := endpoints.listening(session, program_id, promising=True):
        _tell(session, counter, list(_said(session, program_id, waiting)), listeners)
    told = [row.number for row in waiting]
    session.execute(
        delete(Untold)
        .where(*mine, Untold.number.in_(told))
        .execution_options(synchronize_session=False)
    )
    return True


def put_off(session: Session, *, at: datetime | None = None) -> None:
    """Let the member who comes first wait an hour: what can't be told holds up nobody else."""
    now = at or clock.wall()
    if first := _first(session, now):
        session.execute(
            update(Untold)
            .where(Untold.program_id == first[0], Untold.member_id == first[1])
            .values(put_off_until=now + PUT_OFF)
            .execution_options(synchronize_session=False)
        )


def _first(session: Session, now: datetime) -> tuple[str, str] | None:
    found = session.execute(
        select(Untold.program_id, Untold.member_id)
        .where(or_(Untold.put_off_until.is_(None), Untold.put_off_until <= now))
        .order_by(Untold.number)
        .limit(1)
    ).first()
    return (found[0], found[1]) if found else None


def _locked(session: Session, program_id: str, member_id: str) -> MemberNotices:
    mine = {"program_id": program_id, "member_id": member_id}
    insert_unless_there(session, MemberNotices, {**mine, "sequence": 0})
    return session.get_one(
        MemberNotices, mine, with_for_update={"key_share": True}, populate_existing=True
    )


def _tell(
    session: Session,
    counter: MemberNotices,
    said: Sequence[Said],
    listeners: Sequence[Endpoint],
) -> None:
    deliveries = []
    for one in said:
        notice_id = _noted(session, counter, one)
        if notice_id:
            deliveries += [
                _delivery(endpoint, notice_id, one.type)
                for endpoint in listeners
                if endpoints.wants(endpoint, one.type)
            ]
    session.flush()
    if deliveries:
        inserting(table_of(Delivery)).run_each(session, deliveries)


def _noted(session: Session, counter: MemberNotices, said: Said) -> str | None:
    """The numbered notice's id; None where it was told before."""
    number = counter.sequence + 1
    if said.data is None:
        notice_id = said.cause
        is_new = _number(session, counter.program_id, notice_id, number)
    else:
        notice_id = ids.new("ntc")
        row = {
            "program_id": counter.program_id,
            "id": notice_id,
            "member_id": counter.member_id,
            "type": said.type,
            "cause": said.cause,
            "occurred_at": said.occurred_at,
            "data": canonical.dumps(said.data),
            "recorded_at": clock.now(),
            "sequence": number,
        }
        is_new = bool(_NOTE.run(session, **row))
    if not is_new:
        return None
    counter.sequence = number
    return notice_id


def _number(session: Session, program_id: str, notice_id: str, number: int) -> bool:
    """Number a notice that stands already; False where it has a number."""
    changed = session.connection().execute(
        update(Notice)
        .where(Notice.program_id == program_id, Notice.id == notice_id, Notice.sequence.is_(None))
        .values(sequence=number)
    )
    return bool(changed.rowcount)


def _delivery(endpoint: Endpoint, notice_id: str, type_: str) -> dict[str, Any]:
    now = clock.wall()
    return {
        "program_id": endpoint.program_id,
        "id": ids.new("whd"),
        "endpoint_id": endpoint.id,
        "notice_id": notice_id,
        "test_body": None,
        "type": type_,
        "status": PENDING,
        "tries": 0,
        "attempts": 0,
        "available_at": now,
        "leased_until": None,
        "created_at": now,
        "finished_at": None,
        "last_error": None,
    }


def _said(session: Session, program_id: str, rows: Sequence[Untold]) -> Iterator[Said]:
    """Everything that the rows are about, in their order."""
    posted = _posted(session, program_id, rows)
    subjects = _subjects(session, program_id, rows, posted)
    for row in rows:
        if row.first_sequence is None:
            yield _about_subject(row, subjects)
            continue
        for sequence in range(row.first_sequence, (row.last_sequence or 0) + 1):
            yield from _about_posted(posted[sequence], subjects)


def _about_subject(row: Untold, subjects: Mapping[str, Coded]) -> Said:
    assert row.type and row.subject_id and row.occurred_at, "a row about nothing"
    if row.data is not None:
        data: dict[str, Any] | None = json.loads(row.data)
    elif row.subject_id in subjects:
        data = of_codes.data(subjects[row.subject_id], row.type)
    else:
        data = None
    return Said(row.type, row.subject_id, row.occurred_at, data)


def _about_posted(posted: Posted, subjects: Mapping[str, Coded]) -> Iterator[Said]:
    at = posted.transaction.occurred_at
    settled = subjects.get(redemption_of(posted) or "")
    # What Stripe honours is issued later, and told then.
    if settled and codes.is_settled_here(settled):
        issued = "redemption.issued"
        yield Said(issued, settled.id, at, of_codes.data(settled, issued))
    for said in told_of(posted):
        assert said.data is not None
        of = subjects.get(said.data.get("redemption", ""))
        reward = {"reward": of.reward_id} if isinstance(of, Redemption) else {}
        yield Said(said.type, said.cause, said.occurred_at, {**said.data, **reward})


def _posted(session: Session, program_id: str, rows: Sequence[Untold]) -> dict[int, Posted]:
    """The transactions that rows of one member are about, by their sequence."""
    wanted = [
        sequence
        for row in rows
        if row.first_sequence is not None
        for sequence in range(row.first_sequence, (row.last_sequence or 0) + 1)
    ]
    if not wanted:
        return {}
    found = session.scalars(
        select(Transaction).where(
            Transaction.program_id == program_id,
            Transaction.member_id == rows[0].member_id,
            Transaction.sequence.in_(wanted),
        )
    ).all()
    moves = ledger.moves_of(session, program_id, [one.id for one in found])
    filled = {move.credit.lot_id for of in moves.values() for move in of if move.credit.lot_id}
    matures = dict(
        session.execute(
            select(Lot.id, Lot.matures_at).where(Lot.program_id == program_id, Lot.id.in_(filled))
        )
        .tuples()
        .all()
    )
    holds = _holds(session, program_id, found)
    return {
        one.sequence: Posted(
            one,
            moves[one.id],
            _available_at(one, moves[one.id], matures),
            holds.get(hold_of(one) or ""),
        )
        for one in found
    }


def _available_at(
    transaction: Transaction, moves: Sequence[ledger.Move], matures: Mapping[str, datetime]
) -> datetime:
    filled = [move.credit.lot_id for move in moves if move.credit.lot_id]
    return max((matures[lot_id] for lot_id in filled), default=transaction.occurred_at)


def _holds(session: Session, program_id: str, found: Sequence[Transaction]) -> dict[str, Hold]:
    """The holds that transactions capture or release, by their ids."""
    named = {hold_of(one) for one in found} - {None}
    if not named:
        return {}
    mine = select(Hold).where(Hold.program_id == program_id, Hold.id.in_(named))
    return {row.id: row for row in session.scalars(mine)}


def _subjects(
    session: Session, program_id: str, rows: Sequence[Untold], posted: Mapping[int, Posted]
) -> dict[str, Coded]:
    """What has a code and is named by rows or by transactions, by its id."""
    named = {row.subject_id for row in rows if row.subject_id}
    named |= {one.context["redemption"] for one in posted.values() if "redemption" in one.context}
    return of_codes.read(session, program_id, named)
