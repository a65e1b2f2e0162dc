"""What is due to a member: by a fact, or by the clock."""

from typing import NamedTuple

from loyalty_service.domain.program.document import Offer


class Due(NamedTuple):
    """An offer, and the cause for which it is given once."""

    offer: Offer
    cause: str
