"""What a sentence is made of: the pinned context, the moves, the rules that decided, the lot."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from loyalty_service.domain import program
from loyalty_service.domain.ledger import Lot, Move, Transaction
from loyalty_service.domain.program import History, Program
from loyalty_service.domain.program.versions import NEWEST, Newest, not_applied

# The kinds that put points where they can be spent, now or later.
_OPENING = ("earn", "credit", "restoration")


class Dates(NamedTuple):
    """From when points can be spent, and the first instant at which they may be gone."""

    matures_at: datetime
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Fact:
    """A transaction as a sentence needs it.

    `rules` are those of the version that decided. `dates` are those of the lot into which points
    went, where it is one. `is_again` where it corrects an earlier transaction.
    """

    kind: str
    context: Mapping[str, Any]
    moves: Sequence[Move]
    occurred_at: datetime
    rules: Program
    dates: Dates | None = None
    is_again: bool = False

    @property
    def cause(self) -> str:
        """Why it was posted."""
        return str(self.context.get("cause", ""))

    @property
    def points(self) -> int:
        """How many points were moved."""
        return sum(move.points for move in self.moves)


def structure(transaction: Transaction) -> dict[str, Any]:
    """The pinned context as it was recorded."""
    context: dict[str, Any] = json.loads(transaction.context)
    return context


def read(
    session: Session, transactions: Sequence[Transaction], moves: Mapping[str, list[Move]]
) -> dict[str, Fact]:
    """The facts of some transactions of one program, by id; raises ProgramNotApplied."""
    if not transactions:
        return {}
    program_id = transactions[0].program_id
    history = _history(session, program_id)
    lots = {one.id: _lot(one, moves[one.id]) for one in transactions}
    dates = _dates(session, program_id, [lot for lot in lots.values() if lot])
    found = {}
    for one in transactions:
        context = structure(one)
        found[one.id] = Fact(
            kind=one.kind,
            context=context,
            moves=moves[one.id],
            occurred_at=one.occurred_at,
            rules=_rules(history, context, one.occurred_at),
            dates=dates.get(lots[one.id] or ""),
            is_again=one.corrects_id is not None,
        )
    return found


def _history(session: Session, program_id: str) -> History:
    newest = NEWEST.first(session, of_program=program_id)
    if newest is None:
        raise not_applied(program_id)
    return program.history(session, program_id, Newest(*newest))


def _rules(history: History, context: Mapping[str, Any], at: datetime) -> Program:
    """What time did names no version: the one in force then knows its words."""
    version = context.get("program_version")
    return history.number(version) if version else history.as_of(at).rules


def _lot(one: Transaction, moves: Sequence[Move]) -> str | None:
    """The one lot into which a transaction put points."""
    lots = {move.credit.lot_id for move in moves}
    return lots.pop() if one.kind in _OPENING and len(lots) == 1 else None


def _dates(session: Session, program_id: str, lot_ids: Sequence[str]) -> dict[str, Dates]:
    if not lot_ids:
        return {}
    rows = session.execute(
        select(Lot.id, Lot.matures_at, Lot.expires_at).where(
            Lot.program_id == program_id, Lot.id.in_(lot_ids)
        )
    )
    return {lot_id: Dates(matures_at, expires_at) for lot_id, matures_at, expires_at in rows}
