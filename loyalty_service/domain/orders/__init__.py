"""Orders and their refunds: recorded once, earning once, and due what is left of them."""

from loyalty_service.domain.orders.changing import Amendment, Changed, amend, cancel
from loyalty_service.domain.orders.recording import OrderToRecord, Quoted, Recorded, record
from loyalty_service.domain.orders.refunding import (
    Refunded,
    RefundToRecord,
    refund,
    require_order_or_refunds,
    require_refund,
)
from loyalty_service.domain.orders.table import Order, Refund, columns, require

__all__ = [
    "Amendment",
    "Changed",
    "Order",
    "OrderToRecord",
    "Quoted",
    "Recorded",
    "Refund",
    "RefundToRecord",
    "Refunded",
    "amend",
    "cancel",
    "columns",
    "record",
    "refund",
    "require",
    "require_order_or_refunds",
    "require_refund",
]
