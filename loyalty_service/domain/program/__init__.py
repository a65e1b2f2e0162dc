"""The program: a shop's rules as a document, and which version was in force when."""

from loyalty_service.domain.program.document import Program
from loyalty_service.domain.program.faults import InvalidProgram, ProgramFault
from loyalty_service.domain.program.parsing import parse
from loyalty_service.domain.program.versions import (
    History,
    InForce,
    ProgramRow,
    ProgramVersion,
    all_in_force,
    apply,
    as_of,
    document_in_force,
    exists,
    history,
    in_force,
    program_ids,
    version,
    versions,
)

__all__ = [
    "History",
    "InForce",
    "InvalidProgram",
    "Program",
    "ProgramFault",
    "ProgramRow",
    "ProgramVersion",
    "all_in_force",
    "apply",
    "as_of",
    "document_in_force",
    "exists",
    "history",
    "in_force",
    "parse",
    "program_ids",
    "version",
    "versions",
]
