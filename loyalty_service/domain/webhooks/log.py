"""The log of deliveries: what was sent, what was tried, and what is forgotten."""

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from loyalty_service import canonical, clock
from loyalty_service.domain.lists import Page, newest_first
from loyalty_service.domain.notices.table import Notice
from loyalty_service.domain.webhooks import endpoints
from loyalty_service.domain.webhooks.tables import DELIVERY_STATUSES, PENDING, Attempt, Delivery
from loyalty_service.errors import WebhookDeliveryNotFound

KEPT_DAYS = 30


def require(session: Session, program_id: str, delivery_id: str) -> Delivery:
    """A delivery of this program; raises WebhookDeliveryNotFound."""
    row = session.get(Delivery, (program_id, delivery_id))
    if row is None:
        raise WebhookDeliveryNotFound(
            f"There is no webhook delivery {delivery_id!r}.", param="delivery_id"
        )
    return row


def listed(
    session: Session,
    program_id: str,
    page: Page,
    *,
    endpoint_id: str | None = None,
    status: str | None = None,
    type_: str | None = None,
) -> list[Delivery]:
    """Deliveries, newest first; raises CursorNotFound and WebhookEndpointNotFound."""
    assert status is None or status in DELIVERY_STATUSES
    mine = select(Delivery).where(Delivery.program_id == program_id)
    if endpoint_id:
        endpoints.require(session, program_id, endpoint_id)
        mine = mine.where(Delivery.endpoint_id == endpoint_id)
    if status:
        mine = mine.where(Delivery.status == status)
    if type_:
        mine = mine.where(Delivery.type == type_)
    return newest_first(session, mine, page, id_column=Delivery.id, order=Delivery.id)


def attempts_of(session: Session, delivery: Delivery) -> Sequence[Attempt]:
    """What was tried, first to last."""
    mine = select(Attempt).where(
        Attempt.program_id == delivery.program_id, Attempt.delivery_id == delivery.id
    )
    return session.scalars(mine.order_by(Attempt.number)).all()


def attempts_at(
    session: Session, program_id: str, endpoint_id: str
) -> list[tuple[Delivery, Attempt]]:
    """Every attempt at one endpoint, first to last."""
    rows = session.execute(
        select(Delivery, Attempt)
        .join(
            Attempt,
            (Attempt.program_id == Delivery.program_id) & (Attempt.delivery_id == Delivery.id),
        )
        .where(Delivery.program_id == program_id, Delivery.endpoint_id == endpoint_id)
        .order_by(Attempt.began_at, Delivery.id)
    )
    return [(delivery, attempt) for delivery, attempt in rows]


def event_of(session: Session, delivery: Delivery) -> dict[str, Any]:
    """What is sent, as JSON."""
    read: dict[str, Any] = json.loads(message_of(session, delivery)[1])
    return read


def forget_old(session: Session) -> int:
    """Drop the log of what ended 30 days ago, and what waited so long for a disabled endpoint.

    Returns how many deliveries.
    """
    old = clock.wall() - timedelta(days=KEPT_DAYS)
    gone = (Delivery.finished_at < old) | (
        (Delivery.status == PENDING) & (Delivery.available_at < old)
    )
    theirs = select(Delivery.id).where(Delivery.program_id == Attempt.program_id, gone)
    unsynchronised = {"synchronize_session": False}
    session.execute(
        delete(Attempt).where(Attempt.delivery_id.in_(theirs)).execution_options(**unsynchronised)
    )
    return int(session.connection().execute(delete(Delivery).where(gone)).rowcount)


def message_of(session: Session, row: Delivery) -> tuple[str, str]:
    """The event's id and its text, the same however often it is sent."""
    if row.test_body is not None:
        return str(json.loads(row.test_body)["id"]), row.test_body
    notice = session.get_one(Notice, (row.program_id, row.notice_id))
    return notice.id, canonical.dumps(
        {
            "id": notice.id,
            "type": notice.type,
            "timestamp": canonical.timestamp(notice.occurred_at),
            "program": notice.program_id,
            "member": notice.member_id,
            "sequence": notice.sequence,
            "is_test": False,
            "data": json.loads(notice.data),
        }
    )
