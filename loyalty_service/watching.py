"""What a watcher is told at /metrics, by the serving processes and by the worker alike."""

from sqlalchemy.exc import SQLAlchemyError

from loyalty_service import db, logs, metrics
from loyalty_service.domain import backlog

log = logs.get("watching")

# Each figure of the backlog: its name at /metrics, and what it says.
FIGURES = {
    "due": ("jobs_due", "Promises that are not kept yet."),
    "dead": ("jobs_dead", "Promises that were given up and wait for a person."),
    "oldest_due_age_seconds": (
        "jobs_oldest_due_age_seconds",
        "How long ago the oldest promise that is not kept yet was made.",
    ),
    "stripe_events_due": ("stripe_events_due", "Events of Stripe's that nobody worked on yet."),
    "stripe_events_waiting": (
        "stripe_events_waiting",
        "Events of Stripe's that wait for a customer to become a member.",
    ),
    "webhooks_waiting": (
        "webhook_deliveries_waiting",
        "Webhooks that did not arrive yet, for endpoints that are enabled.",
    ),
    "webhooks_retrying": (
        "webhook_deliveries_retrying",
        "Webhooks of those that wait which were sent and not received.",
    ),
    "oldest_webhook_age_seconds": (
        "webhook_deliveries_oldest_waiting_age_seconds",
        "How long ago the oldest webhook that waits was made.",
    ),
    "endpoints_disabled": (
        "webhook_endpoints_disabled",
        "Endpoints that were switched off because nothing arrived.",
    ),
    "approvals_pending": ("approvals_pending", "What waits for a second person's yes or no."),
}


def metrics_text() -> bytes:
    """Every figure in Prometheus' text format. Needs the app's context."""
    return metrics.text(_gauges())


def _gauges() -> dict[str, tuple[str, int]]:
    try:
        waiting = db.read(backlog.read)
    except SQLAlchemyError:
        # What was counted is worth telling most of all while the database is away.
        log.warning("backlog_unknown")
        return {}
    return {
        f"loyalty_{name}": (help_text, getattr(waiting, field))
        for field, (name, help_text) in FIGURES.items()
    }
