"""Reading the types of events: those that a program declares and those that are always there."""

import yaml

from loyalty_service.domain.program import conditions, values
from loyalty_service.domain.program.document import ORDER, DataType, EventType
from loyalty_service.domain.program.places import Place, Section

BUILT_IN = (
    EventType("sign_up", ()),
    EventType("birthday", ()),
    EventType("review", (("stars", DataType.INTEGER),), optional=("stars",)),
    EventType("referral", (("referrer", DataType.MEMBER),)),
    EventType("feedback", (("score", DataType.INTEGER),)),
)

_MAX_EVENTS = 100
_MAX_FIELDS = 50

_field_name = values.identifier("[a-z][a-z0-9_]{0,39}", "amount")


def event_types(place: Place) -> tuple[EventType, ...]:
    """Read the declared types; each that is built in keeps its fields unless declared again."""
    section = Section(place)
    declared = [_event_type(key, value) for _, key, value in section.names()[:_MAX_EVENTS]]
    if len(section.names()) > _MAX_EVENTS:
        place.fault(f"has more than {_MAX_EVENTS} events; keep it to that")
    return with_built_in(tuple(declared))


def with_built_in(declared: tuple[EventType, ...]) -> tuple[EventType, ...]:
    """The types that are always there, then the program's own."""
    names = {event.name for event in declared}
    return tuple(event for event in BUILT_IN if event.name not in names) + declared


def _event_type(key: Place, place: Place) -> EventType:
    name = values.entry_id(key)
    if name == ORDER:
        key.fault("is the word for orders; give the event another name")
    fields, optional = [], []
    for text, field_key, value in Section(place).names():
        field = _field(field_key, text)
        fields.append((field, values.choice(DataType)(value)))
        if text.endswith("?"):
            optional.append(field)
    if len(fields) > _MAX_FIELDS:
        place.fault(f"has more than {_MAX_FIELDS} fields; keep it to that")
    if len(dict(fields)) < len(fields):
        place.fault("names a field twice, with and without its ?; keep one")
    return EventType(name, tuple(fields), tuple(optional))


def _field(key: Place, text: str) -> str:
    field = text.removesuffix("?")
    bare = Place(_scalar(key, field), key.path, key.faults)
    if field in conditions.RESERVED:
        key.fault("is a word that conditions use otherwise; give the field another name")
        return field
    return _field_name(bare)


def _scalar(key: Place, text: str) -> yaml.ScalarNode:
    return yaml.ScalarNode(key.node.tag, text, key.node.start_mark, key.node.end_mark)
