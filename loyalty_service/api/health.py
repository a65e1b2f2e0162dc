"""/livez and /readyz: is the process alive, and can it serve."""

from typing import Any

from flask import Blueprint
from sqlalchemy import text

from loyalty_service import db, migrating
from loyalty_service.api.guard import public
from loyalty_service.errors import Unavailable

blueprint = Blueprint("health", __name__)


@blueprint.get("/livez")
@public
def livez() -> Any:
    """The process answers."""
    return {"status": "alive"}


@blueprint.get("/readyz")
@public
def readyz() -> Any:
    """The database answers and has the schema that this code expects."""
    revision = db.read(
        lambda session: session.execute(text("SELECT version_num FROM alembic_version")).scalar()
    )
    if revision != migrating.head():
        raise Unavailable(f"The schema is at {revision}; run `loyalty migrate`.")
    return {"status": "ready"}
