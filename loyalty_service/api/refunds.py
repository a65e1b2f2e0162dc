"""/v1/orders/{id}/refunds: once per refund id, and before the order if need be."""

from collections.abc import Sequence
from typing import Any

import marshmallow as ma
from marshmallow import ValidationError
from sqlalchemy.orm import Session

from loyalty_service import db, errors
from loyalty_service.api import shapes
from loyalty_service.api.fields import (
    Body,
    Choice,
    Entries,
    Fault,
    Id,
    Moment,
    Object,
    Part,
    Text,
    Whole,
)
from loyalty_service.api.guard import allow, caller
from loyalty_service.api.paging import PageQuery, list_schema, page_of
from loyalty_service.api.paging import listed as as_list
from loyalty_service.api.parsing import Blueprint
from loyalty_service.api.refusing import refuses
from loyalty_service.api.writing import kept, living, once
from loyalty_service.domain import ledger, orders
from loyalty_service.domain.idempotency import Answer
from loyalty_service.domain.orders import Refund, RefundToRecord
from loyalty_service.domain.orders.table import REFUSED, SETTLED, WAITING

blueprint = Blueprint("refunds", __name__, url_prefix="/v1/orders", description="Refunds")


class ItemsIn(Body):
    """Items of one sku that came back."""

    sku = Text(required=True)
    quantity = Whole(min=1, max=1_000_000, required=True)


class RefundIn(Body):
    """Exactly one of `amount` (merchandise money, minor units) and `lines`."""

    id = Id(required=True, metadata={"description": "The shop's refund id, without slashes."})
    amount = Whole(min=1, load_default=None)
    lines = Entries(Part(ItemsIn), load_default=None)
    member = Text(
        max=210,
        load_default=None,
        metadata={"description": "Checked where it is given: the order must be this member's."},
    )

    @ma.validates_schema
    def _one_of_both(self, fields: dict[str, Any], **_kwargs: Any) -> None:
        given = [name for name in ("amount", "lines") if fields.get(name) is not None]
        if len(given) != 1:
            why = (
                Fault("conflict", "can't stand beside lines; send one of the two")
                if given
                else Fault("required", "is missing, and so is lines; send one of the two")
            )
            raise ValidationError({"amount": [why]})


class RefundOut(ma.Schema):
    """A refund; `waiting` until its order is recorded."""

    object = Object("refund")
    id = ma.fields.String(required=True)
    order = ma.fields.String(required=True, attribute="order_id")
    status = Choice((WAITING, SETTLED, REFUSED), required=True)
    points_taken = ma.fields.Integer(
        required=True, metadata={"description": "By how many points the order is due less."}
    )
    points_returned = ma.fields.Integer(
        required=True,
        metadata={
            "description": "How many of the points that paid for the order come back; below zero "
            "where Stripe tells that money was not given back after all, and they are taken again.",
        },
    )
    money_back = ma.fields.Nested(
        shapes.SignedMoney,
        required=True,
        allow_none=True,
        metadata={
            "description": "The merchandise money that goes back with it, net of discounts, "
            "without tax and shipping; below zero where it was not given back after all. null "
            "unless it is settled."
        },
    )
    transaction = ma.fields.String(required=True, allow_none=True, attribute="transaction_id")
    refusal = ma.fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "Why one that waited was refused: the code of the refusal."},
    )
    recorded_at = Moment(required=True)
    balance = ma.fields.Nested(
        shapes.BalanceOut,
        required=True,
        allow_none=True,
        metadata={"description": "null unless it is settled."},
    )


REFUND_OUT = RefundOut()
_SHOWN = (
    "id",
    "order_id",
    "status",
    "points_taken",
    "points_returned",
    "transaction_id",
    "refusal",
    "recorded_at",
)
ORDER_ID = Id()


@blueprint.route("/<path:order_id>/refunds", methods=["POST"])
@allow("checkout")
@refuses(
    errors.MemberNotFound,
    errors.OrderNotFound,
    errors.OrderOfAnother,
    errors.PointsTooMany,
    errors.RefundConflict,
    errors.RefundExceedsOrder,
    errors.RefundOfStripes,
)
@blueprint.arguments(RefundIn)
@blueprint.response(201, RefundOut)
@blueprint.alt_response(200, schema=RefundOut, description="Just this refund is recorded already")
@blueprint.alt_response(202, schema=RefundOut, description="It waits for its order")
def refund(fields: dict[str, Any], order_id: str) -> Any:
    """Tell that money was given back; the points that it earned are taken back, those that paid for
    it come back."""
    items = tuple((line["sku"], line["quantity"]) for line in fields["lines"] or ())
    wanted = RefundToRecord(fields["id"], order_id, fields["amount"], items, fields["member"])

    def work(session: Session) -> Answer:
        _require_possible(session, order_id)
        made = orders.refund(session, caller().program_id, wanted)
        status = 201 if made.created else 200
        if made.refund.status == WAITING:
            return living(status, wanted.id)
        return kept(status, _fill(made.refund, made.balance, made.currency), wanted.id)

    return once(work, show, is_under_way=lambda body: body["status"] == WAITING)


@blueprint.route("/<path:order_id>/refunds", methods=["GET"])
@allow("checkout", "staff", "reporting")
@refuses(errors.CursorNotFound, errors.OrderNotFound)
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, list_schema(RefundOut))
def listed(query: dict[str, Any], order_id: str) -> Any:
    """The refunds of an order, newest first; those too that wait for it."""
    page = page_of(query)

    def work(session: Session) -> dict[str, Any]:
        rows = orders.page_of_order(session, caller().program_id, order_id, page)
        balance, currency = _beside(session, rows)
        return as_list(rows, page, lambda row: _fill(row, balance, currency))

    return db.read(work)


def show(session: Session, refund_id: str) -> dict[str, Any]:
    """A refund's JSON as it stands."""
    row = orders.recorded_refund(session, caller().program_id, refund_id)
    return _fill(row, *_beside(session, [row]))


def _require_possible(session: Session, order_id: str) -> None:
    """A refund may wait for an order, but not for one that can never come."""
    try:
        ORDER_ID.deserialize(order_id)
    except ValidationError:
        # One that was recorded while slashes were taken is refunded as before.
        orders.require(session, caller().program_id, order_id)


def _beside(session: Session, rows: Sequence[Refund]) -> tuple[ledger.Balance | None, str]:
    """The balance of the member whose order it is, and its currency, where a refund is settled."""
    settled = [row for row in rows if row.status == SETTLED]
    if not settled:
        return None, ""
    order = orders.require(session, settled[0].program_id, settled[0].order_id)
    return ledger.balance(session, order.program_id, order.member_id), order.currency


def _fill(row: Refund, balance: ledger.Balance | None, currency: str) -> dict[str, Any]:
    values = {name: getattr(row, name) for name in _SHOWN}
    shown = balance if row.status == SETTLED else None
    back = shapes.money(row.money_back_minor, currency)
    dumped: dict[str, Any] = REFUND_OUT.dump({**values, "money_back": back, "balance": shown})
    return dumped
