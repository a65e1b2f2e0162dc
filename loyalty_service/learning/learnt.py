"""In which words a step says what became of an event."""

from collections.abc import Callable
from enum import Enum, auto
from typing import NamedTuple

from sqlalchemy.orm import Session

from loyalty_service.domain import inbox
from loyalty_service.gateways.payments import Event


class Later(Enum):
    """What an event waits for."""

    CUSTOMER = auto()
    MOMENT = auto()


class Learnt(NamedTuple):
    """What became of an event, and why nothing did; `note` names the customer it waits for.

    `then` are the steps that follow of this one.
    """

    status: str = inbox.DONE
    note: str = ""
    later: Later | None = None
    then: "tuple[Step, ...]" = ()


Step = Callable[[Session, str, Event], Learnt]
"""One thing that an event tells, in a transaction of its own, which changes one member's points.
Safe to repeat, whatever came before it. Raises LoyaltyError where the rules refuse it, and
Unreadable."""
