"""Events: whatever changes here is told, as a copy of the object as it was at that moment."""

from typing import Any

from loyalty_service.sandbox import contract, outbox
from loyalty_service.sandbox.lists import listed as page_of
from loyalty_service.sandbox.messages import Refusal, Resource, missing
from loyalty_service.sandbox.state import State, new_id

_MOST_TYPES = 20


def record(
    state: State, event_type: str, resource: Resource, before: Resource | None = None
) -> None:
    """Keep an event and promise it to the endpoints that want it; the caller commits.

    `before` is the object before a change; a change of nothing is no event.
    """
    # Objects here are replaced, never changed: an event may hold them as they are.
    data: Resource = {"object": resource}
    if before is not None:
        changed = {
            name: before.get(name) for name in resource if resource[name] != before.get(name)
        }
        if not changed:
            return
        data["previous_attributes"] = changed
    event: Resource = {
        "id": new_id("evt"),
        "object": "event",
        "api_version": contract.api_version(),
        "created": state.now(),
        "data": data,
        "livemode": False,
        "pending_webhooks": 0,
        "request": dict(state.request),
        "type": event_type,
    }
    state.put("events", event)
    outbox.promise(state, event)


def retrieve(state: State, event_id: str) -> Resource:
    """Return an event; `pending_webhooks` counts whom it has not reached yet."""
    event = state.get("events", event_id)
    if event is None:
        raise missing("event", event_id, param="id", status=404)
    return as_it_stands(state, event)


def as_it_stands(state: State, event: Resource) -> Resource:
    """Return the event with `pending_webhooks` as it is now."""
    return event | {"pending_webhooks": outbox.pending(state, event["id"])}


def listed(state: State, params: dict[str, Any]) -> Resource:
    """Return one page of events, newest first."""
    if "type" in params and "types" in params:
        raise Refusal("You may only specify one of these parameters: type, types.", param="types")
    if len(params.get("types", ())) > _MOST_TYPES:
        raise Refusal(f"types takes {_MOST_TYPES} at most.", param="types")
    asked = dict(params)
    if "types" in asked:
        asked["type"] = asked.pop("types")
    return page_of(
        [as_it_stands(state, each) for each in state.every("events")],
        asked,
        url="/v1/events",
        filters="type delivery_success",
        shown=lambda each: each | {"delivery_success": each["pending_webhooks"] == 0},
    )
