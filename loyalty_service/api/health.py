"""/livez and /readyz: is the process alive, and can it serve."""

from typing import Any

import marshmallow as ma
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from loyalty_service import db, migrating
from loyalty_service.api.guard import public
from loyalty_service.api.parsing import Blueprint
from loyalty_service.errors import Unavailable

blueprint = Blueprint("health", __name__, description="Is it alive, can it serve")


class StatusOut(ma.Schema):
    """One word."""

    status = ma.fields.String(required=True)


@blueprint.route("/livez", methods=["GET"])
@public
@blueprint.response(200, StatusOut)
def livez() -> Any:
    """The process answers."""
    return {"status": "alive"}


@blueprint.route("/readyz", methods=["GET"])
@public
@blueprint.response(200, StatusOut)
def readyz() -> Any:
    """The database answers and has the schema that this code expects."""
    revision = _revision()
    if revision != migrating.head():
        raise Unavailable(f"The schema is at {revision}; run `loyalty migrate`.")
    return {"status": "ready"}


def _revision() -> str | None:
    asked = text("SELECT version_num FROM alembic_version")
    try:
        return db.read(lambda session: session.execute(asked).scalar())
    except DBAPIError as error:
        # No connection, or a database without our tables.
        raise Unavailable("The database does not answer, or is not migrated.") from error
