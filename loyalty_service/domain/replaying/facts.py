"""What happened to a member, as plain values: all that a replay needs to live it again.

`at` is the moment at which the service took it in; facts come in that order.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from loyalty_service.domain.earning import EventFacts, OrderFacts, RefundFacts
from loyalty_service.domain.members import Known
from loyalty_service.domain.program import InForce


@dataclass(frozen=True, slots=True)
class OrderRecorded:
    """An order as it was told first."""

    at: datetime
    id: str
    placed_at: datetime
    facts: OrderFacts
    paid_at: datetime | None = None
    fulfilled_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class OrderTold:
    """An order was paid, or fulfilled, and that was told later than the order."""

    at: datetime
    id: str
    paid_at: datetime | None = None
    fulfilled_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class OrderAmended:
    """An order is another than it was."""

    at: datetime
    id: str
    facts: OrderFacts


@dataclass(frozen=True, slots=True)
class OrderCancelled:
    """An order came to nothing."""

    at: datetime
    id: str


@dataclass(frozen=True, slots=True)
class OrderRefunded:
    """Part of an order came back."""

    at: datetime
    id: str
    refund: RefundFacts


@dataclass(frozen=True, slots=True)
class EventHappened:
    """An event; `recorded_as` is the transaction that gave its points in truth, if any did."""

    at: datetime
    id: str
    occurred_at: datetime
    facts: EventFacts
    recorded_as: str | None = None


@dataclass(frozen=True, slots=True)
class OtherSideGiven:
    """What another member's event gives this one, by the rules that decided there."""

    at: datetime
    id: str
    type: str
    rules: InForce
    points: int
    pending_days: int
    recorded_as: str | None = None


@dataclass(frozen=True, slots=True)
class PointsGiven:
    """Staff gave points; `id` is the transaction."""

    at: datetime
    id: str
    points: int


@dataclass(frozen=True, slots=True)
class PointsSpent:
    """Points left: for a reward, or taken by staff. `id` is the transaction."""

    at: datetime
    id: str
    points: int
    is_redemption: bool


@dataclass(frozen=True, slots=True)
class PointsRestored:
    """Points are back: a redemption came to nothing, or an order that was paid with them was
    refunded. `of` is the transaction that spent them; `points` are all where it is None."""

    at: datetime
    of: str
    points: int | None = None


@dataclass(frozen=True, slots=True)
class PointsTakenAgain:
    """Points that came back were spent after all: an order's money was not gone. `of` is the
    transaction that spent them at first."""

    at: datetime
    of: str
    points: int


@dataclass(frozen=True, slots=True)
class PointsReversed:
    """Staff undid what staff did, or an event went `with_order`, by the rules that had given it;
    `of` is the transaction that is undone."""

    at: datetime
    of: str
    with_order: bool = False


Fact = (
    OrderRecorded
    | OrderTold
    | OrderAmended
    | OrderCancelled
    | OrderRefunded
    | EventHappened
    | OtherSideGiven
    | PointsGiven
    | PointsSpent
    | PointsRestored
    | PointsTakenAgain
    | PointsReversed
)


@dataclass(frozen=True, slots=True)
class OtherSide:
    """An event of `owner` that names this member; when and as which transaction it gave something
    in truth, None where it did not."""

    event_id: str
    type: str
    owner: str
    at: datetime | None
    recorded_as: str | None


@dataclass(frozen=True, slots=True)
class Past:
    """A member and what happened, in the order in which it was taken in.

    `unreadable` counts what was recorded and can't be lived again, by reason.
    """

    member: Known
    external_id: str
    facts: Sequence[Fact]
    others: Sequence[OtherSide] = ()
    unreadable: Counter[str] = field(default_factory=Counter)
