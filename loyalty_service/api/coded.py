"""What redemptions and thank-you discounts have in common here: the shape of what a code gives, and
answering once Stripe has, or while it takes its time.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import marshmallow as ma
from flask import Response, current_app
from sqlalchemy.orm import Session

from loyalty_service import fulfilment
from loyalty_service.api.guard import caller
from loyalty_service.api.shapes import Money, money
from loyalty_service.api.writing import Show, Work, once
from loyalty_service.config import Config
from loyalty_service.domain import codes, jobs
from loyalty_service.domain.codes import UNDER_WAY, USED, HasCode, Promised
from loyalty_service.domain.idempotency import Answer
from loyalty_service.errors import Refusal

SLOT_WAIT_SECONDS = 1.0
Fill = Callable[[Any], dict[str, Any]]


class DiscountOut(ma.Schema):
    """What the code gives: an amount, a percentage, or neither where `gives` says it."""

    amount_off = ma.fields.Nested(Money, required=True, allow_none=True)
    percent_off = ma.fields.String(required=True, allow_none=True)
    minimum_order = ma.fields.Nested(Money, required=True, allow_none=True)


class Written(NamedTuple):
    """What a request wrote: the row, what it took upon itself, and what was just placed."""

    row: HasCode
    promise: jobs.Claimed | None
    placed: Promised[Any] | None = None


def worth(row: HasCode) -> dict[str, Any]:
    """What a code gives, as `DiscountOut` takes it."""
    percent = codes.percent(row)
    return {
        "amount_off": money(row.amount_off_minor, row.currency),
        "percent_off": codes.percent_text(percent) if percent else None,
        "minimum_order": money(row.minimum_order_minor, row.currency),
    }


def settled(
    work: Work, written: list[Written], show: Show, fill: Fill, *, shown_by: Show | None = None
) -> Response:
    """Write, then keep the promise within the deadline, then answer as things stand.

    `work` notes in `written` what it wrote. `shown_by` renders where the answer is another than
    `show` gives.
    """
    return once(
        work,
        shown_by or show,
        after_commit=lambda answer: _finish(answer, written, fill),
        is_under_way=lambda body: body["status"] in UNDER_WAY,
    )


def show_cancelled(show: Show, final: type[Refusal], kept: str = "") -> Show:
    """A `show` for whoever asks to cancel: `final` where the code was used before that.

    `kept` says what does not come back.
    """

    def shown(session: Session, resource_id: str) -> dict[str, Any]:
        body = show(session, resource_id)
        if body["status"] == USED:
            said = f"{resource_id} was used before it could be cancelled{kept}."
            raise final(said, param="id")
        return body

    return shown


def lease_seconds() -> int:
    """How long a request keeps a promise to itself."""
    return fulfilment.lease_seconds(current_app.config["LOYALTY"])


def _finish(answer: Answer, written: list[Written], fill: Fill) -> dict[str, Any] | None:
    """Speak to Stripe where a slot is free: a slow Stripe must not hold every serving thread."""
    if not answer.resource_id:
        return None
    # A duplicate was faster: what was written here was rolled back with the rest.
    mine = written[0] if written and not answer.replayed else None
    if mine and mine.row.status not in UNDER_WAY:
        return fill(mine.row)
    # Who waits for somebody else's call must not take the place of a call.
    is_own = bool(mine and mine.promise)
    slots = current_app.extensions["stripe_slots" if is_own else "waiting_slots"]
    if not slots.acquire(timeout=SLOT_WAIT_SECONDS):
        return None
    try:
        now = _keep(answer, mine)
    finally:
        slots.release()
    return fill(now) if now else None


def _keep(answer: Answer, mine: Written | None) -> HasCode | None:
    config: Config = current_app.config["LOYALTY"]
    deadline_seconds = config.stripe_deadline_ms / 1000
    if mine and mine.promise:
        done = fulfilment.fulfil(mine.promise, timeout_seconds=deadline_seconds, placed=mine.placed)
        return done.row
    # Whoever came first holds the promise; give it the same time.
    fulfilment.await_settled(
        caller().program_id, str(answer.resource_id), timeout_seconds=deadline_seconds
    )
    return None
