"""From what was recorded to facts: which transaction tells of what. Pure."""

import json
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from loyalty_service import canonical
from loyalty_service.domain.earning import EventFacts, OrderFacts, RefundFacts
from loyalty_service.domain.events import undoing
from loyalty_service.domain.events.table import WAITING
from loyalty_service.domain.holds.returning import UNDONE
from loyalty_service.domain.orders.table import facts_of
from loyalty_service.domain.replaying.facts import (
    EventHappened,
    Fact,
    OrderAmended,
    OrderCancelled,
    OrderRecorded,
    OrderRefunded,
    OrderTold,
    PointsGiven,
    PointsRestored,
    PointsReversed,
    PointsSpent,
    PointsTakenAgain,
)
from loyalty_service.domain.tiers.entry import GIVEN, WITHDRAWN
from loyalty_service.domain.timely import CLOCK_SKEW_SECONDS

AMENDMENT_NOT_KEPT = "amendment_not_kept"
"""Why an amendment can't be lived again: what it said was replaced by a later one."""
NOT_KNOWN_HERE = "not_known_here"
"""Why another transaction can't be: a kind or a cause that no replay knows."""

_FOLLOW_CAUSES = (GIVEN, WITHDRAWN)
_SKEW = timedelta(seconds=CLOCK_SKEW_SECONDS)


@dataclass(frozen=True, slots=True)
class Records:
    """Rows of one member; transactions in their order, `grants` the transactions of grants."""

    transactions: Sequence[Any]
    orders: Sequence[Any]
    refunds: Sequence[Any]
    events: Sequence[Any]
    redemptions: Sequence[Any]
    adjustments: Sequence[Any]
    holds: Sequence[Any]
    grants: Collection[str]


def understood(records: Records, unreadable: Counter[str]) -> list[Fact]:
    """The facts that some records tell of, in the order in which they were taken in.

    What can't be lived again is counted in `unreadable`.
    """
    reader = _Reader(records)
    placed = [(row.recorded_at, place) for place, row in enumerate(records.transactions)]
    found: list[tuple[tuple[datetime, int], Fact]] = []
    for where, row in zip(placed, records.transactions, strict=True):
        fact = reader.fact(row)
        if isinstance(fact, str):
            unreadable[fact] += 1
        elif fact is not None:
            found.append((where, fact))
    # Moments of orders that nothing was posted for: as if told when they came.
    after_all = len(placed)
    found += [((fact.at, after_all), fact) for fact in reader.told_apart()]
    return [fact for _, fact in sorted(found, key=lambda pair: pair[0])]


