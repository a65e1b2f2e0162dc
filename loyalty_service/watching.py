"""What a watcher is told at /metrics, by the serving processes and by the worker alike."""

from sqlalchemy.exc import SQLAlchemyError

from loyalty_service import db, logs, metrics
from loyalty_service.domain import backlog

log = logs.get("watching")

DUE = "Promises to Stripe that are not kept yet."
DEAD = "Promises that were given up and wait for a person."
OLDEST = "How long ago the oldest promise that is not kept yet was made."


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
        "loyalty_jobs_due": (DUE, waiting.due),
        "loyalty_jobs_dead": (DEAD, waiting.dead),
        "loyalty_jobs_oldest_due_age_seconds": (OLDEST, waiting.oldest_due_age_seconds),
    }
