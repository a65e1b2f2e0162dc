"""Counters: stock, budgets and limits, the only rows that members share.

One conditional UPDATE a use, taken as late as possible, and one immutable allotment beside it.
`used` is the sum of the counter's allotments; what failed or was cancelled goes back to the
counter (and so to the period) that paid.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, String, func, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from loyalty_service import clock, ids
from loyalty_service.db import Base, Id, Points, ProgramId, insert_unless_there


class Counter(Base):
    """How much of something shared is used. `used` = the sum of its allotments."""

    __tablename__ = "counters"
    program_id: Mapped[str] = mapped_column(ProgramId, primary_key=True)
    name: Mapped[str] = mapped_column(String(200), primary_key=True)
    used: Mapped[int] = mapped_column(Points, server_default="0")
    __table_args__ = (CheckConstraint("used >= 0", name="used_not_negative"),)


class Allotment(Base):
    """One use of a counter, or its return (a negative amount), with what caused it. Immutable."""

    __tablename__ = "allotments"
    program_id: Mapped[str] = mapped_column(ProgramId, primary_key=True)
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    counter: Mapped[str] = mapped_column(String(200))
    amount: Mapped[int] = mapped_column(Points)
    cause_id: Mapped[str] = mapped_column(Id)
    recorded_at: Mapped[datetime]
    __table_args__ = (
        ForeignKeyConstraint(["program_id", "counter"], ["counters.program_id", "counters.name"]),
        CheckConstraint("amount <> 0", name="amount_not_zero"),
        Index("ix_allotments_cause", "program_id", "cause_id"),
    )


def use(
    session: Session, program_id: str, name: str, amount: int, *, limit: int, cause_id: str
) -> bool:
    """Take `amount` from what is left below `limit`; False, and no change, if it is too much."""
    insert_unless_there(session, Counter, {"program_id": program_id, "name": name, "used": 0})
    taken = session.connection().execute(
        update(Counter)
        .where(Counter.program_id == program_id, Counter.name == name)
        .where(Counter.used + amount <= limit)
        .values(used=Counter.used + amount)
    )
    if not taken.rowcount:
        return False
    _note(session, program_id, name, amount, cause_id)
    return True


def give_back(session: Session, program_id: str, cause_id: str, *, keep: int = 0) -> None:
    """Return what a cause has above `keep`, to each counter that paid for it. Safe to repeat."""
    for name, amount in _owned(session, program_id, cause_id, above=keep):
        _change(session, program_id, name, keep - amount, cause_id)


def hand_over(session: Session, program_id: str, cause_id: str, to_cause_id: str) -> None:
    """Let another cause own what a cause has: the counters stay as they are."""
    for name, amount in _owned(session, program_id, cause_id):
        _note(session, program_id, name, -amount, cause_id)
        _note(session, program_id, name, amount, to_cause_id)


def use_again(session: Session, program_id: str, cause_id: str) -> None:
    """Take again what was returned for a cause, from each counter that had paid for it.

    Whatever its limit is: it has happened. Safe to repeat.
    """
    first = func.max(Allotment.amount)
    rows = session.execute(
        select(Allotment.counter, first)
        .where(Allotment.program_id == program_id, Allotment.cause_id == cause_id)
        .group_by(Allotment.counter)
        .order_by(Allotment.counter)
        .having(func.sum(Allotment.amount) == 0)
    ).all()
    for name, amount in rows:
        _change(session, program_id, name, int(amount), cause_id)


def used(session: Session, program_id: str, name: str) -> int:
    """How much of a counter is used."""
    found = session.get(Counter, (program_id, name))
    return found.used if found else 0


def left(session: Session, program_id: str, name: str, *, limit: int) -> int:
    """How much is left below `limit`; nothing where the limit was lowered below what is used."""
    return max(0, limit - used(session, program_id, name))


def used_of(session: Session, program_id: str, names: Sequence[str]) -> dict[str, int]:
    """How much of each of several counters is used; those that are unused may be missing."""
    if not names:
        return {}
    mine = (Counter.program_id == program_id, Counter.name.in_(names))
    rows = session.execute(select(Counter.name, Counter.used).where(*mine))
    return {name: int(used) for name, used in rows}


def _owned(
    session: Session, program_id: str, cause_id: str, *, above: int = 0
) -> list[tuple[str, int]]:
    """What a cause has of each counter, where it is more than `above`, by the counter's name."""
    total = func.sum(Allotment.amount)
    rows = session.execute(
        select(Allotment.counter, total)
        .where(Allotment.program_id == program_id, Allotment.cause_id == cause_id)
        .group_by(Allotment.counter)
        .order_by(Allotment.counter)
        .having(total > above)
    )
    return [(name, int(amount)) for name, amount in rows]


def _change(session: Session, program_id: str, name: str, amount: int, cause_id: str) -> None:
    """Change a counter whatever its limit is, and note why."""
    session.connection().execute(
        update(Counter)
        .where(Counter.program_id == program_id, Counter.name == name)
        .values(used=Counter.used + amount)
    )
    _note(session, program_id, name, amount, cause_id)


def _note(session: Session, program_id: str, name: str, amount: int, cause_id: str) -> None:
    session.add(
        Allotment(
            program_id=program_id,
            id=ids.new("alt"),
            counter=name,
            amount=amount,
            cause_id=cause_id,
            recorded_at=clock.now(),
        )
    )
    session.flush()