class _Reader:
    """One member's records by the transactions that tell of them."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._orders = {row.transaction_id: row for row in records.orders}
        self._by_id = {row.id: row for row in records.orders}
        self._earned = {row.earning_id: row for row in records.orders}
        self._refunds = {row.transaction_id: row for row in records.refunds}
        self._events = {row.transaction_id: row for row in records.events}
        self._settled = {row.settled_by for row in records.events}
        self._redeemed = {row.transaction_id: row for row in records.redemptions}
        self._restored = {row.restored_by: row for row in records.redemptions}
        self._adjusted = {row.transaction_id: row for row in records.adjustments}
        self._held = {row.transaction_id: row for row in records.holds}
        self._captured = {row.captured_by: row for row in records.holds if row.captured_by}
        self._by_transaction = {row.id: row for row in records.transactions}

    def fact(self, row: Any) -> Fact | str | None:
        """What a transaction tells of; None where it follows from others, a reason where nobody
        knows."""
        if order := self._orders.get(row.id):
            return _recorded(order)
        if event := self._events.get(row.id):
            content = json.loads(event.content)["data"]
            facts = EventFacts(event.type, content)
            gave = event.settled_by or (None if event.status == WAITING else row.id)
            return EventHappened(event.recorded_at, event.id, event.occurred_at, facts, gave)
        if row.id in self._settled or row.id in self._records.grants:
            return None
        if refund := self._refunds.get(row.id):
            return OrderRefunded(row.occurred_at, refund.order_id, _refund(refund.content))
        if told := self._earned.get(row.id):
            return self._told_with(row, told)
        if row.id in self._held or row.id in self._captured:
            return self._paid(row)
        return self._points(row) or self._corrected(row)

    def told_apart(self) -> Iterator[OrderTold]:
        """Payments and fulfilments that were told later, and that nothing was posted for."""
        for order in self._records.orders:
            told = self._told_later(order)
            earned = self._by_transaction.get(order.earning_id)
            if earned is not None and earned.id != order.transaction_id:
                told = {name: at for name, at in told.items() if not _earned_at(earned, at)}
            for name, at in told.items():
                yield OrderTold(max(at, order.recorded_at), order.id, **{name: at})

    def _told_with(self, row: Any, order: Any) -> OrderTold:
        told = self._told_later(order)
        moments = {name: at for name, at in told.items() if _earned_at(row, at)}
        return OrderTold(row.recorded_at, order.id, **moments)

    def _told_later(self, order: Any) -> dict[str, datetime]:
        first = json.loads(order.content)
        moments = {"paid_at": order.paid_at, "fulfilled_at": order.fulfilled_at}
        return {name: at for name, at in moments.items() if at and name not in first}

    def _paid(self, row: Any) -> Fact | None:
        """Points that a capture spent left when they were held; afresh, when they were captured.

        Holds of which nothing was captured changed nothing.
        """
        hold = self._held.get(row.id) or self._captured[row.id]
        is_late = hold.captured_at is not None and hold.captured_at >= hold.expires_at
        if hold.captured_by is None or is_late != (row.id == hold.captured_by):
            return None
        points = hold.captured_points
        return PointsSpent(row.occurred_at, hold.captured_by, points, is_redemption=True)

    def _points(self, row: Any) -> Fact | None:
        at = row.occurred_at
        if redeemed := self._redeemed.get(row.id):
            return PointsSpent(at, row.id, redeemed.points, is_redemption=True)
        if restored := self._restored.get(row.id):
            return PointsRestored(at, restored.transaction_id)
        if row.kind == "restoration" and row.corrects_id in self._captured:
            return PointsRestored(at, row.corrects_id, json.loads(row.context)["points"])
        if row.kind == "reversal":
            why = json.loads(row.context).get("reason")
            return PointsReversed(at, row.corrects_id, with_order=why == undoing.REASON)
        if adjusted := self._adjusted.get(row.id):
            if adjusted.points > 0:
                return PointsGiven(at, row.id, adjusted.points)
            return PointsSpent(at, row.id, -adjusted.points, is_redemption=False)
        return None

    def _corrected(self, row: Any) -> Fact | str | None:
        context = json.loads(row.context) if row.context else {}
        cause, order = context.get("cause"), self._by_id.get(context.get("order"))
        if cause == "late_use":
            return PointsSpent(row.occurred_at, row.id, context["points"], is_redemption=False)
        if cause == UNDONE and row.corrects_id in self._captured:
            return PointsTakenAgain(row.occurred_at, row.corrects_id, context["points"])
        if cause == "cancellation" and order is not None:
            return OrderCancelled(row.occurred_at, order.id)
        if cause == "amendment" and order is not None:
            facts = _amended(order, context)
            return OrderAmended(row.occurred_at, order.id, facts) if facts else AMENDMENT_NOT_KEPT
        return None if cause in _FOLLOW_CAUSES else NOT_KNOWN_HERE


def _recorded(order: Any) -> OrderRecorded:
    content = json.loads(order.content)
    return OrderRecorded(
        order.recorded_at,
        order.id,
        order.placed_at,
        facts_of(content),
        order.paid_at if "paid_at" in content else None,
        order.fulfilled_at if "fulfilled_at" in content else None,
    )


def _refund(content: str) -> RefundFacts:
    told = json.loads(content)
    items = tuple((line["sku"], line["quantity"]) for line in told.get("lines") or ())
    return RefundFacts(told.get("amount") or 0, items)


def _amended(order: Any, context: dict[str, Any]) -> OrderFacts | None:
    if "facts" in context:
        return facts_of(context["facts"])
    # An older one is known where it was the last.
    if order.amended and canonical.sha256(order.amended) == context.get("content"):
        return facts_of(json.loads(order.amended))
    return None


def _earned_at(transaction: Any, told: datetime) -> bool:
    """Say whether an order earned at the moment that was told; one a breath ahead of our clock is
    noted as now."""
    ahead: timedelta = told - transaction.occurred_at
    return timedelta(0) <= ahead <= _SKEW
