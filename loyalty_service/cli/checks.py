"""What `loyalty doctor` looks at. Each check says ok, warn or fail, and what to do about it.

What is only careless in a sandbox is a failure in production. Nothing here writes.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import current_app
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from loyalty_service import clock, db, migrating
from loyalty_service.config import Config, variable
from loyalty_service.domain import access, jobs, program
from loyalty_service.domain.jobs import Job
from loyalty_service.domain.webhooks import endpoints
from loyalty_service.gateways.codes import CodeIssuer, GatewayError

OK, WARN, FAIL = "ok", "warn", "fail"
SKEW_WARN, SKEW_FAIL = timedelta(seconds=2), timedelta(seconds=60)
LATE_WARN, LATE_FAIL = timedelta(minutes=1), timedelta(minutes=15)
STRIPE_KEY = variable("stripe_api_key")


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found; `fix` is empty where all is well."""

    check: str
    state: str
    text: str
    fix: str = ""


def examine(config: Config, *, ask_stripe: bool) -> Iterator[Finding]:
    """Every check, in the order in which an operator would mend them. Needs the app's context."""
    database = _database(config)
    yield database
    if database.state == FAIL:
        return
    schema = _schema()
    yield schema
    yield _durable(config)
    if schema.state == FAIL:
        return
    yield _clock(config)
    yield _keys(config)
    programs = db.read(_programs)
    yield _applied(config, programs)
    yield from (_stripe_key(config, name) for name in _key_names(programs))
    if ask_stripe:
        yield from (_stripe(config, name) for name in _key_names(programs))
    yield _worker(config)
    yield _dead()
    yield _checkpoints(config)
    yield db.read(lambda session: _webhooks(session, config))


def _database(config: Config) -> Finding:
    asked = "SELECT sqlite_version()" if config.is_sqlite else "SHOW server_version"
    kind = "SQLite" if config.is_sqlite else "PostgreSQL"
    try:
        version = _ask(asked)
    except DBAPIError as error:
        why = db.why(error)
        fix = f"start it, and check {variable('database_url')}"
        return Finding("database", FAIL, f"{kind} does not answer: {why}", fix)
    return Finding("database", OK, f"{kind} {version} answers")


def _schema() -> Finding:
    revision, head = migrating.revision(), migrating.head()
    if revision == head:
        return Finding("schema", OK, f"at {head}, as this version expects")
    if not migrating.lags(revision):
        return Finding("schema", OK, f"at {revision}, a later version's; this one expects {head}")
    said = f"at {revision}" if revision else "there is none"
    return Finding("schema", FAIL, f"{said}; this version expects {head}", "run `loyalty migrate`")


def _durable(config: Config) -> Finding:
    """A commit must survive the power going out."""
    if config.is_sqlite:
        return _sqlite_durable(config)
    off = [
        name
        for name in ("fsync", "full_page_writes", "synchronous_commit")
        if _ask(f"SHOW {name}") == "off"
    ]
    if not off:
        return Finding("durability", OK, "fsync, full_page_writes and synchronous_commit are on")
    fix = f"turn {', '.join(off)} on in postgresql.conf"
    said = f"{', '.join(off)} off: a power cut may lose or break the books"
    return Finding("durability", _careless(config), said, fix)


def _sqlite_durable(config: Config) -> Finding:
    level = int(_ask("PRAGMA synchronous"))
    if level >= 2:
        return Finding("durability", OK, "every commit reaches the disk before it is answered")
    if level == 1 and not config.is_production:
        return Finding("durability", OK, "a power cut may lose the last commits, never the books")
    said = "a power cut may lose the last commits" if level else "a power cut may break the books"
    return Finding("durability", WARN if level else FAIL, said, "use PostgreSQL in production")


def _clock(config: Config) -> Finding:
    moved = db.read(lambda session: clock.now() - clock.wall())
    ahead = f"; business time was moved by {moved.days} days" if abs(moved.days) > 1 else ""
    if config.is_sqlite:
        return Finding("clock", OK, f"the database lives by this machine's{ahead}")
    before = clock.wall()
    theirs: datetime = _ask("SELECT clock_timestamp()")
    # The answer was made somewhere between the two looks.
    skew = max(before - theirs, theirs - clock.wall(), timedelta())
    state = FAIL if skew > SKEW_FAIL else WARN if skew > SKEW_WARN else OK
    said = f"{skew.total_seconds():.1f} s apart from the database's{ahead}"
    fix = "" if state == OK else "let both machines take their time from one server (NTP)"
    return Finding("clock", state, said, fix)


def _keys(config: Config) -> Finding:
    why = db.read(access.unsafe_keys)
    if why is None:
        return Finding("keys", OK, "there are API keys, and none of a demo")
    said, _, fix = why.partition(": ")
    if said.startswith("demo") and not config.is_production:
        return Finding("keys", OK, "there are demo keys, as a sandbox may have")
    return Finding("keys", _careless(config), said, fix)


