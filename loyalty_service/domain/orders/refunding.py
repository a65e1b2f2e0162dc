"""Refunds: once per refund id, whole or in parts, and before their order if need be.

A refund that is here before its order waits for it. Both take one lock on the order's name, so that
neither misses the other.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from loyalty_service import canonical, clock
from loyalty_service.db import TakenMeanwhile, insert_unless_there
from loyalty_service.domain import crediting, ledger, members
from loyalty_service.domain.crediting import Account
from loyalty_service.domain.holds import returning
from loyalty_service.domain.lists import Page, newest_first
from loyalty_service.domain.opening import Ahead
from loyalty_service.domain.orders import earned, settling
from loyalty_service.domain.orders.table import (
    CANCELLED,
    REFUSED,
    SETTLED,
    SOURCE_STRIPE,
    WAITING,
    Order,
    Refund,
    columns,
    require,
)
from loyalty_service.errors import (
    LoyaltyError,
    OrderNotFound,
    OrderOfAnother,
    RefundConflict,
    RefundOfStripes,
)
from loyalty_service.statements import LOCK_NAME, Statement, Values


@dataclass(frozen=True, slots=True)
class RefundToRecord:
    """What the shop sends: exactly one of an amount of merchandise money, and items by sku.

    `member`, where it is given, must be the order's own.
    """

    id: str
    order_id: str
    amount_minor: int | None
    items: tuple[tuple[str, int], ...]
    member: str | None = None


@dataclass(frozen=True, slots=True)
class Refunded:
    """A refund, the member's balance (None unless it is settled), whether it is new, and the
    currency of its order."""

    refund: Refund
    balance: ledger.Balance | None
    created: bool
    currency: str = ""


def order_lock(program_id: str, order_id: str) -> tuple[Statement, Values]:
    """What lets one at a time make an order, or find that there is none yet."""
    return LOCK_NAME, {"name": f"{program_id} {order_id}"}


def refund(session: Session, program_id: str, wanted: RefundToRecord) -> Refunded:
    """Give back the points that go with a refund, or let it wait for its order.

    Raises RefundConflict, RefundExceedsOrder, RefundOfStripes, OrderOfAnother, PointsTooMany,
    MemberNotFound.
    """
    order = session.get(Order, (program_id, wanted.order_id))
    if order is None:
        return _wait(session, program_id, wanted)
    account, _ = crediting.open_account(session, program_id, order.member_id, Ahead.EXPIRING)
    # Under the lock: another refund, or this one, may have been settled meanwhile.
    order = require(session, program_id, wanted.order_id)
    if same := _same(session, program_id, wanted):
        is_settled = same.status == SETTLED
        balance = ledger.balance_of(account.book) if is_settled else None
        return Refunded(same, balance, False, order.currency)
    if wanted.member is not None:
        _require_own(session, order, wanted.member)
    _require_of_the_shop(order)
    made = post(account, order, wanted)
    return Refunded(made, ledger.balance_of(account.book), True, order.currency)


def post(account: Account, order: Order, wanted: RefundToRecord) -> Refund:
    """Settle a refund of a locked account's order; raises RefundExceedsOrder and PointsTooMany."""
    row = _row(order.program_id, wanted)
    _settle(account, order, row)
    return _insert(account.book.session, row)


def settle_waiting(account: Account, order_id: str) -> dict[str, Any]:
    """Settle the refunds that waited for an order just recorded; the order's columns after it.

    One that can't be (more than was paid, another member's, Stripe's to tell of) is refused, and
    says why; the order stands.
    """
    session, program_id = account.book.session, account.book.program_id
    order = require(session, program_id, order_id)
    waiting = (one for one in of_order(session, program_id, order_id) if one.status == WAITING)
    for row in waiting:
        try:
            wanted_member = json.loads(row.content).get("member")
            if wanted_member is not None:
                _require_own(session, order, wanted_member)
            _require_of_the_shop(order)
            values = {name: getattr(row, name) for name in _COLUMNS}
            _settle(account, order, values)
            changes = {name: values[name] for name in _SETTLED_COLUMNS}
        except LoyaltyError as refusal:
            changes = {"status": REFUSED, "refusal": refusal.code}
        session.execute(
            update(Refund)
            .where(Refund.program_id == program_id, Refund.id == row.id)
            .values(changes)
            .execution_options(synchronize_session=False)
        )
        session.refresh(row)
    return columns(require(session, program_id, order_id))


def page_of_order(session: Session, program_id: str, order_id: str, page: Page) -> list[Refund]:
    """The refunds that name an order, newest first; raises OrderNotFound and CursorNotFound.

    There need be no order where refunds wait for it.
    """
    mine = select(Refund).where(Refund.program_id == program_id, Refund.order_id == order_id)
    if session.get(Order, (program_id, order_id)) is None and not session.scalar(mine.limit(1)):
        raise OrderNotFound(f"There is no order {order_id!r}.", param="id")
    return newest_first(
        session, mine, page, id_column=Refund.id, order=(Refund.recorded_at, Refund.id)
    )


def of_order(session: Session, program_id: str, order_id: str) -> Sequence[Refund]:
    """All refunds that name an order, in the order in which they came."""
    return session.scalars(
        select(Refund)
        .where(Refund.program_id == program_id, Refund.order_id == order_id)
        .order_by(Refund.recorded_at, Refund.id)
        .execution_options(populate_existing=True)
    ).all()


