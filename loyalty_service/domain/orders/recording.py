"""Recording an order: once per order id, earning by the rules in force when it was placed."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, literal_column, select
from sqlalchemy.orm import Session

from loyalty_service import canonical, clock, ids
from loyalty_service.db import TakenMeanwhile
from loyalty_service.domain import (
    calendar,
    crediting,
    earning,
    ledger,
    members,
    opening,
    program,
    timely,
)
from loyalty_service.domain.crediting import Account
from loyalty_service.domain.earning import OrderFacts
from loyalty_service.domain.events import earned as event_earning
from loyalty_service.domain.events.table import Event
from loyalty_service.domain.ledger import sending
from loyalty_service.domain.limits import INTEGER_MAX
from loyalty_service.domain.opening import Ahead
from loyalty_service.domain.orders import earned, refunding
from loyalty_service.domain.orders.table import (
    RECORDED,
    SOURCE_SHOP,
    WAITING,
    Order,
    Refund,
    columns,
    earns_at,
    facts_as_json,
    require,
)
from loyalty_service.errors import (
    FieldFault,
    OrderConflict,
    OrderInFuture,
    OrderTooLate,
    ValidationFailed,
)
from loyalty_service.statements import Statement, table_of


@dataclass(frozen=True, slots=True)
class Quoted:
    """What a quote was based on: the version of the rules, and the account's sequence."""

    program_version: int
    account_sequence: int


@dataclass(frozen=True, slots=True)
class OrderToRecord:
    """What the shop sends: its id, whose it is, when it was placed, and what decides the points.

    `made_by` is what made it at Stripe, a checkout or an invoice: another one is another purchase.
    """

    id: str
    member: str
    placed_at: datetime
    facts: OrderFacts
    paid_at: datetime | None = None
    fulfilled_at: datetime | None = None
    quoted: Quoted | None = None
    source: str = SOURCE_SHOP
    made_by: str | None = None


@dataclass(frozen=True, slots=True)
class Recorded:
    """An order's columns and the member's balance; not `created` where it was there already.

    `changed` names what of a quote is another by now; None where none was sent.
    """

    order: dict[str, Any]
    balance: ledger.Balance
    created: bool
    changed: list[str] | None = None


_OF: Any = bindparam("of_program")
_ORDER: Any = bindparam("order")


def _looking(member_id: Any) -> Statement:
    """How many orders and refunds there are of an order's id, and events that wait for an order."""
    counts: list[tuple[Any, Any]] = [
        (Order, Order.id == _ORDER),
        (Refund, Refund.order_id == _ORDER),
        (Event, (Event.member_id == member_id) & (Event.status == literal_column("'waiting'"))),
    ]
    return Statement(
        select(
            *(
                select(func.count()).where(table.program_id == _OF, what).scalar_subquery()
                for table, what in counts
            )
        )
    )


_look = opening.either(_looking)


def record(session: Session, program_id: str, order: OrderToRecord) -> Recorded:
    """Record an order and earn its points, and settle refunds that were here before it.

    Raises MemberNotFound, MemberClosed, OrderConflict, CurrencyNotPriced, OrderInFuture,
    OrderTooLate, PointsTooMany, ProgramNotApplied, ValidationFailed.
    """
    look, whose = _look(program_id, order.member)
    account, (_, ((is_there, refunds, waiting),)) = crediting.open_account(
        session,
        program_id,
        order.member,
        Ahead.EXPIRING,
        refunding.order_lock(program_id, order.id),
        (look, {**whose, "order": order.id}),
    )
    rules = account.history.as_of(order.placed_at)
    require_in_range(order.facts)
    earned.require_priced(rules.rules, order.facts.currency)
    if is_there:
        return _same(session, program_id, order, account)
    require_in_time(order.placed_at, order.paid_at, order.fulfilled_at, rules.rules.late_days)
    members.require_earning(account.member)
    changed = _changed(order.quoted, account)
    row = _post(account, order, rules)
    # Another member's order may have taken the id since the look.
    sending.insert_key(session, sending.Key(table_of(Order), row, TakenMeanwhile(order.id)))
    if waiting and row["status"] == RECORDED:
        paid_minor = earning.left_of(order.facts).paid_minor
        event_earning.settle_waiting(account, order.id, paid_minor, order.placed_at)
    if refunds:
        row = refunding.settle_waiting(account, order.id)
    return Recorded(row, ledger.balance_of(account.book), created=True, changed=changed)


def _post(account: Account, order: OrderToRecord, rules: program.InForce) -> dict[str, Any]:
    """Post what an order earns, if its moment has come; the order's row."""
    when = rules.rules.earn_when
    moment = earns_at(when, order.placed_at, order.paid_at, order.fulfilled_at)
    transaction_id = ids.new("ltx")
    if moment is None:
        row = _row(account, order, rules.rules, transaction_id)
        context = {
            "cause": "order",
            "order": order.id,
            "program_version": rules.version,
            "waiting_for": when.value,
        }
        at = min(order.placed_at, account.book.now)
        ledger.post(account.book, ledger.Entry("earn", [], at, context, id=transaction_id))
        return row
    decided = earned.decide(account, rules, earning.left_of(order.facts), moment)
    row = _row(account, order, rules.rules, transaction_id, decided)
    change = earned.change(order.id, decided, transaction_id, account.book.now)
    crediting.post(account, change)
    return row


