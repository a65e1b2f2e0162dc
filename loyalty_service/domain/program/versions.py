"""Which rules were in force when: every applied document is kept, numbered and never changed.

The version in force at a moment is the last one applied until then; what happened before the first
version is decided by the first.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import (
    ForeignKeyConstraint,
    Integer,
    String,
    Text,
    bindparam,
    case,
    func,
    insert,
    or_,
    select,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from loyalty_service import canonical, clock
from loyalty_service.db import Base, ProgramId, insert_unless_there
from loyalty_service.domain import jobs
from loyalty_service.domain.program.document import BY_THE_CLOCK, Offer, Program
from loyalty_service.domain.program.faults import InvalidProgram, ProgramFault
from loyalty_service.domain.program.parsing import parse
from loyalty_service.errors import ProgramNotApplied
from loyalty_service.statements import ONE, Statement

# Promised by a version with other offers by the clock: every member is looked at anew.
LOOK_AGAIN = "look_again"


class ProgramRow(Base):
    """A program: the tenant that everything else belongs to."""

    __tablename__ = "programs"
    program_id: Mapped[str] = mapped_column(ProgramId, primary_key=True)
    created_at: Mapped[datetime]


class ProgramVersion(Base):
    """One applied document. Immutable."""

    __tablename__ = "program_versions"
    program_id: Mapped[str] = mapped_column(ProgramId, primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    document: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(String(64))
    applied_at: Mapped[datetime]
    __table_args__ = (ForeignKeyConstraint(["program_id"], ["programs.program_id"]),)


@dataclass(frozen=True, slots=True)
class InForce:
    """A program's rules and the version they are."""

    version: int
    applied_at: datetime
    rules: Program


class Newest(NamedTuple):
    """What tells a version from every other, in any database."""

    version: int
    applied_at: datetime
    sha256: str


NEWEST_COLUMNS = (ProgramVersion.version, ProgramVersion.applied_at, ProgramVersion.sha256)
# Versions are only ever added: with the newest, all are known.
_histories: dict[str, tuple[Newest, list[Newest]]] = {}

_MINE = ProgramVersion.program_id == bindparam("of_program")
_FIRST = select(func.min(ProgramVersion.version)).where(_MINE).scalar_subquery()
_IN_FORCE = Statement(
    select(*NEWEST_COLUMNS)
    .where(_MINE)
    .where(or_(ProgramVersion.applied_at <= bindparam("at"), ProgramVersion.version == _FIRST))
    .order_by(ProgramVersion.version.desc())
    .limit(ONE)
)

NEWEST = Statement(
    select(*NEWEST_COLUMNS).where(_MINE).order_by(ProgramVersion.version.desc()).limit(ONE)
)

# Of each program the last version that was applied until then, or its first.
_BY_THEN = case((ProgramVersion.applied_at <= bindparam("at"), ProgramVersion.version))
_NUMBERS = (
    select(
        ProgramVersion.program_id,
        func.coalesce(func.max(_BY_THEN), func.min(ProgramVersion.version)).label("version"),
    )
    .group_by(ProgramVersion.program_id)
    .subquery()
)
_ALL_IN_FORCE = Statement(
    select(ProgramVersion.program_id, *NEWEST_COLUMNS)
    .where(
        ProgramVersion.program_id == _NUMBERS.c.program_id,
        ProgramVersion.version == _NUMBERS.c.version,
    )
    .order_by(ProgramVersion.program_id)
)

# Parsing costs milliseconds and a version never changes: each is parsed once in a process.
_parsed: dict[str, Program] = {}


def apply(session: Session, document: str) -> tuple[InForce, bool]:
    """Check a document and put it in force from now on; (it, False) where it is in force already.

    Raises InvalidProgram naming each line that is wrong; nothing is applied then.
    """
    program = _read(document)
    row = {"program_id": program.id, "created_at": clock.now()}
    insert_unless_there(session, ProgramRow, row)
    # Lock the program: two operators may apply at once, and versions are numbered without gaps.
    session.execute(select(ProgramRow).where(ProgramRow.program_id == program.id).with_for_update())
    now = clock.now()
    last = session.scalar(
        select(ProgramVersion)
        .where(ProgramVersion.program_id == program.id)
        .order_by(ProgramVersion.version.desc())
        .limit(1)
    )
    if last is not None:
        _require_same_currency(program, version(session, program.id, last.version), document)
    digest = canonical.sha256(document)
    if last is not None and last.sha256 == digest:
        return InForce(last.version, last.applied_at, program), False
    number = last.version + 1 if last else 1
    session.execute(
        insert(ProgramVersion).values(
            program_id=program.id,
            version=number,
            document=document,
            sha256=digest,
            applied_at=now,
        )
    )
    before = version(session, program.id, last.version) if last else None
    if before and _by_the_clock(before) != _by_the_clock(program):
        jobs.promise(session, program.id, LOOK_AGAIN, f"{number}:", lease_seconds=0)
    return InForce(number, now, program), True


