"""What is still to be sent to webhook endpoints, and how it ended: one row a letter.

Rows lie in `deliveries_open` (due or held) until they are over, then in `deliveries_over`.
"""

from loyalty_service.sandbox import endpoints
from loyalty_service.sandbox.messages import Resource
from loyalty_service.sandbox.state import State

OPEN, OVER = "deliveries_open", "deliveries_over"
# How the events to come are delivered.
MODES = {
    "normal": "at once, tried again until it is taken",
    "held": "not before they are released",
    "lost": "never: as if the network had swallowed them",
    "twice": "two times, at the same moment",
}


def mode(state: State) -> str:
    """Return how events are delivered now."""
    kept = state.get("settings", "deliveries") or {"mode": "normal"}
    return str(kept["mode"])


def set_mode(state: State, wanted: str) -> None:
    """Change how the events to come are delivered; raises ValueError for an unknown mode."""
    if wanted not in MODES:
        raise ValueError(f"unknown mode {wanted!r}; there are {', '.join(MODES)}")
    state.put("settings", {"id": "deliveries", "mode": wanted})


def promise(state: State, event: Resource) -> None:
    """Note the letters that an event makes, one an endpoint, or two."""
    how = mode(state)
    for endpoint in endpoints.wanting(state, event["type"]):
        for copy in (1, 2) if how == "twice" else (1,):
            row: Resource = {
                "id": f"{event['id']}:{endpoint['id']}:{copy}",
                "event": event["id"],
                "type": event["type"],
                "endpoint": endpoint["id"],
                "status": "due",
                "tries": 0,
                "last_status": None,
            }
            if how == "lost":
                state.put(OVER, row | {"status": "lost"})
            else:
                state.put(OPEN, row | {"status": "held" if how == "held" else "due"})


def waiting(state: State, status: str) -> list[Resource]:
    """Return the open rows that are `due` or `held`, oldest first."""
    return [each for each in state.every(OPEN) if each["status"] == status]


def tried(state: State, row: Resource, status: int | None, *, last: bool) -> Resource:
    """Note a try and its HTTP status (None: no answer); a success or the last try ends it."""
    row = row | {"tries": row["tries"] + 1, "last_status": status}
    if taken(status):
        return _over(state, row | {"status": "delivered"})
    if last:
        return _over(state, row | {"status": "given_up"})
    return state.put(OPEN, row | {"status": "due"})


def taken(status: int | None) -> bool:
    """Return whether an answer of this HTTP status says that the letter was taken."""
    return status is not None and 200 <= status < 300


def pending(state: State, event_id: str) -> int:
    """Return how many endpoints an event has not reached."""
    ids = [f"{event_id}:{each['id']}:1" for each in state.every("webhook_endpoints")]
    rows = [state.get(OPEN, each) or state.get(OVER, each) for each in ids]
    return sum(row is not None and row["status"] != "delivered" for row in rows)


def _over(state: State, row: Resource) -> Resource:
    state.remove(OPEN, row["id"])
    return state.put(OVER, row)
