"""The hash chain of an account: each transaction's hash covers its content and the hash before it.

Pure. The content is canonical JSON with ids, integers and times; fields that are absent are left
out, so that a later version can add one without changing an old hash.
"""

from collections.abc import Sequence
from datetime import datetime

from loyalty_service import canonical
from loyalty_service.domain.ledger.moves import Move
from loyalty_service.domain.ledger.state import NewLot

GENESIS = "0" * 64


def hash_of(
    *,
    program_id: str,
    member_id: str,
    transaction_id: str,
    sequence: int,
    kind: str,
    occurred_at: datetime,
    recorded_at: datetime,
    corrects_id: str | None,
    context: str,
    moves: list[Move],
    previous_hash: str,
    lots: Sequence[NewLot] = (),
) -> str:
    """The SHA-256 of a transaction's canonical content, in hexadecimal.

    `lots` are those it opens: their dates decide when points end, so they are part of the content.
    """
    content = {
        "program": program_id,
        "member": member_id,
        "id": transaction_id,
        "sequence": sequence,
        "kind": kind,
        "occurred_at": canonical.timestamp(occurred_at),
        "recorded_at": canonical.timestamp(recorded_at),
        "context": context,
        "postings": [[str(move.debit), str(move.credit), move.points] for move in moves],
        "previous_hash": previous_hash,
    }
    if corrects_id:
        content["corrects"] = corrects_id
    if lots:
        content["lots"] = [_lot(lot) for lot in lots]
    return canonical.sha256(canonical.dumps(content))


def _lot(lot: NewLot) -> list[str | None]:
    expires_at = canonical.timestamp(lot.expires_at) if lot.expires_at else None
    earned_at, matures_at = canonical.timestamp(lot.earned_at), canonical.timestamp(lot.matures_at)
    return [lot.id, earned_at, matures_at, expires_at, lot.restores_lot_id]
