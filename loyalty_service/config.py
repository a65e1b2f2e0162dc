"""The environment, read once into a frozen `Config`. A bad or missing value stops the start."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

SANDBOX, PRODUCTION = "sandbox", "production"


class BadConfig(ValueError):
    """A setting is missing or wrong; the text names it and says what would be right."""


@dataclass(frozen=True, slots=True)
class Config:
    """Every setting: the environment variable `LOYALTY_` plus the field's name in capitals."""

    database_url: str
    env: str = SANDBOX
    stripe_api_key: str = ""
    stripe_api_base: str = ""
    stripe_webhook_secret: str = ""
    stripe_deadline_ms: int = 3000
    stripe_worker_timeout_ms: int = 20000
    body_limit_bytes: int = 1048576
    database_pool_size: int = 10
    worker_in_process: bool = False
    worker_poll_ms: int = 500
    log_level: str = "info"
    checkpoint_key: str = ""

    def __post_init__(self) -> None:
        """Refuse what can't work, naming the variable."""
        _require_database_url(self.database_url)
        _require(self.env in (SANDBOX, PRODUCTION), "env", self.env, "use sandbox or production")
        for name in ("stripe_deadline_ms", "stripe_worker_timeout_ms", "body_limit_bytes"):
            _require(getattr(self, name) > 0, name, getattr(self, name), "use a number above 0")
        for name in ("database_pool_size", "worker_poll_ms"):
            _require(getattr(self, name) > 0, name, getattr(self, name), "use a number above 0")
        levels = ("debug", "info", "warning", "error")
        _require(self.log_level in levels, "log_level", self.log_level, f"use {', '.join(levels)}")
        _require_stripe(self)

    @property
    def is_production(self) -> bool:
        """True where real customers are served: no clock travel, no sandbox, no demo keys."""
        return self.env == PRODUCTION

    @property
    def is_sqlite(self) -> bool:
        """True for the embedded database, which one process serves."""
        return self.database_url.startswith("sqlite")


def variable(name: str) -> str:
    """The environment variable of a field: `env` -> `LOYALTY_ENV`."""
    return f"LOYALTY_{name.upper()}"


def from_environment(environment: Mapping[str, str] | None = None) -> Config:
    """Read every `LOYALTY_…` variable; raises BadConfig naming the first that is wrong."""
    environment = os.environ if environment is None else environment
    values: dict[str, Any] = {}
    for field in fields(Config):
        raw = environment.get(variable(field.name))
        if raw is not None:
            values[field.name] = _READERS.get(str(field.type), _text)(field.name, raw)
    if "database_url" not in values:
        raise BadConfig(
            "LOYALTY_DATABASE_URL is missing: set it to postgresql+psycopg://… or sqlite:////path"
        )
    return Config(**values)


def _text(name: str, raw: str) -> str:
    return raw.strip()


def _number(name: str, raw: str) -> int:
    _require(raw.strip().isdecimal(), name, raw, "use a whole number")
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


def _require_stripe(config: Config) -> None:
    base = config.stripe_api_base
    if base:
        good = urlsplit(base).scheme in ("http", "https") and bool(urlsplit(base).netloc)
        _require(good, "stripe_api_base", base, "use an address such as http://127.0.0.1:12111")
    if config.is_production and not config.stripe_api_key:
        raise BadConfig("LOYALTY_STRIPE_API_KEY is missing: production issues codes at Stripe")
    if config.is_production and base.startswith("http://"):
        _require(False, "stripe_api_base", base, "leave it unset in production, or use https")
