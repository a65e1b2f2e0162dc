"""/livez and /readyz: is the process alive, and can it serve."""

from typing import Any

import marshmallow as ma

from loyalty_service import draining, migrating
from loyalty_service.api.fields import Choice
from loyalty_service.api.guard import public
from loyalty_service.api.parsing import Blueprint
from loyalty_service.api.refusing import refuses
from loyalty_service.errors import Unavailable

blueprint = Blueprint("health", __name__, description="Is it alive, can it serve")


class AliveOut(ma.Schema):
    """The process answers."""

    status = Choice(("alive",), required=True)


class ReadyOut(ma.Schema):
    """The service can serve."""

    status = Choice(("ready",), required=True)


@blueprint.route("/livez", methods=["GET"])
@public
@blueprint.response(200, AliveOut)
def livez() -> Any:
    """The process answers."""
    return {"status": "alive"}


@blueprint.route("/readyz", methods=["GET"])
@public
@refuses(Unavailable)
@blueprint.response(200, ReadyOut)
def readyz() -> Any:
    """Not about to stop; the database answers, with a schema that this code can use."""
    if draining.begun():
        raise Unavailable("This instance is about to stop.")
    revision = migrating.revision()
    if revision is None:
        raise Unavailable("The database does not answer, or is not migrated.")
    if migrating.lags(revision):
        raise Unavailable(f"The schema is at {revision}; run `loyalty migrate`.")
    return {"status": "ready"}
