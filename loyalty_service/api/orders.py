"""/v1/orders: recorded once, earning by the program."""

from typing import Any

import marshmallow as ma
from sqlalchemy.orm import Session

from loyalty_service import db, errors
from loyalty_service.api import shapes
from loyalty_service.api.fields import Body, Entries, Moment, Object, Part, Text, Whole, fault
from loyalty_service.api.guard import allow, caller
from loyalty_service.api.parsing import Blueprint
from loyalty_service.api.refusing import refuses
from loyalty_service.api.writing import kept, once
from loyalty_service.domain import ledger, orders
from loyalty_service.domain.earning import Line, OrderFacts
from loyalty_service.domain.idempotency import Answer
from loyalty_service.domain.limits import INTEGER_MAX
from loyalty_service.domain.orders import OrderToRecord

blueprint = Blueprint("orders", __name__, url_prefix="/v1/orders", description="Orders")


class LineIn(Body):
    """One line; `unit_amount` in minor units, net of tax."""

    sku = Text(required=True)
    category = Text(load_default=None)
    quantity = Whole(min=1, max=1_000_000, required=True)
    unit_amount = Whole(min=0, required=True)


class OrderId(Text):
    """The shop's order id; slashes inside are fine, one in front would be lost in an address."""

    pattern = r"^[^\x00-\x1f\x7f/][^\x00-\x1f\x7f]*$"

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        if text.startswith("/"):
            raise fault("wrong_format", "must not begin with a slash")
        return text


class OrderIn(Body):
    """An order as the shop knows it; amounts are whole minor units of `currency`."""

    id = OrderId(required=True, metadata={"description": "The shop's order id."})
    member = Text(max=210, required=True, metadata={"description": "mem_… or ext:<your id>."})
    placed_at = Moment(required=True)
    currency = Text(min=3, max=3, required=True, metadata={"description": "Lower-case ISO 4217."})
    lines = Entries(Part(LineIn), required=True)
    discount = Whole(min=0, load_default=0)
    tax = Whole(min=0, load_default=0)
    shipping = Whole(min=0, load_default=0)

    @ma.post_load
    def _order(self, fields: dict[str, Any], **_kwargs: Any) -> OrderToRecord:
        lines = tuple(
            Line(line["sku"], line["category"], line["quantity"], line["unit_amount"])
            for line in fields["lines"]
        )
        facts = OrderFacts(
            fields["currency"], lines, fields["discount"], fields["tax"], fields["shipping"]
        )
        return OrderToRecord(fields["id"], fields["member"], fields["placed_at"], facts)


class OrderOut(ma.Schema):
    """A recorded order and what it earned."""

    object = Object("order")
    id = ma.fields.String(required=True)
    member = ma.fields.String(required=True, attribute="member_id")
    placed_at = Moment(required=True)
    currency = ma.fields.String(required=True)
    points_earned = ma.fields.Integer(required=True, metadata={"maximum": INTEGER_MAX})
    available_at = Moment(required=True)
    transaction = ma.fields.String(required=True, attribute="transaction_id")
    balance = ma.fields.Nested(shapes.BalanceOut, required=True)


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
        return kept(201 if made.created else 200, _fill(made.order, made.balance), order.id)

    return once(work, show)


@blueprint.route("/<path:order_id>", methods=["GET"])
@allow("checkout", "staff", "reporting")
@refuses(errors.OrderNotFound)
@blueprint.response(200, OrderOut)
def get(order_id: str) -> Any:
    """A recorded order by the shop's id."""
    return db.read(lambda session: show(session, order_id))


def show(session: Session, order_id: str) -> dict[str, Any]:
    """An order's JSON as it stands."""
    row = orders.require(session, caller().program_id, order_id)
    balance = ledger.balance(session, row.program_id, row.member_id)
    return _fill(orders.columns(row), balance)


def _fill(order: dict[str, Any], balance: ledger.Balance) -> dict[str, Any]:
    dumped: dict[str, Any] = ORDER_OUT.dump({**order, "balance": balance})
    return dumped
