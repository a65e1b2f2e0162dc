"""Versions of the rules in memory: those that decided, or a draft in their place from a day on."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from loyalty_service.domain import program
from loyalty_service.domain.program import InForce, Program
from loyalty_service.domain.program.versions import not_applied


class Versions:
    """Some versions of the rules, newest first, as they were known at a moment."""

    def __init__(self, versions: Sequence[InForce]) -> None:
        self._versions = versions
        self._known: dict[int, Versions] = {}

    @property
    def newest(self) -> InForce:
        """The rules in force from now on."""
        return self._versions[0]

    def at(self, now: datetime) -> "Versions":
        """Those that had been applied by then; the first one in any case."""
        later = sum(1 for one in self._versions[:-1] if one.applied_at > now)
        if later not in self._known:
            self._known[later] = Versions(self._versions[later:]) if later else self
        return self._known[later]

    def as_of(self, at: datetime) -> InForce:
        """The rules at `at`; what happened before the first version is decided by the first."""
        return next((one for one in self._versions if one.applied_at <= at), self._versions[-1])

    def number(self, version: int) -> Program:
        """The rules of a version."""
        return next(one for one in self._versions if one.version == version).rules

    def numbered(self, numbers: Iterable[int]) -> dict[int, Program]:
        """The rules of some versions and of the newest one, by number."""
        return {number: self.number(number) for number in {*numbers, self.newest.version}}

    def drafted(self, draft: Program, since: datetime) -> "Versions":
        """The same until `since`, and a draft from then on as if it had been applied just then.

        Where nothing had been applied by then the draft decides from the beginning.
        """
        before = [one for one in self._versions if one.applied_at < since]
        return Versions([InForce(self.newest.version + 1, since, draft), *before])


def decided(session: Session, program_id: str) -> Versions:
    """The versions that really decided; raises ProgramNotApplied."""
    rows = program.versions(session, program_id)
    if not rows:
        raise not_applied(program_id)
    return Versions(
        [
            InForce(row.version, row.applied_at, program.version(session, program_id, row.version))
            for row in rows
        ]
    )
