"""Orders: recorded once per order id, earning by the rules in force when they were placed."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ForeignKeyConstraint, Index, String, Text, bindparam, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from loyalty_service import canonical, clock, ids
from loyalty_service.db import Base, Id, Points, ProgramId, TakenMeanwhile
from loyalty_service.domain import calendar, earning, ledger, members, opening, program
from loyalty_service.domain.earning import OrderFacts
from loyalty_service.domain.ledger import sending
from loyalty_service.domain.limits import INTEGER_MAX
from loyalty_service.domain.opening import Ahead
from loyalty_service.errors import (
    FieldFault,
    OrderConflict,
    OrderInFuture,
    OrderNotFound,
    OrderTooLate,
    PointsTooMany,
    ValidationFailed,
)
from loyalty_service.statements import Statement, table_of

SOURCE_SHOP = "shop"
# Two machines' clocks differ: an order a breath ahead of ours is one that was placed just now.
CLOCK_SKEW_SECONDS = 60


class Order(Base):
    """One order as the shop told it; `content` is canonical JSON. The id is the shop's own."""

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
    status: Mapped[str] = mapped_column(String(12), server_default="recorded")
    paid_at: Mapped[datetime | None]
    fulfilled_at: Mapped[datetime | None]
    # What an amendment made of `content`.
    amended: Mapped[str | None] = mapped_column(Text)
    # The transaction whose context decides what the order is due.
    earned_by: Mapped[str | None] = mapped_column(Id)
    # All that was ever issued for it, and all that refunds asked back.
    points_issued: Mapped[int] = mapped_column(Points, server_default="0")
    points_taken: Mapped[int] = mapped_column(Points, server_default="0")
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


@dataclass(frozen=True, slots=True)
class OrderToRecord:
    """What the shop sends: its id, whose it is, when it was placed, and what decides the points."""

    id: str
    member: str
    placed_at: datetime
    facts: OrderFacts


@dataclass(frozen=True, slots=True)
class Recorded:
    """An order's columns and the member's balance; not `created` where it was there already."""

    order: dict[str, Any]
    balance: ledger.Balance
    created: bool


_COLUMNS = [column.name for column in Order.__table__.columns]
_BY_ID = Statement(
    select(Order.id).where(
        Order.program_id == bindparam("of_program"), Order.id == bindparam("order")
    )
)


def record(session: Session, program_id: str, order: OrderToRecord) -> Recorded:
    """Record an order and earn its points.

    Raises MemberNotFound, MemberClosed, OrderConflict, CurrencyNotPriced, OrderInFuture,
    OrderTooLate, PointsTooMany, ProgramNotApplied.
    """
    look = _BY_ID, {"of_program": program_id, "order": order.id}
    member, book, newest, (before,) = opening.open_for(
        session, program_id, order.member, Ahead.EXPIRING, look
    )
    rules = program.as_of(session, program_id, newest, order.placed_at)
    _require_total_in_range(order.facts)
    earned = _earn(rules.rules, order.facts)
    row = _row(member.id, program_id, order, earned, rules.rules)
    if before:
        return _same(session, program_id, order, row)
    _require_in_time(order.placed_at, rules.rules.late_days)
    members.require_earning(member)
    ledger.post(book, _entry(book, rules, order, earned, row))
    # Another member's order may have taken the id since the look.
    sending.insert_key(session, sending.Key(table_of(Order), row, TakenMeanwhile(order.id)))
    return Recorded(row, ledger.balance_of(book), created=True)


def require(session: Session, program_id: str, order_id: str) -> Order:
    """An order of this program; raises OrderNotFound."""
    found = session.get(Order, (program_id, order_id))
    if found is None:
        raise OrderNotFound(f"There is no order {order_id!r}.", param="id")
    return found


def _earn(rules: program.Program, facts: OrderFacts) -> earning.Earned:
    try:
        return earning.earn(rules, facts)
    except earning.PointsOutOfRange as error:
        raise PointsTooMany(str(error), param="lines") from error


