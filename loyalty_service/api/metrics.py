"""/metrics: what Prometheus asks. Open like the probes; keep it inside the cluster."""

from typing import Any

from flask import Response

from loyalty_service import metrics, watching
from loyalty_service.api.guard import public
from loyalty_service.api.parsing import Blueprint

blueprint = Blueprint("metrics", __name__, description="Figures for Prometheus")


@blueprint.route("/metrics", methods=["GET"])
@public
@blueprint.response(200, {"type": "string"}, content_type="text/plain")
def get() -> Any:
    """Figures of all serving processes of this pod."""
    return Response(watching.metrics_text(), content_type=metrics.MEDIA_TYPE)
