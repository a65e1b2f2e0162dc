"""/v1/holds: points reserved for an order while it is paid."""

from datetime import datetime
from typing import Any

import marshmallow as ma
from flask import Response, current_app
from sqlalchemy.orm import Session

from loyalty_service import canonical, clock, db, errors, signing
from loyalty_service.api.fields import Body, Choice, Id, Moment, Nothing, Object, Part, Text, Whole
from loyalty_service.api.guard import allow, caller
from loyalty_service.api.paging import PageQuery, list_schema, listed, page_of
from loyalty_service.api.parsing import Blueprint
from loyalty_service.api.refusing import refuses
from loyalty_service.api.shapes import Count, Money, money
from loyalty_service.api.writing import Work, living, once, refused
from loyalty_service.config import Config
from loyalty_service.domain import holds, ledger, members
from loyalty_service.domain.holds import Filter, Hold, Wish
from loyalty_service.domain.holds.placing import SECONDS_DEFAULT, SECONDS_MAX
from loyalty_service.domain.holds.pricing import OrderAmount
from loyalty_service.domain.holds.table import HELD
from loyalty_service.domain.idempotency import Answer

blueprint = Blueprint("holds", __name__, url_prefix="/v1/holds", description="Pay with points")


class OrderAmountIn(Body):
    """Merchandise money before points, net of discounts, without tax and shipping."""

    amount = Whole(min=0, required=True, metadata={"description": "Minor units."})
    currency = Text(min=3, max=3, required=True, metadata={"description": "Lower-case ISO 4217."})


class HoldIn(Body):
    """Whose points are reserved, how many, for which order, and for how long."""

    member = Text(max=210, required=True, metadata={"description": "mem_… or ext:<your id>."})
    points = Whole(min=1, max=ledger.POINTS_MAX, required=True)
    order_id = Id(required=True, metadata={"description": "The shop's order id, without slashes."})
    expires_in_seconds = Whole(min=1, max=SECONDS_MAX, load_default=SECONDS_DEFAULT)
    reward = Text(
        max=40,
        load_default=None,
        metadata={
            "description": "The `pay_with_points` reward that prices the points. Left out: the "
            "program's only one; where it has none, or several, points alone are held."
        },
    )
    order_amount = Part(
        OrderAmountIn,
        load_default=None,
        metadata={
            "description": "The merchandise money before points. Checked where it is given: all "
            "holds of the order together pay no more of it than a quote would say."
        },
    )

    @ma.post_load
    def _wish(self, fields: dict[str, Any], **_kwargs: Any) -> Wish:
        told = fields.pop("order_amount")
        order_amount = OrderAmount(told["amount"], told["currency"]) if told else None
        return Wish(**fields, order_amount=order_amount)


class CaptureIn(Body):
    """How many of the points are spent; all of them where it is left out."""

    points = Whole(min=1, max=ledger.POINTS_MAX, load_default=None)


class HoldOut(ma.Schema):
    """A hold as it stands. It ends by itself."""

    object = Object("hold")
    id = ma.fields.String(required=True)
    member = ma.fields.String(required=True)
    order_id = ma.fields.String(required=True)
    status = Choice(holds.STATUSES, required=True)
    points = Count("How many were reserved.")
    captured_points = Count("How many of them were spent.")
    returned_points = Count("How many of those came back with refunds of the order.")
    reward = ma.fields.String(
        required=True, allow_none=True, metadata={"description": "What prices the points."}
    )
    discount = ma.fields.Nested(
        Money,
        required=True,
        allow_none=True,
        metadata={
            "description": "What the points take off the order: those that are held, and once "
            "they are captured those. null where points alone are held."
        },
    )
    minimum_order = ma.fields.Nested(
        Money,
        required=True,
        allow_none=True,
        metadata={"description": "The smallest merchandise money that the discount is good for."},
    )
    signature = ma.fields.String(
        required=True,
        allow_none=True,
        metadata={
            "description": "The discount as a JSON Web Token (HS256), for handing it through a "
            "browser: program, hold, member, order_id, points, amount, minimum_order, currency, "
            "expires_at, exp. null where points alone are held, where they are held no more, and "
            "while the service has no LOYALTY_SIGNING_KEY."
        },
    )
    transaction = ma.fields.String(required=True)
    captured_by = ma.fields.String(
        required=True, allow_none=True, metadata={"description": "The transaction of the capture."}
    )
    created_at = Moment(required=True)
    expires_at = Moment(required=True)
    capture_failed_at = Moment(
        required=True,
        allow_none=True,
        metadata={
            "description": "When a capture first came after the end and the points were not there."
        },
    )


class HoldQuery(PageQuery):
    """Whose, of which order, how they stand."""

    member = Text(max=210, load_default=None, metadata={"description": "mem_… or ext:<your id>."})
    order = Text(load_default=None, metadata={"description": "The shop's order id."})
    status = Choice(holds.STATUSES, load_default=None)
    capture = Choice(
        ("failed",),
        load_default=None,
        metadata={
            "description": "Those that somebody has to look at: the order was paid after the hold "
            "had ended, and the points were not there."
        },
    )


HOLD_OUT = HoldOut()


