"""Structured logs: one JSON object a line, with the request's id and nothing secret or personal."""

import logging
import sys
import traceback
from typing import Any

import structlog

FORBIDDEN = frozenset({"authorization", "token", "secret", "email", "name", "birthday", "note"})


def configure(level: str) -> None:
    """Send structlog's lines to standard error from `level` on."""
    out = sys.stderr
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _leave_out_personal,
            structlog.processors.ExceptionRenderer(_without_details),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        # Whoever redirected standard error may have gone since.
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr if out.closed else out),
        cache_logger_on_first_use=False,
    )


def get(name: str) -> Any:
    """A logger that names its part of the service."""
    return structlog.get_logger(part=name)


def _leave_out_personal(_logger: Any, _method: str, line: Any) -> Any:
    return {key: value for key, value in line.items() if key not in FORBIDDEN}


def _without_details(exc_info: Any) -> str:
    """A traceback with the first line of each message: a database's DETAIL holds whole rows."""
    told: list[str] = []
    error: BaseException | None = exc_info[1]
    while error is not None:
        frames = "".join(traceback.format_tb(error.__traceback__))
        told.insert(0, f"{frames}{type(error).__name__}: {str(error).partition(chr(10))[0]}")
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "\n".join(told)
