"""/webhooks/stripe: what Stripe tells us."""

from typing import Any

import marshmallow as ma
from flask import request

from loyalty_service import errors, listening
from loyalty_service.api.fields import Object
from loyalty_service.api.guard import signed
from loyalty_service.api.parsing import Blueprint
from loyalty_service.api.refusing import refuses

blueprint = Blueprint("stripe", __name__, description="What Stripe tells")


class ReceivedOut(ma.Schema):
    """An event that arrived and is Stripe's."""

    object = Object("stripe_event")
    id = ma.fields.String(required=True)
    type = ma.fields.String(required=True)
    kept = ma.fields.Boolean(
        required=True, metadata={"description": "False where it is nothing of ours."}
    )
    reason = ma.fields.String(
        required=True, allow_none=True, metadata={"description": "Why it was not kept."}
    )


@blueprint.route("/webhooks/stripe", methods=["POST"])
@signed
@refuses(
    errors.BodyTooLarge,
    errors.StripeEventNotRead,
    errors.StripeWebhookNotSet,
    errors.StripeNotSigned,
    errors.StripeSignatureOld,
)
@blueprint.response(200, ReceivedOut)
def receive() -> Any:
    """Take an event in: its signature is the proof, and it is worked on after the answer."""
    came = listening.receive(request.get_data(), request.headers.get("Stripe-Signature", ""))
    return {
        "id": came.event.id,
        "type": came.event.type,
        "kept": came.kept > 0,
        "reason": came.why,
    }
