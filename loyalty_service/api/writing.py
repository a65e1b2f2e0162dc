"""The one mechanism for every writing POST: `Idempotency-Key`, one transaction, one answer."""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from flask import Response, g, request
from sqlalchemy.orm import Session

from loyalty_service import canonical, db
from loyalty_service.api import problems
from loyalty_service.api.answers import text_of
from loyalty_service.api.guard import IDEMPOTENCY_KEY, KEY, caller
from loyalty_service.api.parsing import fields_sent
from loyalty_service.domain import idempotency
from loyalty_service.domain.idempotency import Answer, Ask
from loyalty_service.errors import IdempotencyKeyInvalid, IdempotencyKeyMissing, LoyaltyError

Show = Callable[[Session, str], dict[str, Any]]
Work = Callable[[Session], Answer]


def once(
    work: Work,
    show: Show,
    *,
    after_commit: Callable[[Answer], dict[str, Any] | None] = lambda answer: None,
    is_under_way: Callable[[dict[str, Any]], bool] = lambda body: False,
) -> Response:
    """Run `work` in one transaction under the request's key, or give its answer again.

    `show(session, resource_id)` renders what lives on, as it stands; 202 where it `is_under_way`.
    `after_commit` may speak to the outside world before the answer is rendered, and returns what
    lives on where it knows it.
    """
    ask = _ask()
    answer = _answered(ask, work)
    known = after_commit(answer)
    status, text = answer.status, answer.body
    if text is None:
        resource_id = answer.resource_id or ""
        body = known or db.read(lambda session: show(session, resource_id))
        status, text = 202 if is_under_way(body) else status, text_of(body)
    media_type = problems.MEDIA_TYPE if status >= 400 else "application/json"
    response = Response(text, status, content_type=media_type)
    if answer.replayed:
        response.headers["Idempotent-Replayed"] = "true"
    return response


def kept(status: int, body: dict[str, Any], resource_id: str) -> Answer:
    """An answer whose text is kept: later replays give the same bytes."""
    return Answer(status, text_of(body), resource_id)


def living(status: int, resource_id: str) -> Answer:
    """An answer that is rendered as the resource stands."""
    return Answer(status, None, resource_id)


def refused(refusal: LoyaltyError) -> Answer:
    """A refusal as the answer of a verb whose effect stays."""
    return Answer(refusal.status, problems.text_of(refusal))


def _answered(ask: Ask, work: Work) -> Answer:
    # The guard has looked already, when it looked for the caller.
    if g.seen:
        return idempotency.replay(ask, g.seen)
    try:
        return _tried(ask, work)
    except idempotency.AnsweredMeanwhile:
        # Whoever was faster has committed, and keys are never forgotten.
        seen = db.read(lambda session: idempotency.find(session, ask))
        assert seen is not None, "a key was taken and is gone"
        return idempotency.replay(ask, seen)


def _tried(ask: Ask, work: Work) -> Answer:
    try:
        return db.transaction(lambda session: idempotency.keep(session, ask, work(session)))
    except LoyaltyError as error:
        if not error.kept:
            raise
        answer = refused(error)
    # The verb is rolled back whole; what it was told is kept.
    return db.transaction(lambda session: idempotency.keep(session, ask, answer))


def _ask() -> Ask:
    key = request.headers.get(IDEMPOTENCY_KEY)
    if key is None:
        raise IdempotencyKeyMissing(
            "Send an Idempotency-Key header with a fresh random value, such as a UUID, and the "
            "same value when you send the same request again.",
            param="Idempotency-Key",
        )
    if not KEY.fullmatch(key):
        raise IdempotencyKeyInvalid(
            "Idempotency-Key must be 1 to 255 visible ASCII characters.", param="Idempotency-Key"
        )
    principal = caller()
    return Ask(principal.program_id, principal.client_id, key, _fingerprint())


def _fingerprint() -> str:
    sent = json.dumps(fields_sent(request), sort_keys=True, default=_exact)
    return canonical.sha256("\n".join((request.method, request.path, sent)))


def _exact(number: Decimal) -> int:
    # 5.0 and 5 are one number in JSON; what reaches here passed as whole.
    return int(number)
