"""Endpoints: who wants to hear what. Their secrets rotate with an overlap."""

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from loyalty_service import clock, ids
from loyalty_service.domain.lists import Page, newest_first
from loyalty_service.domain.program.versions import ProgramRow
from loyalty_service.domain.webhooks import signing
from loyalty_service.domain.webhooks.tables import (
    BY_HAND,
    DELETED,
    DISABLED,
    ENABLED,
    FAILED,
    PENDING,
    Delivery,
    Endpoint,
)
from loyalty_service.errors import WebhookEndpointNotFound, WebhookEndpointsFull

ENDPOINTS_MAX = 20
OVERLAP_HOURS, OVERLAP_HOURS_MAX = 24, 168
EVERYTHING = "*"


def create(
    session: Session,
    program_id: str,
    *,
    url: str,
    types: Sequence[str],
    description: str | None = None,
) -> Endpoint:
    """A new endpoint, which hears of what happens from now on; raises WebhookEndpointsFull."""
    # One after the other: two at once must not both be the last that is allowed.
    session.execute(
        select(ProgramRow.program_id)
        .where(ProgramRow.program_id == program_id)
        .with_for_update(key_share=True)
    )
    count = session.scalar(select(func.count()).select_from(Endpoint).where(*_mine(program_id)))
    if (count or 0) >= ENDPOINTS_MAX:
        raise WebhookEndpointsFull(
            f"The program has {ENDPOINTS_MAX} endpoints; delete one that is not needed."
        )
    row = Endpoint(
        program_id=program_id,
        id=ids.new("whe"),
        url=url,
        types=_types(types),
        description=description,
        status=ENABLED,
        generation=1,
        failures=0,
        created_at=clock.wall(),
    )
    session.add(row)
    session.flush()
    return row


def change(session: Session, program_id: str, endpoint_id: str, **fields: Any) -> Endpoint:
    """Change url, types, description or status; what waited goes out once it is enabled again.

    Raises WebhookEndpointNotFound.
    """
    row = require(session, program_id, endpoint_id, locked=True)
    status = fields.pop("status", row.status)
    if "types" in fields:
        fields["types"] = _types(fields["types"])
    for name, value in fields.items():
        setattr(row, name, value)
    if status == ENABLED:
        enable(row)
    elif row.status == ENABLED:
        disable(row, BY_HAND)
    session.flush()
    return row


def remove(session: Session, program_id: str, endpoint_id: str) -> None:
    """End an endpoint: nothing more is sent there, what waited neither.

    Raises WebhookEndpointNotFound.
    """
    row = require(session, program_id, endpoint_id, locked=True)
    row.status, row.disabled_reason, row.disabled_at = DELETED, None, None
    session.flush()
    session.execute(
        update(Delivery)
        .where(Delivery.program_id == program_id, Delivery.endpoint_id == endpoint_id)
        .where(Delivery.status == PENDING)
        .values(status=FAILED, finished_at=clock.wall(), last_error="the endpoint was deleted")
        .execution_options(synchronize_session=False)
    )


def rotate(session: Session, program_id: str, endpoint_id: str, *, overlap: timedelta) -> Endpoint:
    """Begin a new secret; the one before signs as well until the overlap ends, by the machine's
    time. Raises WebhookEndpointNotFound."""
    row = require(session, program_id, endpoint_id, locked=True)
    row.generation += 1
    row.overlap_ends_at = clock.wall() + overlap if overlap else None
    session.flush()
    return row


def require(
    session: Session, program_id: str, endpoint_id: str, *, locked: bool = False
) -> Endpoint:
    """An endpoint of this program; raises WebhookEndpointNotFound."""
    row = session.get(
        Endpoint,
        (program_id, endpoint_id),
        with_for_update={"key_share": True} if locked else None,
        populate_existing=locked,
    )
    if row is None or row.status == DELETED:
        raise WebhookEndpointNotFound(
            f"There is no webhook endpoint {endpoint_id!r}.", param="endpoint_id"
        )
    return row


def listed(session: Session, program_id: str, page: Page) -> list[Endpoint]:
    """A program's endpoints, newest first; raises CursorNotFound."""
    mine = select(Endpoint).where(*_mine(program_id))
    return newest_first(session, mine, page, id_column=Endpoint.id, order=Endpoint.id)


def listening(session: Session, program_id: str, *, promising: bool = False) -> Sequence[Endpoint]:
    """All endpoints; for one that is disabled events wait until it comes back.

    `promising`: none is deleted before this transaction ends, so that what it promises is ended
    with the endpoint.
    """
    mine = select(Endpoint).where(*_mine(program_id)).order_by(Endpoint.id)
    return session.scalars(mine.with_for_update(read=True) if promising else mine).all()


def any_at_all(session: Session) -> bool:
    """Say whether any program has an endpoint."""
    found = select(Endpoint.id).where(Endpoint.status != DELETED).limit(1)
    return session.scalar(found) is not None


def silent(session: Session) -> list[str]:
    """The endpoints, of any program, at which nothing has arrived since something failed."""
    failing = (Endpoint.status != DELETED) & Endpoint.failing_since.is_not(None)
    return list(session.scalars(select(Endpoint.id).where(failing).order_by(Endpoint.id)))


def wants(endpoint: Endpoint, type_: str) -> bool:
    """Say whether an endpoint asked for a type."""
    asked = types_of(endpoint)
    return EVERYTHING in asked or type_ in asked


def types_of(endpoint: Endpoint) -> list[str]:
    """The types that an endpoint asked for, or `*`."""
    read: list[str] = json.loads(endpoint.types)
    return read


def secrets(endpoint: Endpoint, key: str) -> list[str]:
    """The secrets that sign now, the newest first."""
    generations = [endpoint.generation]
    if endpoint.overlap_ends_at and endpoint.overlap_ends_at > clock.wall():
        generations.append(endpoint.generation - 1)
    return [signing.secret(key, endpoint.program_id, endpoint.id, one) for one in generations]


def enable(row: Endpoint) -> None:
    """Send there again, as if nothing had failed."""
    row.status, row.disabled_reason, row.disabled_at = ENABLED, None, None
    row.failing_since, row.failures = None, 0


def disable(row: Endpoint, reason: str) -> None:
    """Send nothing there until it is enabled again."""
    row.status, row.disabled_reason, row.disabled_at = DISABLED, reason, clock.wall()


def _mine(program_id: str) -> tuple[Any, ...]:
    return Endpoint.program_id == program_id, Endpoint.status != DELETED


def _types(types: Sequence[str]) -> str:
    return json.dumps([EVERYTHING] if EVERYTHING in types else list(dict.fromkeys(types)))
