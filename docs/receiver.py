"""Receive what the loyalty service tells: `flask --app docs/receiver.py run --port 4242`."""

import os

from flask import Flask, request
from standardwebhooks import Webhook, WebhookVerificationError

app = Flask(__name__)
seen = set()  # a table of yours, with a unique key


@app.post("/hooks/loyalty")
def receive():
    """Verify the bytes as they came; print each event once."""
    try:
        event = Webhook(os.environ["LOYALTY_WEBHOOK_SECRET"]).verify(
            request.get_data(), dict(request.headers)
        )
    except (WebhookVerificationError, ValueError):
        return "", 400
    if event["id"] not in seen:
        seen.add(event["id"])
        print(event["member"], event["sequence"], event["type"], event["data"])
    return "", 204