def recorded_refund(session: Session, program_id: str, refund_id: str) -> Refund:
    """A refund that was recorded, as it stands."""
    return session.get_one(Refund, (program_id, refund_id), populate_existing=True)


def settled_facts(session: Session, order: Order) -> list[Any]:
    """What is known to be given back of an order."""
    found = of_order(session, order.program_id, order.id)
    return [row.facts for row in found if row.status == SETTLED]


_COLUMNS = [column.name for column in Refund.__table__.columns]
_SETTLED_COLUMNS = (
    "status",
    "points_taken",
    "transaction_id",
    "points_returned",
    "money_back_minor",
)


def _wait(session: Session, program_id: str, wanted: RefundToRecord) -> Refunded:
    lock, values = order_lock(program_id, wanted.order_id)
    lock.first(session, **values)
    # Under the lock the order is here, or comes after us and finds this refund.
    found = session.scalar(
        select(Order.id).where(Order.program_id == program_id, Order.id == wanted.order_id)
    )
    if found is not None:
        raise TakenMeanwhile(wanted.order_id)
    if same := _same(session, program_id, wanted):
        return Refunded(same, None, created=False)
    return Refunded(_insert(session, _row(program_id, wanted)), None, created=True)


def _settle(account: Account, order: Order, row: dict[str, Any]) -> None:
    """Post what a refund changes, and note it in its row; raises RefundExceedsOrder."""
    session = account.book.session
    is_cancelled = order.status == CANCELLED
    known = settled_facts(session, order)
    new = Refund(**row).facts
    # What was cancelled earns nothing whatever comes back, but no more comes back than was paid.
    after = earned.left(order.facts, [*known, new])
    # First: what is taken back then finds these points, too.
    returned = returning.give_back(
        account.book,
        order,
        [*known, new],
        cause="refund",
        is_cancelled=is_cancelled,
        refund=row["id"],
    )
    settled = settling.settle(
        account,
        order,
        cause="refund",
        before=earned.left(order.facts, known, is_cancelled=is_cancelled),
        after=earned.left(order.facts, [*known, new], is_cancelled=is_cancelled),
        more={"refund": row["id"]},
    )
    if new.amount_minor < 0:
        # Last: what the order earns again is there to be taken.
        returned -= returning.take_again(
            account.book, order, [*known, new], is_cancelled=is_cancelled, refund=row["id"]
        )
    row |= {
        "status": SETTLED,
        "points_taken": -settled.points,
        "transaction_id": settled.transaction_id,
        "points_returned": returned,
        "money_back_minor": earned.left(order.facts, known).paid_minor - after.paid_minor,
    }


def _insert(session: Session, row: dict[str, Any]) -> Refund:
    # Another order's refund may have taken the id since the look.
    if not insert_unless_there(session, Refund, row):
        raise TakenMeanwhile(row["id"])
    return recorded_refund(session, row["program_id"], row["id"])


def _same(session: Session, program_id: str, wanted: RefundToRecord) -> Refund | None:
    existing = session.get(Refund, (program_id, wanted.id), populate_existing=True)
    if existing is None:
        return None
    if existing.order_id != wanted.order_id or not _says_the_same(session, existing, wanted):
        raise RefundConflict(
            f"Refund {wanted.id!r} was recorded for order {existing.order_id!r} with other "
            "content; a refund is recorded once.",
            param="id",
        )
    return existing


def _says_the_same(session: Session, existing: Refund, wanted: RefundToRecord) -> bool:
    """Say whether a refund is sent as it was; its member may go by another name."""
    before, sent = json.loads(existing.content), _content(wanted)
    member, named = before.pop("member", None), sent.pop("member", None)
    if before != sent or member is None or named is None:
        return bool(before == sent and member == named)
    return members.are_one(session, existing.program_id, member, named)


def _require_own(session: Session, order: Order, ref: str) -> None:
    member = members.require(session, order.program_id, ref)
    if member.id != order.member_id:
        raise OrderOfAnother(
            f"Order {order.id!r} is not an order of {ref}; nothing was given back.", param="member"
        )


def _require_of_the_shop(order: Order) -> None:
    if order.source == SOURCE_STRIPE:
        raise RefundOfStripes(
            f"Order {order.id!r} was paid at Stripe, which tells of its refunds itself.",
            param="order_id",
        )


def _row(program_id: str, wanted: RefundToRecord) -> dict[str, Any]:
    return {
        "program_id": program_id,
        "id": wanted.id,
        "order_id": wanted.order_id,
        "status": WAITING,
        "content": canonical.dumps(_content(wanted)),
        "points_taken": 0,
        "transaction_id": None,
        "refusal": None,
        "recorded_at": clock.now(),
        "points_returned": 0,
        "money_back_minor": None,
    }


def _content(wanted: RefundToRecord) -> dict[str, Any]:
    content: dict[str, Any] = {}
    if wanted.amount_minor is not None:
        content["amount"] = wanted.amount_minor
    else:
        content["lines"] = [{"sku": sku, "quantity": count} for sku, count in wanted.items]
    return content | ({"member": wanted.member} if wanted.member is not None else {})
