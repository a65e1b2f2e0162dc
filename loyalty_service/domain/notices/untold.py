"""What happened and was told to nobody yet: rows that commit with what they are about.

A row is written only where the program has an endpoint: the statement looks for itself, so that
nobody goes to the database for it. Rows of one member are in the order of their causes: whoever
comes second has waited for a lock of the first, and takes its number after that.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Index,
    Integer,
    Select,
    Sequence,
    String,
    Text,
    bindparam,
    cast,
    exists,
    func,
    insert,
    literal_column,
    select,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from loyalty_service import canonical
from loyalty_service.db import Base, Id, ProgramId
from loyalty_service.domain.webhooks.tables import DELETED, Endpoint
from loyalty_service.statements import POSTGRESQL, Statement, Values, table_of

NUMBERS = Sequence("untold_numbers", metadata=Base.metadata)


class Untold(Base):
    """Where to look for something to tell: transactions of an account, or one subject."""

    __tablename__ = "untold"
    program_id: Mapped[str] = mapped_column(ProgramId, primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger, NUMBERS, primary_key=True, autoincrement=False)
    member_id: Mapped[str] = mapped_column(Id)
    # The account's transactions from the one to the other; None where it is about a subject.
    first_sequence: Mapped[int | None]
    last_sequence: Mapped[int | None]
    type: Mapped[str | None] = mapped_column(String(40))
    subject_id: Mapped[str | None] = mapped_column(Id)
    occurred_at: Mapped[datetime | None]
    # None where the subject itself is to be read.
    data: Mapped[str | None] = mapped_column(Text)
    put_off_until: Mapped[datetime | None]
    __table_args__ = (Index("ix_untold_member", "program_id", "member_id", "number"),)


MOMENT = table_of(Untold).c.occurred_at.type
_POSTED = ("program_id", "member_id", "first_sequence", "last_sequence")
ABOUT = ("program_id", "member_id", "type", "subject_id", "occurred_at", "data")


def is_listened_to(program_id: Any) -> ColumnElement[bool]:
    """Say whether a program has an endpoint; one that is disabled may come back."""
    deleted: Any = literal_column(f"'{DELETED}'")
    return exists(
        select(Endpoint.id).where(Endpoint.program_id == program_id, Endpoint.status != deleted)
    )


def posted() -> dict[str, Any]:
    """The insert of a row about transactions, by dialect: parameters `of_program`, `of_member`,
    `first_sequence` and `new_sequence`."""
    values = (
        cast(bindparam("of_program"), ProgramId),
        cast(bindparam("of_member"), Id),
        cast(bindparam("first_sequence"), Integer),
        cast(bindparam("new_sequence"), Integer),
    )
    return _inserting(_POSTED, select(*values), bindparam("of_program"))


def about(found: Select[Any], program_id: Any) -> Statement:
    """A statement that writes rows about what `found` selects, in the order of ABOUT."""
    return Statement(_inserting(ABOUT, found, program_id))


def announce(
    session: Session,
    program_id: str,
    member_id: str,
    type_: str,
    subject_id: str,
    *,
    occurred_at: datetime,
    data: dict[str, Any] | None = None,
) -> None:
    """Say inside a verb's transaction that something happened to a member.

    It is told once for its type and subject. `data` holds ids and figures only; without it the
    subject is read when it is told. What the ledger posts is told without this.
    """
    statement, values = announcement(
        program_id, member_id, type_, subject_id, occurred_at=occurred_at, data=data
    )
    statement.run(session, **values)


def announcement(
    program_id: str,
    member_id: str,
    type_: str,
    subject_id: str,
    *,
    occurred_at: datetime,
    data: dict[str, Any] | None = None,
) -> tuple[Statement, Values]:
    """The same as `announce`, to go to the database together with something else."""
    return _ANNOUNCE, {
        "of_program": program_id,
        "of_member": member_id,
        "of_type": type_,
        "subject": subject_id,
        "at": occurred_at,
        "said": None if data is None else canonical.dumps(data),
    }


def _inserting(columns: tuple[str, ...], found: Select[Any], program_id: Any) -> dict[str, Any]:
    # SQLite has one writer at a time: the next number is the next.
    last = select(func.coalesce(func.max(Untold.number), 0)).where(Untold.program_id == program_id)
    numbers = {POSTGRESQL: NUMBERS.next_value(), "sqlite": last.scalar_subquery() + 1}
    listened = found.where(is_listened_to(program_id))
    return {
        dialect: insert(table_of(Untold)).from_select(
            [*columns, "number"], listened.add_columns(number), include_defaults=False
        )
        for dialect, number in numbers.items()
    }


_ANNOUNCE = about(
    select(
        cast(bindparam("of_program"), ProgramId),
        cast(bindparam("of_member"), Id),
        cast(bindparam("of_type"), String(40)),
        cast(bindparam("subject"), Id),
        bindparam("at", type_=MOMENT),
        cast(bindparam("said"), Text),
    ),
    bindparam("of_program"),
)
