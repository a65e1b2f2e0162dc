"""`loyalty ledger verify`: the whole of a program's books, rebuilt and compared.

The ledger checks itself; here stands what orders, redemptions, adjustments and counters claim
of it.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import CompoundSelect, Select, and_, case, func, or_, select, union_all
from sqlalchemy.orm import Session

from loyalty_service import canonical
from loyalty_service.domain import program
from loyalty_service.domain.adjustments import Adjustment
from loyalty_service.domain.counters import Allotment, Counter
from loyalty_service.domain.earning.verifying import differences as verify_uses
from loyalty_service.domain.events.table import Event
from loyalty_service.domain.jobs import DONE, Job
from loyalty_service.domain.ledger.checkpoint import Checkpoint, verify_since
from loyalty_service.domain.ledger.tables import Posting, Transaction
from loyalty_service.domain.ledger.verify import Difference, verify_accounts
from loyalty_service.domain.orders import Order, Refund
from loyalty_service.domain.orders.verifying import differences as verify_orders
from loyalty_service.domain.redemptions import (
    CANCELLED,
    CANCELLING,
    EXPIRED,
    EXPIRING,
    FAILED,
    PENDING,
    USED,
    Redemption,
)
from loyalty_service.domain.tiers import verify as tiers
from loyalty_service.domain.tiers.tables import Grant


def verify(
    session: Session, program_id: str, *, since: Checkpoint | None = None
) -> Iterator[Difference]:
    """Every difference in a program's books; nothing when they are right.

    With a checkpoint, accounts that have not changed since it are not replayed again.
    """
    if since:
        yield from verify_since(session, since)
    else:
        yield from verify_accounts(session, program_id)
    yield from verify_orders(session, program_id)
    yield from verify_uses(session, program_id)
    yield from _events(session, program_id)
    yield from _adjustments(session, program_id)
    yield from _redemptions(session, program_id)
    yield from _counters(session, program_id)
    yield from _without_cause(session, program_id)
    yield from _owners(session, program_id)
    yield from _versions(session, program_id)
    yield from tiers.verify(session, program_id)


def _events(session: Session, program_id: str) -> Iterator[Difference]:
    """What an event earned stands in its transaction, or in the one that settled it."""
    issued = _moved(program_id, debit="issued").subquery()
    truth = func.coalesce(issued.c.points, 0)
    by = func.coalesce(Event.settled_by, Event.transaction_id)
    rows = session.execute(
        select(Event.id, Event.points_earned, truth)
        .outerjoin(issued, issued.c.transaction_id == by)
        .where(Event.program_id == program_id, Event.points_earned != truth)
    )
    for event_id, points, given in rows:
        yield Difference(f"event {event_id}", f"points_earned is {points}, postings give {given}")


def _adjustments(session: Session, program_id: str) -> Iterator[Difference]:
    net = _moved(program_id, debit="adjusted", less_credit="adjusted")
    rows = _beside(session, Adjustment, Adjustment.points, net, program_id)
    for adjustment_id, points, given in rows:
        yield Difference(
            f"adjustment {adjustment_id}", f"points is {points}, postings give {given}"
        )


def _redemptions(session: Session, program_id: str) -> Iterator[Difference]:
    spent = _moved(program_id, less_credit="redeemed")
    for redemption_id, points, given in _beside(
        session, Redemption, -Redemption.points, spent, program_id
    ):
        yield Difference(
            f"redemption {redemption_id}", f"points is {-points}, postings give {-given}"
        )
    yield from _restorations(session, program_id)
    yield from _promises(session, program_id)


def _promises(session: Session, program_id: str) -> Iterator[Difference]:
    """What waits for Stripe has a job that is not done: nobody would come back to it otherwise."""
    open_jobs = select(Job.subject_id).where(Job.program_id == program_id, Job.status != DONE)
    rows = session.scalars(
        select(Redemption)
        .where(Redemption.program_id == program_id)
        .where(
            Redemption.status.in_((PENDING, CANCELLING, EXPIRING)), Redemption.id.not_in(open_jobs)
        )
    )
    for row in rows:
        yield Difference(f"redemption {row.id}", f"is {row.status} and no job is left to end it")


def _restorations(session: Session, program_id: str) -> Iterator[Difference]:
    """Points came back, all of them, if and only if the redemption came to nothing.

    What only ended may keep its points, as the program says; what was used after they came back
    has taken them again.
    """
    back = _moved(program_id, debit="redeemed").subquery()
    returned = func.coalesce(back.c.points, 0)
    given_back = and_(Redemption.status == EXPIRED, Redemption.restored_by.is_not(None))
    over = or_(Redemption.status.in_((FAILED, CANCELLED)), given_back)
    due = case((over, Redemption.points), else_=0)
    rows = session.execute(
        select(Redemption.id, Redemption.status, returned, due)
        .outerjoin(back, back.c.transaction_id == Redemption.restored_by)
        .where(Redemption.program_id == program_id, Redemption.status != USED, returned != due)
    )
    for redemption_id, status, points, expected in rows:
        yield Difference(
            f"redemption {redemption_id}",
            f"is {status} and {points} of {expected} points came back",
        )
    taken_again = select(Transaction.corrects_id).where(
        Transaction.program_id == program_id,
        Transaction.kind == "claw_back",
        Transaction.corrects_id == Redemption.restored_by,
    )
    twice = select(Redemption.id).where(
        Redemption.program_id == program_id,
        Redemption.status == USED,
        Redemption.restored_by.is_not(None),
        ~taken_again.exists(),
    )
    for redemption_id in session.scalars(twice):
        yield Difference(
            f"redemption {redemption_id}", "is used and its points, which came back, are not taken"
        )


def _counters(session: Session, program_id: str) -> Iterator[Difference]:
    total = func.coalesce(func.sum(Allotment.amount), 0)
    rows = session.execute(
        select(Counter.name, Counter.used, total)
        .outerjoin(
            Allotment,
            (Allotment.program_id == Counter.program_id) & (Allotment.counter == Counter.name),
        )
        .where(Counter.program_id == program_id)
        .group_by(Counter.name, Counter.used)
    )
    for name, used, allotted in rows:
        if used != allotted:
            yield Difference(f"counter {name}", f"used is {used}, allotments give {allotted}")


def _without_cause(session: Session, program_id: str) -> Iterator[Difference]:
    """Transactions that claim a cause which is not there, or is somebody else's."""
    causes: dict[str, Select[Any] | CompoundSelect[Any]] = {
        "earn": _earning(program_id),
        "claw_back": select(Refund.transaction_id).where(
            Refund.program_id == program_id, Refund.transaction_id.is_not(None)
        ),
        "credit": select(Adjustment.transaction_id).where(Adjustment.program_id == program_id),
        "debit": select(Adjustment.transaction_id).where(Adjustment.program_id == program_id),
        "redemption": select(Redemption.transaction_id).where(Redemption.program_id == program_id),
    }
    causes["restoration"] = select(Redemption.restored_by).where(
        Redemption.program_id == program_id, Redemption.restored_by.is_not(None)
    )
    for kind, known in causes.items():
        rows = session.execute(
            select(Transaction.id, Transaction.context).where(
                Transaction.program_id == program_id,
                Transaction.kind == kind,
                Transaction.id.not_in(known),
                # A correction's cause is the transaction that it names.
                Transaction.corrects_id.is_(None),
            )
        )
        for transaction_id, context in rows:
            cause = json.loads(context).get("cause")
            yield Difference(f"transaction {transaction_id}", f"its {cause} is not there")


