"""The order's row, the refund's row, and what was told of them as plain facts."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, String, Text, case, func
from sqlalchemy.orm import Mapped, Session, mapped_column

from loyalty_service.db import Base, Id, Points, ProgramId
from loyalty_service.domain.earning import Line, OrderFacts, RefundFacts
from loyalty_service.domain.program.document import EarnWhen
from loyalty_service.errors import OrderNotFound

SOURCE_SHOP, SOURCE_STRIPE = "shop", "stripe"
RECORDED, WAITING, CANCELLED = "recorded", "waiting", "cancelled"
SETTLED, REFUSED = "settled", "refused"


class Order(Base):
    """One order as the shop told it; `content` is canonical JSON. The id is the shop's own.

    `points_earned` is what it is due as it stands: `points_issued` less what refunds took, whether
    or not the member still had it (`points_taken` is what was asked of the member).
    """

    __tablename__ = "orders"
    program_id: Mapped[str] = mapped_column(ProgramId, primary_key=True)
    id: Mapped[str] = mapped_column(String(200), primary_key=True)
    member_id: Mapped[str] = mapped_column(Id)
    source: Mapped[str] = mapped_column(String(12))
    placed_at: Mapped[datetime]
    currency: Mapped[str] = mapped_column(String(3))
    content: Mapped[str] = mapped_column(Text)
    points_earned: Mapped[int] = mapped_column(Points)
    available_at: Mapped[datetime]
    transaction_id: Mapped[str] = mapped_column(Id)
    recorded_at: Mapped[datetime]
    status: Mapped[str] = mapped_column(String(12), server_default=RECORDED)
    paid_at: Mapped[datetime | None]
    fulfilled_at: Mapped[datetime | None]
    # What an amendment made of `content`.
    amended: Mapped[str | None] = mapped_column(Text)
    # The transaction whose context decides what the order is due; None until it earns.
    earned_by: Mapped[str | None] = mapped_column(Id)
    points_issued: Mapped[int] = mapped_column(Points, server_default="0")
    points_taken: Mapped[int] = mapped_column(Points, server_default="0")
    # What was asked back and had been spent, and the program forgave.
    points_short: Mapped[int] = mapped_column(Points, server_default="0")
    __table_args__ = (
        ForeignKeyConstraint(["program_id", "member_id"], ["members.program_id", "members.id"]),
        # Both are written by one statement, in no order that could be relied upon.
        ForeignKeyConstraint(
            ["program_id", "transaction_id"],
            ["transactions.program_id", "transactions.id"],
            deferrable=True,
            initially="DEFERRED",
        ),
        Index("ix_orders_member", "program_id", "member_id", "placed_at"),
    )

    @property
    def earning_id(self) -> str | None:
        """The transaction whose context decides; None until it earns.

        An order that the version before this schema recorded, during a rollout, names it elsewhere.
        """
        return self.earned_by or (self.transaction_id if self.status == RECORDED else None)

    @property
    def issued(self) -> int:
        """All points that were ever issued for it."""
        return self.points_issued if self.earned_by else self.points_earned

    @property
    def facts(self) -> OrderFacts:
        """What decides the points, as it stands."""
        return facts_of(json.loads(self.amended or self.content))


class Refund(Base):
    """One refund as the shop told it, maybe before its order; `content` is canonical JSON."""

    __tablename__ = "refunds"
    program_id: Mapped[str] = mapped_column(ProgramId, primary_key=True)
    id: Mapped[str] = mapped_column(String(200), primary_key=True)
    order_id: Mapped[str] = mapped_column(String(200))
    status: Mapped[str] = mapped_column(String(12))
    content: Mapped[str] = mapped_column(Text)
    points_taken: Mapped[int] = mapped_column(Points)
    transaction_id: Mapped[str | None] = mapped_column(Id)
    refusal: Mapped[str | None] = mapped_column(String(60))
    recorded_at: Mapped[datetime]
    # Of what was paid with points: how many come back, and the merchandise money that goes with it.
    points_returned: Mapped[int] = mapped_column(Points, server_default="0")
    money_back_minor: Mapped[int | None] = mapped_column(Points)
    __table_args__ = (
        ForeignKeyConstraint(
            ["program_id", "transaction_id"],
            ["transactions.program_id", "transactions.id"],
            deferrable=True,
            initially="DEFERRED",
        ),
        Index("ix_refunds_order", "program_id", "order_id"),
        CheckConstraint("status IN ('waiting', 'settled', 'refused')", name="status_known"),
        CheckConstraint(
            "status <> 'settled' OR transaction_id IS NOT NULL", name="settled_has_a_transaction"
        ),
    )

    @property
    def facts(self) -> RefundFacts:
        """What decides what is left of the order."""
        content = json.loads(self.content)
        items = tuple((line["sku"], line["quantity"]) for line in content.get("lines") or ())
        return RefundFacts(content.get("amount") or 0, items)


# `Order.earning_id`, for a query.
EARNING_ID = func.coalesce(
    Order.earned_by, case((Order.status == RECORDED, Order.transaction_id))
).label("earning_id")
COLUMNS = [column.name for column in Order.__table__.columns]


def require(session: Session, program_id: str, order_id: str) -> Order:
    """An order of this program; raises OrderNotFound."""
    found = session.get(Order, (program_id, order_id), populate_existing=True)
    if found is None:
        raise OrderNotFound(f"There is no order {order_id!r}.", param="id")
    return found


def columns(order: Order) -> dict[str, Any]:
    """A recorded order's columns by name."""
    return {name: getattr(order, name) for name in COLUMNS}


def facts_as_json(facts: OrderFacts) -> dict[str, Any]:
    """What decides the points, as `content` keeps it."""
    return {
        "currency": facts.currency,
        "lines": [
            {
                "sku": line.sku,
                "category": line.category,
                "quantity": line.quantity,
                "unit_amount": line.unit_amount_minor,
            }
            for line in facts.lines
        ],
        "discount": facts.discount_minor,
        "tax": facts.tax_minor,
        "shipping": facts.shipping_minor,
    }


def facts_of(content: Mapping[str, Any]) -> OrderFacts:
    """The same, back as facts."""
    lines = tuple(
        Line(line["sku"], line["category"], line["quantity"], line["unit_amount"])
        for line in content["lines"]
    )
    return OrderFacts(
        content["currency"], lines, content["discount"], content["tax"], content["shipping"]
    )


def earns_at(
    when: EarnWhen, placed_at: datetime, paid_at: datetime | None, fulfilled_at: datetime | None
) -> datetime | None:
    """The moment at which an order earns; None while it has not come."""
    return {
        EarnWhen.PLACED: placed_at,
        EarnWhen.PAID: paid_at,
        EarnWhen.FULFILLED: fulfilled_at,
    }[when]
