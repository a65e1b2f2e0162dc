"""Thank-you discounts: codes that cost no points, given once for a cause and within a budget.

`giving` gives, `settling` says what becomes of a code, `budgets` is the money, `offering` says what
could be given now. What makes them due
by itself is promised by `promising` and found by `considering` (facts) and `looking` (the clock).
"""

from loyalty_service.domain.discounts.giving import Thanks, Wish, give, give_due
from loyalty_service.domain.discounts.offering import Giving, standing, standing_for
from loyalty_service.domain.discounts.settling import (
    ask_to_cancel,
    expire,
    failed,
    issued,
    learn_use,
    learn_withdrawal,
    use,
    withdrawn,
)
from loyalty_service.domain.discounts.table import PREFIX, WITHHELD, Discount, listed, require

__all__ = [
    "PREFIX",
    "WITHHELD",
    "Discount",
    "Giving",
    "Thanks",
    "Wish",
    "ask_to_cancel",
    "expire",
    "failed",
    "give",
    "give_due",
    "issued",
    "learn_use",
    "learn_withdrawal",
    "listed",
    "require",
    "standing",
    "standing_for",
    "use",
    "withdrawn",
]
