"""What is written with and what is written: an account's book, and entries."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from loyalty_service import ids
from loyalty_service.domain.ledger.moves import Move
from loyalty_service.domain.ledger.standing import Standing, Step
from loyalty_service.domain.ledger.state import LotState, NewLot

__all__ = ["FIGURES", "Book", "Entry", "Expiring", "Standing", "Step"]

FIGURES = ("available", "pending", "held", "debt")


@dataclass(frozen=True, slots=True)
class Expiring:
    """The points that expire next, and when."""

    points: int
    expires_at: datetime


@dataclass(slots=True)
class Book:
    """A locked account: its figures as they stand after what was posted, and the moment `now`.

    What was read ahead (`first_lots` in spending order, `expiring` by the lots' own dates) is
    forgotten by a write that makes it untrue. `unposted` are standings that time has brought about
    where the book is only looked at: nobody has written them down.
    """

    session: Session
    now: datetime
    standing: Standing
    program_id: str
    member_id: str
    available: int
    pending: int
    held: int
    debt: int
    lifetime_earned: int
    sequence: int
    lots_opened: int
    head_hash: str
    recorded_at: datetime
    next_due_at: datetime | None
    warn_at: datetime | None
    first_lots: list[LotState] | None = None
    expiring: Expiring | None = None
    is_expiring_known: bool = False
    unposted: Sequence[Standing] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """A transaction to be posted. `context` pins what decided: ids, integers and words.

    `standing` is what is in force after it, and is pinned with it; None where it changes nothing.
    `ends_at` is when time ends what it does, as it ends a hold.
    """

    kind: str
    moves: list[Move]
    occurred_at: datetime
    context: dict[str, Any] = field(default_factory=dict)
    corrects_id: str | None = None
    new_lots: list[NewLot] = field(default_factory=list)
    standing: Standing | None = None
    ends_at: datetime | None = None
    id: str = field(default_factory=lambda: ids.new("ltx"))
