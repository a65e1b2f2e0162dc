"""What waits, and for whom: for whoever watches the service, not for the service itself.

Each figure is of all programs, and read over an index that holds little else.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, literal_column, select
from sqlalchemy.orm import Session

from loyalty_service import clock
from loyalty_service.domain.approvals.table import PENDING as ASKED
from loyalty_service.domain.approvals.table import Approval
from loyalty_service.domain.inbox import STRIPE_EVENT, StripeEvent
from loyalty_service.domain.jobs import DEAD, DUE, Job
from loyalty_service.domain.program.versions import ProgramRow
from loyalty_service.domain.webhooks.tables import (
    BY_HAND,
    DISABLED,
    ENABLED,
    PENDING,
    Delivery,
    Endpoint,
)


@dataclass(frozen=True, slots=True)
class Backlog:
    """How much of each waits, and how long ago the oldest that waits was made.

    `due` are promises of every kind, `stripe_events_due` those to work on an event. Webhooks are
    those for endpoints that are enabled; `webhooks_retrying` were sent and not received.
    """

    due: int
    dead: int
    oldest_due_age_seconds: int
    stripe_events_due: int
    stripe_events_waiting: int
    webhooks_waiting: int
    webhooks_retrying: int
    oldest_webhook_age_seconds: int
    endpoints_disabled: int
    approvals_pending: int


def read(session: Session) -> Backlog:
    """All of it, in three statements."""
    due, oldest, dead, events_due = session.execute(jobs_due()).one()
    waiting, retrying, oldest_webhook, disabled = session.execute(webhooks_waiting()).one()
    events, asked = session.execute(others_waiting(clock.now())).one()
    return Backlog(
        due=due,
        dead=dead,
        oldest_due_age_seconds=_age_seconds(oldest),
        stripe_events_due=events_due,
        stripe_events_waiting=int(events),
        webhooks_waiting=waiting,
        webhooks_retrying=retrying,
        oldest_webhook_age_seconds=_age_seconds(oldest_webhook),
        endpoints_disabled=disabled,
        approvals_pending=int(asked),
    )


def jobs_due() -> Select[Any]:
    """How many are due, when the oldest of them was made, how many are dead; how many of those
    that are due are about events of Stripe's."""
    given_up = _number_of(Job, Job.status == _word(DEAD))
    about_events = func.count(case((Job.kind == _word(STRIPE_EVENT), Job.id)))
    return select(func.count(), func.min(Job.created_at), given_up, about_events).where(
        Job.status == _word(DUE)
    )


def webhooks_waiting() -> Select[Any]:
    """How many wait, how many of those were tried, when the oldest was made; how many endpoints
    are off though nobody switched them off."""
    off = (Endpoint.status == _word(DISABLED), Endpoint.disabled_reason != _word(BY_HAND))
    its_endpoint = (Endpoint.program_id == Delivery.program_id) & (
        Endpoint.id == Delivery.endpoint_id
    )
    tried = func.count(case((Delivery.attempts > literal_column("0"), Delivery.id)))
    return (
        select(func.count(), tried, func.min(Delivery.created_at), _number_of(Endpoint, *off))
        .select_from(Delivery)
        .join(Endpoint, its_endpoint)
        .where(Delivery.status == _word(PENDING), Endpoint.status == _word(ENABLED))
    )


def others_waiting(now: datetime) -> Select[Any]:
    """How many events of Stripe's wait for a member, and how many approvals for a second person."""
    # Program by program, since the indexes begin with it.
    events = _in_program(StripeEvent, [StripeEvent.waits_for.is_not(None)])
    asked = [Approval.status == _word(ASKED), Approval.expires_at > now]
    return select(_total(events), _total(_in_program(Approval, asked))).select_from(ProgramRow)


def _number_of(table: Any, *which: ColumnElement[bool]) -> Any:
    return select(func.count()).select_from(table).where(*which).scalar_subquery()


def _in_program(table: Any, which: Sequence[ColumnElement[bool]]) -> Any:
    its_own = table.program_id == ProgramRow.program_id
    counted = select(func.count()).select_from(table).where(its_own, *which)
    return counted.correlate(ProgramRow).scalar_subquery()


def _total(of_each: Any) -> ColumnElement[int]:
    return func.coalesce(func.sum(of_each), literal_column("0"))


def _word(value: str) -> ColumnElement[str]:
    # In the statement, not a parameter: a prepared plan with one can't choose a partial index.
    return literal_column(f"'{value}'")


def _age_seconds(since: datetime | None) -> int:
    return int((clock.wall() - since).total_seconds()) if since else 0
