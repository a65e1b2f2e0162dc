"""`loyalty ledger verify`: rebuild every figure from the postings alone and name each difference.

For each account: the hash chain, the order of sequence and time, the legality of every move, each
lot, the account row, its tier, and the figures noted on each transaction. What orders, redemptions,
adjustments and counters say of the ledger is checked by their own nouns (see `domain.audit`).
"""

import json
from collections.abc import Iterator, Set
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import BindParameter, Select, bindparam, func, select
from sqlalchemy.orm import Session

from loyalty_service.domain.ledger import chain, history, reserved
from loyalty_service.domain.ledger.entries import FIGURES
from loyalty_service.domain.ledger.lots import lot_states, lots_of
from loyalty_service.domain.ledger.moves import LEGAL, LOT_SIDES, Move, change, earned
from loyalty_service.domain.ledger.standing import Standing, columns, pinned
from loyalty_service.domain.ledger.state import NEVER, Held, LotState, NewLot, due_at
from loyalty_service.domain.ledger.tables import Account, Lot, Posting, Transaction
from loyalty_service.statements import OF_PROGRAM

_MEMBER: BindParameter[str] = bindparam("of_member")

# Made once: for most accounts, to build them costs more than to run them.
_MEMBERS = (
    select(Account.member_id).where(Account.program_id == OF_PROGRAM).order_by(Account.member_id)
)
_TRANSACTIONS = (
    select(Transaction)
    .where(Transaction.program_id == OF_PROGRAM, Transaction.member_id == _MEMBER)
    .order_by(Transaction.sequence)
)
_LOTS = lots_of(OF_PROGRAM, _MEMBER)


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that does not add up: what it is about, and both figures."""

    subject: str
    detail: str


def verify_accounts(session: Session, program_id: str) -> Iterator[Difference]:
    """Every difference in a program's accounts; nothing when the books are right."""
    for member_id in session.scalars(_MEMBERS, {"of_program": program_id}).all():
        yield from verify_account(session, program_id, member_id)
    yield from verify_strays(session, program_id)


def verify_account(session: Session, program_id: str, member_id: str) -> Iterator[Difference]:
    """Every difference in one account."""
    account = session.get_one(Account, (program_id, member_id))
    mine = {"of_program": program_id, "of_member": member_id}
    transactions = session.scalars(_TRANSACTIONS, mine).all()
    moves = history.moves_by_transaction(session, program_id, member_id)
    kept = lot_states(session.execute(_LOTS, mine))
    rebuilt = [
        LotState(lot.id, lot.number, lot.earned_at, lot.matures_at, lot.expires_at) for lot in kept
    ]
    opened = history.lots_by_transaction(session, program_id, member_id)
    yield from _chain(account, transactions, moves, opened)
    yield from _figures(account, transactions, moves, rebuilt)
    yield from _lots(kept, rebuilt)
    if account.lots_opened != len(kept):
        yield Difference(
            f"account {member_id}", f"lots_opened is {account.lots_opened}, there are {len(kept)}"
        )
    standing = Standing()
    for one in transactions:
        after = pinned(one.context)
        yield from _tier_change(one, standing, after)
        standing = after or standing
    yield from _standing(account, standing)
    posted = [move for one in transactions for move in moves[one.id]]
    holds = reserved.standing_of(session, program_id, posted)
    yield from _due(account, rebuilt, standing, holds)


def _chain(
    account: Account,
    transactions: Any,
    moves: dict[str, list[Move]],
    opened: dict[str, list[NewLot]],
) -> Iterator[Difference]:
    previous, recorded_at = chain.GENESIS, None
    for sequence, one in enumerate(transactions, start=1):
        subject = f"transaction {one.id}"
        if one.sequence != sequence:
            yield Difference(subject, f"sequence is {one.sequence}, expected {sequence}")
        if one.previous_hash != previous:
            yield Difference(subject, "previous_hash is not the hash of the transaction before it")
        if recorded_at and one.recorded_at <= recorded_at:
            yield Difference(subject, "recorded_at is not later than the transaction before it")
        if one.hash != _hash(one, moves[one.id], opened[one.id]):
            yield Difference(subject, "content, postings or lots are not what was hashed")
        previous, recorded_at = one.hash, one.recorded_at
    if account.head_hash != previous:
        yield Difference(
            f"account {account.member_id}", "head_hash is not that of the last transaction"
        )
    if account.sequence != len(transactions):
        yield Difference(
            f"account {account.member_id}",
            f"sequence is {account.sequence}, {len(transactions)} transactions are there",
        )


def _hash(one: Transaction, moves: list[Move], lots: list[NewLot]) -> str:
    return chain.hash_of(
        program_id=one.program_id,
        member_id=one.member_id,
        transaction_id=one.id,
        sequence=one.sequence,
        kind=one.kind,
        occurred_at=one.occurred_at,
        recorded_at=one.recorded_at,
        corrects_id=one.corrects_id,
        context=one.context,
        moves=moves,
        previous_hash=one.previous_hash,
        lots=lots,
    )


