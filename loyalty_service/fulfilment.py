"""Keeping promises at Stripe: read, ask, settle. Used by the request right after its commit, and
by the worker for whatever was left.

No network call is made inside a transaction. What is unclear is never a failure: the job stays,
and the next try looks before it asks again.
"""

import os
import threading
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from flask import current_app
from sqlalchemy.orm import Session

from loyalty_service import clock, db, logs, metrics
from loyalty_service.config import Config, variable
from loyalty_service.domain import codes, jobs, members, program
from loyalty_service.domain.coded import noun_of
from loyalty_service.domain.codes import ISSUE_CODE, WITHDRAW_CODE, HasCode, Promised
from loyalty_service.gateways.codes import (
    CodeIssuer,
    CodeRequest,
    GatewayRefused,
    GatewayUnclear,
    IssuedCode,
)
from loyalty_service.gateways.stripe import StripeCodes

log = logs.get("fulfilment")

SANDBOX_KEY = "sk_test_sandbox"
POLL_SECONDS = 0.05
UNREACHABLE = ("connection", "timeout", "deadline")
Issuers = Callable[[str | None], CodeIssuer]


def account_key(config: Config, api_key_env: str | None) -> str:
    """The key of a program's account at Stripe, found by the NAME of its variable.

    Raises GatewayUnclear where the variable is not set in production.
    """
    own = variable("stripe_api_key")
    name = api_key_env or own
    key = config.stripe_api_key if name == own else os.environ.get(name, "")
    if not key and config.is_production:
        raise GatewayUnclear(f"{name} is not set", finished=False)
    return key or SANDBOX_KEY


def issuers_for(config: Config) -> Issuers:
    """A function from the NAME of a key's variable to the issuer that uses the key.

    It raises GatewayUnclear where the named variable is not set in production: another program's
    key would make the code in a stranger's Stripe account.
    """
    own = variable("stripe_api_key")
    made: dict[str, CodeIssuer] = {}

    def issuer(api_key_env: str | None) -> CodeIssuer:
        name = api_key_env or own
        if name not in made:
            key = account_key(config, name)
            made[name] = StripeCodes(key, config.stripe_api_base or None)
        return made[name]

    return issuer


def lease_seconds(config: Config) -> int:
    """How long a request keeps a promise to itself: its deadline and a little more."""
    return config.stripe_deadline_ms // 1000 + 2


class Outcome(NamedTuple):
    """How a try ended.

    Not `is_reachable` where the issuer can't be reached, so that its other jobs had better wait.
    `row` as it stands, where the try told.
    """

    is_reachable: bool = True
    row: HasCode | None = None


def fulfil(
    job: jobs.Claimed, *, timeout_seconds: float, placed: Promised[Any] | None = None
) -> Outcome:
    """Do what a job promises and settle it, or put it back; whatever goes wrong never raises.

    `placed` spares whoever has just written the row to read it again. What was promised is
    committed when this is called: a caller has nothing better to do than to answer.
    """
    handlers = {ISSUE_CODE: _issue_code, WITHDRAW_CODE: _withdraw_code}
    try:
        known = placed or db.read(partial(_read, job=job))
        issuers: Issuers = current_app.extensions["code_issuers"]
        issuer = issuers(known.api_key_env)
        return Outcome(True, handlers[job.kind](job, known, issuer, timeout_seconds))
    except GatewayUnclear as unclear:
        log.warning("unclear", job=job.id, kind=job.kind, reason=unclear.reason)
        _put_back(
            job,
            unclear.reason,
            after_seconds=unclear.retry_after_seconds,
            next_key=unclear.finished,
        )
        return Outcome(unclear.reason not in UNREACHABLE)
    except Exception as error:
        log.exception("job_failed", job=job.id, kind=job.kind)
        _put_back(job, repr(error))
    return Outcome()


def await_settled(program_id: str, subject_id: str, *, timeout_seconds: float) -> None:
    """Wait until somebody else, who holds the promise, has kept it; or until time is up."""
    waiting, require = threading.Event(), noun_of(subject_id).require
    for _ in range(int(timeout_seconds / POLL_SECONDS)):
        row = db.read(lambda session: require(session, program_id, subject_id))
        if row.status not in codes.UNDER_WAY:
            return
        waiting.wait(POLL_SECONDS)


