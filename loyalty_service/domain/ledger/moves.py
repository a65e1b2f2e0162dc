"""Points moved from one place to another: the sides, and which transfers are legal.

A move takes points from its debit side and puts them on its credit side. One side at least is the
member's: a lot (pending, available, or held by a hold) or debt. The others are system accounts:
names without a balance, because a hot row would make everybody wait.
"""

from dataclasses import dataclass

from loyalty_service.domain.limits import POINTS_MAX

LOT_SIDES = ("pending", "available", "held")
MEMBER_SIDES = (*LOT_SIDES, "debt")
SYSTEM_SIDES = ("issued", "redeemed", "expired", "adjusted", "forfeited")
SIDES = (*MEMBER_SIDES, *SYSTEM_SIDES)

# Where points of a lot go that nobody can take back from it; what is held may come back yet.
USED_UP = ("redeemed", "adjusted", "expired", "forfeited", "held")

_TAKEN_BACK = {
    (place, system)
    for place in ("pending", "available", "debt")
    for system in ("issued", "adjusted")
}

# Every transfer that a kind of transaction may make; anything else is our own bug.
LEGAL: dict[str, set[tuple[str, str]]] = {
    "earn": {("issued", "pending"), ("issued", "available")},
    "maturity": {("pending", "available")},
    "expiry": {("available", "expired")},
    "repayment": {("available", "debt")},
    "credit": {("adjusted", "available")},
    "debit": {("available", "adjusted")},
    "reversal": _TAKEN_BACK | {("adjusted", "available")},
    # Also what came back for a reward that turned out to be used.
    "claw_back": _TAKEN_BACK
    | {("pending", "redeemed"), ("available", "redeemed"), ("debt", "redeemed")},
    "redemption": {("available", "redeemed")},
    "restoration": {("redeemed", "available")},
    "hold": {("available", "held")},
    # After its end a hold has nothing left: what is captured then is taken afresh.
    "capture": {("held", "redeemed"), ("available", "redeemed")},
    "release": {("held", "available")},
    "expiry_change": {("available", "available"), ("pending", "pending")},
    "merge": {(place, "forfeited") for place in MEMBER_SIDES}
    | {("forfeited", place) for place in MEMBER_SIDES},
    # What a tier changes is when points end, not how many there are.
    "tier_change": set(),
}
KINDS = tuple(LEGAL)


@dataclass(frozen=True, slots=True)
class Side:
    """One end of a move: a kind, and for the member's lots which lot (and which hold)."""

    kind: str
    lot_id: str | None = None
    hold_id: str | None = None

    def __str__(self) -> str:
        return ":".join(part for part in (self.kind, self.lot_id, self.hold_id) if part)


@dataclass(frozen=True, slots=True)
class Move:
    """`points` (above zero) from the debit side to the credit side."""

    debit: Side
    credit: Side
    points: int


ISSUED = Side("issued")
REDEEMED = Side("redeemed")
EXPIRED = Side("expired")
ADJUSTED = Side("adjusted")
DEBT = Side("debt")


def pending(lot_id: str) -> Side:
    """The part of a lot that has not matured."""
    return Side("pending", lot_id)


def available(lot_id: str) -> Side:
    """The part of a lot that can be spent."""
    return Side("available", lot_id)


def held(lot_id: str, hold_id: str) -> Side:
    """The part of a lot that a hold reserves."""
    return Side("held", lot_id, hold_id)


def require_legal(kind: str, moves: list[Move]) -> None:
    """Stop at our own bug: a move of no points, or one that this kind can't make."""
    for move in moves:
        assert 0 < move.points <= POINTS_MAX, f"a move of {move.points} points"
        pair = (move.debit.kind, move.credit.kind)
        assert pair in LEGAL[kind], f"{kind} can't move points from {pair[0]} to {pair[1]}"


def change(moves: list[Move], kind: str) -> int:
    """By how much moves change one of the member's figures: `available`, `pending`, `held`, `debt`.

    Debt is counted as what is owed: taking points from the debt side makes it larger.
    """
    into = sum(move.points for move in moves if move.credit.kind == kind)
    out_of = sum(move.points for move in moves if move.debit.kind == kind)
    return out_of - into if kind == "debt" else into - out_of


def total_change(moves: list[Move]) -> int:
    """By how much moves change all that is the member's, debt counted against it."""
    return sum(change(moves, place) for place in LOT_SIDES) - change(moves, "debt")


def earned(moves: list[Move]) -> int:
    """What moves add to lifetime earnings: issued, less what was clawed back to `issued`."""
    into = sum(move.points for move in moves if move.debit.kind == "issued")
    return into - sum(move.points for move in moves if move.credit.kind == "issued")
