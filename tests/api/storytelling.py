"""Tells the story of the contract's examples to a service, and makes two tellings comparable."""

import json
import re
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from werkzeug.test import TestResponse

from loyalty_service import clock
from loyalty_service.api import openapi
from tests.shop import Shop
from tests.stripe_control import StripeControl

Step = dict[str, Any]
# What no two tellings share: ids, codes and hashes.
OWN = re.compile(
    r"\b(?P<prefix>[a-z]{3,4})_[0-9a-z]{26}\b"
    r"|\b[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}\b"
    r"|\b[0-9a-f]{64}\b"
)


class Names:
    """The ids, codes and hashes of one telling, each called after the order of its appearance."""

    def __init__(self) -> None:
        self.by_name: dict[str, str] = {}
        self._names: dict[str, str] = {}

    def plain(self, answer: Any) -> Any:
        """An answer with names in the place of what is this telling's own."""
        return json.loads(OWN.sub(self._named, json.dumps(answer)))

    def name_of(self, own: str) -> str:
        return self._names[own]

    def _named(self, found: re.Match[str]) -> str:
        own = found[0]
        if own not in self._names:
            kind = found["prefix"] or ("hash" if len(own) == 64 else "code")
            self._names[own] = f"<{kind} {len(self._names)}>"
            self.by_name[self._names[own]] = own
        return self._names[own]


def tell(
    shop: Shop, stripe: StripeControl, story: dict[str, Any]
) -> Iterator[tuple[Step, Any, Any]]:
    """Each step with its documented and its real answer, comparable."""
    at = datetime.fromisoformat(story["begins_at"])
    documented, real = Names(), Names()
    for step in story["steps"]:
        at += timedelta(days=step.get("days_later", 0))
        with clock.stopped_at(at):
            if "stripe_fails_at" in step:
                stripe.fault("error_500_before", path=step["stripe_fails_at"], method="POST")
            if step.get("told_first"):
                shop.tell()
            if step.get("worker_first"):
                shop.work(at=clock.wall() + timedelta(hours=1))
            answer = call(shop, step, lambda own: real.by_name[documented.name_of(own)])
        said = {"status": answer.status_code, "body": answer.json}
        yield (
            step,
            documented.plain(_timeless(step, {"status": step["status"], "body": step["answer"]})),
            real.plain(_timeless(step, said)),
        )


def _timeless(step: Step, value: Any) -> Any:
    """Webhooks live by the machine's time, and a secret is another for each endpoint."""
    if not step["operation"].startswith(("webhooks.", "deliveries.")):
        return value
    if isinstance(value, list):
        return [_timeless(step, one) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        name: bool(inner)
        if name == "secret" or (name.endswith("_at") and name != "available_at")
        else _timeless(step, inner)
        for name, inner in value.items()
    }


def call(shop: Shop, step: Step, translated: Any) -> TestResponse:
    """Send a step's request; documented ids become those of this telling."""
    (operation,) = [one for one in openapi.operations(shop.app) if one.id == step["operation"]]

    def as_told_here(values: dict[str, Any]) -> dict[str, str]:
        return {
            name: OWN.sub(lambda own: translated(own[0]), str(value))
            for name, value in values.items()
        }

    return shop.app.test_client().open(
        operation.path.format(**as_told_here(step.get("path", {}))),
        method=operation.method.upper(),
        query_string=as_told_here(step.get("query", {})),
        data=_body(step),
        content_type=step.get("content_type", "application/json"),
        headers=_headers(shop, step, operation),
    )


def _headers(shop: Shop, step: Step, operation: openapi.Operation) -> dict[str, str]:
    sent = {} if step["as"] == "nobody" else {"Authorization": f"Bearer {shop.keys[step['as']]}"}
    if operation.is_writing_post:
        sent["Idempotency-Key"] = step.get("key", str(uuid.uuid4()))
    return sent


def _body(step: Step) -> str | None:
    if "body_bytes" in step:
        return " " * int(step["body_bytes"])
    return json.dumps(step["body"]) if "body" in step else None
