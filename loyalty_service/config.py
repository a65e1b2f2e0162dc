"""The environment, read once into a frozen `Config`. A bad or missing value stops the start."""

import difflib
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

PREFIX = "LOYALTY_"
# A program may name the variable of its own Stripe key.
KEY_OF_A_PROGRAM = re.compile(r"LOYALTY_STRIPE_API_KEY_[A-Z0-9_]+")
# Kubernetes puts the address of a Service named loyalty… into every container of its namespace.
SERVICE_LINK = re.compile(
    r"LOYALTY_(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?"
    r"|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)"
)
SANDBOX, PRODUCTION = "sandbox", "production"
SANDBOX_WEBHOOK_KEY = "a-sandbox-signs-webhooks-with-a-key-that-everybody-knows"
KEY_CHARACTERS_MIN = 32
ABOVE_NOUGHT = (
    "stripe_deadline_ms",
    "stripe_worker_timeout_ms",
    "stripe_calls_at_once",
    "body_limit_bytes",
    "request_timeout_ms",
    "database_pool_size",
    "worker_poll_ms",
)


class BadConfig(ValueError):
    """A setting is missing or wrong; the text names it and says what would be right."""


@dataclass(frozen=True, slots=True)
class Config:
    """Every setting: the environment variable `LOYALTY_` plus the field's name in capitals."""

    database_url: str = field(repr=False)
    env: str = SANDBOX
    stripe_api_key: str = field(default="", repr=False)
    stripe_api_base: str = field(default="", repr=False)
    stripe_webhook_secret: str = field(default="", repr=False)
    stripe_deadline_ms: int = 3000
    stripe_worker_timeout_ms: int = 20000
    stripe_calls_at_once: int = 8
    body_limit_bytes: int = 1048576
    request_timeout_ms: int = 15000
    # No less than the threads of a process: one that waits for a row holds its connection.
    database_pool_size: int = 20
    worker_in_process: bool = False
    worker_poll_ms: int = 500
    log_level: str = "info"
    checkpoint_key: str = field(default="", repr=False)
    webhook_signing_key: str = field(default="", repr=False)
    signing_key: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        """Refuse what can't work, naming the variable."""
        _require_database_url(self.database_url)
        _require(self.env in (SANDBOX, PRODUCTION), "env", self.env, "use sandbox or production")
        for name in ABOVE_NOUGHT:
            _require(getattr(self, name) > 0, name, getattr(self, name), "use a number above 0")
        levels = ("debug", "info", "warning", "error")
        _require(self.log_level in levels, "log_level", self.log_level, f"use {', '.join(levels)}")
        _require_stripe(self)
        for name in ("webhook_signing_key", "signing_key"):
            _require_long(name, getattr(self, name))

    @property
    def is_production(self) -> bool:
        """True where real customers are served: no clock travel, no sandbox, no demo keys."""
        return self.env == PRODUCTION

    @property
    def webhook_key(self) -> str:
        """What webhook secrets are derived from; a sandbox has one that everybody knows.

        Empty in production where it is not set: no endpoint can be made then.
        """
        return self.webhook_signing_key or ("" if self.is_production else SANDBOX_WEBHOOK_KEY)

    @property
    def is_sqlite(self) -> bool:
        """True for the embedded database, which one process serves."""
        return self.database_url.startswith("sqlite")


def variable(name: str) -> str:
    """The environment variable of a field: `env` -> `LOYALTY_ENV`."""
    return PREFIX + name.upper()


def from_environment(environment: Mapping[str, str] | None = None) -> Config:
    """Read every `LOYALTY_…` variable; raises BadConfig naming the first that is wrong."""
    environment = os.environ if environment is None else environment
    _require_known(environment)
    values: dict[str, Any] = {}
    for setting in fields(Config):
        raw = environment.get(variable(setting.name))
        if raw is not None:
            values[setting.name] = _READERS.get(str(setting.type), _text)(setting.name, raw)
    if "database_url" not in values:
        raise BadConfig(
            "LOYALTY_DATABASE_URL is missing: set it to postgresql+psycopg://… or sqlite:////path"
        )
    return Config(**values)


def _require_known(environment: Mapping[str, str]) -> None:
    # A setting with a slip in its name would be ignored in silence.
    known = [variable(setting.name) for setting in fields(Config)]
    words = [name.removeprefix(PREFIX) for name in known]
    for name in sorted(environment):
        if not name.startswith(PREFIX) or name in known:
            continue
        if KEY_OF_A_PROGRAM.fullmatch(name) or SERVICE_LINK.fullmatch(name):
            continue
        near = difflib.get_close_matches(name.removeprefix(PREFIX).upper(), words, n=1)
        hint = f"did you mean {PREFIX}{near[0]}?" if near else f"there are {', '.join(known)}"
        raise BadConfig(f"{name} is not a setting: {hint}")


def _text(name: str, raw: str) -> str:
    return raw.strip()


def _number(name: str, raw: str) -> int:
    _require(bool(re.fullmatch("[0-9]{1,18}", raw.strip())), name, raw, "use a whole number")
    return int(raw)


def _switch(name: str, raw: str) -> bool:
    words = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
    _require(raw.strip().lower() in words, name, raw, "use true or false")
    return words[raw.strip().lower()]


_READERS: dict[str, Callable[[str, str], Any]] = {
    str(int): _number,
    str(bool): _switch,
    str(str): _text,
}


def _require(good: bool, name: str, value: object, what_would_be_right: str) -> None:
    if not good:
        raise BadConfig(f"{variable(name)} is {str(value)!r}: {what_would_be_right}")


def _require_database_url(url: str) -> None:
    # The value may hold a password: the message never repeats it.
    if not url.startswith(("postgresql+psycopg://", "sqlite:///")):
        raise BadConfig("LOYALTY_DATABASE_URL must begin with postgresql+psycopg:// or sqlite:///")
    if url.startswith("sqlite") and not Path(url.removeprefix("sqlite:///")).is_absolute():
        raise BadConfig(
            "LOYALTY_DATABASE_URL must name an absolute file for SQLite: sqlite:////path/to/file.db"
        )
    try:
        make_url(url)
    except (ArgumentError, ValueError):
        readable = False
    else:
        readable = True
    if not readable:
        raise BadConfig(
            "LOYALTY_DATABASE_URL can't be read: use postgresql+psycopg://user:password@host:5432/"
            "database, with special characters of the password percent-encoded"
        )


def _require_long(name: str, key: str) -> None:
    # A short key can be guessed from one signature; the message never repeats it.
    if key and len(key) < KEY_CHARACTERS_MIN:
        raise BadConfig(
            f"{variable(name)} is too short: use {KEY_CHARACTERS_MIN} random characters or more"
        )


def _require_stripe(config: Config) -> None:
    base = config.stripe_api_base
    if base:
        good = urlsplit(base).scheme in ("http", "https") and bool(urlsplit(base).netloc)
        if not good:
            raise BadConfig(
                "LOYALTY_STRIPE_API_BASE is no address: use one such as http://127.0.0.1:12111"
            )
    if config.is_production and not config.stripe_api_key:
        raise BadConfig("LOYALTY_STRIPE_API_KEY is missing: production issues codes at Stripe")
    if config.is_production and base.startswith("http://"):
        raise BadConfig("LOYALTY_STRIPE_API_BASE: leave it unset in production, or use https")