def _figures(
    account: Account, transactions: Any, moves: dict[str, list[Move]], rebuilt: list[LotState]
) -> Iterator[Difference]:
    """Replay the moves in order; every figure, at every step, is a sum of postings."""
    figures = dict.fromkeys(FIGURES, 0)
    by_id = {lot.id: lot for lot in rebuilt}
    lifetime = 0
    for one in transactions:
        for move in moves[one.id]:
            yield from _move(one, move, by_id.keys())
        good = [move for move in moves[one.id] if _lots_named(move) <= by_id.keys()]
        # Only the lots that are named: an account may have thousands.
        touched = [by_id[lot_id] for lot_id in {id_ for move in good for id_ in _lots_named(move)}]
        history.fold(touched, good)
        lifetime += earned(good)
        for figure in FIGURES:
            figures[figure] += change(good, figure)
            noted = getattr(one, f"{figure}_after")
            if noted != figures[figure]:
                yield Difference(
                    f"transaction {one.id}",
                    f"{figure}_after is {noted}, postings give {figures[figure]}",
                )
        for lot in touched:
            if min(lot.pending, lot.available, lot.held) < 0:
                yield Difference(f"lot {lot.id}", f"is below zero after transaction {one.id}")
    for figure, points in {**figures, "lifetime_earned": lifetime}.items():
        if getattr(account, figure) != points:
            yield Difference(
                f"account {account.member_id}",
                f"{figure} is {getattr(account, figure)}, postings give {points}",
            )


def _move(one: Transaction, move: Move, known: Set[str]) -> Iterator[Difference]:
    if (move.debit.kind, move.credit.kind) not in LEGAL.get(one.kind, set()):
        yield Difference(
            f"transaction {one.id}",
            f"{one.kind} can't move points from {move.debit.kind} to {move.credit.kind}",
        )
    for lot_id in _lots_named(move) - known:
        yield Difference(f"transaction {one.id}", f"names lot {lot_id} of another account")


def _lots_named(move: Move) -> set[str]:
    return {side.lot_id for side in (move.debit, move.credit) if side.lot_id}


def _lots(kept: list[LotState], rebuilt: list[LotState]) -> Iterator[Difference]:
    for row, true in zip(kept, rebuilt, strict=True):
        for place in LOT_SIDES:
            if getattr(row, place) != getattr(true, place):
                yield Difference(
                    f"lot {row.id}",
                    f"{place} is {getattr(row, place)}, postings give {getattr(true, place)}",
                )


def _tier_change(
    one: Transaction, before: Standing, after: Standing | None
) -> Iterator[Difference]:
    """What time does to a tier is what was foreseen."""
    if one.kind != "tier_change" or json.loads(one.context).get("cause") != "time":
        return
    if not before.steps or after != before.after_step() or after.since != one.occurred_at:
        yield Difference(f"transaction {one.id}", "is not what time was going to do to the tier")


def _standing(account: Account, standing: Standing) -> Iterator[Difference]:
    for name, true in columns(standing).items():
        if getattr(account, name) != true:
            yield Difference(
                f"account {account.member_id}",
                f"{name} is {getattr(account, name)}, the transactions give {true}",
            )


def _due(
    account: Account, rebuilt: list[LotState], standing: Standing, holds: list[Held]
) -> Iterator[Difference]:
    lot_at = min((due_at(lot, standing) for lot in rebuilt), default=NEVER)
    hold_at = min((hold.ends_at for hold in holds), default=NEVER)
    step_at = standing.next_step_at or NEVER
    for what, first in (("a lot", lot_at), ("a hold", hold_at), ("the tier", step_at)):
        if first < (account.next_due_at or NEVER):
            yield Difference(
                f"account {account.member_id}",
                f"next_due_at is {account.next_due_at}, {what} is due at {first}",
            )


def verify_strays(session: Session, program_id: str) -> Iterator[Difference]:
    """Lots and postings that no account's replay would meet."""
    for name, statement in _strays().items():
        if count := session.execute(statement, {"of_program": program_id}).scalar_one():
            yield Difference(name, f"{count} without a transaction of their own account")


@cache
def _strays() -> dict[str, Select[tuple[int]]]:
    lots = select(func.count()).select_from(Lot).where(Lot.program_id == OF_PROGRAM)
    lots = lots.where(
        ~select(Transaction.id)
        .where(Transaction.program_id == OF_PROGRAM, Transaction.id == Lot.opened_by)
        .where(Transaction.member_id == Lot.member_id)
        .exists()
    )
    postings = select(func.count()).select_from(Posting).where(Posting.program_id == OF_PROGRAM)
    postings = postings.where(
        ~select(Transaction.id)
        .where(Transaction.program_id == OF_PROGRAM, Transaction.id == Posting.transaction_id)
        .exists()
    )
    return {"lots": lots, "postings": postings}
