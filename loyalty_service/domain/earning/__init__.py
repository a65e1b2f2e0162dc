"""What orders and events earn: pure, exact arithmetic, and the explanation of it."""

from loyalty_service.domain.earning.evaluating import (
    PointsOutOfRange,
    earn,
    earn_event,
    earn_left,
    is_limited,
    rounded,
)
from loyalty_service.domain.earning.explained import (
    NO_CREDIT,
    NO_USE,
    Earned,
    Explanation,
    TierCredit,
    Use,
    exact,
)
from loyalty_service.domain.earning.facts import EventFacts, Line, OrderFacts
from loyalty_service.domain.earning.left import Left, RefundedTooMuch, RefundFacts, left_of
from loyalty_service.domain.earning.pins import Pins
from loyalty_service.domain.earning.saying import why

__all__ = [
    "NO_CREDIT",
    "NO_USE",
    "Earned",
    "EventFacts",
    "Explanation",
    "Left",
    "Line",
    "OrderFacts",
    "Pins",
    "PointsOutOfRange",
    "RefundFacts",
    "RefundedTooMuch",
    "TierCredit",
    "Use",
    "earn",
    "earn_event",
    "earn_left",
    "exact",
    "is_limited",
    "left_of",
    "rounded",
    "why",
]
