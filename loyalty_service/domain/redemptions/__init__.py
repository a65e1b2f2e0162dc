"""Redemptions: points exchanged for a reward, from the promise of a code to its end.

Points leave when a redemption is placed (`pending`) and come back when it fails or is cancelled.
The code is made by a job that is written in the same transaction.
"""

from loyalty_service.domain.redemptions.placing import Placed, Wish, place
from loyalty_service.domain.redemptions.settling import ask_to_cancel, failed, issued, withdrawn
from loyalty_service.domain.redemptions.table import (
    CANCELLED,
    CANCELLING,
    FAILED,
    ISSUE_CODE,
    ISSUED,
    PENDING,
    TRANSITIONS,
    USED,
    WITHDRAW_CODE,
    Redemption,
    become,
    listed,
    require,
)

__all__ = [
    "CANCELLED",
    "CANCELLING",
    "FAILED",
    "ISSUED",
    "ISSUE_CODE",
    "PENDING",
    "TRANSITIONS",
    "USED",
    "WITHDRAW_CODE",
    "Placed",
    "Redemption",
    "Wish",
    "ask_to_cancel",
    "become",
    "failed",
    "issued",
    "listed",
    "place",
    "require",
    "withdrawn",
]
