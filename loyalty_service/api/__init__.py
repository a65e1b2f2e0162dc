"""The JSON door: one file a noun, its marshmallow schemas beside its routes."""

import time

import structlog
from flask import Flask, Response, g, request

from loyalty_service import ids, logs
from loyalty_service import metrics as figures
from loyalty_service.api import (
    adjustments,
    approvals,
    discounts,
    docs,
    events,
    guard,
    health,
    holds,
    members,
    metrics,
    offers,
    openapi,
    orders,
    parsing,
    problems,
    program,
    quotes,
    redemptions,
    refunds,
    speaking,
    stripe,
    tiers,
    transactions,
    webhook_deliveries,
    webhook_endpoints,
)

log = logs.get("api")
NOUNS = (
    members,
    orders,
    refunds,
    quotes,
    events,
    adjustments,
    approvals,
    transactions,
    redemptions,
    holds,
    discounts,
    offers,
    program,
    tiers,
    stripe,
    webhook_endpoints,
    webhook_deliveries,
    health,
)
PAGES = (metrics, openapi, docs)


def register(app: Flask) -> None:
    """Put the whole door on an app."""
    # A doubled slash is a mistake, or part of an order id of old; never a redirect.
    app.url_map.merge_slashes = False
    app.before_request(_begin)
    app.before_request(parsing.require_text_in_url)
    guard.register(app)
    speaking.register(app)
    app.after_request(_end)
    problems.register(app)
    app.config.from_mapping(openapi.SETTINGS)
    api = openapi.Api(app)
    for noun in NOUNS:
        api.register_blueprint(noun.blueprint)
    for page in PAGES:
        app.register_blueprint(page.blueprint)
    app.extensions["loyalty_api"] = api


def _begin() -> None:
    g.request_id = ids.new("req")
    # An app's context may outlive a request.
    g.pop("fields_sent", None)
    g.pop("spoken", None)
    g.began = time.perf_counter_ns()
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)


def _end(response: Response) -> Response:
    response.headers["Request-Id"] = g.request_id
    response.headers.setdefault("Cache-Control", "no-store")
    route = request.url_rule.rule if request.url_rule else None
    duration_ns = time.perf_counter_ns() - g.began
    log.info(
        "request",
        method=request.method,
        route=route,
        status=response.status_code,
        microseconds=duration_ns // 1000,
    )
    figures.request(request.method, route or "", response.status_code, duration_ns)
    if "Idempotent-Replayed" in response.headers:
        figures.replay()
    return response
