"""Deliveries: claimed under a lease, settled with what was answered, tried again by a schedule.

Everything here lives by the machine's time, as leases do. Nothing is sent from here: between
`claim` and `settle` there is no transaction.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from loyalty_service import canonical, clock, ids
from loyalty_service.domain.notices import types
from loyalty_service.domain.webhooks import endpoints, log
from loyalty_service.domain.webhooks.tables import (
    DELIVERED,
    ENABLED,
    FAILED,
    FAILING,
    GONE,
    PENDING,
    Attempt,
    Delivery,
    Endpoint,
)
from loyalty_service.errors import WebhookEndpointOff, WebhookInFlight

# How long after a try comes the next: at once, 5 s, 5 min, 30 min, 2 h, … 24 h, then no more.
WAITS_SECONDS = (5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400)
TRIES_MAX = len(WAITS_SECONDS) + 1
FAILING_DAYS, FAILURES_MIN = 5, 20
RESPONSE_CHARACTERS = 500
GONE_STATUS = 410


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery under lease: what to send, where, and signed with which secrets."""

    program_id: str
    id: str
    endpoint_id: str
    attempt: int
    url: str
    message_id: str
    body: bytes
    secrets: Sequence[str]


@dataclass(frozen=True, slots=True)
class Answered:
    """What came of one try: a status, or why there is none."""

    began_at: datetime
    duration_ms: int
    status_code: int | None = None
    error: str | None = None
    response: str | None = None

    @property
    def is_delivered(self) -> bool:
        """Any 2xx; a redirect is not followed."""
        return self.status_code is not None and 200 <= self.status_code < 300

    @property
    def fault(self) -> str:
        """Why it was not delivered, in a few words."""
        return self.error or f"answered {self.status_code}"


class Settled(NamedTuple):
    """What follows from a try: the delivery's status, `pending` where it is tried again; and why
    its endpoint was switched off with it, if it was."""

    status: str
    switched_off: str | None


def due_endpoints(session: Session, *, at: datetime | None = None) -> list[tuple[str, str]]:
    """The endpoints for which something is due by the machine's `at` (default now)."""
    now = at or clock.wall()
    waiting = exists().where(
        Delivery.program_id == Endpoint.program_id,
        Delivery.endpoint_id == Endpoint.id,
        Delivery.status == PENDING,
        Delivery.available_at <= now,
    )
    rows = session.execute(
        select(Endpoint.program_id, Endpoint.id).where(Endpoint.status == ENABLED, waiting)
    )
    return [(program_id, endpoint_id) for program_id, endpoint_id in rows]


def claim(
    session: Session,
    program_id: str,
    endpoint_id: str,
    *,
    key: str,
    lease_seconds: int,
    at: datetime | None = None,
) -> Claimed | None:
    """Lease the delivery of an endpoint that is due first; None where none is, or it is disabled.

    `key` is the deployment's, for the secrets.
    """
    endpoint = session.get(Endpoint, (program_id, endpoint_id))
    if endpoint is None or endpoint.status != ENABLED:
        return None
    now = at or clock.wall()
    row = _first_due(session, endpoint, now)
    if row is None:
        return None
    # A sender that dies leaves a lease that ends: the delivery is due again then.
    row.available_at = row.leased_until = now + timedelta(seconds=lease_seconds)
    row.tries, row.attempts = row.tries + 1, row.attempts + 1
    message_id, body = log.message_of(session, row)
    return Claimed(
        program_id,
        row.id,
        endpoint_id,
        row.attempts,
        endpoint.url,
        message_id,
        body.encode(),
        endpoints.secrets(endpoint, key),
    )


def settle(session: Session, claimed: Claimed, answered: Answered) -> Settled:
    """Write down what was answered, and what follows from it for delivery and endpoint."""
    # The endpoint first, as whoever deletes it does.
    key = (claimed.program_id, claimed.endpoint_id)
    endpoint = session.get_one(Endpoint, key, with_for_update={"key_share": True})
    row = session.get_one(
        Delivery, (claimed.program_id, claimed.id), with_for_update={"key_share": True}
    )
    session.add(_attempt(claimed, answered))
    # Another number of attempts is another holder: the lease had ended.
    if row.status == PENDING and row.attempts == claimed.attempt:
        _settle_delivery(row, answered)
    was = endpoint.status
    _settle_endpoint(endpoint, answered)
    session.flush()
    return Settled(row.status, endpoint.disabled_reason if endpoint.status != was else None)


