"""/v1/webhook_endpoints: who wants to hear what, and the secrets that sign it."""

from datetime import timedelta
from typing import Any

import marshmallow as ma
from flask import current_app
from sqlalchemy.orm import Session

from loyalty_service import addresses, db, errors
from loyalty_service.api.fields import Body, Choice, Entries, Moment, Object, Text, Whole, fault
from loyalty_service.api.guard import allow, caller
from loyalty_service.api.paging import PageQuery, list_schema, listed, page_of
from loyalty_service.api.parsing import Blueprint
from loyalty_service.api.refusing import refuses
from loyalty_service.api.writing import living, once
from loyalty_service.config import Config, variable
from loyalty_service.domain.idempotency import Answer
from loyalty_service.domain.notices import types
from loyalty_service.domain.webhooks import endpoints, signing
from loyalty_service.domain.webhooks.tables import DISABLED, ENABLED, REASONS, Endpoint

blueprint = Blueprint(
    "webhooks",
    __name__,
    url_prefix="/v1/webhook_endpoints",
    description="Who is told what happens",
)
TYPES = (endpoints.EVERYTHING, *types.names())
FIELDS = ("id", "url", "description", "status", "disabled_reason", "disabled_at", "created_at")


class Url(Text):
    """An address that webhooks may go to."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs["metadata"] = {"format": "uri", **kwargs.get("metadata", {})}
        super().__init__(max=addresses.URL_CHARACTERS_MAX, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        url = super()._deserialize(value, attr, data, **kwargs)
        try:
            addresses.require_url(url, is_sandbox=not _config().is_production)
        except addresses.NotHttps as error:
            raise fault("not_https", str(error)) from error
        except addresses.NotPublic as error:
            raise fault("not_public", str(error)) from error
        except addresses.BadUrl as error:
            raise fault("wrong_format", str(error)) from error
        return url


URL_WORDS = {"description": "https, and public; in a sandbox http and loopback as well."}
TYPES_WORDS = {"description": "What to send; `*` is everything, also what is added later."}


class WebhookEndpointIn(Body):
    """Where to send what."""

    url = Url(required=True, metadata=URL_WORDS)
    types = Entries(Choice(TYPES), max=len(TYPES), required=True, metadata=TYPES_WORDS)
    description = Text(load_default=None)


class WebhookEndpointChange(Body):
    """What may change."""

    url = Url(metadata=URL_WORDS)
    types = Entries(Choice(TYPES), max=len(TYPES), metadata=TYPES_WORDS)
    description = Text(allow_none=True)
    status = Choice((ENABLED, DISABLED))


class RotateSecretIn(Body):
    """How long both secrets sign."""

    overlap_hours = Whole(
        min=0,
        max=endpoints.OVERLAP_HOURS_MAX,
        load_default=endpoints.OVERLAP_HOURS,
        metadata={"description": "How long the secret before signs as well; 24 unless given."},
    )


class WebhookEndpointOut(ma.Schema):
    """An endpoint."""

    object = Object("webhook_endpoint")
    id = ma.fields.String(required=True)
    url = ma.fields.String(required=True)
    types = ma.fields.List(ma.fields.String(), required=True)
    description = ma.fields.String(required=True, allow_none=True)
    status = Choice((ENABLED, DISABLED), required=True)
    disabled_reason = Choice(
        REASONS,
        required=True,
        allow_none=True,
        metadata={
            "description": "`gone`: it answered 410. `failing`: nothing arrived for five days. "
            "`by_hand`: somebody switched it off."
        },
    )
    disabled_at = Moment(required=True, allow_none=True)
    failing_since = Moment(
        required=True, allow_none=True, metadata={"description": "Nothing arrived since then."}
    )
    overlap_ends_at = Moment(
        required=True,
        allow_none=True,
        metadata={"description": "Until then the secret before signs as well."},
    )
    secret = ma.fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "`whsec_…`, in the answer that made it; null everywhere else."},
    )
    created_at = Moment(required=True)


class DeletedOut(ma.Schema):
    """What is left of a deleted endpoint."""

    object = Object("webhook_endpoint")
    id = ma.fields.String(required=True)
    deleted = ma.fields.Boolean(required=True)


ENDPOINT_OUT = WebhookEndpointOut()


@blueprint.route("", methods=["POST"])
@allow("admin")
@refuses(errors.WebhookEndpointsFull, errors.WebhooksNotSetUp)
@blueprint.arguments(WebhookEndpointIn)
@blueprint.response(201, WebhookEndpointOut)
def create(fields: dict[str, Any]) -> Any:
    """Make an endpoint. Its secret stands in this answer only."""
    _require_key()

    def work(session: Session) -> Answer:
        return _made(endpoints.create(session, caller().program_id, **fields), 201)

    return once(work, show_made)


@blueprint.route("", methods=["GET"])
@allow("admin")
@refuses(errors.CursorNotFound)
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, list_schema(WebhookEndpointOut))
def find(query: dict[str, Any]) -> Any:
    """The program's endpoints, newest first."""
    page = page_of(query)

    def work(session: Session) -> dict[str, Any]:
        return listed(endpoints.listed(session, caller().program_id, page), page, fill)

    return db.read(work)