def _require_total_in_range(facts: OrderFacts) -> None:
    merchandise = sum(line.quantity * line.unit_amount_minor for line in facts.lines)
    if merchandise + facts.tax_minor + facts.shipping_minor > INTEGER_MAX:
        detail = f"the order's total is above {INTEGER_MAX}; send amounts in minor units."
        fault = FieldFault("lines", "above_maximum", detail)
        raise ValidationFailed(f"lines: {detail}", param="lines", faults=[fault])


def _require_in_time(placed_at: datetime, late_days: int) -> None:
    now = clock.now()
    if placed_at > now + timedelta(seconds=CLOCK_SKEW_SECONDS):
        raise OrderInFuture(
            f"placed_at {placed_at.isoformat()} is later than now ({now.isoformat()}); "
            "send the time at which the order was placed.",
            param="placed_at",
        )
    if placed_at < now - timedelta(days=late_days):
        raise OrderTooLate(
            f"placed_at {placed_at.isoformat()} is more than {late_days} days before now "
            f"({now.isoformat()}); the program's late_days says how old an order may be.",
            param="placed_at",
        )


def _row(
    member_id: str,
    program_id: str,
    order: OrderToRecord,
    earned: earning.Earned,
    rules: program.Program,
) -> dict[str, Any]:
    return {
        "program_id": program_id,
        "id": order.id,
        "member_id": member_id,
        "source": SOURCE_SHOP,
        "placed_at": order.placed_at,
        "currency": order.facts.currency,
        "content": canonical.dumps(_content(member_id, order)),
        "points_earned": earned.points,
        "available_at": calendar.matures_at(order.placed_at, rules.pending_days, rules.zone),
        "transaction_id": ids.new("ltx"),
        "recorded_at": clock.now(),
        "status": "recorded",
        "paid_at": None,
        "fulfilled_at": None,
        "amended": None,
        "earned_by": None,
        "points_issued": earned.points,
        "points_taken": 0,
    }


def _content(member_id: str, order: OrderToRecord) -> dict[str, Any]:
    facts = order.facts
    return {
        "member": member_id,
        "placed_at": canonical.timestamp(order.placed_at),
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


def _same(session: Session, program_id: str, order: OrderToRecord, row: dict[str, Any]) -> Recorded:
    existing = require(session, program_id, order.id)
    if existing.content != row["content"]:
        before, now = json.loads(existing.content), json.loads(row["content"])
        others = [name for name in now if now[name] != before.get(name)]
        raise OrderConflict(
            f"Order {order.id!r} was recorded as transaction {existing.transaction_id} "
            f"with another {', another '.join(others)}; an order is recorded once.",
            param="id",
        )
    balance = ledger.balance(session, program_id, existing.member_id)
    return Recorded(columns(existing), balance, created=False)


def columns(order: Order) -> dict[str, Any]:
    """A recorded order's columns by name."""
    return {name: getattr(order, name) for name in _COLUMNS}


def _entry(
    book: ledger.Book,
    rules: program.InForce,
    order: OrderToRecord,
    earned: earning.Earned,
    row: dict[str, Any],
) -> ledger.Entry:
    context = {
        "cause": "order",
        "order": order.id,
        "program_version": rules.version,
        "currency": order.facts.currency,
        "explanation": earned.explanation,
    }
    occurred_at = min(order.placed_at, book.now)
    if not earned.points:
        return ledger.Entry("earn", [], occurred_at, context, id=row["transaction_id"])
    lot = ledger.NewLot(
        id=ids.new("lot"),
        earned_at=occurred_at,
        matures_at=row["available_at"],
        expires_at=calendar.expires_at(order.placed_at, rules.rules.expiry, rules.rules.zone),
    )
    at_once = lot.matures_at <= occurred_at
    side = ledger.available(lot.id) if at_once else ledger.pending(lot.id)
    return ledger.Entry(
        "earn",
        [ledger.Move(ledger.ISSUED, side, earned.points)],
        occurred_at,
        context,
        new_lots=[lot],
        id=row["transaction_id"],
    )
