"""`loyalty program apply|diff|show|list`: the rules in force, and what a draft changes of them."""

import difflib
import json
import sys
from functools import partial
from pathlib import Path
from typing import NamedTuple

import click
from sqlalchemy.orm import Session

from loyalty_service import db
from loyalty_service.cli.backtest import backtest
from loyalty_service.cli.context import fail, json_option, with_app, with_program, with_programs
from loyalty_service.cli.drafts import draft_file, faults_are_two, read_draft
from loyalty_service.cli.tables import columns, counted, signed, tier_rows
from loyalty_service.domain import foreseeing
from loyalty_service.domain import program as programs
from loyalty_service.domain.foreseeing import Affected
from loyalty_service.domain.program import Program, differences
from loyalty_service.domain.program.differences import Change
from loyalty_service.errors import ProgramNotApplied


class Foreseen(NamedTuple):
    """What a draft changes of the rules in force, and for whom; `others` are the other programs
    where this one is new."""

    lines: list[str]
    changes: list[Change]
    affected: Affected | None
    others: list[str]


@click.group()
def program() -> None:
    """The rules in force."""


program.add_command(backtest)


@program.command()
@draft_file("FILE")
@click.option("--yes", is_flag=True, help="Don't ask.")
@click.option("--dry-run", is_flag=True, help="Show what would change, and apply nothing.")
@with_app
def apply(file: Path, yes: bool, dry_run: bool) -> None:
    """Show what FILE changes and for whom, then put it in force from now on."""
    document, draft = read_draft(file)
    seen = db.read(lambda session: _foresee(session, draft, document))
    _show(seen)
    if dry_run:
        click.echo("The document is right. Nothing is applied.")
        return
    if seen.lines and not yes:
        click.confirm(f"Apply this to program {draft.id}?", abort=True)
    if seen.others and not yes:
        # A slip in the id would quietly open a second program.
        click.confirm(
            f"Begin a new program {draft.id} beside {', '.join(seen.others)}?", abort=True
        )
    applied, is_new = db.transaction(lambda session: programs.apply(session, document))
    word = "is in force" if is_new else "was in force already"
    click.echo(f"Program {draft.id} version {applied.version} {word}.")


@program.command()
@draft_file("FILE")
@click.option("--program", "program_id", help="Compare with this one, whatever FILE's id is.")
@click.option("--version", "number", type=click.IntRange(1), help="Not the one in force.")
@json_option
@faults_are_two
@with_app
def diff(file: Path, program_id: str | None, number: int | None, as_json: bool) -> None:
    """Name what FILE changes, in the words of the document; applies nothing.

    The exit status is 0 where nothing differs, 1 where something does, 2 on a fault.
    """
    _, draft = read_draft(file)
    other = db.read(lambda session: _rules(session, program_id or draft.id, number))
    changes = differences.changes(other, draft)
    if as_json:
        click.echo(json.dumps({"changes": [_plain(change) for change in changes]}))
    else:
        click.echo("\n".join(map(str, changes)) if changes else "Nothing differs.")
    sys.exit(1 if changes else 0)


@program.command()
@click.option("--version", "number", type=click.IntRange(1), help="An earlier one.")
@with_program
def show(program_id: str, number: int | None) -> None:
    """Print the document in force, or an earlier one."""
    if number is None:
        text = db.read(lambda session: programs.document_in_force(session, program_id))
    else:
        text = db.read(lambda session: _document(session, program_id, number))
    click.echo(text, nl=False)


@program.command("list")
@with_programs
def list_(program_ids: list[str]) -> None:
    """Every version that was ever in force, newest first."""
    for program_id in program_ids:
        for row in db.read(partial(programs.versions, program_id=program_id)):
            click.echo(
                f"{program_id} version {row.version}, applied {row.applied_at:%Y-%m-%d %H:%M}"
            )


def _document(session: Session, program_id: str, number: int) -> str:
    kept = {row.version: row for row in programs.versions(session, program_id)}
    if number not in kept:
        fail(f"program {program_id} has no version {number}; see `loyalty program list`")
    return kept[number].document


def _rules(session: Session, program_id: str, number: int | None) -> Program:
    if number is None:
        return programs.in_force(session, program_id).rules
    return programs.parse(_document(session, program_id, number))


def _plain(change: Change) -> dict[str, str | None]:
    return {"path": change.path, "before": change.before, "after": change.after}


def _foresee(session: Session, draft: Program, document: str) -> Foreseen:
    try:
        before = programs.document_in_force(session, draft.id)
    except ProgramNotApplied:
        return Foreseen([], [], None, programs.program_ids(session))
    lines = before.splitlines(keepends=True), document.splitlines(keepends=True)
    changed = list(difflib.unified_diff(*lines, "in force", "draft"))
    if not changed:
        return Foreseen([], [], None, [])
    rules = programs.in_force(session, draft.id).rules
    affected = foreseeing.affected(session, draft.id, draft)
    return Foreseen(changed, differences.changes(rules, draft), affected, [])


def _show(seen: Foreseen) -> None:
    click.echo("".join(seen.lines), nl=False)
    if seen.affected is None:
        return
    if not seen.changes:
        click.echo("Only the text changes: no rule is another.")
        return
    click.echo("\nWhat changes:")
    for change in seen.changes:
        click.echo(f"  {change}")
    click.echo(
        f"\nFor whom: {counted(seen.affected.members, 'member')} with "
        f"{counted(seen.affected.open_points, 'open point')}."
    )
    if {*seen.affected.now, *seen.affected.then} - {None}:
        rows = [("members by tier", "held now", "by the next order", "")]
        for name, now, then in tier_rows(seen.affected.now, seen.affected.then):
            rows.append((name, f"{now:,}", f"{then:,}", signed(then - now)))
        click.echo("\n".join(columns(rows)))
        click.echo(
            "By the next order: what the draft gives each member with the next order that counts, "
            "no matter when. A backtest counts who held which tier when it ended."
        )
    click.echo()
