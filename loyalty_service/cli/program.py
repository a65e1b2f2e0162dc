"""`loyalty program apply|show`: the rules in force."""

import difflib
from functools import partial
from pathlib import Path

import click
from sqlalchemy.orm import Session

from loyalty_service import db
from loyalty_service.cli.context import fail, with_app, with_program, with_programs
from loyalty_service.domain import program as programs
from loyalty_service.errors import ProgramNotApplied


@click.group()
def program() -> None:
    """The rules in force."""


@program.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--yes", is_flag=True, help="Don't ask.")
@with_app
def apply(file: Path, yes: bool) -> None:
    """Show what FILE changes, then put it in force from now on."""
    document = file.read_text(encoding="utf-8")
    try:
        draft = programs.parse(document)
    except programs.InvalidProgram as invalid:
        fail(f"{file} is not applied:\n{invalid}")
    changes, others = db.read(lambda session: _before(session, draft.id, document))
    if changes:
        click.echo("".join(changes), nl=False)
    if changes and not yes:
        click.confirm(f"Apply this to program {draft.id}?", abort=True)
    if others and not yes:
        # A slip in the id would quietly open a second program.
        click.confirm(f"Begin a new program {draft.id} beside {', '.join(others)}?", abort=True)
    applied, is_new = db.transaction(lambda session: programs.apply(session, document))
    word = "is in force" if is_new else "was in force already"
    click.echo(f"Program {draft.id} version {applied.version} {word}.")


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


def _before(session: Session, program_id: str, document: str) -> tuple[list[str], list[str]]:
    """The changed lines of a known program; the other programs where this one is new."""
    try:
        before = programs.document_in_force(session, program_id)
    except ProgramNotApplied:
        return [], programs.program_ids(session)
    lines = before.splitlines(keepends=True), document.splitlines(keepends=True)
    return list(difflib.unified_diff(*lines, "in force", "draft")), []
