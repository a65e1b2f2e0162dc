"""Redemptions: points exchanged for a reward, from the promise of a code to its end.

Points leave when a redemption is placed and come back when it fails or is cancelled. Where Stripe
honours the code, it is `pending` until a job that is written in the same transaction has made it;
where the shop applies the reward itself it is `issued` at once.
"""

from loyalty_service.domain.redemptions.offering import offers, stock_left
from loyalty_service.domain.redemptions.placing import Wish, place
from loyalty_service.domain.redemptions.settling import (
    ask_to_cancel,
    expire,
    failed,
    issued,
    learn_withdrawal,
    withdrawn,
)
from loyalty_service.domain.redemptions.table import PREFIX, Redemption, listed, require
from loyalty_service.domain.redemptions.using import learn_use, use

__all__ = [
    "PREFIX",
    "Redemption",
    "Wish",
    "ask_to_cancel",
    "expire",
    "failed",
    "issued",
    "learn_use",
    "learn_withdrawal",
    "listed",
    "offers",
    "place",
    "require",
    "stock_left",
    "use",
    "withdrawn",
]
