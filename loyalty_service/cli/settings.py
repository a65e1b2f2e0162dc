"""Every setting as an operator wants it: its value, where that comes from, what it is for."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from urllib.parse import urlsplit

from sqlalchemy import make_url

from loyalty_service.config import Config, variable

SECRET = (
    "stripe_api_key",
    "stripe_webhook_secret",
    "checkpoint_key",
    "webhook_signing_key",
    "signing_key",
)
# The first words of each row in docs/operations.md; a test compares the two.
PURPOSES = {
    "database_url": "The database.",
    "env": "`sandbox` or `production`.",
    "stripe_api_key": "The Stripe key.",
    "stripe_api_base": "Another address than Stripe's.",
    "stripe_webhook_secret": "The signing secret of the webhook endpoint at Stripe.",  # nosec B105
    "stripe_deadline_ms": "How long a request waits for Stripe, in milliseconds.",
    "stripe_worker_timeout_ms": "How long the worker waits for Stripe, in milliseconds.",
    "stripe_calls_at_once": "How many requests of one process may wait for Stripe.",
    "body_limit_bytes": "The largest body of a request, in bytes.",
    "request_timeout_ms": "How long a request may take to arrive, in milliseconds.",
    "database_pool_size": "Connections that one process keeps to PostgreSQL.",
    "worker_in_process": "Whether the worker is a thread of the serving process.",
    "worker_poll_ms": "How long the worker rests when there was nothing to do, in milliseconds.",
    "log_level": "`debug`, `info`, `warning` or `error`.",
    "checkpoint_key": "Signs the ledger's checkpoints.",
    "webhook_signing_key": "The secrets of webhook endpoints are derived from it.",
    "signing_key": "Signs what held points take off an order.",
}


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting in force; a secret's value is only whether it is set."""

    name: str
    value: str
    source: str
    purpose: str


def in_force(config: Config, environment: Mapping[str, str], source: str) -> Iterator[Setting]:
    """Every setting, in the order of `Config`; `source` names the environment."""
    for field in fields(Config):
        name = variable(field.name)
        came_from = source if name in environment else "default"
        yield Setting(name, _shown(config, field.name), came_from, PURPOSES[field.name])


def _shown(config: Config, name: str) -> str:
    value = getattr(config, name)
    if value == "":
        return "not set"
    if name in SECRET:
        return "set"
    if name == "database_url":
        # The password may stand in the query as well: PostgreSQL takes it there too.
        return make_url(value).set(query={}).render_as_string(hide_password=True)
    if name == "stripe_api_base":
        return f"{urlsplit(value).scheme}://{urlsplit(value).netloc.rpartition('@')[2]}"
    return str(value).lower() if isinstance(value, bool) else str(value)