def replay(session: Session, program_id: str, delivery_id: str) -> Delivery:
    """Send it again at once, with the whole schedule before it.

    Raises WebhookDeliveryNotFound, WebhookInFlight, WebhookEndpointOff.
    """
    row = log.require(session, program_id, delivery_id)
    # The endpoint first, as whoever deletes it does.
    key = (program_id, row.endpoint_id)
    endpoint = session.get_one(
        Endpoint, key, with_for_update={"key_share": True}, populate_existing=True
    )
    session.refresh(row, with_for_update={"key_share": True})
    now = clock.wall()
    if row.status == PENDING and row.leased_until and row.leased_until > now:
        raise WebhookInFlight(
            f"{row.id} is being sent; look again in a moment.", param="delivery_id"
        )
    if endpoint.status != ENABLED:
        raise WebhookEndpointOff(
            f"{endpoint.id} is {endpoint.status}: enable it, or make a new one.",
            param="delivery_id",
        )
    row.status, row.finished_at, row.leased_until = PENDING, None, None
    row.tries, row.available_at = 0, now
    session.flush()
    return row


def send_test(session: Session, program_id: str, type_: types.Type) -> list[str]:
    """Promise an example to every enabled endpoint that wants its type; the deliveries' ids."""
    made = []
    body = types.example(type_) | {
        "id": ids.new("ntc"),
        "program": program_id,
        "timestamp": canonical.timestamp(clock.now()),
        "sequence": 0,
        "is_test": True,
    }
    for endpoint in endpoints.listening(session, program_id, promising=True):
        if endpoint.status == ENABLED and endpoints.wants(endpoint, type_.name):
            row = _test(endpoint, type_.name, body)
            session.add(row)
            made.append(row.id)
    session.flush()
    return made


def _first_due(session: Session, endpoint: Endpoint, now: datetime) -> Delivery | None:
    """What is due first and nobody is claiming just now, locked."""
    return session.scalar(
        select(Delivery)
        .where(Delivery.program_id == endpoint.program_id, Delivery.endpoint_id == endpoint.id)
        .where(Delivery.status == PENDING, Delivery.available_at <= now)
        .order_by(Delivery.available_at, Delivery.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )


def _test(endpoint: Endpoint, type_: str, body: dict[str, Any]) -> Delivery:
    now = clock.wall()
    return Delivery(
        program_id=endpoint.program_id,
        id=ids.new("whd"),
        endpoint_id=endpoint.id,
        test_body=canonical.dumps(body),
        type=type_,
        status=PENDING,
        tries=0,
        attempts=0,
        available_at=now,
        created_at=now,
    )


def _attempt(claimed: Claimed, answered: Answered) -> Attempt:
    response = answered.response
    return Attempt(
        program_id=claimed.program_id,
        delivery_id=claimed.id,
        number=claimed.attempt,
        began_at=answered.began_at,
        duration_ms=answered.duration_ms,
        status_code=answered.status_code,
        error=answered.error[:300] if answered.error else None,
        response=response[:RESPONSE_CHARACTERS] if response is not None else None,
    )


def _settle_delivery(row: Delivery, answered: Answered) -> None:
    now = clock.wall()
    row.leased_until = None
    if answered.is_delivered:
        row.status, row.finished_at, row.last_error = DELIVERED, now, None
        return
    row.last_error = answered.fault[:300]
    if row.tries >= TRIES_MAX or answered.status_code == GONE_STATUS:
        row.status, row.finished_at = FAILED, now
    else:
        row.available_at = now + timedelta(seconds=WAITS_SECONDS[row.tries - 1])


def _settle_endpoint(endpoint: Endpoint, answered: Answered) -> None:
    if answered.is_delivered:
        endpoint.failing_since, endpoint.failures = None, 0
        return
    now = clock.wall()
    endpoint.failing_since = endpoint.failing_since or now
    endpoint.failures += 1
    if endpoint.status != ENABLED:
        return
    if answered.status_code == GONE_STATUS:
        endpoints.disable(endpoint, GONE)
    elif endpoint.failures >= FAILURES_MIN and now - endpoint.failing_since >= timedelta(
        days=FAILING_DAYS
    ):
        endpoints.disable(endpoint, FAILING)
