"""/v1/redemptions: points into a code, and back."""

from typing import Any, NamedTuple

import marshmallow as ma
from flask import Response, current_app
from sqlalchemy.orm import Session

from loyalty_service import clock, db, errors, fulfilment
from loyalty_service.api.fields import Body, Choice, Moment, Nothing, Object, Text, Whole
from loyalty_service.api.guard import allow, caller
from loyalty_service.api.paging import PageQuery, list_schema, listed, page_of
from loyalty_service.api.parsing import Blueprint
from loyalty_service.api.refusing import refuses
from loyalty_service.api.shapes import Money, money
from loyalty_service.api.writing import Show, Work, living, once
from loyalty_service.config import Config
from loyalty_service.domain import jobs, ledger, members, redemptions, rewards
from loyalty_service.domain.idempotency import Answer
from loyalty_service.domain.program.document import Settlement
from loyalty_service.domain.redemptions import CANCELLING, PENDING, USED, Placed, Redemption, Wish

blueprint = Blueprint(
    "redemptions", __name__, url_prefix="/v1/redemptions", description="Points into rewards"
)
STATUSES = tuple(redemptions.TRANSITIONS)
UNDER_WAY = (PENDING, CANCELLING)
SLOT_WAIT_SECONDS = 1.0


class Written(NamedTuple):
    """What a request wrote: the redemption, what it took upon itself, and what it placed."""

    redemption: Redemption
    promise: jobs.Claimed | None
    placed: Placed | None = None


class RedemptionIn(Body):
    """Who wants which reward, and for how many points where it has several prices."""

    member = Text(max=210, required=True, metadata={"description": "mem_… or ext:<your id>."})
    reward = Text(max=40, required=True, metadata={"description": "The program's reward id."})
    points = Whole(
        min=0,
        max=ledger.POINTS_MAX,
        load_default=None,
        metadata={"description": "Which price, or how many; the lowest where it is left out."},
    )


class DiscountOut(ma.Schema):
    """What the code gives: an amount, a percentage, or neither where `gives` says it."""

    amount_off = ma.fields.Nested(Money, required=True, allow_none=True)
    percent_off = ma.fields.String(required=True, allow_none=True)
    minimum_order = ma.fields.Nested(Money, required=True, allow_none=True)


class RedemptionOut(ma.Schema):
    """A redemption; `code` is there once Stripe honours it, or the shop itself."""

    object = Object("redemption")
    id = ma.fields.String(required=True)
    member = ma.fields.String(required=True)
    status = Choice(STATUSES, required=True)
    reward = ma.fields.String(required=True)
    points = ma.fields.Integer(required=True)
    code = ma.fields.String(required=True, allow_none=True)
    discount = ma.fields.Nested(DiscountOut, required=True)
    settlement = Choice(
        [kind.value for kind in Settlement],
        required=True,
        metadata={"description": "Who turns the code into its reward: Stripe, or the shop."},
    )
    gives = ma.fields.String(
        required=True, allow_none=True, metadata={"description": "What it gives, in words."}
    )
    failure = ma.fields.String(required=True, allow_none=True)
    transaction = ma.fields.String(required=True)
    restored_by = ma.fields.String(required=True, allow_none=True)
    created_at = Moment(required=True)
    expires_at = Moment(required=True, allow_none=True)
    used_at = Moment(required=True, allow_none=True)


class RedemptionQuery(PageQuery):
    """Whose, or which."""

    member = Text(max=210, load_default=None, metadata={"description": "mem_… or ext:<your id>."})
    code = Text(
        max=40, load_default=None, metadata={"description": "A code, with or without hyphens."}
    )


REDEMPTION_OUT = RedemptionOut()


@blueprint.route("", methods=["POST"])
@allow("checkout")
@refuses(
    errors.InsufficientPoints,
    errors.MemberClosed,
    errors.MemberNotFound,
    errors.MemberSuspended,
    errors.PointsNotOffered,
    errors.ProgramNotApplied,
    errors.RewardLimitReached,
    errors.RewardNotEligible,
    errors.RewardNotFound,
    errors.RewardNotOnSale,
    errors.RewardSoldOut,
)
@blueprint.arguments(RedemptionIn)
@blueprint.response(201, RedemptionOut)
@blueprint.alt_response(202, schema=RedemptionOut, description="The code follows in a moment")
def place(fields: dict[str, Any]) -> Any:
    """Exchange points for a reward: 201 with the code, or 202 while Stripe takes its time."""
    written: list[Written] = []

    def work(session: Session) -> Answer:
        made = redemptions.place(
            session, caller().program_id, Wish(**fields), lease_seconds=_lease()
        )
        written[:] = [Written(made.redemption, made.promise, made)]
        return living(201, made.redemption.id)

    return _settled(work, written)


