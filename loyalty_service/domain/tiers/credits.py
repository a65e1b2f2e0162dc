"""Tier credits in the database: read as sums of a day, written beside the transaction they are of.

The figures of a row stand in its transaction's context, too, under `tier_credit`.
"""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Table, bindparam, func, literal_column, select
from sqlalchemy.orm import Session

from loyalty_service.domain.ledger.tables import Transaction
from loyalty_service.domain.members import EXTERNAL, Member
from loyalty_service.domain.tiers.counting import Credit
from loyalty_service.domain.tiers.tables import TierCredit
from loyalty_service.statements import ONE, Statement, Values, table_of

# In a transaction's context: what it adds to the tier credits.
PINNED = "tier_credit"
FIGURES = ("spend_minor", "base_points", "points", "orders")


def asked(program_id: str, ref: str) -> tuple[Statement, Values]:
    """What to read of the member named by `mem_…` or `ext:…`, as `opening.open_for` takes it."""
    statement = _OF_EXTERNAL_ID if ref.startswith(EXTERNAL) else _OF_ID
    return statement, {"of_program": program_id, "ref": ref.removeprefix(EXTERNAL)}


def credits_of(rows: Iterable[Any]) -> list[Credit]:
    """Rows of `CREDITS`, or of what `asked` asks, as plain values."""
    # A database may give a sum as another type than what was added up.
    return [Credit(day, version, *(int(sum_) for sum_ in sums)) for day, version, *sums in rows]


def of_members(session: Session, program_id: str, member_ids: list[str]) -> dict[str, list[Credit]]:
    """The credits of several members."""
    mine = TierCredit.member_id.in_(member_ids)
    rows = session.execute(
        select(TierCredit.member_id, *_SUMS)
        .where(TierCredit.program_id == program_id, mine)
        .group_by(TierCredit.member_id, TierCredit.day, TierCredit.program_version)
    )
    found: dict[str, list[Credit]] = {member_id: [] for member_id in member_ids}
    for member_id, *row in rows:
        found[member_id] += credits_of([row])
    return found


def row(
    program_id: str, member_id: str, transaction_id: str, credit: Credit
) -> tuple[Table, Values]:
    """The row of a transaction's credit, as `ledger.post` takes it `beside` the entry."""
    values = {"program_id": program_id, "member_id": member_id, "transaction_id": transaction_id}
    return _TABLE, {**values, **credit._asdict()}


def as_plain(credit: Credit) -> Values:
    """A credit as its transaction's context pins it, under `PINNED`.

    The version is not among it: the context has it as its own `program_version`.
    """
    figures = {name: getattr(credit, name) for name in FIGURES}
    return {"day": credit.day.isoformat(), **figures}


def tier_at(session: Session, program_id: str, member_id: str, at: datetime) -> str | None:
    """The tier that was in force at an earlier moment, as known now; None for the lowest.

    Changes that fell due count once they are posted: the account's book is open.
    """
    whose = {"of_program": program_id, "of_member": member_id}
    found = _LAST_CHANGE.first(session, **whose, at=at)
    return json.loads(found[0]).get("to") if found else None


_SUMS = (
    TierCredit.day,
    TierCredit.program_version,
    *(func.sum(getattr(TierCredit, name)) for name in FIGURES),
)
_TABLE = table_of(TierCredit)


def _reading(member_id: Any) -> Statement:
    return Statement(
        select(*_SUMS)
        .where(TierCredit.program_id == bindparam("of_program"), TierCredit.member_id == member_id)
        .group_by(TierCredit.day, TierCredit.program_version)
    )


CREDITS = _reading(bindparam("of_member"))
_OF_ID = _reading(bindparam("ref"))
_OF_EXTERNAL_ID = _reading(
    select(Member.id)
    .where(Member.program_id == bindparam("of_program"), Member.external_id == bindparam("ref"))
    .scalar_subquery()
)
_TIER_CHANGE: Any = literal_column("'tier_change'")
_LAST_CHANGE = Statement(
    select(Transaction.context)
    .where(
        Transaction.program_id == bindparam("of_program"),
        Transaction.member_id == bindparam("of_member"),
        Transaction.kind == _TIER_CHANGE,
        Transaction.occurred_at <= bindparam("at"),
    )
    .order_by(Transaction.occurred_at.desc(), Transaction.sequence.desc())
    .limit(ONE)
)