def _by_the_clock(rules: Program) -> tuple[str, tuple[Offer, ...]]:
    """What decides when a member is thanked by the clock."""
    return rules.timezone, rules.offers_for(*BY_THE_CLOCK)


def _require_same_currency(draft: Program, before: Program, document: str) -> None:
    """Orders, credits and codes are in one currency; raises InvalidProgram for another."""
    if draft.currency == before.currency:
        return
    lines = document.splitlines()
    line = next(n for n, text in enumerate(lines, start=1) if text.startswith("currency:"))
    words = f"is another than before; keep {before.currency}, or open a program with another id"
    raise InvalidProgram([ProgramFault(line, "currency", draft.currency, words)])


def exists(session: Session, program_id: str) -> bool:
    """Say whether there is such a program."""
    return session.get(ProgramRow, program_id) is not None


def all_in_force(session: Session) -> list[tuple[str, Program]]:
    """The rules in force of every program that has some, by its id."""
    rows = _ALL_IN_FORCE.all(session, at=clock.now())
    return [(program_id, _rules(session, program_id, Newest(*one))) for program_id, *one in rows]


def in_force(session: Session, program_id: str, at: datetime | None = None) -> InForce:
    """The rules at `at` (default now); raises ProgramNotApplied where there is none at all."""
    row = _IN_FORCE.first(session, of_program=program_id, at=at or clock.now())
    if row is None:
        raise not_applied(program_id)
    one = Newest(*row)
    return InForce(one.version, one.applied_at, _rules(session, program_id, one))


def not_applied(program_id: str) -> ProgramNotApplied:
    """The refusal where a program has no rules at all."""
    return ProgramNotApplied(
        f"Program {program_id} has no rules yet; apply a document with `loyalty program apply`."
    )


class History:
    """All versions of a program, newest first; each is parsed once in a process."""

    def __init__(self, session: Session, program_id: str, versions: list[Newest]) -> None:
        self._session, self._program_id, self._versions = session, program_id, versions

    @property
    def newest(self) -> InForce:
        """The rules in force from now on."""
        return self._rules(self._versions[0])

    def as_of(self, at: datetime) -> InForce:
        """The rules at `at`; what happened before the first version is decided by the first."""
        found = (one for one in self._versions if one.applied_at <= at)
        return self._rules(next(found, self._versions[-1]))

    def number(self, version: int) -> Program:
        """The rules of a version that something pinned."""
        return self._rules(next(one for one in self._versions if one.version == version)).rules

    def numbered(self, numbers: Iterable[int]) -> dict[int, Program]:
        """The rules of some versions and of the newest one, by number."""
        return {number: self.number(number) for number in {*numbers, self._versions[0].version}}

    def _rules(self, one: Newest) -> InForce:
        rules = _rules(self._session, self._program_id, one)
        return InForce(one.version, one.applied_at, rules)


def history(session: Session, program_id: str, newest: Newest) -> History:
    """Every version, by a list that is known in this process while `newest` is the same."""
    known = _histories.get(program_id)
    if known is None or known[0] != newest:
        rows = session.execute(
            select(*NEWEST_COLUMNS)
            .where(ProgramVersion.program_id == program_id)
            .order_by(ProgramVersion.version.desc())
        )
        versions = [Newest(*row) for row in rows]
        known = _histories[program_id] = versions[0], versions
    return History(session, program_id, known[1])


def as_of(session: Session, program_id: str, newest: Newest, at: datetime) -> InForce:
    """The rules at `at`, out of the history."""
    return history(session, program_id, newest).as_of(at)


def numbered(
    session: Session, program_id: str, newest: Newest, numbers: Iterable[int]
) -> dict[int, Program]:
    """The rules of some versions and of the newest one, by number."""
    return history(session, program_id, newest).numbered(numbers)


def version(session: Session, program_id: str, number: int) -> Program:
    """The rules of a version that something pinned."""
    kept = session.get_one(ProgramVersion, (program_id, number))
    return _parsed.get(kept.sha256) or _read(kept.document)


def _rules(session: Session, program_id: str, one: Newest) -> Program:
    return _parsed.get(one.sha256) or version(session, program_id, one.version)


def _read(document: str) -> Program:
    digest = canonical.sha256(document)
    if digest not in _parsed:
        _parsed[digest] = parse(document)
    return _parsed[digest]


def document_in_force(session: Session, program_id: str) -> str:
    """The text of the document in force; raises ProgramNotApplied."""
    version = in_force(session, program_id).version
    return session.get_one(ProgramVersion, (program_id, version)).document


def versions(session: Session, program_id: str) -> list[ProgramVersion]:
    """Every version of a program, newest first."""
    mine = select(ProgramVersion).where(ProgramVersion.program_id == program_id)
    return list(session.scalars(mine.order_by(ProgramVersion.version.desc())))


def program_ids(session: Session) -> list[str]:
    """Every program of this deployment."""
    return list(session.scalars(select(ProgramRow.program_id).order_by(ProgramRow.program_id)))
