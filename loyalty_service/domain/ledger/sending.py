"""Rows to the database: on PostgreSQL in one statement, which is one way there and back.

All parts of one statement see the books as they were before it: none of them reads what another
writes, and foreign keys are checked at its end. SQLite, and whatever is too large to be worth a
statement of its own shape, takes one statement a table.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import CTE, Connection, Table, bindparam, func, select, update
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session

from loyalty_service.domain.ledger.entries import FIGURES
from loyalty_service.domain.ledger.moves import LOT_SIDES
from loyalty_service.domain.ledger.standing import Standing, columns
from loyalty_service.domain.ledger.tables import Account, Lot, Posting, Transaction
from loyalty_service.domain.notices import untold
from loyalty_service.statements import (
    ONE,
    POSTGRESQL,
    UNSENT,
    ZERO,
    Statement,
    Values,
    connection_of,
    inserting,
    inserting_unless_there,
    settle,
    table_of,
)

ROWS_TOGETHER_MAX = 12
SUMS = (*FIGURES, "lifetime_earned")
STANDING = tuple(columns(Standing()))
SET = ("sequence", "lots_opened", "head_hash", "recorded_at", "next_due_at", "warn_at")


# Whose: in every statement about one account.
MY_ACCOUNT = (
    Account.program_id == bindparam("of_program"),
    Account.member_id == bindparam("of_member"),
)
MY_LOTS = (Lot.program_id == bindparam("of_program"), Lot.member_id == bindparam("of_member"))


class Rows(NamedTuple):
    """What one writing brings: new rows of each table, changes of lots, and of the account.

    `changes` and `account` hold relative figures as `<figure>_by`, the account's others as
    `new_<name>`; `first_sequence` is that of the first transaction.
    """

    program_id: str
    member_id: str
    inserts: Sequence[tuple[Table, Values]]
    changes: Sequence[Values]
    account: Values
    first_sequence: int


class Key(NamedTuple):
    """A row that is inserted unless its key is taken; `taken` is raised then."""

    table: Table
    row: Values
    taken: Exception


def send(session: Session, rows: Rows) -> None:
    """Write them all: at once, or on PostgreSQL with what comes before the next look."""
    connection = connection_of(session)
    settle(connection)
    count = len(rows.inserts) + len(rows.changes)
    if count <= ROWS_TOGETHER_MAX and connection.dialect.name == POSTGRESQL:
        connection.info[UNSENT] = Unsent(rows)
    else:
        _one_by_one(session, rows)


def insert_key(session: Session, key: Key) -> None:
    """Insert a row whose key must be new, with what waits to be sent; raises `key.taken`.

    Waits for a concurrent transaction that holds the same key.
    """
    connection = connection_of(session)
    unsent: Unsent | None = connection.info.get(UNSENT)
    if unsent:
        unsent.keys.append(key)
    elif not inserting_unless_there(key.table).run(session, **key.row):
        raise key.taken


class Unsent:
    """Rows that wait for whatever else the verb brings."""

    def __init__(self, rows: Rows) -> None:
        self.rows = rows
        self.keys: list[Key] = []

    def send(self, connection: Connection) -> None:
        """Send them in one statement; raises a key's `taken`."""
        rows = self.rows
        shape = _shape(
            tuple(table for table, _ in rows.inserts),
            len(rows.changes),
            tuple(key.table for key in self.keys),
        )
        whose = {**_mine(rows), "first_sequence": rows.first_sequence, **rows.account}
        inserts = (row for _, row in rows.inserts)
        parts = [whose, *inserts, *rows.changes, *(key.row for key in self.keys)]
        parameters = [parts[part][name] for part, name in shape.places]
        changed, *inserted = shape.statement.first_in_order(connection, parameters)
        for key, count in zip(self.keys, inserted, strict=True):
            if not count:
                raise key.taken
        _require_all(rows, changed)


class Shape(NamedTuple):
    """A statement for so many rows of such tables, and where each of its parameters comes from.

    A place is a part of what is sent (first whose it is, then each row in order) and a name in it.
    """

    statement: Statement
    places: list[tuple[int, str]]


def _one_by_one(session: Session, rows: Rows) -> None:
    mine = _mine(rows)
    for table in dict.fromkeys(table for table, _ in rows.inserts):
        inserting(table).run_each(session, [row for one, row in rows.inserts if one is table])
    changes = [{**mine, **change} for change in rows.changes]
    _require_all(rows, _CHANGE_LOT.run_each(session, changes) if changes else 0)
    _CHANGE_ACCOUNT.run(session, **mine, **rows.account)
    last = rows.account["new_sequence"]
    _LEAVE_WORD.run(session, **mine, first_sequence=rows.first_sequence, new_sequence=last)


def _mine(rows: Rows) -> Values:
    return {"of_program": rows.program_id, "of_member": rows.member_id}


def _require_all(rows: Rows, changed: int) -> None:
    assert changed == len(rows.changes), "a lot vanished under the account's lock"


@cache
def _shape(tables: tuple[Table, ...], changes: int, keys: tuple[Table, ...]) -> Shape:
    """New rows of these tables, so many changed lots, and these keys.

    The statement tells how many lots were changed, and for each key whether it was new.
    """
    firsts = 1, 1 + len(tables), 1 + len(tables) + changes
    rows = [
        postgresql.insert(table).values(_binds(part, table)).cte(f"row{part}")
        for part, table in enumerate(tables, start=firsts[0])
    ]
    changed = [
        _lot_change(f"{part}__").returning(ONE).cte(f"change{part}")
        for part in range(firsts[1], firsts[2])
    ]
    new = [
        postgresql.insert(table)
        .values(_binds(part, table))
        .on_conflict_do_nothing()
        .returning(ONE)
        .cte(f"key{part}")
        for part, table in enumerate(keys, start=firsts[2])
    ]
    total: Any = sum((_count(one) for one in changed), start=ZERO)
    counts = [total.label("changed"), *(_count(one) for one in new)]
    also = _account_change().cte("account"), untold.posted()[POSTGRESQL].cte("word")
    statement = Statement(select(*counts).add_cte(*rows, *changed, *also))
    return Shape(statement, [_place(name) for name in statement.order()])


def _place(parameter: str) -> tuple[int, str]:
    part, numbered, name = parameter.partition("__")
    return (int(part), name) if numbered else (0, parameter)


def _binds(part: int, table: Table) -> dict[str, Any]:
    return {c.name: bindparam(f"{part}__{c.name}", type_=c.type) for c in table.columns}


def _count(part: CTE) -> Any:
    return select(func.count()).select_from(part).scalar_subquery()


def _lot_change(prefix: str) -> Any:
    return (
        update(Lot)
        .where(*MY_LOTS, Lot.id == bindparam(f"{prefix}lot"))
        .values({part: getattr(Lot, part) + bindparam(f"{prefix}{part}_by") for part in LOT_SIDES})
    )


def _account_change() -> Any:
    return (
        update(Account)
        .where(*MY_ACCOUNT)
        .values({figure: getattr(Account, figure) + bindparam(f"{figure}_by") for figure in SUMS})
        .values({name: bindparam(f"new_{name}") for name in (*SET, *STANDING)})
    )


_CHANGE_LOT = Statement(_lot_change(""))
_CHANGE_ACCOUNT = Statement(_account_change())
_LEAVE_WORD = Statement(untold.posted())
TRANSACTIONS, LOTS, POSTINGS = table_of(Transaction), table_of(Lot), table_of(Posting)
