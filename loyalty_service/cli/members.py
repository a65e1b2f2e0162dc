"""`loyalty members|orders|redemptions …`: the first steps of the API, by hand."""

import json
from datetime import datetime
from typing import Any

import click
from flask import current_app
from sqlalchemy.orm import Session

from loyalty_service import clock, db, fulfilment
from loyalty_service.cli.context import fail, json_option, with_program
from loyalty_service.config import Config
from loyalty_service.domain import codes, ledger, money, program
from loyalty_service.domain import members as member_rows
from loyalty_service.domain import orders as order_rows
from loyalty_service.domain import redemptions as redemption_rows
from loyalty_service.domain.earning import Line, OrderFacts


@click.group()
def members() -> None:
    """Customers and what they have."""


@click.group()
def orders() -> None:
    """Orders that earn."""


@click.group()
def redemptions() -> None:
    """Points into codes."""


@members.command()
@click.argument("external_id")
@json_option
@with_program
def enrol(program_id: str, external_id: str, as_json: bool) -> None:
    """Enrol the customer with the shop's EXTERNAL_ID."""
    member, created = db.transaction(
        lambda session: member_rows.enrol(session, program_id, external_id)
    )
    _say({"id": member.id, "external_id": external_id, "created": created}, as_json)


@members.command()
@click.argument("ref")
@click.option("--at", type=click.DateTime(["%Y-%m-%d"]), help="A past or future day.")
@json_option
@with_program
def show(program_id: str, ref: str, at: datetime | None, as_json: bool) -> None:
    """The balance of a member, REF being mem_… or ext:<the shop's id>."""

    def work(session: Session) -> ledger.Balance:
        member = member_rows.require(session, program_id, ref)
        zone = program.in_force(session, program_id).rules.zone
        moment = at.replace(tzinfo=zone) if at else None
        return ledger.balance(session, program_id, member.id, moment)

    balance = db.read(work)
    figures = ("available", "pending", "held", "debt", "lifetime_earned")
    _say({figure: getattr(balance, figure) for figure in figures}, as_json)


@orders.command()
@click.option("--id", "order_id", required=True, help="The shop's order id.")
@click.option("--member", required=True, help="mem_… or ext:<the shop's id>.")
@click.option("--amount", required=True, help="Net merchandise, such as 120.50.")
@json_option
@with_program
def record(program_id: str, order_id: str, member: str, amount: str, as_json: bool) -> None:
    """Record an order of one line, placed now."""

    def work(session: Session) -> order_rows.Recorded:
        currency = program.in_force(session, program_id).rules.currency
        line = Line("by-hand", None, 1, money.parse_major(amount, currency))
        facts = OrderFacts(currency, (line,), 0, 0, 0)
        order = order_rows.OrderToRecord(order_id, member, clock.now(), facts)
        return order_rows.record(session, program_id, order)

    try:
        row = db.transaction(work).order
    except ValueError as error:
        fail(f"--amount {error}")
    earned = {"order": row["id"], "points_earned": row["points_earned"]}
    _say({**earned, "available_at": row["available_at"].isoformat()}, as_json)


@redemptions.command()
@click.option("--member", required=True, help="mem_… or ext:<the shop's id>.")
@click.option("--reward", required=True)
@click.option("--points", type=int, help="Which price; the lowest where it is left out.")
@json_option
@with_program
def place(program_id: str, member: str, reward: str, points: int | None, as_json: bool) -> None:
    """Exchange points for a code."""
    config: Config = current_app.config["LOYALTY"]
    wish = redemption_rows.Wish(member, reward, points)
    placed = db.transaction(
        lambda session: redemption_rows.place(
            session, program_id, wish, lease_seconds=fulfilment.lease_seconds(config)
        )
    )
    if placed.promise:
        fulfilment.fulfil(placed.promise, timeout_seconds=config.stripe_deadline_ms / 1000)
    id_ = placed.row.id
    now = db.read(lambda session: redemption_rows.require(session, program_id, id_))
    told = {
        "id": now.id,
        "status": now.status,
        "points": now.points,
        "code": codes.usable_code(now),
    }
    _say(told, as_json)


def _say(values: dict[str, Any], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(values))
        return
    for name, value in values.items():
        click.echo(f"{name}: {value}")
