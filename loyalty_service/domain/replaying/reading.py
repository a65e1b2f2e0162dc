"""Reading what happened: members in the order of their ids, some at a time, and all of their facts.

Nothing is kept from one slice to the next, so memory does not grow with what was recorded.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import case, func, or_, select
from sqlalchemy.orm import Session

from loyalty_service.domain.adjustments import Adjustment
from loyalty_service.domain.events.table import Event
from loyalty_service.domain.ledger import Hold
from loyalty_service.domain.ledger.tables import Transaction
from loyalty_service.domain.members import KNOWN_COLUMNS, Known, Member
from loyalty_service.domain.orders.table import EARNING_ID, SETTLED, Order, Refund
from loyalty_service.domain.redemptions import Redemption
from loyalty_service.domain.replaying.facts import OtherSide, Past
from loyalty_service.domain.replaying.understanding import Records, understood
from loyalty_service.domain.tiers.tables import Grant

MEMBERS_AT_ONCE = 50
# Time brings these about again, and the tier follows from the facts.
_FOLLOW = ("maturity", "expiry", "repayment", "tier_change", "release")
_OTHER_SIDE = "other_side:"
Rows = dict[str, list[Any]]


def count(session: Session, program_id: str, until: datetime) -> int:
    """How many members there were."""
    found = select(func.count()).select_from(Member).where(*_there(program_id, until))
    return int(session.execute(found).scalar_one())


def pasts(session: Session, program_id: str, until: datetime) -> Iterator[Past]:
    """Every member with what was recorded before `until`, by id."""
    others = _Others(session, program_id, until)
    last: str | None = None
    while ids := _next_ids(session, program_id, until, last):
        first, last = ids[0], ids[-1]
        yield from _between(session, program_id, first, last, until, others)


def past_of(session: Session, program_id: str, member_id: str, until: datetime) -> Past:
    """One member with what was recorded before `until`, and nothing from other members."""
    (found,) = _between(session, program_id, member_id, member_id, until, None)
    return found


def _there(program_id: str, until: datetime) -> tuple[Any, ...]:
    return Member.program_id == program_id, Member.enrolled_at < until


def _next_ids(
    session: Session, program_id: str, until: datetime, after: str | None
) -> Sequence[str]:
    wanted = select(Member.id).where(*_there(program_id, until))
    if after is not None:
        wanted = wanted.where(Member.id > after)
    return session.scalars(wanted.order_by(Member.id).limit(MEMBERS_AT_ONCE)).all()


def _between(
    session: Session,
    program_id: str,
    first: str,
    last: str,
    until: datetime,
    others: "_Others | None",
) -> Iterator[Past]:
    def rows(statement: Any, owned: Any) -> Rows:
        mine = owned.program_id == program_id, owned.member_id.between(first, last)
        return _by_member(session.execute(statement.where(*mine)))

    transactions = rows(_TRANSACTIONS.where(Transaction.recorded_at < until), Transaction)
    orders, events = rows(_ORDERS, Order), rows(_EVENTS, Event)
    refunds = rows(_REFUNDS, Order)
    redemptions, grants = rows(_REDEMPTIONS, Redemption), rows(_GRANTS, Grant)
    adjustments, holds = rows(_ADJUSTMENTS, Transaction), rows(_HOLDS, Hold)
    people = select(Member.external_id, *KNOWN_COLUMNS).where(
        *_there(program_id, until), Member.id.between(first, last)
    )
    for external_id, *known in session.execute(people.order_by(Member.id)):
        member = Known(*known)
        records = Records(
            transactions=transactions[member.id],
            orders=orders[member.id],
            refunds=refunds[member.id],
            events=events[member.id],
            redemptions=redemptions[member.id],
            adjustments=adjustments[member.id],
            holds=holds[member.id],
            grants={row.transaction_id for row in grants[member.id]},
        )
        unreadable: Counter[str] = Counter()
        facts = understood(records, unreadable)
        given = {row.cause: row.transaction_id for row in grants[member.id]}
        named = others.of(member.id, given, records.transactions) if others else []
        yield Past(member, external_id, facts, named, unreadable)


def _by_member(rows: Iterable[Any]) -> Rows:
    found: Rows = defaultdict(list)
    for row in rows:
        found[row.member_id].append(row)
    return found


class _Others:
    """Events that name another member, walked through beside the members: both by member id."""

    def __init__(self, session: Session, program_id: str, until: datetime) -> None:
        named = (
            select(Event.id, Event.type, Event.member_id, Event.other_member_id)
            .add_columns(Event.transaction_id)
            .where(Event.program_id == program_id, Event.other_member_id.is_not(None))
            .where(Event.recorded_at < until)
            .order_by(Event.other_member_id, Event.recorded_at, Event.id)
        )
        rows = session.execute(named, execution_options={"yield_per": MEMBERS_AT_ONCE})
        self._groups = groupby(rows, key=lambda row: row.other_member_id)
        self._next = next(self._groups, None)

    def of(
        self, member_id: str, given: dict[str, str], transactions: Iterable[Any]
    ) -> list[OtherSide]:
        """The events that name this member, who is not before the last one asked for."""
        if self._next is None or self._next[0] != member_id:
            return []
        moments = {row.id: row.occurred_at for row in transactions}
        found = []
        for row in self._next[1]:
            recorded_as = given.get(f"{_OTHER_SIDE}{row.transaction_id}")
            at = moments.get(recorded_as) if recorded_as else None
            found.append(OtherSide(row.id, row.type, row.member_id, at, recorded_as))
        self._next = next(self._groups, None)
        return found


# The context says of a correction what it corrects; of all else the rows beside it do.
_TRANSACTIONS = (
    select(
        Transaction.member_id,
        Transaction.id,
        Transaction.kind,
        Transaction.occurred_at,
        Transaction.recorded_at,
        Transaction.corrects_id,
        case(
            (
                or_(Transaction.kind == "claw_back", Transaction.corrects_id.is_not(None)),
                Transaction.context,
            )
        ).label("context"),
    )
    .where(Transaction.kind.not_in(_FOLLOW))
    .order_by(Transaction.member_id, Transaction.sequence)
)
_ORDERS = select(
    Order.member_id,
    Order.id,
    Order.placed_at,
    Order.content,
    Order.amended,
    Order.paid_at,
    Order.fulfilled_at,
    Order.transaction_id,
    EARNING_ID,
    Order.recorded_at,
)
_REFUNDS = (
    select(Order.member_id, Refund.id, Refund.order_id, Refund.content, Refund.transaction_id)
    .select_from(Order)
    .join(Refund, (Order.program_id == Refund.program_id) & (Order.id == Refund.order_id))
    .where(Refund.status == SETTLED)
)
_EVENTS = select(
    Event.member_id,
    Event.id,
    Event.type,
    Event.status,
    Event.occurred_at,
    Event.content,
    Event.transaction_id,
    Event.settled_by,
    Event.recorded_at,
)
_REDEMPTIONS = select(
    Redemption.member_id,
    Redemption.transaction_id,
    Redemption.restored_by,
    Redemption.points,
)
_ADJUSTMENTS = (
    select(Transaction.member_id, Adjustment.transaction_id, Adjustment.points)
    .select_from(Transaction)
    .join(
        Adjustment,
        (Adjustment.program_id == Transaction.program_id)
        & (Adjustment.transaction_id == Transaction.id),
    )
)
_HOLDS = select(
    Hold.member_id,
    Hold.transaction_id,
    Hold.captured_by,
    Hold.captured_points,
    Hold.captured_at,
    Hold.expires_at,
)
_GRANTS = select(Grant.member_id, Grant.cause, Grant.transaction_id)
