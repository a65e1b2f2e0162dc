"""What was recorded, lived again in memory under other rules. Nothing is written.

`reading.pasts` gives each member's facts in the order in which they were taken in, `Life` lives
them under some `Versions` of the rules.
"""

from loyalty_service.domain.replaying.facts import Fact, OtherSide, OtherSideGiven, Past
from loyalty_service.domain.replaying.life import Gave, Life
from loyalty_service.domain.replaying.reading import count, past_of, pasts
from loyalty_service.domain.replaying.rules import Versions, decided

__all__ = [
    "Fact",
    "Gave",
    "Life",
    "OtherSide",
    "OtherSideGiven",
    "Past",
    "Versions",
    "count",
    "decided",
    "past_of",
    "pasts",
]