def _programs(session: Session) -> list[program.InForce]:
    return [program.in_force(session, one) for one in program.program_ids(session)]


def _applied(config: Config, programs: list[program.InForce]) -> Finding:
    if not programs:
        said, fix = "none is applied", "run `loyalty program apply FILE`"
        return Finding("program", _careless(config), said, fix)
    told = ", ".join(f"{one.rules.id} at version {one.version}" for one in programs)
    return Finding("program", OK, told)


def _key_names(programs: list[program.InForce]) -> list[str]:
    """The variables that hold a Stripe key, each once."""
    return sorted({one.rules.stripe.api_key_env or STRIPE_KEY for one in programs})


def _stripe_key(config: Config, name: str) -> Finding:
    key = config.stripe_api_key if name == STRIPE_KEY else os.environ.get(name, "")
    is_live = key.startswith(("sk_live_", "rk_live_"))
    if not key:
        said = f"{name} is not set: codes can only come from a sandbox"
        return Finding("stripe key", _careless(config), said, f"set {name}")
    if is_live and not config.is_production:
        said = f"{name} is a live key in a sandbox: its codes would be real"
        return Finding("stripe key", FAIL, said, "use a key that begins with sk_test_")
    if config.is_production and not is_live:
        said = f"{name} is no live key: its codes are worth nothing to customers"
        return Finding("stripe key", WARN, said, "use a key that begins with sk_live_")
    return Finding("stripe key", OK, f"{name} is set")


def _stripe(config: Config, name: str) -> Finding:
    """Look for a code that nobody has: a read that changes nothing."""
    issuers: Callable[[str | None], CodeIssuer] = current_app.extensions["code_issuers"]
    timeout_seconds = config.stripe_worker_timeout_ms / 1000
    try:
        issuers(name).find(
            program_id="doctor",
            subject_id="doctor",
            code="DOCTOR",
            timeout_seconds=timeout_seconds,
        )
    except GatewayError as error:
        fix = f"check {name}, {variable('stripe_api_base')} and the way out to Stripe"
        return Finding("stripe", FAIL, f"no answer to {name}: {error}", fix)
    return Finding("stripe", OK, f"answers the key in {name}")


def _worker(config: Config) -> Finding:
    now = clock.wall()
    waiting = select(func.count(), func.min(Job.available_at)).where(
        Job.status == jobs.DUE, Job.available_at <= now
    )
    count, oldest = db.read(lambda session: session.execute(waiting).one())
    late = now - oldest if oldest else timedelta()
    if late > LATE_WARN:
        state = FAIL if late > LATE_FAIL else WARN
        said = f"{count} jobs wait, the oldest for {int(late.total_seconds() // 60)} minutes"
        return Finding("worker", state, said, "start `loyalty worker`, and look at its log")
    if config.is_sqlite and not config.worker_in_process:
        said = f"{variable('worker_in_process')} is false: on SQLite nobody else retries codes"
        return Finding("worker", WARN, said, f"set {variable('worker_in_process')}=true")
    return Finding("worker", OK, f"{count} jobs are due, none for long")


def _dead() -> Finding:
    asked = select(func.count()).select_from(Job).where(Job.status == jobs.DEAD)
    count = db.read(lambda session: session.execute(asked).scalar_one())
    if not count:
        return Finding("dead jobs", OK, "none")
    said = f"{count} promises to Stripe were given up"
    fix = "see why with `loyalty jobs list`, mend it, then `loyalty jobs retry ID`"
    return Finding("dead jobs", WARN, said, fix)


def _checkpoints(config: Config) -> Finding:
    if config.checkpoint_key:
        return Finding("checkpoints", OK, "can be signed")
    said, name = "can't be signed", variable("checkpoint_key")
    state = WARN if config.is_production else OK
    return Finding("checkpoints", state, f"{said}: {name} is not set", f"set {name} to 32 or more")


def _webhooks(session: Session, config: Config) -> Finding:
    """What is sent can be signed, and arrives."""
    if not endpoints.any_at_all(session):
        return Finding("webhooks", OK, "there is no endpoint")
    if not config.webhook_key:
        name = variable("webhook_signing_key")
        fix = f"set {name} to what it was"
        return Finding("webhooks", FAIL, f"nothing can be signed: {name} is not set", fix)
    silent = endpoints.silent(session)
    if silent:
        fix = "GET /v1/webhook_deliveries says why; enable it with PATCH /v1/webhook_endpoints/{id}"
        return Finding("webhooks", WARN, f"nothing arrives at {', '.join(silent)}", fix)
    return Finding("webhooks", OK, "every endpoint receives")


def _careless(config: Config) -> str:
    return FAIL if config.is_production else WARN


def _ask(statement: str) -> Any:
    # Not by `db.read`, which needs the schema to know what time it is.
    with db.database.engine.connect() as connection:
        reading = connection.execution_options(sqlite_begin="DEFERRED")
        return reading.execute(text(statement)).scalar()
