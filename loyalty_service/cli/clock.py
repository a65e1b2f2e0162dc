"""`loyalty clock advance 15d`: move the sandbox's business time."""

import contextlib
import json
import re

import click
import requests
from flask import current_app

from loyalty_service import clock as clocks
from loyalty_service import db
from loyalty_service.cli.context import fail, json_option, with_app
from loyalty_service.config import Config

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
    try:
        db.transaction(lambda session: db.move_clock(session, seconds))
    except (db.OutOfTime, OverflowError) as error:
        fail(f"{by} is too far: {error}")
    _move_sandbox(current_app.config["LOYALTY"], seconds)
    _say(as_json=False)


@clock.command()
@json_option
@with_app
def show(as_json: bool) -> None:
    """Print business time."""
    db.read(lambda session: None)
    _say(as_json)


def _say(as_json: bool) -> None:
    now = clocks.now()
    if as_json:
        click.echo(json.dumps({"now": f"{now:%Y-%m-%dT%H:%M:%SZ}"}))
    else:
        click.echo(f"It is {now:%Y-%m-%d %H:%M} UTC now.")


def _move_sandbox(config: Config, seconds: int) -> None:
    """Codes must end at the Stripe sandbox when they end here; Stripe itself has no such clock."""
    if config.stripe_api_base:
        address = f"{config.stripe_api_base.rstrip('/')}/_sandbox/clock"
        with contextlib.suppress(requests.RequestException):
            requests.post(address, json={"advance_seconds": seconds}, timeout=5)
