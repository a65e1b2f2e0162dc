"""Webhook endpoints: who is told of events, and the secret that signs what is sent there.

The secret is shown once, when the endpoint is made, and lies apart from the endpoint.
"""

from typing import Any
from urllib.parse import urlsplit

from loyalty_service.sandbox.lists import listed as page_of
from loyalty_service.sandbox.messages import Refusal, Resource, missing, refuse_unsupported
from loyalty_service.sandbox.state import State, new_id

_SUPPORTED = "api_version description enabled_events expand metadata url"
_FROM_THE_START = "we_fromthestart"


def create(state: State, params: dict[str, Any]) -> Resource:
    """Keep a new endpoint; its `secret` is shown here and never again."""
    refuse_unsupported(params, _SUPPORTED)
    _check(params)
    secret = new_id("whsec")
    return _kept(state, new_id("we"), secret, params) | {"secret": secret}


def from_the_start(state: State, webhook: tuple[str, str] | None) -> None:
    """Make, move or take away the one endpoint (URL, secret) that the sandbox was started with."""
    if webhook is None:
        state.remove("webhook_endpoints", _FROM_THE_START)
        return
    url, secret = webhook
    params = {"url": url, "enabled_events": ["*"], "description": "given at the start"}
    _check(params)
    _kept(state, _FROM_THE_START, secret, params)


def retrieve(state: State, endpoint_id: str) -> Resource:
    """Return an endpoint, without its secret."""
    endpoint = state.get("webhook_endpoints", endpoint_id)
    if endpoint is None:
        raise missing("webhook endpoint", endpoint_id, param="id", status=404)
    return endpoint


def update(state: State, endpoint_id: str, params: dict[str, Any]) -> Resource:
    """Change where and of what is told; `disabled` stops and starts it."""
    refuse_unsupported(params, "description disabled enabled_events expand metadata url")
    _check(params)
    endpoint = retrieve(state, endpoint_id)
    if "disabled" in params:
        endpoint = endpoint | {"status": "disabled" if params["disabled"] else "enabled"}
    given = {name: params[name] for name in params if name not in ("disabled", "expand")}
    return state.put("webhook_endpoints", endpoint | given)


def delete(state: State, endpoint_id: str) -> Resource:
    """Forget an endpoint; what was still to be sent there is not sent."""
    retrieve(state, endpoint_id)
    state.remove("webhook_endpoints", endpoint_id)
    return {"id": endpoint_id, "object": "webhook_endpoint", "deleted": True}


def listed(state: State, params: dict[str, Any]) -> Resource:
    """Return one page of endpoints, newest first."""
    return page_of(state.every("webhook_endpoints"), params, url="/v1/webhook_endpoints")


def wanting(state: State, event_type: str) -> list[Resource]:
    """Return the enabled endpoints that want to hear of such an event."""
    return [
        each
        for each in state.every("webhook_endpoints")
        if each["status"] == "enabled"
        and ("*" in each["enabled_events"] or event_type in each["enabled_events"])
    ]


def secret_of(state: State, endpoint_id: str) -> str:
    """Return the secret that signs what is sent to an endpoint."""
    kept = state.get("webhook_secrets", endpoint_id)
    return str(kept["secret"]) if kept else ""


def _kept(state: State, endpoint_id: str, secret: str, params: dict[str, Any]) -> Resource:
    state.put("webhook_secrets", {"id": endpoint_id, "secret": secret})
    return state.put(
        "webhook_endpoints",
        {
            "id": endpoint_id,
            "object": "webhook_endpoint",
            "api_version": params.get("api_version"),
            "application": None,
            "created": state.now(),
            "description": params.get("description"),
            "enabled_events": params["enabled_events"],
            "livemode": False,
            "metadata": params.get("metadata") or {},
            "status": "enabled",
            "url": params["url"],
        },
    )


def _check(params: dict[str, Any]) -> None:
    url = urlsplit(params.get("url", "http://127.0.0.1"))
    # Stripe takes https from anywhere; here a developer's own machine is the usual case.
    if url.scheme not in ("http", "https") or not url.hostname:
        raise Refusal("Invalid URL: An explicit scheme (such as https) is needed.", param="url")
    if not params.get("enabled_events", ["*"]):
        raise Refusal("Missing required param: enabled_events.", param="enabled_events")