def _issue_code(
    job: jobs.Claimed, known: Promised[Any], issuer: CodeIssuer, timeout_seconds: float
) -> HasCode | None:
    row: HasCode = known.row
    if row.status == codes.FAILED:
        _clear_away(row, issuer, timeout_seconds)
    if row.status != codes.PENDING:
        return db.transaction(partial(jobs.done, job=job))
    try:
        made = issuer.issue(_request(known, job), timeout_seconds=timeout_seconds)
    except GatewayRefused as refused:
        log.error("refused", job=job.id, subject=row.id, code=refused.code)
        _fail(job, str(refused))
        return None
    if not made.active and not made.times_redeemed:
        # Somebody withdrew it at Stripe: a dead code is no reward.
        _fail(job, "the code was withdrawn at Stripe")
        return None
    if not db.transaction(partial(_issued, job=job, made=made)):
        return None
    metrics.code(metrics.ISSUED)
    codes.become(row, codes.ISSUED)
    row.promotion_code_id = made.promotion_code_id
    return row


def _clear_away(row: HasCode, issuer: CodeIssuer, timeout_seconds: float) -> None:
    """It came to nothing already: a code that came to light since must not be honoured."""
    stray = issuer.find(
        program_id=row.program_id,
        subject_id=row.id,
        code=_code(row),
        timeout_seconds=timeout_seconds,
    )
    if stray and stray.active:
        log.error("stray_code", subject=row.id, promotion_code=stray.promotion_code_id)
        issuer.withdraw(stray.promotion_code_id, timeout_seconds=timeout_seconds)


def _withdraw_code(
    job: jobs.Claimed, known: Promised[Any], issuer: CodeIssuer, timeout_seconds: float
) -> None:
    row: HasCode = known.row
    if row.status not in codes.ENDING or row.promotion_code_id is None:
        return db.transaction(partial(jobs.done, job=job))
    try:
        now = issuer.withdraw(row.promotion_code_id, timeout_seconds=timeout_seconds)
    except GatewayRefused as refused:
        # A code that can't be withdrawn may still be used: give nothing back until a person looks.
        raise GatewayUnclear(str(refused), finished=False) from refused
    db.transaction(partial(_withdrawn, job=job, now=now))
    metrics.code(metrics.WITHDRAWN)


def _read(session: Session, job: jobs.Claimed) -> Promised[HasCode]:
    row = noun_of(job.subject_id).require(session, job.program_id, job.subject_id)
    rules = program.version(session, job.program_id, row.program_version)
    member = members.require(session, job.program_id, row.member_id)
    return Promised(row, None, rules.stripe.api_key_env, member.stripe_customer_id)


def _request(known: Promised[Any], job: jobs.Claimed) -> CodeRequest:
    row: HasCode = known.row
    return CodeRequest(
        program_id=row.program_id,
        subject_id=row.id,
        coupon_id=row.coupon_id,
        name=row.name,
        code=_code(row),
        amount_off_minor=row.amount_off_minor,
        percent_off=codes.percent(row),
        currency=row.currency,
        minimum_amount_minor=row.minimum_order_minor,
        expires_at=row.expires_at,
        stripe_customer_id=known.customer_id,
        key_generation=job.key_generation,
        look_first=job.attempts > 1,
    )


def _code(row: HasCode) -> str:
    assert row.code, f"{row.id} has no code to ask for"
    return row.code


def _issued(session: Session, job: jobs.Claimed, made: IssuedCode) -> bool:
    kept = jobs.done_statement(job)
    mine = (job.program_id, job.subject_id, made.promotion_code_id)
    noun = noun_of(job.subject_id)
    if noun.issued(session, *mine, kept):
        return True
    row = noun.require(session, job.program_id, job.subject_id)
    if row.status == codes.FAILED and made.active:
        # Somebody was refused and gave the points back while this code was being made.
        jobs.reopen(session, job)
    return False


def _withdrawn(session: Session, job: jobs.Claimed, now: IssuedCode) -> None:
    mine = (job.program_id, job.subject_id)
    noun_of(job.subject_id).withdrawn(session, *mine, now.times_redeemed)
    jobs.done(session, job)


def _fail(job: jobs.Claimed, why: str) -> None:
    db.transaction(partial(_failed, job=job, why=why))
    metrics.code(metrics.FAILED)


def _failed(session: Session, job: jobs.Claimed, why: str) -> None:
    noun_of(job.subject_id).failed(session, job.program_id, job.subject_id, why)
    jobs.done(session, job)


def _put_back(
    job: jobs.Claimed, reason: str, *, after_seconds: int | None = None, next_key: bool = False
) -> None:
    metrics.code(metrics.PUT_BACK)
    error = f"{clock.wall().isoformat(timespec='seconds')} {reason}"
    try:
        db.transaction(
            lambda session: jobs.try_again(
                session, job, error, after_seconds=after_seconds, next_key=next_key
            )
        )
    except Exception:
        # The database is away: the lease ends by itself.
        log.exception("put_back_failed", job=job.id, kind=job.kind)
