"""/v1/orders: recorded once, earning by the program; amended, cancelled, refunded."""

from typing import Any

import marshmallow as ma
from sqlalchemy.orm import Session

from loyalty_service import db, errors
from loyalty_service.api import shapes
from loyalty_service.api.fields import (
    Body,
    Choice,
    Entries,
    Id,
    Moment,
    Nothing,
    Object,
    Part,
    Text,
    Whole,
)
from loyalty_service.api.guard import allow, caller
from loyalty_service.api.parsing import Blueprint
from loyalty_service.api.refusing import refuses
from loyalty_service.api.writing import kept, once
from loyalty_service.domain import ledger, orders
from loyalty_service.domain.earning import Line, OrderFacts
from loyalty_service.domain.idempotency import Answer
from loyalty_service.domain.limits import INTEGER_MAX
from loyalty_service.domain.orders import Amendment, OrderToRecord, Quoted
from loyalty_service.domain.orders.table import (
    CANCELLED,
    RECORDED,
    SOURCE_SHOP,
    SOURCE_STRIPE,
    WAITING,
)

blueprint = Blueprint("orders", __name__, url_prefix="/v1/orders", description="Orders")


class LineIn(Body):
    """One line; `unit_amount` in minor units, net of tax."""

    sku = Text(required=True)
    category = Text(load_default=None)
    quantity = Whole(min=1, max=1_000_000, required=True)
    unit_amount = Whole(min=0, required=True)

    @ma.post_load
    def _line(self, fields: dict[str, Any], **_kwargs: Any) -> Line:
        return Line(fields["sku"], fields["category"], fields["quantity"], fields["unit_amount"])


class QuotedIn(Body):
    """What a quote was based on, as it said."""

    program_version = Whole(min=1, required=True)
    account_sequence = Whole(min=0, required=True)


class FactsIn(Body):
    """What of an order decides its points; amounts are whole minor units of `currency`."""

    currency = Text(min=3, max=3, required=True, metadata={"description": "Lower-case ISO 4217."})
    lines = Entries(Part(LineIn), required=True)
    discount = Whole(min=0, load_default=0)
    tax = Whole(min=0, load_default=0)
    shipping = Whole(min=0, load_default=0)
    paid_at = Moment(load_default=None, metadata={"description": "Where the program waits for it."})
    fulfilled_at = Moment(
        load_default=None, metadata={"description": "Where the program waits for it."}
    )


class OrderIn(FactsIn):
    """An order as the shop knows it."""

    id = Id(required=True, metadata={"description": "The shop's order id, without slashes."})
    member = Text(max=210, required=True, metadata={"description": "mem_… or ext:<your id>."})
    placed_at = Moment(required=True)
    quote = Part(
        QuotedIn,
        load_default=None,
        metadata={"description": "Of the quote that was shown: you are told what has changed."},
    )

    @ma.post_load
    def _order(self, fields: dict[str, Any], **_kwargs: Any) -> OrderToRecord:
        return OrderToRecord(
            fields["id"],
            fields["member"],
            fields["placed_at"],
            facts_of(fields),
            fields["paid_at"],
            fields["fulfilled_at"],
            Quoted(**fields["quote"]) if fields["quote"] else None,
        )


class AmendmentIn(Body):
    """What is another by now: what is left out stays. Lines are given whole."""

    lines = Entries(Part(LineIn), load_default=None)
    discount = Whole(min=0, load_default=None, attribute="discount_minor")
    tax = Whole(min=0, load_default=None, attribute="tax_minor")
    shipping = Whole(min=0, load_default=None, attribute="shipping_minor")
    paid_at = Moment(load_default=None)
    fulfilled_at = Moment(load_default=None)

    @ma.post_load
    def _amendment(self, fields: dict[str, Any], **_kwargs: Any) -> Amendment:
        lines = fields.pop("lines")
        return Amendment(lines=tuple(lines) if lines else None, **fields)


