"""/v1/webhook_deliveries: what was sent, what came of it, and sending it again."""

from typing import Any

import marshmallow as ma
from sqlalchemy.orm import Session

from loyalty_service import db, errors
from loyalty_service.api.fields import Choice, Moment, Nothing, Object, Text
from loyalty_service.api.guard import allow, caller
from loyalty_service.api.paging import PageQuery, list_schema, listed, page_of
from loyalty_service.api.parsing import Blueprint
from loyalty_service.api.refusing import refuses
from loyalty_service.api.writing import living, once
from loyalty_service.domain.idempotency import Answer
from loyalty_service.domain.notices import types
from loyalty_service.domain.webhooks import deliveries
from loyalty_service.domain.webhooks import log as history
from loyalty_service.domain.webhooks.tables import DELIVERY_STATUSES, PENDING, Attempt, Delivery

blueprint = Blueprint(
    "deliveries",
    __name__,
    url_prefix="/v1/webhook_deliveries",
    description="What was sent",
)
FIELDS = ("id", "type", "status", "attempts", "created_at", "finished_at", "last_error")
ATTEMPT_FIELDS = ("number", "began_at", "duration_ms", "status_code", "error", "response")


class DeliveryQuery(PageQuery):
    """Which deliveries."""

    endpoint = Text(max=40, load_default=None, metadata={"description": "`whe_…`."})
    status = Choice(DELIVERY_STATUSES, load_default=None)
    type = Choice(types.names(), load_default=None)


class AttemptOut(ma.Schema):
    """One try."""

    number = ma.fields.Integer(required=True)
    began_at = Moment(required=True)
    duration_ms = ma.fields.Integer(required=True)
    status_code = ma.fields.Integer(required=True, allow_none=True)
    error = ma.fields.String(
        required=True, allow_none=True, metadata={"description": "Why nothing was answered."}
    )
    response = ma.fields.String(
        required=True, allow_none=True, metadata={"description": "How the answer began."}
    )


class WebhookDeliveryOut(ma.Schema):
    """One event for one endpoint."""

    object = Object("webhook_delivery")
    id = ma.fields.String(required=True)
    endpoint = ma.fields.String(required=True, attribute="endpoint_id")
    event = ma.fields.String(
        required=True,
        allow_none=True,
        attribute="notice_id",
        metadata={"description": "`ntc_…`; null for a test."},
    )
    type = Choice(types.names(), required=True)
    status = Choice(DELIVERY_STATUSES, required=True)
    attempts = ma.fields.Integer(required=True)
    next_attempt_at = Moment(
        required=True, allow_none=True, metadata={"description": "Null once it has ended."}
    )
    last_error = ma.fields.String(required=True, allow_none=True)
    created_at = Moment(required=True)
    finished_at = Moment(required=True, allow_none=True)


class WebhookDeliveryWholeOut(WebhookDeliveryOut):
    """One event for one endpoint, with what was sent and every attempt."""

    payload = ma.fields.Dict(
        required=True, metadata={"description": "What the endpoint receives: see `webhooks`."}
    )
    log = ma.fields.List(ma.fields.Nested(AttemptOut), required=True)


DELIVERY_OUT, WHOLE_OUT = WebhookDeliveryOut(), WebhookDeliveryWholeOut()


@blueprint.route("", methods=["GET"])
@allow("admin")
@refuses(errors.CursorNotFound, errors.WebhookEndpointNotFound)
@blueprint.arguments(DeliveryQuery, location="query")
@blueprint.response(200, list_schema(WebhookDeliveryOut))
def find(query: dict[str, Any]) -> Any:
    """Deliveries, newest first: of one endpoint, status or type, or all."""
    page = page_of(query)

    def work(session: Session) -> dict[str, Any]:
        rows = history.listed(
            session,
            caller().program_id,
            page,
            endpoint_id=query["endpoint"],
            status=query["status"],
            type_=query["type"],
        )
        return listed(rows, page, lambda row: dict(DELIVERY_OUT.dump(_values(row))))

    return db.read(work)


@blueprint.route("/<delivery_id>", methods=["GET"])
@allow("admin")
@refuses(errors.WebhookDeliveryNotFound)
@blueprint.response(200, WebhookDeliveryWholeOut)
def get(delivery_id: str) -> Any:
    """A delivery with what was sent and every attempt."""
    return db.read(lambda session: show(session, delivery_id))


@blueprint.route("/<delivery_id>/replay", methods=["POST"])
@allow("admin")
@refuses(
    errors.WebhookDeliveryNotFound,
    errors.WebhookEndpointOff,
    errors.WebhookInFlight,
)
@blueprint.arguments(Nothing)
@blueprint.response(200, WebhookDeliveryWholeOut)
def replay(fields: dict[str, Any], delivery_id: str) -> Any:
    """Send it again at once, under the same event id."""

    def work(session: Session) -> Answer:
        return living(200, deliveries.replay(session, caller().program_id, delivery_id).id)

    return once(work, show)


def show(session: Session, delivery_id: str) -> dict[str, Any]:
    """A delivery's JSON as it stands."""
    row = history.require(session, caller().program_id, delivery_id)
    log = [_attempt(one) for one in history.attempts_of(session, row)]
    payload = history.event_of(session, row)
    dumped: dict[str, Any] = WHOLE_OUT.dump({**_values(row), "payload": payload, "log": log})
    return dumped


def _values(row: Delivery) -> dict[str, Any]:
    values = {name: getattr(row, name) for name in (*FIELDS, "endpoint_id", "notice_id")}
    return values | {"next_attempt_at": row.available_at if row.status == PENDING else None}


def _attempt(row: Attempt) -> dict[str, Any]:
    return {name: getattr(row, name) for name in ATTEMPT_FIELDS}
