"""Rows to the database: on PostgreSQL in one statement, which is one way there and back.

All parts of one statement see the books as they were before it: none of them reads what another
writes, and foreign keys are checked at its end. SQLite, and whatever is too large to be worth a
statement of its own shape, takes one statement a table.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import CTE, Table, bindparam, func, insert, literal, select, update
from sqlalchemy.orm import Session

from loyalty_service.domain.ledger.entries import FIGURES
from loyalty_service.domain.ledger.moves import LOT_SIDES
from loyalty_service.domain.ledger.tables import Account, Lot, Posting, Transaction
from loyalty_service.statements import POSTGRESQL, Statement, inserting, table_of

Values = dict[str, Any]
ROWS_TOGETHER_MAX = 12
SUMS = (*FIGURES, "lifetime_earned")
SET = ("sequence", "lots_opened", "head_hash", "recorded_at", "next_due_at")


class Rows(NamedTuple):
    """What one writing brings: new rows of each table, changes of lots, and of the account.

    `changes` and `account` hold relative figures as `<figure>_by`, the account's others as
    `new_<name>`.
    """

    program_id: str
    member_id: str
    inserts: Sequence[tuple[Table, Values]]
    changes: Sequence[Values]
    account: Values


def send(session: Session, rows: Rows) -> None:
    """Write them all."""
    mine = {"of_program": rows.program_id, "of_member": rows.member_id}
    tables = tuple(table for table, _ in rows.inserts)
    count = len(tables) + len(rows.changes)
    if count <= ROWS_TOGETHER_MAX and session.get_bind().dialect.name == POSTGRESQL:
        values = {**mine, **rows.account}
        for place, (_, row) in enumerate(rows.inserts):
            values.update((f"row{place}_{name}", value) for name, value in row.items())
        for place, change in enumerate(rows.changes):
            values.update((f"change{place}_{name}", value) for name, value in change.items())
        (changed,) = _together(tables, len(rows.changes)).first(session, **values)
    else:
        changed = _one_by_one(session, rows, mine)
    assert changed == len(rows.changes), "a lot vanished under the account's lock"


def _one_by_one(session: Session, rows: Rows, mine: Values) -> int:
    for table in dict.fromkeys(table for table, _ in rows.inserts):
        of_it = [row for one, row in rows.inserts if one is table]
        _insert(table).run_each(session, of_it)
    changes = [{**mine, **change} for change in rows.changes]
    changed = _CHANGE_LOT.run_each(session, changes) if changes else 0
    _CHANGE_ACCOUNT.run(session, **mine, **rows.account)
    return changed


@cache
def _insert(table: Table) -> Statement:
    return inserting(table)


@cache
def _together(tables: tuple[Table, ...], changes: int) -> Statement:
    """The one statement for new rows of these tables and as many changed lots."""
    parts: list[CTE] = [
        insert(table)
        .values({c.name: bindparam(f"row{place}_{c.name}", type_=c.type) for c in table.columns})
        .cte(f"row{place}")
        for place, table in enumerate(tables)
    ]
    changed = [
        _lot_change(f"change{place}_").returning(literal(1)).cte(f"change{place}")
        for place in range(changes)
    ]
    counts = [select(func.count()).select_from(one).scalar_subquery() for one in changed]
    total: Any = sum(counts, start=literal(0)) if counts else literal(0)
    return Statement(select(total).add_cte(*parts, *changed, _account_change().cte("account")))


def _lot_change(prefix: str) -> Any:
    return (
        update(Lot)
        .where(Lot.program_id == bindparam("of_program"), Lot.member_id == bindparam("of_member"))
        .where(Lot.id == bindparam(f"{prefix}lot"))
        .values({part: getattr(Lot, part) + bindparam(f"{prefix}{part}_by") for part in LOT_SIDES})
    )


def _account_change() -> Any:
    return (
        update(Account)
        .where(
            Account.program_id == bindparam("of_program"),
            Account.member_id == bindparam("of_member"),
        )
        .values({figure: getattr(Account, figure) + bindparam(f"{figure}_by") for figure in SUMS})
        .values({name: bindparam(f"new_{name}") for name in SET})
    )


_CHANGE_LOT = Statement(_lot_change(""))
_CHANGE_ACCOUNT = Statement(_account_change())
TRANSACTIONS, LOTS, POSTINGS = table_of(Transaction), table_of(Lot), table_of(Posting)
