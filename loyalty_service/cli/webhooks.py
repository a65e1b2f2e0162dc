"""`loyalty webhooks listen|trigger`: webhooks for whoever builds a receiver."""

import contextlib
import json
import signal
from collections.abc import Iterator
from threading import Event
from typing import Any

import click
from flask import current_app
from sqlalchemy.orm import Session

from loyalty_service import addresses, db
from loyalty_service.cli.context import fail, json_option, with_program
from loyalty_service.config import Config
from loyalty_service.domain.notices import types
from loyalty_service.domain.webhooks import deliveries, endpoints
from loyalty_service.domain.webhooks import log as history
from loyalty_service.domain.webhooks.tables import Attempt, Delivery, Endpoint

LISTENING = "loyalty webhooks listen"
POLL_SECONDS = 0.5


@click.group()
def webhooks() -> None:
    """What the service tells the shop's own servers."""


@webhooks.command()
@click.option("--forward-to", "url", required=True, help="Your server: http://127.0.0.1:4242/hooks")
@click.option("--type", "wanted", multiple=True, type=click.Choice(types.names()))
@json_option
@with_program
def listen(program_id: str, url: str, wanted: tuple[str, ...], as_json: bool) -> None:
    """Send every event to your own server while you build it, and print what it answers.

    It is an endpoint that is deleted with Ctrl-C; the running service sends to it and tries again
    as it does with others.
    """
    config: Config = current_app.config["LOYALTY"]
    if config.is_production:
        fail("listen is for a sandbox; in production make an endpoint: POST /v1/webhook_endpoints")
    _require_url(url)
    with _endpoint(program_id, url, wanted) as (endpoint_id, secret):
        _say_ready(url, endpoint_id, secret, as_json)
        _print_attempts(program_id, endpoint_id, as_json)


@webhooks.command()
@click.argument("name", metavar="TYPE", type=click.Choice(types.names()))
@json_option
@with_program
def trigger(program_id: str, name: str, as_json: bool) -> None:
    """Send an example of a type, marked `is_test`, to every endpoint that wants it."""
    type_ = types.catalogue()[name]
    made = db.transaction(lambda session: deliveries.send_test(session, program_id, type_))
    if not made:
        fail(f"no enabled endpoint wants {name}: make one with POST /v1/webhook_endpoints")
    if as_json:
        click.echo(json.dumps({"deliveries": made}))
        return
    for one in made:
        click.echo(f"{one} is on its way: GET /v1/webhook_deliveries/{one}")


@contextlib.contextmanager
def _endpoint(program_id: str, url: str, wanted: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """An endpoint that is gone afterwards: its id and its secret."""

    def begin(session: Session) -> Endpoint:
        # One that was killed could not tidy up.
        for left in endpoints.listening(session, program_id):
            if left.description == LISTENING and left.url == url:
                endpoints.remove(session, program_id, left.id)
        asked = wanted or (endpoints.EVERYTHING,)
        return endpoints.create(session, program_id, url=url, types=asked, description=LISTENING)

    config: Config = current_app.config["LOYALTY"]
    row = db.transaction(begin)
    try:
        yield row.id, endpoints.secrets(row, config.webhook_key)[0]
    finally:
        db.transaction(lambda session: endpoints.remove(session, program_id, row.id))


def _require_url(url: str) -> None:
    try:
        addresses.require_url(url, is_sandbox=True)
    except addresses.BadUrl as error:
        raise click.UsageError(f"--forward-to {error}") from error


def _say_ready(url: str, endpoint_id: str, secret: str, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"endpoint": endpoint_id, "secret": secret, "url": url}))
        return
    click.echo(f"Sending to {url}; Ctrl-C ends it. The worker must run: it does the sending.")
    click.echo(f"Verify with the secret {secret}")


def _print_attempts(program_id: str, endpoint_id: str, as_json: bool) -> None:
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    seen: set[tuple[str, int]] = set()
    while not stop.is_set():
        for line in db.read(lambda session: _fresh(session, program_id, endpoint_id, seen)):
            click.echo(json.dumps(line) if as_json else _words(line))
        stop.wait(POLL_SECONDS)


def _fresh(
    session: Session, program_id: str, endpoint_id: str, seen: set[tuple[str, int]]
) -> list[dict[str, Any]]:
    """What was tried since the last look."""
    lines = []
    for delivery, attempt in history.attempts_at(session, program_id, endpoint_id):
        if (delivery.id, attempt.number) not in seen:
            seen.add((delivery.id, attempt.number))
            lines.append(_line(session, delivery, attempt))
    return lines


def _line(session: Session, delivery: Delivery, attempt: Attempt) -> dict[str, Any]:
    return {
        "delivery": delivery.id,
        "event": history.event_of(session, delivery),
        "attempt": attempt.number,
        "status_code": attempt.status_code,
        "error": attempt.error,
        "duration_ms": attempt.duration_ms,
    }


def _words(line: dict[str, Any]) -> str:
    event = line["event"]
    came = line["status_code"] or line["error"]
    said = f"{event['type']} {event['member']} no. {event['sequence']}"
    return f"{said} -> {came} ({line['duration_ms']} ms)\n  {json.dumps(event['data'])}"