@blueprint.route("/<endpoint_id>", methods=["GET"])
@allow("admin")
@refuses(errors.WebhookEndpointNotFound)
@blueprint.response(200, WebhookEndpointOut)
def get(endpoint_id: str) -> Any:
    """An endpoint, without its secret."""
    return db.read(lambda session: fill(_require(session, endpoint_id)))


@blueprint.route("/<endpoint_id>", methods=["PATCH"])
@allow("admin")
@refuses(errors.WebhookEndpointNotFound)
@blueprint.arguments(WebhookEndpointChange)
@blueprint.response(200, WebhookEndpointOut)
def change(fields: dict[str, Any], endpoint_id: str) -> Any:
    """Change an endpoint, or switch it off and on. What waited meanwhile is sent then."""
    program_id = caller().program_id
    return db.transaction(
        lambda session: fill(endpoints.change(session, program_id, endpoint_id, **fields))
    )


@blueprint.route("/<endpoint_id>", methods=["DELETE"])
@allow("admin")
@refuses(errors.WebhookEndpointNotFound)
@blueprint.response(200, DeletedOut)
def remove(endpoint_id: str) -> Any:
    """Delete an endpoint; what waits for it is not sent."""
    program_id = caller().program_id
    db.transaction(lambda session: endpoints.remove(session, program_id, endpoint_id))
    return {"object": "webhook_endpoint", "id": endpoint_id, "deleted": True}


@blueprint.route("/<endpoint_id>/rotate_secret", methods=["POST"])
@allow("admin")
@refuses(errors.WebhookEndpointNotFound, errors.WebhooksNotSetUp)
@blueprint.arguments(RotateSecretIn)
@blueprint.response(200, WebhookEndpointOut)
def rotate(fields: dict[str, Any], endpoint_id: str) -> Any:
    """Begin a new secret; for a while both sign."""
    _require_key()
    overlap = timedelta(hours=fields["overlap_hours"])

    def work(session: Session) -> Answer:
        program_id = caller().program_id
        return _made(endpoints.rotate(session, program_id, endpoint_id, overlap=overlap), 200)

    return once(work, show_made)


def show_made(session: Session, made: str) -> dict[str, Any]:
    """An endpoint with the secret of one generation, while that is its newest."""
    endpoint_id, _, generation = made.partition(":")
    row = _require(session, endpoint_id)
    is_newest = row.generation == int(generation)
    key = (_config().webhook_key, row.program_id, row.id, row.generation)
    return fill(row, signing.secret(*key) if is_newest else None)


def fill(row: Endpoint, secret: str | None = None) -> dict[str, Any]:
    """An endpoint as JSON-able values."""
    values = {name: getattr(row, name) for name in FIELDS}
    more = {"types": endpoints.types_of(row), "secret": secret}
    moments = {name: getattr(row, name) for name in ("failing_since", "overlap_ends_at")}
    dumped: dict[str, Any] = ENDPOINT_OUT.dump({**values, **more, **moments})
    return dumped


def _made(row: Endpoint, status: int) -> Answer:
    # The key of the request remembers which secret was shown, never the secret.
    return living(status, f"{row.id}:{row.generation}")


def _require(session: Session, endpoint_id: str) -> Endpoint:
    return endpoints.require(session, caller().program_id, endpoint_id)


def _require_key() -> None:
    if not _config().webhook_key:
        raise errors.WebhooksNotSetUp(
            f"The operator must set {variable('webhook_signing_key')} first."
        )


def _config() -> Config:
    config: Config = current_app.config["LOYALTY"]
    return config
