"""/v1/redemptions: points into a code, and back."""

from typing import Any

import marshmallow as ma
from sqlalchemy.orm import Session

from loyalty_service import clock, db, errors
from loyalty_service.api.coded import (
    DiscountOut,
    Written,
    lease_seconds,
    settled,
    show_cancelled,
    worth,
)
from loyalty_service.api.fields import Body, Choice, Moment, Nothing, Object, Text, Whole
from loyalty_service.api.guard import allow, caller
from loyalty_service.api.paging import PageQuery, list_schema, listed, page_of
from loyalty_service.api.parsing import Blueprint
from loyalty_service.api.refusing import refuses
from loyalty_service.api.writing import living, once
from loyalty_service.domain import codes, ledger, members, redemptions
from loyalty_service.domain.idempotency import Answer
from loyalty_service.domain.program.document import Settlement
from loyalty_service.domain.redemptions import Redemption, Wish

blueprint = Blueprint(
    "redemptions", __name__, url_prefix="/v1/redemptions", description="Points into rewards"
)
STATUSES = tuple(codes.TRANSITIONS)


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
            session, caller().program_id, Wish(**fields), lease_seconds=lease_seconds()
        )
        written[:] = [Written(made.row, made.promise, made)]
        return living(201, made.row.id)

    return settled(work, written, show, fill)


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
        member_id = members.id_of(session, program_id, query["member"])
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
            session, caller().program_id, redemption_id, lease_seconds=lease_seconds()
        )
        written[:] = [Written(row, promise)]
        return living(200, row.id)

    shown_by = show_cancelled(show, errors.RedemptionFinal, "; its points stay spent")
    return settled(work, written, show, fill, shown_by=shown_by)


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
        "status": codes.status_at(row, clock.now()),
        "reward": row.reward_id,
        "points": row.points,
        "code": codes.usable_code(row),
        "discount": worth(row),
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
