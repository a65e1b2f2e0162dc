"""/metrics: what Prometheus asks. Open like the probes; keep it inside the cluster."""

from flask import Blueprint, Response

from loyalty_service import metrics, watching
from loyalty_service.api.guard import public

blueprint = Blueprint("metrics", __name__)


@blueprint.get("/metrics")
@public
def get() -> Response:
    """Figures of all serving processes of this pod."""
    return Response(watching.metrics_text(), content_type=metrics.MEDIA_TYPE)
