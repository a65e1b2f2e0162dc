"""What is refused about webhooks."""

from loyalty_service.errors.refusals import Refusal
from loyalty_service.errors.requests import NotFound


class WebhookEndpointNotFound(NotFound):
    """No such endpoint in this program, or one that was deleted."""

    code, title = "webhook_endpoint_not_found", "This webhook endpoint is not known"


class WebhookDeliveryNotFound(NotFound):
    """No such delivery in this program, or one that was forgotten."""

    code, title = "webhook_delivery_not_found", "This webhook delivery is not known"


class WebhookEndpointsFull(Refusal):
    """A program has a few endpoints."""

    code, title = "webhook_endpoints_full", "The program has as many endpoints as it may"


class WebhookEndpointOff(Refusal):
    """Nothing is sent to an endpoint that is disabled or deleted."""

    code, title = "webhook_endpoint_off", "Nothing is sent to this endpoint"
    kept = False


class WebhookInFlight(Refusal):
    """The delivery is being sent at this moment."""

    code, title = "webhook_in_flight", "This delivery is being sent right now"
    retryable, kept = True, False


class WebhooksNotSetUp(Refusal):
    """The deployment has no key to sign with."""

    code, title = "webhooks_not_set_up", "Webhooks are not set up here"
    kept = False
