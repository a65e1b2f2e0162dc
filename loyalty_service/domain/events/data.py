"""An event's data held against the types that the program declares."""

from collections.abc import Iterator, Mapping
from typing import Any

from loyalty_service.domain.limits import INTEGER_MAX
from loyalty_service.domain.program import Program
from loyalty_service.domain.program.document import DataType, EventType
from loyalty_service.errors import FieldFault, ValidationFailed

MAX_CHARACTERS = 500
_WORDS = {
    DataType.INTEGER: "a whole number",
    DataType.MONEY: "a whole number of minor units, not below 0",
    DataType.STRING: f"a text of at most {MAX_CHARACTERS} characters",
    DataType.BOOLEAN: "true or false",
    DataType.MEMBER: "a member, mem_… or ext:<your customer id>",
}


def require_type(rules: Program, name: str) -> EventType:
    """The declared type of this name; raises ValidationFailed naming those there are."""
    found = rules.event_type(name)
    if found is None:
        known = ", ".join(event.name for event in rules.events)
        _refuse([FieldFault("type", "not_a_choice", f"must be one of {known}")])
    assert found is not None
    return found


def require_data(kind: EventType, data: Mapping[str, Any]) -> None:
    """Refuse data that is not as declared; raises ValidationFailed with every fault."""
    faults = [*_missing(kind, data), *_unknown(kind, data), *_wrong(kind, data)]
    if faults:
        _refuse(faults)


def member_in(rules: Program, kind: EventType, data: Mapping[str, Any]) -> tuple[str, str] | None:
    """The field that names the other member, and its value, where there is one.

    It is the one to which rules on the event give, or else the first that names a member.
    """
    given_to = [rule.other_side.field for rule in rules.rules_on(kind.name) if rule.other_side]
    name = next(iter([*given_to, *member_fields(kind)]), "")
    return (name, str(data[name])) if name in data else None


def member_fields(kind: EventType) -> list[str]:
    """The fields of a type that name a member."""
    return [name for name, given in kind.fields if given is DataType.MEMBER]


def _refuse(faults: list[FieldFault]) -> None:
    first = faults[0]
    raise ValidationFailed(f"{first.param}: {first.detail}.", param=first.param, faults=faults)


def _missing(kind: EventType, data: Mapping[str, Any]) -> Iterator[FieldFault]:
    for name, given in kind.fields:
        if name not in data and name not in kind.optional:
            yield FieldFault(f"data.{name}", "required", f"is missing; give {_WORDS[given]}")


def _unknown(kind: EventType, data: Mapping[str, Any]) -> Iterator[FieldFault]:
    names = [name for name, _ in kind.fields]
    said = f"use {', '.join(names)}" if names else f"{kind.name} has no data"
    for name in data:
        if name not in names:
            yield FieldFault(f"data.{name}", "unknown_field", f"is not a field here; {said}")


def _wrong(kind: EventType, data: Mapping[str, Any]) -> Iterator[FieldFault]:
    for name, given in kind.fields:
        if name in data and not _fits(given, data[name]):
            yield FieldFault(f"data.{name}", "wrong_type", f"must be {_WORDS[given]}")


def _fits(given: DataType, value: Any) -> bool:
    if given is DataType.BOOLEAN:
        return isinstance(value, bool)
    if given in (DataType.INTEGER, DataType.MONEY):
        lowest = 0 if given is DataType.MONEY else -INTEGER_MAX
        is_whole = isinstance(value, int) and not isinstance(value, bool)
        return is_whole and lowest <= value <= INTEGER_MAX
    return isinstance(value, str) and len(value) <= MAX_CHARACTERS and value.isprintable()
