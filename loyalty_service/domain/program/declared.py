"""What a program declares and its other sections may name: its currency, events and tiers."""

from collections.abc import Callable
from dataclasses import dataclass

from loyalty_service.domain.program.document import ORDER, EventType
from loyalty_service.domain.program.places import Place, suggestion, text_of


@dataclass(frozen=True, slots=True)
class Declared:
    """The names that the rest of a document may use.

    `events` and `tiers` are None where their section is wrong: then no name is refused, because one
    mistake is enough to be told.
    """

    currency: str
    events: tuple[EventType, ...] | None
    tiers: tuple[str, ...] | None

    def event(self, name: str) -> EventType | None:
        """The type of event of this name, or None for an order and for what is not known."""
        return next((event for event in self.events or () if event.name == name), None)

    def fact(self, place: Place) -> str:
        """Read `order` or a type of event."""
        names = None if self.events is None else (ORDER, *(event.name for event in self.events))
        return _one_of(place, names, "declare it under events, or ")

    def tier(self, place: Place) -> str:
        """Read the id of a tier."""
        if self.tiers == ():
            text = text_of(place)
            if text is not None:
                place.fault("is not known here; this program has no tiers, so add that section")
            return text or ""
        return _one_of(place, self.tiers, "")


Reader = Callable[[Place], str]


def _one_of(place: Place, names: tuple[str, ...] | None, before: str) -> str:
    text = text_of(place)
    if text is not None and names is not None and text not in names:
        place.fault(f"is not known here; {before}{suggestion(text, names)}")
    return text or ""
