"""`loyalty clock advance 15d`: move the sandbox's business time."""

import re

import click

from loyalty_service import clock as clocks
from loyalty_service import db
from loyalty_service.cli.context import fail, with_app

UNITS = {"d": 86400, "h": 3600, "m": 60, "s": 1}


@click.group()
def clock() -> None:
    """Business time, in the sandbox."""


@clock.command()
@click.argument("by")
@with_app
def advance(by: str) -> None:
    """Move business time by BY, such as 15d, 6h or 30m. Leases and key expiry stay."""
    match = re.fullmatch(r"([0-9]{1,6})([dhms])", by)
    if not match:
        fail(f"{by!r} is not a length of time: write 15d, 6h, 30m or 10s")
    if not db.clock_travels():
        fail("production lives by the real time: only a sandbox's clock moves")
    seconds = int(match[1]) * UNITS[match[2]]
    db.transaction(lambda session: db.move_clock(session, seconds))
    click.echo(f"It is {clocks.now():%Y-%m-%d %H:%M} UTC now.")


@clock.command()
@with_app
def show() -> None:
    """Print business time."""
    db.read(lambda session: None)
    click.echo(f"It is {clocks.now():%Y-%m-%d %H:%M} UTC now.")
