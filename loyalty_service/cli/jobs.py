"""`loyalty jobs list|retry`: promises that wait, and those that were given up."""

import json

import click

from loyalty_service import db
from loyalty_service.cli.context import fail, json_option, with_program
from loyalty_service.domain import jobs as job_rows


@click.group()
def jobs() -> None:
    """Promises to the outside world."""


@jobs.command("list")
@click.option("--all", "everything", is_flag=True, help="Also those that are done.")
@json_option
@with_program
def list_(program_id: str, everything: bool, as_json: bool) -> None:
    """Jobs that wait or are dead, oldest first."""
    statuses = [job_rows.DUE, job_rows.DEAD] + ([job_rows.DONE] if everything else [])
    rows = db.read(lambda session: job_rows.listed(session, program_id, statuses))
    lines = [
        {
            "id": row.id,
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
    for line in lines:
        click.echo(
            "{id}  {kind:<14} {status:<5} {attempts:>3}  {subject}  {last_error}".format(**line)
        )
    click.echo(f"{len(lines)} jobs.")


@jobs.command()
@click.argument("job_id", required=False)
@with_program
def retry(program_id: str, job_id: str | None) -> None:
    """Make one job, or all that wait or are dead, due at once."""
    count = db.transaction(lambda session: job_rows.revive(session, program_id, job_id))
    if job_id and not count:
        fail(f"there is no waiting or dead job {job_id}")
    click.echo(f"{count} jobs are due.")
