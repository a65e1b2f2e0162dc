"""What a transaction has to tell. Pure: a posted transaction in, types and data out."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from loyalty_service import canonical
from loyalty_service.domain.ledger import Move, Transaction, total_change
from loyalty_service.domain.ledger.moves import change
from loyalty_service.domain.ledger.reserved import Hold

Data = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Posted:
    """A transaction as it stands in the books.

    `available_at` is when what it gave can be spent; `hold` the one that it captures or releases.
    """

    transaction: Transaction
    moves: Sequence[Move]
    available_at: datetime
    hold: Hold | None = None

    @property
    def context(self) -> Data:
        """What decided."""
        read: Data = json.loads(self.transaction.context)
        return read

    @property
    def points(self) -> int:
        """By how much it changed what is the member's."""
        return total_change(list(self.moves))

    @property
    def moved(self) -> int:
        """How many points it moved, from wherever to wherever."""
        return sum(move.points for move in self.moves)


@dataclass(frozen=True, slots=True)
class Said:
    """Something to tell, once for its type and cause. Without data the subject is to be read."""

    type: str
    cause: str
    occurred_at: datetime
    data: Data | None


def told_of(posted: Posted) -> Iterator[Said]:
    """Everything to tell of one transaction, the cause before what follows from it."""
    transaction = posted.transaction
    common = {"transaction": transaction.id, "balance": _balance(transaction)}
    told = _OF_KIND.get(transaction.kind, _nothing)(posted)
    owed = change(list(posted.moves), "debt")
    if owed:
        told = [*told, ("debt.created" if owed > 0 else "debt.repaid", {"points": abs(owed)})]
    for type_, data in told:
        yield Said(type_, transaction.id, transaction.occurred_at, {**common, **data})


def hold_of(transaction: Transaction) -> str | None:
    """The hold that a transaction captures or releases."""
    if transaction.kind not in ("capture", "release"):
        return None
    return str(json.loads(transaction.context)["hold"])


def redemption_of(posted: Posted) -> str | None:
    """The redemption that a transaction is about, where it spends points."""
    if posted.transaction.kind != "redemption":
        return None
    return str(posted.context["redemption"])


Told = list[tuple[str, Data]]


def _nothing(posted: Posted) -> Told:
    return []


def _earned(posted: Posted) -> Told:
    if not posted.points:
        return []
    data = {"points": posted.points, "available_at": canonical.timestamp(posted.available_at)}
    return [("points.earned", data | _origin(posted))]


def _moved(type_: str) -> Callable[[Posted], Told]:
    def told(posted: Posted) -> Told:
        return [(type_, {"points": posted.moved})] if posted.moved else []

    return told


def _taken_back(posted: Posted) -> Told:
    if not posted.points:
        return []
    return [("points.taken_back", {"points": -posted.points} | _origin(posted))]


def _adjusted(posted: Posted) -> Told:
    data = {
        "points": posted.points,
        "reason": posted.context.get("reason"),
        "corrects": posted.transaction.corrects_id,
    }
    return [("adjustment.posted", data)]


def _reversed(posted: Posted) -> Told:
    """What staff had given is an adjustment undone; what was earned is taken back."""
    systems = {kind for move in posted.moves for kind in (move.debit.kind, move.credit.kind)}
    return _taken_back(posted) if "issued" in systems else _adjusted(posted)


def _restored(posted: Posted) -> Told:
    context = posted.context
    if "hold" in context:
        data = {"points": posted.points, "order": context["order"], "hold": context["hold"]}
        return [("points.given_back", data)]
    data = {"redemption": context["redemption"], "points": posted.points}
    # The reward is filled in from the redemption itself.
    return [(f"redemption.{context['cause']}", data)]


def _tier_changed(posted: Posted) -> Told:
    before, after = posted.context["from"], posted.context["to"]
    return [("tier.changed", {"from": before, "to": after})] if before != after else []


def _captured(posted: Posted) -> Told:
    hold = _its_hold(posted)
    is_held = any(move.debit.kind == "held" for move in posted.moves)
    if is_held and hold.captured_points < hold.points:
        # The release of the rest comes with it and tells both: nobody ever saw what is between.
        return []
    return [("hold.captured", _about(hold) | {"points": posted.moved, "released": 0})]


def _released(posted: Posted) -> Told:
    hold = _its_hold(posted)
    cause, points = posted.context["cause"], posted.moved
    if cause != "capture":
        type_ = "hold.expired" if cause == "time" else "hold.released"
        return [(type_, _about(hold) | {"points": points})]
    figures = {"points": hold.captured_points, "released": points, "transaction": hold.captured_by}
    return [("hold.captured", _about(hold) | figures)]


def _its_hold(posted: Posted) -> Hold:
    assert posted.hold, f"{posted.transaction.id} is about no hold"
    return posted.hold


def _about(hold: Hold) -> Data:
    return {"hold": hold.id, "order": hold.order_id}


def _origin(posted: Posted) -> Data:
    context = posted.context
    return {"order": context.get("order"), "event": context.get("event")}


def _balance(transaction: Transaction) -> dict[str, int]:
    return {
        "available": transaction.available_after,
        "pending": transaction.pending_after,
        "held": transaction.held_after,
        "debt": transaction.debt_after,
    }


# What each kind of transaction has to tell; a kind that is not here tells nothing.
_OF_KIND: dict[str, Callable[[Posted], Told]] = {
    "earn": _earned,
    "maturity": _moved("points.matured"),
    "expiry": _moved("points.expired"),
    "credit": _adjusted,
    "debit": _adjusted,
    "reversal": _reversed,
    "claw_back": _taken_back,
    "restoration": _restored,
    "capture": _captured,
    "release": _released,
    "tier_change": _tier_changed,
}
