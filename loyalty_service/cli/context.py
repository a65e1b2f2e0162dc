"""What every command needs: settings (from the environment or a demo's folder) and a program."""

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click
from sqlalchemy.exc import DBAPIError, OperationalError

from loyalty_service import create_app, db, migrating
from loyalty_service.config import BadConfig, Config, from_environment
from loyalty_service.domain import program
from loyalty_service.errors import LoyaltyError

Command = TypeVar("Command", bound=Callable[..., Any])
DEMO_FILE = "demo.json"

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for a script.")


def fail(message: str) -> NoReturn:
    """End the command with a plain sentence and exit status 1."""
    raise click.ClickException(message)


def load_config(folder: Path | None) -> Config:
    """Settings from a demo's folder, else from the environment."""
    if folder is None:
        try:
            return from_environment()
        except BadConfig as error:
            fail(f"{error} (or give --dir with a demo's folder)")
    file = folder / DEMO_FILE
    if not file.is_file():
        fail(f"{folder} holds no {DEMO_FILE}: start one with `loyalty demo --dir {folder}`")
    return from_environment(json.loads(file.read_text())["environment"])


def with_app(command: Command) -> Command:
    """Run a command inside the service's context; adds `--dir`."""

    @click.option(
        "--dir",
        "folder",
        type=click.Path(path_type=Path),
        help="A demo's folder, instead of the LOYALTY_… settings.",
    )
    @functools.wraps(command)
    def run(*args: Any, folder: Path | None, **kwargs: Any) -> Any:
        app = create_app(load_config(folder))
        with app.app_context():
            try:
                return command(*args, **kwargs)
            except LoyaltyError as error:
                fail(f"{error.detail} [{error.code}]")
            except DBAPIError as error:
                fail(_database_fault(error))
            finally:
                db.database.engine.dispose()

    return run  # type: ignore[return-value]


def with_program(command: Command) -> Command:
    """Give a command its program's id; adds `--program` and `--dir`."""

    @with_app
    @click.option("--program", "program_id", help="Which program, where there are several.")
    @functools.wraps(command)
    def run(*args: Any, program_id: str | None, **kwargs: Any) -> Any:
        return command(*args, program_id=_choose(program_id), **kwargs)

    return run  # type: ignore[return-value]


def with_programs(command: Command) -> Command:
    """Give a command the ids of all programs, or of the one in `--program`."""

    @with_app
    @click.option("--program", "program_id", help="Only this program.")
    @functools.wraps(command)
    def run(*args: Any, program_id: str | None, **kwargs: Any) -> Any:
        chosen = [_choose(program_id)] if program_id else db.read(program.program_ids)
        return command(*args, program_ids=chosen, **kwargs)

    return run  # type: ignore[return-value]


def _database_fault(error: DBAPIError) -> str:
    if isinstance(error, OperationalError) and "no such table" not in str(error.orig):
        return f"the database does not answer: {db.why(error)}"
    if migrating.revision() != migrating.head():
        return "the database has another schema than this version: run `loyalty migrate`"
    return f"the database refused: {db.why(error)}"


def _choose(program_id: str | None) -> str:
    known = db.read(program.program_ids)
    if program_id in known:
        return program_id
    if program_id is not None:
        raise click.UsageError(
            f"there is no program {program_id!r}; there are: {', '.join(known) or 'none'}"
        )
    if not known:
        fail("no program is applied yet: run `loyalty program apply FILE`")
    if len(known) > 1:
        raise click.UsageError(
            f"there are several programs: give --program with one of {', '.join(known)}"
        )
    return known[0]
