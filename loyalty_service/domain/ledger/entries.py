"""What is written with and what is written: an account's book, and entries."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from loyalty_service import ids
from loyalty_service.domain.ledger.moves import Move
from loyalty_service.domain.ledger.state import LotState, NewLot

FIGURES = ("available", "pending", "held", "debt")


@dataclass(frozen=True, slots=True)
class Expiring:
    """The points that expire next, and when."""

    points: int
    expires_at: datetime


@dataclass(slots=True)
class Book:
    """A locked account: its figures as they stand after what was posted, and the moment `now`.

    What was read ahead (`first_lots` in spending order, `expiring`) is forgotten by a write that
    makes it untrue.
    """

    session: Session
    now: datetime
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
    first_lots: list[LotState] | None = None
    expiring: Expiring | None = None
    is_expiring_known: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """A transaction to be posted. `context` pins what decided: ids, integers and words."""

    kind: str
    moves: list[Move]
    occurred_at: datetime
    context: dict[str, Any] = field(default_factory=dict)
    corrects_id: str | None = None
    new_lots: list[NewLot] = field(default_factory=list)
    id: str = field(default_factory=lambda: ids.new("ltx"))


@dataclass(frozen=True, slots=True)
class Step:
    """What time will do to a tier at `at`, unless something happens before.

    `tier` is the one that is held from then on; `expiry_paused` and `expires_not_before` as in
    `Standing`, to which they lead.
    """

    at: datetime
    tier: str | None
    expiry_paused: bool = False
    expires_not_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """The tier that is held, since when, what time will do to it, and when points end meanwhile.

    While `expiry_paused` no lot expires. Otherwise a lot ends at its own date or at
    `expires_not_before`, whichever is later; a lot without a date never ends.
    """

    tier: str | None = None
    since: datetime | None = None
    steps: tuple[Step, ...] = ()
    expiry_paused: bool = False
    expires_not_before: datetime | None = None
