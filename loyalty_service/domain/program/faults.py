"""What is wrong in a program document, in words for the person who writes it."""

from collections.abc import Iterable
from dataclasses import dataclass

_LONGEST_VALUE = 60


@dataclass(frozen=True, slots=True)
class ProgramFault:
    """One wrong place: its line (from 1), its path, what stands there and what would be right."""

    line: int
    path: str
    value: str
    message: str

    def __str__(self) -> str:
        shown = _quoted(self.value)
        return f"line {self.line}, {self.path}: " + (f"{shown} " if shown else "") + self.message


class InvalidProgram(ValueError):
    """The document is refused; `faults` names every wrong place, from top to bottom."""

    def __init__(self, faults: Iterable[ProgramFault]) -> None:
        self.faults = tuple(sorted(faults, key=lambda fault: fault.line))
        super().__init__("\n".join(str(fault) for fault in self.faults))


def _quoted(value: str) -> str:
    """Quote a value for one line of a message, cut short; nothing for an empty one."""
    if len(value) > _LONGEST_VALUE:
        value = value[:_LONGEST_VALUE] + "…"
    return repr(value) if value else ""