@blueprint.route("", methods=["POST"])
@allow("checkout")
@refuses(
    errors.CurrencyNotPriced,
    errors.InsufficientPoints,
    errors.MemberClosed,
    errors.MemberNotFound,
    errors.MemberSuspended,
    errors.PointsExceedOrder,
    errors.PointsNotOffered,
    errors.ProgramNotApplied,
    errors.RewardLimitReached,
    errors.RewardNotEligible,
    errors.RewardNotFound,
    errors.RewardNotOnSale,
    errors.RewardSoldOut,
)
@blueprint.arguments(HoldIn)
@blueprint.response(201, HoldOut)
def place(wish: Wish) -> Any:
    """Reserve points for an order until they are captured or released, or time is up."""
    written: list[Hold] = []

    def work(session: Session) -> Answer:
        written[:] = [holds.place(session, caller().program_id, wish)]
        return living(201, written[0].id)

    return _written(work, written)


@blueprint.route("", methods=["GET"])
@allow("checkout", "staff", "reporting")
@refuses(errors.CursorNotFound, errors.MemberNotFound)
@blueprint.arguments(HoldQuery, location="query")
@blueprint.response(200, list_schema(HoldOut))
def find(query: dict[str, Any]) -> Any:
    """Holds, newest first."""
    page = page_of(query)
    program_id = caller().program_id

    def work(session: Session) -> dict[str, Any]:
        member_id = members.id_of(session, program_id, query["member"])
        wanted = Filter(member_id, query["order"], query["status"], query["capture"] == "failed")
        return listed(holds.listed(session, program_id, wanted, page), page, fill)

    return db.read(work)


@blueprint.route("/<hold_id>", methods=["GET"])
@allow("checkout", "staff", "reporting")
@refuses(errors.HoldNotFound)
@blueprint.response(200, HoldOut)
def get(hold_id: str) -> Any:
    """A hold as it stands."""
    return db.read(lambda session: show(session, hold_id))


@blueprint.route("/<hold_id>/capture", methods=["POST"])
@allow("checkout")
@refuses(
    errors.CaptureExceedsHold,
    errors.HoldCaptured,
    errors.HoldExpired,
    errors.HoldNotFound,
    errors.HoldReleased,
    errors.MemberClosed,
    errors.MemberSuspended,
    errors.PointsNotOffered,
    errors.RewardLimitReached,
    errors.RewardSoldOut,
)
@blueprint.arguments(CaptureIn)
@blueprint.response(200, HoldOut)
def capture(fields: dict[str, Any], hold_id: str) -> Any:
    """Spend what is held, or a part of it: the rest is released. The same again changes nothing."""
    written: list[Hold] = []

    def work(session: Session) -> Answer:
        made = holds.capture(session, caller().program_id, hold_id, fields["points"])
        if made.refusal:
            # What staff are told of it stays.
            return refused(made.refusal)
        written[:] = [made.hold]
        return living(200, made.hold.id)

    return _written(work, written)


@blueprint.route("/<hold_id>/release", methods=["POST"])
@allow("checkout", "staff")
@refuses(errors.HoldCaptured, errors.HoldNotFound)
@blueprint.arguments(Nothing)
@blueprint.response(200, HoldOut)
def release(_fields: dict[str, Any], hold_id: str) -> Any:
    """Give back what is held. Releasing again, or after the end, changes nothing."""
    written: list[Hold] = []

    def work(session: Session) -> Answer:
        written[:] = [holds.release(session, caller().program_id, hold_id)]
        return living(200, written[0].id)

    return _written(work, written)


def show(session: Session, hold_id: str) -> dict[str, Any]:
    """A hold's JSON as it stands."""
    return fill(holds.require(session, caller().program_id, hold_id))


def fill(row: Hold) -> dict[str, Any]:
    """A hold as JSON-able values."""
    now = clock.now()
    names = ("id", "order_id", "points", "captured_points", "returned_points", "captured_by")
    values = {
        **{name: getattr(row, name) for name in names},
        "member": row.member_id,
        "status": holds.status_at(row, now),
        "reward": row.reward_id,
        "discount": money(row.amount_minor, row.currency),
        "minimum_order": money(row.minimum_order_minor, row.currency),
        "signature": _signature(row, now),
        "transaction": row.transaction_id,
        "created_at": row.created_at,
        "expires_at": row.expires_at,
        "capture_failed_at": row.capture_failed_at,
    }
    dumped: dict[str, Any] = HOLD_OUT.dump(values)
    return dumped


def _written(work: Work, written: list[Hold]) -> Response:
    """Write, and show what was written without looking for it again."""

    def known(answer: Answer) -> dict[str, Any] | None:
        # A duplicate was faster: what was written here was rolled back with the rest.
        return fill(written[0]) if written and not answer.replayed else None

    return once(work, show, after_commit=known)


def _signature(row: Hold, now: datetime) -> str | None:
    """The discount, signed; a hold that stands no more vouches for nothing."""
    config: Config = current_app.config["LOYALTY"]
    is_held = holds.status_at(row, now) == HELD
    if not config.signing_key or row.amount_minor is None or not is_held:
        return None
    claims = {
        "program": row.program_id,
        "hold": row.id,
        "member": row.member_id,
        "order_id": row.order_id,
        "points": row.points,
        "amount": row.amount_minor,
        "minimum_order": row.minimum_order_minor,
        "currency": row.currency,
        "expires_at": canonical.timestamp(row.expires_at),
        "exp": int(row.expires_at.timestamp()),
    }
    return signing.sign(claims, config.signing_key)
