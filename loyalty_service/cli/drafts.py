"""A draft of a program in a file, as `loyalty program` takes it."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from loyalty_service.cli.context import fail
from loyalty_service.domain import program as programs
from loyalty_service.domain.program import Program

Command = TypeVar("Command", bound=Callable[..., Any])


class Fault(click.ClickException):
    """The end of a command whose exit status 1 is an answer."""

    exit_code = 2


def draft_file(name: str) -> Callable[[Command], Command]:
    """An argument that names a file that is there."""
    path = click.Path(exists=True, dir_okay=False, path_type=Path)
    return click.argument(name.lower(), metavar=name, type=path)


def read_draft(file: Path) -> tuple[str, Program]:
    """The text of a draft and its rules; ends the command with every fault where it has some."""
    try:
        document = file.read_text(encoding="utf-8")
        return document, programs.parse(document)
    except programs.InvalidProgram as invalid:
        fail(f"{file} can't be used as a program; mend it first:\n{invalid}")
    except UnicodeDecodeError:
        fail(f"{file} is not UTF-8 text")


def faults_are_two(command: Command) -> Command:
    """Give a command that says yes and no by its exit status another one for its faults."""

    @functools.wraps(command)
    def run(*args: Any, **kwargs: Any) -> Any:
        try:
            return command(*args, **kwargs)
        except click.ClickException as fault:
            raise Fault(fault.format_message()) from fault

    return run  # type: ignore[return-value]