@blueprint.route("", methods=["GET"])
@allow("checkout", "staff", "reporting")
@refuses(errors.CursorNotFound, errors.MemberNotFound)
@blueprint.arguments(RedemptionQuery, location="query")
@blueprint.response(200, list_schema(RedemptionOut))
def find(query: dict[str, Any]) -> Any:
    """Redemptions, newest first; of one member, or the one that has a code."""
    page = page_of(query)
    program_id = caller().program_id

    def work(session: Session) -> dict[str, Any]:
        named = query["member"]
        member_id = members.require(session, program_id, named).id if named else None
        rows = redemptions.listed(session, program_id, member_id, page, code=query["code"])
        return listed(rows, page, fill)

    return db.read(work)


@blueprint.route("/<redemption_id>", methods=["GET"])
@allow("checkout", "staff", "reporting")
@refuses(errors.RedemptionNotFound)
@blueprint.response(200, RedemptionOut)
def get(redemption_id: str) -> Any:
    """A redemption as it stands."""
    return db.read(lambda session: show(session, redemption_id))


@blueprint.route("/<redemption_id>/cancel", methods=["POST"])
@allow("checkout", "staff")
@refuses(errors.RedemptionFinal, errors.RedemptionNotFound, errors.RedemptionPending)
@blueprint.arguments(Nothing)
@blueprint.response(200, RedemptionOut)
@blueprint.alt_response(202, schema=RedemptionOut, description="Stripe takes its time")
def cancel(fields: dict[str, Any], redemption_id: str) -> Any:
    """Take an unused code back: it dies at Stripe first, then the points come back."""
    written: list[Written] = []

    def work(session: Session) -> Answer:
        row, promise = redemptions.ask_to_cancel(
            session, caller().program_id, redemption_id, lease_seconds=_lease()
        )
        written[:] = [Written(row, promise)]
        return living(200, row.id)

    return _settled(work, written, shown_by=_show_cancelled)


@blueprint.route("/<redemption_id>/use", methods=["POST"])
@allow("checkout", "staff")
@refuses(errors.RedemptionNotFound, errors.RedemptionNotUsable, errors.RedemptionUsedAtStripe)
@blueprint.arguments(Nothing)
@blueprint.response(200, RedemptionOut)
def use(fields: dict[str, Any], redemption_id: str) -> Any:
    """Say that the shop has given what an `app_applied` redemption is for; once."""

    def work(session: Session) -> Answer:
        return living(200, redemptions.use(session, caller().program_id, redemption_id).id)

    return once(work, show)


def show(session: Session, redemption_id: str) -> dict[str, Any]:
    """A redemption's JSON as it stands."""
    return fill(redemptions.require(session, caller().program_id, redemption_id))


def fill(row: Redemption) -> dict[str, Any]:
    """A redemption as JSON-able values; the code only once it is honoured."""
    values = {
        "id": row.id,
        "member": row.member_id,
        "status": row.status_at(clock.now()),
        "reward": row.reward_id,
        "points": row.points,
        "code": row.usable_code,
        "discount": {
            "amount_off": money(row.amount_off_minor, row.currency),
            "percent_off": rewards.percent_text(row.percent) if row.percent else None,
            "minimum_order": money(row.minimum_order_minor, row.currency),
        },
        "settlement": row.settlement,
        "gives": row.gives,
        "failure": row.failure,
        "transaction": row.transaction_id,
        "restored_by": row.restored_by,
        "created_at": row.created_at,
        "expires_at": row.expires_at,
        "used_at": row.used_at,
    }
    dumped: dict[str, Any] = REDEMPTION_OUT.dump(values)
    return dumped


def _show_cancelled(session: Session, redemption_id: str) -> dict[str, Any]:
    body = show(session, redemption_id)
    if body["status"] == USED:
        raise errors.RedemptionFinal(
            f"{redemption_id} was used before it could be cancelled; its points stay spent.",
            param="id",
        )
    return body


def _settled(work: Work, written: list[Written], shown_by: Show = show) -> Response:
    """Write, then keep the promise within the deadline, then answer as things stand."""
    return once(
        work,
        shown_by,
        after_commit=lambda answer: _finish(answer, written),
        is_under_way=lambda body: body["status"] in UNDER_WAY,
    )


def _finish(answer: Answer, written: list[Written]) -> dict[str, Any] | None:
    """Speak to Stripe where a slot is free: a slow Stripe must not hold every serving thread."""
    if not answer.resource_id:
        return None
    # A duplicate was faster: what was written here was rolled back with the rest.
    mine = written[0] if written and not answer.replayed else None
    if mine and mine.redemption.status not in UNDER_WAY:
        return fill(mine.redemption)
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


def _keep(answer: Answer, mine: Written | None) -> Redemption | None:
    config: Config = current_app.config["LOYALTY"]
    deadline_seconds = config.stripe_deadline_ms / 1000
    if mine and mine.promise:
        done = fulfilment.fulfil(mine.promise, timeout_seconds=deadline_seconds, placed=mine.placed)
        return done.redemption
    # Whoever came first holds the promise; give it the same time.
    fulfilment.await_settled(
        caller().program_id, str(answer.resource_id), timeout_seconds=deadline_seconds
    )
    return None


def _lease() -> int:
    return fulfilment.lease_seconds(current_app.config["LOYALTY"])