def require_in_range(facts: OrderFacts) -> None:
    """Refuse an order whose total can't be kept; raises ValidationFailed."""
    if facts.merchandise_minor + facts.tax_minor + facts.shipping_minor > INTEGER_MAX:
        detail = f"the order's total is above {INTEGER_MAX}; send amounts in minor units."
        fault = FieldFault("lines", "above_maximum", detail)
        raise ValidationFailed(f"lines: {detail}", param="lines", faults=[fault])


def require_in_time(
    placed_at: datetime, paid_at: datetime | None, fulfilled_at: datetime | None, late_days: int
) -> None:
    """Refuse moments that no order may have; `late_days` are those of the rules that decide it.

    Raises OrderInFuture, OrderTooLate, ValidationFailed.
    """
    _require_not_ahead(placed_at, "placed_at")
    require_not_before(placed_at, paid_at, fulfilled_at)
    timely.require_not_late(
        placed_at, "placed_at", late_days, what="an order", refusal=OrderTooLate
    )


def _require_not_ahead(at: datetime, param: str) -> None:
    what = param.removesuffix("_at")
    timely.require_not_ahead(at, param, send=f"the order was {what}", refusal=OrderInFuture)


def require_not_before(
    placed_at: datetime, paid_at: datetime | None, fulfilled_at: datetime | None
) -> None:
    """Nothing is paid or fulfilled before it is placed; raises OrderInFuture, ValidationFailed."""
    for param, at in (("paid_at", paid_at), ("fulfilled_at", fulfilled_at)):
        if at is None:
            continue
        _require_not_ahead(at, param)
        if at < placed_at:
            detail = f"is before placed_at; send a moment from {placed_at.isoformat()} on."
            fault = FieldFault(param, "below_minimum", detail)
            raise ValidationFailed(f"{param} {detail}", param=param, faults=[fault])


def _changed(quoted: Quoted | None, account: Account) -> list[str] | None:
    """What is another than when the quote was made."""
    if quoted is None:
        return None
    now = {
        "program_version": account.history.newest.version,
        "account_sequence": account.book.sequence,
    }
    return [name for name, value in now.items() if value != getattr(quoted, name)]


def _row(
    account: Account,
    order: OrderToRecord,
    rules: program.Program,
    transaction_id: str,
    decided: earned.Decided | None = None,
) -> dict[str, Any]:
    points = decided.earned.points if decided else 0
    matures_at = calendar.matures_at(order.placed_at, rules.pending_days, rules.zone)
    return {
        "program_id": account.book.program_id,
        "id": order.id,
        "member_id": account.member.id,
        "source": order.source,
        "placed_at": order.placed_at,
        "currency": order.facts.currency,
        "content": canonical.dumps(_content(account.member.id, order)),
        "points_earned": points,
        "available_at": decided.matures_at if decided else matures_at,
        "transaction_id": transaction_id,
        "recorded_at": clock.now(),
        "status": RECORDED if decided else WAITING,
        "paid_at": order.paid_at,
        "fulfilled_at": order.fulfilled_at,
        "amended": None,
        "earned_by": transaction_id if decided else None,
        "points_issued": points,
        "points_taken": 0,
        "points_short": 0,
    }


def _content(member_id: str, order: OrderToRecord) -> dict[str, Any]:
    content = {
        "member": member_id,
        "placed_at": canonical.timestamp(order.placed_at),
        **facts_as_json(order.facts),
    }
    for name, at in (("paid_at", order.paid_at), ("fulfilled_at", order.fulfilled_at)):
        if at is not None:
            content[name] = canonical.timestamp(at)
    if order.made_by is not None:
        content["made_by"] = order.made_by
    return content


def _same(session: Session, program_id: str, order: OrderToRecord, account: Account) -> Recorded:
    existing = require(session, program_id, order.id)
    sent = _content(account.member.id, order)
    before = json.loads(existing.content)
    if "made_by" not in before:
        # Recorded by the shop, or by a version that did not note it.
        sent.pop("made_by", None)
    # Who told of it first decides; the other one only agrees that it is this member's order.
    is_agreed = existing.source != order.source and sent["member"] == before["member"]
    if not is_agreed and existing.content != canonical.dumps(sent):
        others = [name for name in {**before, **sent} if sent.get(name) != before.get(name)]
        raise OrderConflict(
            f"Order {order.id!r} was recorded as transaction {existing.transaction_id} "
            f"and differs now in {', '.join(others)}. An order is recorded once: correct it with "
            "PATCH, or send another one under its own id.",
            param="id",
        )
    balance = ledger.balance(session, program_id, existing.member_id)
    return Recorded(columns(existing), balance, created=False)