def _earning(program_id: str) -> CompoundSelect[Any]:
    """The transactions in which orders, events and grants say that they earned."""
    return union_all(
        *(
            select(column).where(table.program_id == program_id, column.is_not(None))
            for table, column in (
                (Order, Order.transaction_id),
                (Order, Order.earned_by),
                (Event, Event.transaction_id),
                (Event, Event.settled_by),
                (Grant, Grant.transaction_id),
            )
        )
    )


def _owners(session: Session, program_id: str) -> Iterator[Difference]:
    """What names a member whose account did not move for it."""
    kinds = (
        ("order", Order),
        ("event", Event),
        ("adjustment", Adjustment),
        ("redemption", Redemption),
    )
    for name, kind in kinds:
        theirs = (
            select(Transaction.id)
            .where(Transaction.program_id == program_id, Transaction.id == kind.transaction_id)
            .where(Transaction.member_id == kind.member_id)
        )
        rows = session.execute(
            select(kind.id, kind.member_id).where(kind.program_id == program_id, ~theirs.exists())
        )
        for id_, member_id in rows:
            yield Difference(f"{name} {id_}", f"is of {member_id}, its points are not")


def _versions(session: Session, program_id: str) -> Iterator[Difference]:
    mine = select(program.ProgramVersion).where(program.ProgramVersion.program_id == program_id)
    for row in session.scalars(mine):
        if canonical.sha256(row.document) != row.sha256:
            yield Difference(
                f"program version {row.version}", "the document is not the one that was applied"
            )


def _moved(
    program_id: str, *, debit: str | None = None, less_credit: str | None = None
) -> Select[Any]:
    """By transaction: points taken from one system account, less those put on another."""
    points = case((Posting.debit_kind == debit, Posting.points), else_=0)
    back = case((Posting.credit_kind == less_credit, Posting.points), else_=0)
    return (
        select(Posting.transaction_id, func.sum(points - back).label("points"))
        .where(Posting.program_id == program_id)
        .group_by(Posting.transaction_id)
    )


def _beside(
    session: Session, table: Any, claimed: Any, moved: Select[Any], program_id: str
) -> Iterable[Any]:
    """Rows whose claimed points are not what their transaction's postings give."""
    given = moved.subquery()
    truth = func.coalesce(given.c.points, 0)
    return session.execute(
        select(table.id, claimed, truth)
        .outerjoin(given, given.c.transaction_id == table.transaction_id)
        .where(table.program_id == program_id, claimed != truth)
    )
