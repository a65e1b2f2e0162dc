"""Checkpoints: a signed photograph of all account heads, to be kept somewhere else.

Whoever can write to the database could rewrite an account's whole chain; the Merkle root in a file
kept elsewhere, signed with a key that the database does not hold, shows it. `verify` can start from
a checkpoint: an account whose head is unchanged since needs no second look.
"""

import hashlib
import hmac
import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from loyalty_service import canonical, clock
from loyalty_service.domain.ledger.entries import FIGURES
from loyalty_service.domain.ledger.sending import STANDING
from loyalty_service.domain.ledger.tables import Account, Lot, Transaction
from loyalty_service.domain.ledger.verify import Difference, verify_account, verify_strays

LOT_CONTENT = (
    "id",
    "number",
    "earned_at",
    "matures_at",
    "expires_at",
    "restores_lot_id",
    "pending",
    "available",
    "held",
)
ACCOUNT_CONTENT = (*FIGURES, "lifetime_earned", "lots_opened", "recorded_at", "next_due_at")


class BadCheckpoint(ValueError):
    """A checkpoint that was not signed with this key, or was changed since."""


@dataclass(frozen=True, slots=True)
class Head:
    """One account: how far its chain goes, its last hash, and a digest of its figures and lots."""

    member_id: str
    sequence: int
    head_hash: str
    content: str


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """All heads of a program at one moment, their Merkle root and its signature."""

    program_id: str
    taken_at: str
    heads: tuple[Head, ...]
    root: str
    signature: str


def take(session: Session, program_id: str, key: str) -> Checkpoint:
    """Photograph every account; run it in one snapshot (`db.read`)."""
    heads = tuple(_heads(session, program_id))
    taken_at = canonical.timestamp(clock.wall())
    root = merkle_root([_leaf(head) for head in heads])
    return Checkpoint(program_id, taken_at, heads, root, _sign(key, program_id, taken_at, root))


def dumps(checkpoint: Checkpoint) -> str:
    """A checkpoint as a file's text."""
    return canonical.dumps(asdict(checkpoint)) + "\n"


def loads(text: str, key: str) -> Checkpoint:
    """A checkpoint from a file's text; raises BadCheckpoint unless root and signature are right."""
    try:
        fields = json.loads(text)
        heads = tuple(Head(**head) for head in fields.pop("heads"))
        made = Checkpoint(heads=heads, **fields)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise BadCheckpoint("the file is not a checkpoint") from error
    if merkle_root([_leaf(head) for head in heads]) != made.root:
        raise BadCheckpoint("the heads in the file do not give its root")
    signature = _sign(key, made.program_id, made.taken_at, made.root)
    if not hmac.compare_digest(signature, made.signature):
        raise BadCheckpoint("the checkpoint was signed with another key, or changed")
    return made


def verify_since(session: Session, checkpoint: Checkpoint) -> Iterator[Difference]:
    """Every difference in accounts that changed since, and every account that was rewritten."""
    now = {head.member_id: head for head in _heads(session, checkpoint.program_id)}
    for then in checkpoint.heads:
        head = now.pop(then.member_id, None)
        if head is None:
            yield Difference(f"account {then.member_id}", "was there at the checkpoint")
        elif head != then:
            yield from _rewritten(session, checkpoint.program_id, then)
            yield from verify_account(session, checkpoint.program_id, then.member_id)
    for member_id in now:
        yield from verify_account(session, checkpoint.program_id, member_id)
    yield from verify_strays(session, checkpoint.program_id)


def merkle_root(leaves: Sequence[str]) -> str:
    """The root of a binary hash tree over hexadecimal leaves; an odd one moves up as it is."""
    level = list(leaves) or [canonical.sha256("")]
    while len(level) > 1:
        pairs = [level[place : place + 2] for place in range(0, len(level), 2)]
        level = [canonical.sha256("".join(pair)) if len(pair) == 2 else pair[0] for pair in pairs]
    return level[0]


def _heads(session: Session, program_id: str) -> Iterator[Head]:
    lots: dict[str, list[list[object]]] = defaultdict(list)
    rows = session.execute(
        select(Lot.member_id, *(getattr(Lot, name) for name in LOT_CONTENT))
        .where(Lot.program_id == program_id)
        .order_by(Lot.member_id, Lot.number)
    )
    for member_id, *lot in rows:
        lots[member_id].append([_plain(value) for value in lot])
    accounts = select(Account).where(Account.program_id == program_id).order_by(Account.member_id)
    for account in session.scalars(accounts):
        content: list[object] = [[_plain(getattr(account, name)) for name in ACCOUNT_CONTENT]]
        content.append(lots[account.member_id])
        # Left out where there is none: a checkpoint of before tiers stays good.
        standing = [_plain(getattr(account, name)) for name in STANDING]
        content += [standing] if any(standing) else []
        digest = canonical.sha256(canonical.dumps(content))
        yield Head(account.member_id, account.sequence, account.head_hash, digest)


def _plain(value: object) -> object:
    return canonical.timestamp(value) if isinstance(value, datetime) else value


def _leaf(head: Head) -> str:
    return canonical.sha256(canonical.dumps(asdict(head)))


def _rewritten(session: Session, program_id: str, then: Head) -> Iterator[Difference]:
    if not then.sequence:
        return
    found = session.scalar(
        select(Transaction.hash).where(
            Transaction.program_id == program_id,
            Transaction.member_id == then.member_id,
            Transaction.sequence == then.sequence,
        )
    )
    if found != then.head_hash:
        yield Difference(
            f"account {then.member_id}",
            f"its transaction {then.sequence} is not the one that the checkpoint saw",
        )


def _sign(key: str, program_id: str, taken_at: str, root: str) -> str:
    text = canonical.dumps([program_id, taken_at, root])
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()
