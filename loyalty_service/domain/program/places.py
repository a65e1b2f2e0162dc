"""Where a value stands in the document, and the reading of mappings and lists.

A reader is a function from a place to a value. It never raises: it notes what is wrong and returns
a stand-in, so that reading goes on to the next fault. No stand-in leaves the parser, because one
fault is enough to refuse the document.
"""

import difflib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeVar

import yaml

from loyalty_service.domain.program.faults import ProgramFault
from loyalty_service.domain.program.nodes import REFUSED_TAGS

T = TypeVar("T")
D = TypeVar("D")

_NULL = "tag:yaml.org,2002:null"
_LONGEST_GUESSED = 80


@dataclass(frozen=True, slots=True)
class Place:
    """A node of the document, its path, and the list that faults are noted in."""

    node: yaml.Node
    path: str
    faults: list[ProgramFault]

    @property
    def line(self) -> int:
        """The line, from 1."""
        return int(self.node.start_mark.line) + 1 if self.node.start_mark else 1

    def fault(self, message: str, value: str | None = None) -> None:
        """Note what is wrong with the value here, which is shown unless another is given."""
        if value is None:
            value = self.node.value if isinstance(self.node, yaml.ScalarNode) else ""
        self.faults.append(ProgramFault(self.line, self.path or "document", value, message))

    def refused(self) -> bool:
        """Note a fault and say so where the node is an alias, anchored or tagged."""
        if self.node.tag not in REFUSED_TAGS:
            return False
        self.fault(REFUSED_TAGS[self.node.tag])
        return True

    def child(self, node: yaml.Node, key: str) -> "Place":
        """The place of a key of this mapping."""
        return Place(node, f"{self.path}.{key}" if self.path else key, self.faults)

    def at(self, key: str) -> "Place":
        """The place of a key's value if there is one, else this node under the key's path."""
        if isinstance(self.node, yaml.MappingNode):
            for name, value in self.node.value:
                if name.value == key:
                    return self.child(value, key)
        return self.child(self.node, key)


@dataclass(slots=True)
class Section:
    """A mapping under reading; `refuse_others` at its end names the keys nobody asked for."""

    place: Place
    readable: bool = field(init=False)
    _faults_before: int = field(init=False)
    _found: dict[str, Place] = field(init=False, default_factory=dict)
    _keys: dict[str, yaml.Node] = field(init=False, default_factory=dict)
    _asked: list[str] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        node = self.place.node
        self._faults_before = len(self.place.faults)
        self.readable = not self.place.refused() and isinstance(node, yaml.MappingNode)
        if self.readable:
            for key, value in node.value:
                self._add(key, value)
        elif node.tag not in REFUSED_TAGS:
            self.place.fault("is not a set of keys; write one 'key: value' a line")

    def __contains__(self, key: str) -> bool:
        return key in self._found

    @property
    def clean(self) -> bool:
        """Whether nothing was found wrong since the reading of this mapping began."""
        return len(self.place.faults) == self._faults_before

    def at(self, key: str) -> Place:
        """The place of a key, whether it is there or missing."""
        return self._found.get(key) or self.place.child(self.place.node, key)

    def required(self, key: str, read: Callable[[Place], T]) -> T:
        """Read a key that must be there."""
        self._asked.append(key)
        if key in self._found:
            return read(self._found[key])
        if self.readable:
            self.at(key).fault("is missing; add it", value="")
        return read(Place(yaml.ScalarNode("", ""), "", []))

    def optional(self, key: str, read: Callable[[Place], T], default: D) -> T | D:
        """Read a key that may be left out."""
        self._asked.append(key)
        return read(self._found[key]) if key in self._found else default

    def names(self) -> list[tuple[str, Place, Place]]:
        """Every key of a mapping whose keys are names: its text, its own place, its value's."""
        self._asked.extend(self._found)
        return [
            (name, Place(self._keys[name], place.path, place.faults), place)
            for name, place in self._found.items()
        ]

    def refuse_beside(self, key: str, others: Iterable[str]) -> None:
        """Note those of `others` that stand beside `key`, of which only one can be."""
        for other in others:
            if key in self and other in self:
                self.at(other).fault(f"stands beside {key}; keep one of them", value="")

    def refuse_here(self, keys: Iterable[str], message: str) -> None:
        """Note each of some known keys that has no meaning in this mapping."""
        for key in keys:
            if key in self:
                self.at(key).fault(message, value="")

    def refuse_others(self) -> None:
        """Note every key that has no meaning here, with the one it may have meant."""
        for key, place in self._found.items():
            if key not in self._asked:
                lined = Place(self._keys[key], place.path, place.faults)
                lined.fault(f"is not a key here; {suggestion(key, self._asked)}")

    def _add(self, key: yaml.Node, value: yaml.Node) -> None:
        where = Place(key, self.place.path, self.place.faults)
        if where.refused():
            return
        if not isinstance(key, yaml.ScalarNode):
            where.fault("has a key that is not a word; write one 'key: value' a line")
            return
        if key.value in self._found:
            self.place.child(key, key.value).fault("stands twice; keep one")
            return
        self._keys[key.value] = key
        self._found[key.value] = self.place.child(value, key.value)


def entries(place: Place, read: Callable[[Place], T], at_most: int) -> list[tuple[Place, T]]:
    """Read a list; return those entries that are right, each with its place."""
    if place.refused():
        return []
    if not isinstance(place.node, yaml.SequenceNode):
        place.fault("is not a list; begin each entry with '- '")
        return []
    if len(place.node.value) > at_most:
        place.fault(f"has {len(place.node.value)} entries; give at most {at_most}")
    right = []
    for index, node in enumerate(place.node.value[:at_most]):
        entry = Place(node, f"{place.path}[{index}]", place.faults)
        before = len(place.faults)
        value = read(entry)
        if len(place.faults) == before:
            right.append((entry, value))
    return right


def several(place: Place, read: Callable[[Place], T], at_most: int, words: str) -> tuple[T, ...]:
    """Read a list of at least one entry, each once; `words` say what to list in an empty one."""
    if isinstance(place.node, yaml.SequenceNode) and not place.node.value:
        place.fault(f"is empty; list some of {words}", value="")
        return ()
    listed = entries(place, read, at_most)
    refuse_twice(listed)
    return tuple(value for _, value in listed)


def text_of(place: Place) -> str | None:
    """Return a scalar's text as written; None, with a fault noted, for anything else."""
    node = place.node
    if place.refused():
        return None
    if not isinstance(node, yaml.ScalarNode):
        place.fault("holds more than one value; give a single value")
        return None
    if node.tag == _NULL and node.style is None:
        place.fault("is empty; give a value or leave the key out")
        return None
    return str(node.value)


def suggestion(word: str, options: Iterable[str]) -> str:
    """Say which option a word may have meant, or else name them all."""
    known = list(dict.fromkeys(options))
    close = difflib.get_close_matches(word.lower()[:_LONGEST_GUESSED], known, n=1)
    return f"did you mean {close[0]}?" if close else f"use one of {', '.join(known)}"


def refuse_twice(places: Iterable[tuple[Place, object]]) -> None:
    """Note every place whose value stood in an earlier one."""
    seen: set[object] = set()
    for place, value in places:
        if value in seen:
            place.fault("stands twice; give each entry its own")
        seen.add(value)
