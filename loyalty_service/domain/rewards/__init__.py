"""What a reward costs, who may have it and when, and how often: pure arithmetic, but for `use`."""

from loyalty_service.domain.rewards.dates import code_expires_at, on_sale
from loyalty_service.domain.rewards.eligibility import Facts, facts_of, refusal, who_may
from loyalty_service.domain.rewards.limits import Limit, limits, stock_counter
from loyalty_service.domain.rewards.prices import (
    NoSuchSlab,
    PointsToPay,
    coupon_id,
    minimum_order_minor,
    pay_with_points,
    price,
    require_price,
)
from loyalty_service.domain.rewards.usable import Usable, usable
from loyalty_service.domain.rewards.using import use

__all__ = [
    "Facts",
    "Limit",
    "NoSuchSlab",
    "PointsToPay",
    "Usable",
    "code_expires_at",
    "coupon_id",
    "facts_of",
    "limits",
    "minimum_order_minor",
    "on_sale",
    "pay_with_points",
    "price",
    "refusal",
    "require_price",
    "stock_counter",
    "usable",
    "use",
    "who_may",
]