class OrderOut(ma.Schema):
    """A recorded order and what it is due as it stands."""

    object = Object("order")
    id = ma.fields.String(required=True)
    member = ma.fields.String(required=True, attribute="member_id")
    status = Choice(
        (RECORDED, WAITING, CANCELLED),
        required=True,
        metadata={"description": "`waiting`: it earns when it is paid or fulfilled."},
    )
    source = Choice(
        (SOURCE_SHOP, SOURCE_STRIPE),
        required=True,
        metadata={
            "description": "Who told of it first, and so tells of its refunds: the shop over this "
            "API, or Stripe where the program earns from its payments."
        },
    )
    placed_at = Moment(required=True)
    paid_at = Moment(required=True, allow_none=True)
    fulfilled_at = Moment(required=True, allow_none=True)
    currency = ma.fields.String(required=True)
    points_earned = ma.fields.Integer(required=True, metadata={"maximum": INTEGER_MAX})
    available_at = Moment(
        required=True, allow_none=True, metadata={"description": "null while it waits."}
    )
    transaction = ma.fields.String(required=True, attribute="transaction_id")
    balance = ma.fields.Nested(shapes.BalanceOut, required=True)
    changed = ma.fields.List(
        ma.fields.String(),
        metadata={
            "description": "With a `quote`: what is another since, so that points may differ."
        },
    )


ORDER_OUT = OrderOut()


@blueprint.route("", methods=["POST"])
@allow("checkout")
@refuses(
    errors.CurrencyNotPriced,
    errors.MemberClosed,
    errors.MemberNotFound,
    errors.OrderConflict,
    errors.OrderInFuture,
    errors.OrderTooLate,
    errors.PointsTooMany,
    errors.ProgramNotApplied,
)
@blueprint.arguments(OrderIn)
@blueprint.response(201, OrderOut)
@blueprint.alt_response(200, schema=OrderOut, description="Just this order is recorded already")
def record(order: OrderToRecord) -> Any:
    """Record an order; it earns once, however often it is sent."""

    def work(session: Session) -> Answer:
        made = orders.record(session, caller().program_id, order)
        body = _fill(made.order, made.balance)
        if made.changed is not None:
            body["changed"] = made.changed
        return kept(201 if made.created else 200, body, order.id)

    return once(work, show)


@blueprint.route("/<path:order_id>", methods=["GET"])
@allow("checkout", "staff", "reporting")
@refuses(errors.OrderNotFound)
@blueprint.response(200, OrderOut)
def get(order_id: str) -> Any:
    """A recorded order by the shop's id."""
    return db.read(lambda session: show(session, order_id))


@blueprint.route("/<path:order_id>", methods=["PATCH"])
@allow("checkout")
@refuses(
    errors.AmendmentAboveLimits,
    errors.AmendmentBelowRefunds,
    errors.MemberClosed,
    errors.OrderCancelled,
    errors.OrderInFuture,
    errors.OrderNotFound,
    errors.PointsTooMany,
)
@blueprint.arguments(AmendmentIn)
@blueprint.response(200, OrderOut)
def amend(wanted: Amendment, order_id: str) -> Any:
    """Correct an order, or tell that it was paid or fulfilled. The same again changes nothing."""

    def work(session: Session) -> dict[str, Any]:
        made = orders.amend(session, caller().program_id, order_id, wanted)
        return _fill(made.order, made.balance)

    return db.transaction(work)


@blueprint.route("/<path:order_id>/cancel", methods=["POST"])
@allow("checkout")
@refuses(errors.OrderNotFound)
@blueprint.arguments(Nothing)
@blueprint.response(200, OrderOut)
def cancel(_fields: dict[str, Any], order_id: str) -> Any:
    """Take back all that an order gave. Cancelling again changes nothing."""

    def work(session: Session) -> Answer:
        made = orders.cancel(session, caller().program_id, order_id)
        return kept(200, _fill(made.order, made.balance), order_id)

    return once(work, show)


def show(session: Session, order_id: str) -> dict[str, Any]:
    """An order's JSON as it stands."""
    row = orders.require(session, caller().program_id, order_id)
    balance = ledger.balance(session, row.program_id, row.member_id)
    return _fill(orders.columns(row), balance)


def facts_of(fields: dict[str, Any]) -> OrderFacts:
    """What of an order's fields decides its points."""
    return OrderFacts(
        fields["currency"],
        tuple(fields["lines"]),
        fields["discount"],
        fields["tax"],
        fields["shipping"],
    )


def _fill(order: dict[str, Any], balance: ledger.Balance) -> dict[str, Any]:
    available_at = None if order["status"] == WAITING else order["available_at"]
    dumped: dict[str, Any] = ORDER_OUT.dump(
        {**order, "available_at": available_at, "balance": balance}
    )
    return dumped
