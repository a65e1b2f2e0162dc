"""What changes from one version of a program to another, in the words of the document."""

from collections.abc import Iterator
from dataclasses import dataclass

from loyalty_service.domain.program import describing
from loyalty_service.domain.program.describing import Entry, Words
from loyalty_service.domain.program.document import Program


@dataclass(frozen=True, slots=True)
class Change:
    """One place that differs: its path and what stood and stands there, None for nothing.

    A whole entry of a list (a rule, a reward, a tier) that is new or gone has no text of its own:
    the side where it is there is empty.
    """

    path: str
    before: str | None
    after: str | None

    def __str__(self) -> str:
        if self.before is None and self.after == "":
            return f"{self.path} added"
        if self.after is None and self.before == "":
            return f"{self.path} removed"
        return f"{self.path}: {self.before or 'none'} -> {self.after or 'none'}"


def changes(old: Program, new: Program) -> list[Change]:
    """Name every difference, in the order of the document; the order of entries is none."""
    return list(_changes("", describing.program(old), describing.program(new)))


def _changes(path: str, old: Words, new: Words) -> Iterator[Change]:
    for key in dict.fromkeys([*new, *old]):
        where = f"{path}.{key}" if path else key
        before, after = old.get(key), new.get(key)
        if before == after:
            continue
        if isinstance(before, dict) and isinstance(after, dict):
            yield from _changes(where, before, after)
        else:
            yield Change(where, _text(before), _text(after))


def _text(value: "str | Words | None") -> str | None:
    """A value on one line, as it could stand in the document."""
    if isinstance(value, Entry):
        return ""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_text(below)}" for key, below in value.items()) + "}"
    return value
