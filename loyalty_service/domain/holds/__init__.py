"""Holds: points reserved for an order while it is paid, and spent when the payment succeeds.

A hold ends by itself: time gives its points back as it lets others mature or expire (see
`ledger.state`), and nobody has to come by for that.
"""

from loyalty_service.domain.holds.capturing import Captured, capture, release
from loyalty_service.domain.holds.ending import ended, write_down
from loyalty_service.domain.holds.placing import Wish, place
from loyalty_service.domain.holds.table import (
    STATUSES,
    Filter,
    Hold,
    listed,
    require,
    status_at,
)

__all__ = [
    "STATUSES",
    "Captured",
    "Filter",
    "Hold",
    "Wish",
    "capture",
    "ended",
    "listed",
    "place",
    "release",
    "require",
    "status_at",
    "write_down",
]
