"""`loyalty ledger verify`: the whole of a program's books, rebuilt and compared.

The ledger checks itself; here stands what orders, redemptions, holds, adjustments and
counters claim of it.
"""

import json
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

from sqlalchemy import (
    CompoundSelect,
    Select,
    and_,
    case,
    func,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import Session

from loyalty_service import canonical
from loyalty_service.domain import coded, program
from loyalty_service.domain.adjustments import Adjustment
from loyalty_service.domain.approvals.verifying import differences as verify_approvals
from loyalty_service.domain.codes import (
    CANCELLED,
    CANCELLING,
    EXPIRED,
    EXPIRING,
    FAILED,
    PENDING,
    USED,
)
from loyalty_service.domain.counters import Allotment, Counter
from loyalty_service.domain.discounts.verifying import differences as verify_discounts
from loyalty_service.domain.earning.verifying import differences as verify_uses
from loyalty_service.domain.events.table import Event
from loyalty_service.domain.holds import Hold
from loyalty_service.domain.holds.verifying import differences as verify_holds
from loyalty_service.domain.jobs import DONE, Job
from loyalty_service.domain.ledger.checkpoint import Checkpoint, verify_since
from loyalty_service.domain.ledger.tables import Posting, Transaction
from loyalty_service.domain.ledger.verify import Difference, verify_accounts
from loyalty_service.domain.orders import Order, Refund
from loyalty_service.domain.orders.verifying import differences as verify_orders
from loyalty_service.domain.redemptions import Redemption
from loyalty_service.domain.tiers import verify as tiers
from loyalty_service.domain.tiers.tables import Grant
from loyalty_service.statements import OF_PROGRAM


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
    yield from verify_approvals(session, program_id)
    yield from _redemptions(session, program_id)
    yield from verify_holds(session, program_id)
    yield from verify_discounts(session, program_id)
    yield from _promises(session, program_id)
    yield from _counters(session, program_id)
    yield from _without_cause(session, program_id)
    yield from _owners(session, program_id)
    yield from _versions(session, program_id)
    yield from tiers.verify(session, program_id)


def _events(session: Session, program_id: str) -> Iterator[Difference]:
    """What an event earned stands in its transaction, or in the one that settled it."""
    for event_id, points, given in _found(session, program_id, _wrong_events()):
        yield Difference(f"event {event_id}", f"points_earned is {points}, postings give {given}")


@cache
def _wrong_events() -> Select[Any]:
    issued = _moved(debit="issued").subquery()
    truth = func.coalesce(issued.c.points, 0)
    by = func.coalesce(Event.settled_by, Event.transaction_id)
    return (
        select(Event.id, Event.points_earned, truth)
        .outerjoin(issued, issued.c.transaction_id == by)
        .where(Event.program_id == OF_PROGRAM, Event.points_earned != truth)
    )


def _adjustments(session: Session, program_id: str) -> Iterator[Difference]:
    for adjustment_id, points, given in _found(session, program_id, _wrong_adjustments()):
        yield Difference(
            f"adjustment {adjustment_id}", f"points is {points}, postings give {given}"
        )


@cache
def _wrong_adjustments() -> Select[Any]:
    net = _moved(debit="adjusted", less_credit="adjusted")
    return _beside(Adjustment, Adjustment.points, net)


def _redemptions(session: Session, program_id: str) -> Iterator[Difference]:
    for redemption_id, points, given in _found(session, program_id, _wrong_redemptions()):
        yield Difference(
            f"redemption {redemption_id}", f"points is {-points}, postings give {-given}"
        )
    yield from _restorations(session, program_id)


@cache
def _wrong_redemptions() -> Select[Any]:
    return _beside(Redemption, -Redemption.points, _moved(less_credit="redeemed"))


def _promises(session: Session, program_id: str) -> Iterator[Difference]:
    """What waits for Stripe has a job that is not done: nobody would come back to it otherwise."""
    for name, statement in _broken_promises().items():
        for id_, status in _found(session, program_id, statement):
            yield Difference(f"{name} {id_}", f"is {status} and no job is left to end it")


@cache
def _broken_promises() -> dict[str, Select[Any]]:
    open_jobs = select(Job.subject_id).where(Job.program_id == OF_PROGRAM, Job.status != DONE)
    return {
        kind.name: select(kind.table.id, kind.table.status)
        .where(kind.table.program_id == OF_PROGRAM)
        .where(kind.table.status.in_((PENDING, CANCELLING, EXPIRING)))
        .where(kind.table.id.not_in(open_jobs))
        for kind in coded.KINDS.values()
    }


def _restorations(session: Session, program_id: str) -> Iterator[Difference]:
    """Points came back, all of them, if and only if the redemption came to nothing.

    What only ended may keep its points, as the program says; what was used after they came back
    has taken them again.
    """
    for redemption_id, status, points, expected in _found(
        session, program_id, _wrong_restorations()
    ):
        yield Difference(
            f"redemption {redemption_id}",
            f"is {status} and {points} of {expected} points came back",
        )
    for (redemption_id,) in _found(session, program_id, _given_twice()):
        yield Difference(
            f"redemption {redemption_id}", "is used and its points, which came back, are not taken"
        )


@cache
def _wrong_restorations() -> Select[Any]:
    back = _moved(debit="redeemed").subquery()
    returned = func.coalesce(back.c.points, 0)
    given_back = and_(Redemption.status == EXPIRED, Redemption.restored_by.is_not(None))
    over = or_(Redemption.status.in_((FAILED, CANCELLED)), given_back)
    due = case((over, Redemption.points), else_=0)
    return (
        select(Redemption.id, Redemption.status, returned, due)
        .outerjoin(back, back.c.transaction_id == Redemption.restored_by)
        .where(Redemption.program_id == OF_PROGRAM, Redemption.status != USED, returned != due)
    )


@cache
def _given_twice() -> Select[Any]:
    taken_again = select(Transaction.corrects_id).where(
        Transaction.program_id == OF_PROGRAM,
        Transaction.kind == "claw_back",
        Transaction.corrects_id == Redemption.restored_by,
    )
    return select(Redemption.id).where(
        Redemption.program_id == OF_PROGRAM,
        Redemption.status == USED,
        Redemption.restored_by.is_not(None),
        ~taken_again.exists(),
    )


def _counters(session: Session, program_id: str) -> Iterator[Difference]:
    for name, used, allotted in _found(session, program_id, _all_counters()):
        if used != allotted:
            yield Difference(f"counter {name}", f"used is {used}, allotments give {allotted}")


@cache
def _all_counters() -> Select[Any]:
    total = func.coalesce(func.sum(Allotment.amount), 0)
    return (
        select(Counter.name, Counter.used, total)
        .outerjoin(
            Allotment,
            (Allotment.program_id == Counter.program_id) & (Allotment.counter == Counter.name),
        )
        .where(Counter.program_id == OF_PROGRAM)
        .group_by(Counter.name, Counter.used)
    )


def _without_cause(session: Session, program_id: str) -> Iterator[Difference]:
    """Transactions that claim a cause which is not there, or is somebody else's."""
    for statement in _causeless():
        for transaction_id, context in _found(session, program_id, statement):
            cause = json.loads(context).get("cause")
            yield Difference(f"transaction {transaction_id}", f"its {cause} is not there")


@cache
def _causeless() -> list[Select[Any]]:
    """For each kind of transaction, those that nothing points to."""
    causes: dict[str, Select[Any] | CompoundSelect[Any]] = {
        "earn": _earning(),
        "claw_back": select(Refund.transaction_id).where(
            Refund.program_id == OF_PROGRAM, Refund.transaction_id.is_not(None)
        ),
        "credit": select(Adjustment.transaction_id).where(Adjustment.program_id == OF_PROGRAM),
        "debit": select(Adjustment.transaction_id).where(Adjustment.program_id == OF_PROGRAM),
        "redemption": select(Redemption.transaction_id).where(Redemption.program_id == OF_PROGRAM),
        "hold": select(Hold.transaction_id).where(Hold.program_id == OF_PROGRAM),
    }
    for kind, by in (("capture", Hold.captured_by), ("release", Hold.released_by)):
        causes[kind] = select(by).where(Hold.program_id == OF_PROGRAM, by.is_not(None))
    causes["restoration"] = select(Redemption.restored_by).where(
        Redemption.program_id == OF_PROGRAM, Redemption.restored_by.is_not(None)
    )
    return [
        select(Transaction.id, Transaction.context).where(
            Transaction.program_id == OF_PROGRAM,
            Transaction.kind == kind,
            Transaction.id.not_in(known),
            # A correction's cause is the transaction that it names.
            Transaction.corrects_id.is_(None),
        )
        for kind, known in causes.items()
    ]


def _earning() -> CompoundSelect[Any]:
    """The transactions in which orders, events and grants say that they earned."""
    return union_all(
        *(
            select(column).where(table.program_id == OF_PROGRAM, column.is_not(None))
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
    for name, statement in _not_theirs().items():
        for id_, member_id in _found(session, program_id, statement):
            yield Difference(f"{name} {id_}", f"is of {member_id}, its points are not")


@cache
def _not_theirs() -> dict[str, Select[Any]]:
    kinds: dict[str, Any] = {
        "order": Order,
        "event": Event,
        "adjustment": Adjustment,
        "redemption": Redemption,
        "hold": Hold,
    }
    found = {}
    for name, kind in kinds.items():
        theirs = (
            select(Transaction.id)
            .where(Transaction.program_id == OF_PROGRAM, Transaction.id == kind.transaction_id)
            .where(Transaction.member_id == kind.member_id)
        )
        found[name] = select(kind.id, kind.member_id).where(
            kind.program_id == OF_PROGRAM, ~theirs.exists()
        )
    return found


def _versions(session: Session, program_id: str) -> Iterator[Difference]:
    for row in session.scalars(_applied(), {"of_program": program_id}):
        if canonical.sha256(row.document) != row.sha256:
            yield Difference(
                f"program version {row.version}", "the document is not the one that was applied"
            )


@cache
def _applied() -> Select[Any]:
    return select(program.ProgramVersion).where(program.ProgramVersion.program_id == OF_PROGRAM)


def _moved(*, debit: str | None = None, less_credit: str | None = None) -> Select[Any]:
    """By transaction: points taken from one system account, less those put on another."""
    points = case((Posting.debit_kind == debit, Posting.points), else_=0)
    back = case((Posting.credit_kind == less_credit, Posting.points), else_=0)
    return (
        select(Posting.transaction_id, func.sum(points - back).label("points"))
        .where(Posting.program_id == OF_PROGRAM)
        .group_by(Posting.transaction_id)
    )


def _beside(table: Any, claimed: Any, moved: Select[Any]) -> Select[Any]:
    """Rows whose claimed points are not what their transaction's postings give."""
    given = moved.subquery()
    truth = func.coalesce(given.c.points, 0)
    return (
        select(table.id, claimed, truth)
        .outerjoin(given, given.c.transaction_id == table.transaction_id)
        .where(table.program_id == OF_PROGRAM, claimed != truth)
    )


def _found(session: Session, program_id: str, statement: Select[Any]) -> Iterable[Any]:
    # The statements are made once: to build and look up thirty costs more than to run them.
    return session.execute(statement, {"of_program": program_id})
