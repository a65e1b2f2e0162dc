"""`loyalty jobs list|retry`: promises that wait, and those that were given up."""

import json

import click

from loyalty_service import db
from loyalty_service.cli.context import fail, json_option, with_program, with_programs
from loyalty_service.domain import jobs as job_rows


@click.group()
def jobs() -> None:
    """Promises to the outside world."""


@jobs.command("list")
@click.option("--all", "everything", is_flag=True, help="Also those that are done.")
@json_option
@with_programs
def list_(program_ids: list[str], everything: bool, as_json: bool) -> None:
    """Jobs that wait or are dead, oldest first; times are the machine's."""
    statuses = [job_rows.DUE, job_rows.DEAD] + ([job_rows.DONE] if everything else [])
    rows = db.read(lambda session: job_rows.listed(session, program_ids, statuses))
    lines = [
        {
            "id": row.id,
            "program": row.program_id,
            "kind": row.kind,
            "subject": row.subject_id,
            "status": row.status,
            "attempts": row.attempts,
            "available_at": row.available_at.isoformat(),
            "last_error": row.last_error,
        }
        for row in rows
    ]
    if as_json:
        click.echo(json.dumps(lines))
        return
    form = "{id:<30}  {kind:<14} {status:<6} {attempts:>5}  {subject:<30}  {last_error}"
    if lines:
        click.echo(form.format(**{name: name for name in lines[0]}))
    for line in lines:
        click.echo(form.format(**line))
    click.echo(f"{len(lines)} waiting or dead." if not everything else f"{len(lines)} in all.")


@jobs.command()
@click.argument("job_id", required=False)
@with_program
def retry(program_id: str, job_id: str | None) -> None:
    """Make one job, or all that wait or are dead, due at once."""
    count = db.transaction(lambda session: job_rows.revive(session, program_id, job_id))
    if job_id and not count:
        fail(f"there is no waiting or dead job {job_id}; see `loyalty jobs list`")
    click.echo(f"{count} jobs are due.")
