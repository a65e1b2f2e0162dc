"""What holds say of the ledger, rebuilt from postings alone and compared."""

from collections.abc import Iterator
from functools import cache
from typing import Any

from sqlalchemy import Select, case, func, or_, select
from sqlalchemy.orm import Session

from loyalty_service.domain.holds.table import HELD, Hold
from loyalty_service.domain.ledger.tables import Posting, Transaction
from loyalty_service.domain.ledger.verify import Difference
from loyalty_service.statements import OF_PROGRAM

_FIGURES = ("points", "captured_points", "returned_points")


def differences(session: Session, program_id: str) -> Iterator[Difference]:
    """Every hold whose points are not what the postings give, and postings of no hold."""
    yield from _figures(session, program_id)
    yield from _standing(session, program_id)
    yield from _strays(session, program_id)


def _figures(session: Session, program_id: str) -> Iterator[Difference]:
    """What was reserved, spent and given back is what its own transactions moved."""
    for hold_id, *figures in session.execute(_wrong_figures(), {"of_program": program_id}):
        for name, points, posted in zip(_FIGURES, figures[:3], figures[3:], strict=True):
            if points != posted:
                yield Difference(f"hold {hold_id}", f"{name} is {points}, postings give {posted}")


@cache
def _wrong_figures() -> Select[Any]:
    reserved = _in(credit="held", by=Posting.transaction_id).subquery()
    spent = _in(credit="redeemed", by=Posting.transaction_id).subquery()
    returned = _returned().subquery()
    truths = [func.coalesce(given.c.points, 0) for given in (reserved, spent, returned)]
    claimed = [getattr(Hold, name) for name in _FIGURES]
    return (
        select(Hold.id, *claimed, *truths)
        .outerjoin(reserved, reserved.c.by == Hold.transaction_id)
        .outerjoin(spent, spent.c.by == Hold.captured_by)
        .outerjoin(returned, returned.c.by == Hold.captured_by)
        .where(Hold.program_id == OF_PROGRAM)
        .where(or_(*(one != true for one, true in zip(claimed, truths, strict=True))))
    )


def _standing(session: Session, program_id: str) -> Iterator[Difference]:
    """All of it is reserved while it is held, and nothing afterwards."""
    rows = session.execute(_wrong_standing(), {"of_program": program_id})
    for hold_id, status, points, expected in rows:
        yield Difference(f"hold {hold_id}", f"is {status} and reserves {points} of {expected}")


@cache
def _wrong_standing() -> Select[Any]:
    into = _in(credit="held", by=Posting.credit_hold_id).subquery()
    out = (
        select(Posting.debit_hold_id.label("by"), func.sum(Posting.points).label("points"))
        .where(Posting.program_id == OF_PROGRAM, Posting.debit_hold_id.is_not(None))
        .group_by(Posting.debit_hold_id)
        .subquery()
    )
    left = func.coalesce(into.c.points, 0) - func.coalesce(out.c.points, 0)
    due = case((Hold.status == HELD, Hold.points), else_=0)
    return (
        select(Hold.id, Hold.status, left, due)
        .outerjoin(into, into.c.by == Hold.id)
        .outerjoin(out, out.c.by == Hold.id)
        .where(Hold.program_id == OF_PROGRAM, left != due)
    )


def _strays(session: Session, program_id: str) -> Iterator[Difference]:
    """Postings that name a hold which is not there, or in whose life they have no place."""
    for transaction_id, named in session.execute(_stray_postings(), {"of_program": program_id}):
        yield Difference(f"transaction {transaction_id}", f"is none of hold {named}'s")


@cache
def _stray_postings() -> Select[Any]:
    named = func.coalesce(Posting.credit_hold_id, Posting.debit_hold_id)
    own = (
        select(Hold.id)
        .join(
            Transaction,
            (Transaction.program_id == Hold.program_id)
            & (Transaction.member_id == Hold.member_id)
            & Transaction.id.in_((Hold.transaction_id, Hold.captured_by, Hold.released_by)),
        )
        .where(Hold.program_id == OF_PROGRAM, Hold.id == named)
        .where(Transaction.id == Posting.transaction_id)
    )
    return (
        select(Posting.transaction_id, named)
        .where(Posting.program_id == OF_PROGRAM, named.is_not(None), ~own.exists())
        .distinct()
    )


def _in(*, credit: str, by: Any) -> Select[Any]:
    """Points that were put on a side, by what."""
    return (
        select(by.label("by"), func.sum(Posting.points).label("points"))
        .where(Posting.program_id == OF_PROGRAM, Posting.credit_kind == credit)
        .group_by(by)
    )


def _returned() -> Select[Any]:
    """Points that restorations gave back, less what was taken again, by the transaction that they
    correct."""
    is_back = (Transaction.kind == "restoration") & (Posting.debit_kind == "redeemed")
    is_again = (Transaction.kind == "claw_back") & (Posting.credit_kind == "redeemed")
    net = case((is_back, Posting.points), else_=-Posting.points)
    return (
        select(Transaction.corrects_id.label("by"), func.sum(net).label("points"))
        .join(
            Posting,
            (Posting.program_id == Transaction.program_id)
            & (Posting.transaction_id == Transaction.id),
        )
        .where(Transaction.program_id == OF_PROGRAM, or_(is_back, is_again))
        .group_by(Transaction.corrects_id)
    )
