"""Orders and their refunds: recorded once, earning once, and due what is left of them."""

from loyalty_service.domain.orders.changing import Amendment, Changed, amend, cancel
from loyalty_service.domain.orders.recording import OrderToRecord, Quoted, Recorded, record
from loyalty_service.domain.orders.refunding import (
    Refunded,
    RefundToRecord,
    page_of_order,
    recorded_refund,
    refund,
)
from loyalty_service.domain.orders.returned import Returned, set_returned, told_minor
from loyalty_service.domain.orders.table import (
    SOURCE_SHOP,
    SOURCE_STRIPE,
    Order,
    Refund,
    columns,
    require,
)

__all__ = [
    "SOURCE_SHOP",
    "SOURCE_STRIPE",
    "Amendment",
    "Changed",
    "Order",
    "OrderToRecord",
    "Quoted",
    "Recorded",
    "Refund",
    "RefundToRecord",
    "Refunded",
    "Returned",
    "amend",
    "cancel",
    "columns",
    "page_of_order",
    "record",
    "recorded_refund",
    "refund",
    "require",
    "set_returned",
    "told_minor",
]
