"""The sandbox's own routes for webhooks: hold, lose, double and shuffle them, or spoil one."""

import random
from typing import Any

from loyalty_service.sandbox import events, outbox
from loyalty_service.sandbox.api import Api
from loyalty_service.sandbox.letters import Spoiled
from loyalty_service.sandbox.messages import Resource

_ORDERS = ("made", "reversed", "shuffled")


def deliveries(api: Api, _: str, given: dict[str, Any]) -> Resource:
    """Show the mode and every letter, open ones first; `event` asks for those of one event."""
    with api.state.lock:
        rows = [*api.state.every(outbox.OPEN), *api.state.every(outbox.OVER)]
        asked = given.get("event")
        shown = [row for row in rows if asked in (None, row["event"])]
        return {"mode": outbox.mode(api.state), "deliveries": shown}


def change_mode(api: Api, _: str, given: dict[str, Any]) -> Resource:
    """Set how events from now on are delivered: `normal`, `held`, `lost` or `twice`."""
    with api.state.lock:
        outbox.set_mode(api.state, str(given["mode"]))
        api.state.commit()
    return {"mode": given["mode"]}


def settled(api: Api, _: str, given: dict[str, Any]) -> Resource:
    """Wait up to `seconds` until every letter that is due has gone; say how many have not."""
    return {"due": api.postman.settled(float(given.get("seconds", 0)))}


def release(api: Api, _: str, given: dict[str, Any]) -> Resource:
    """Send what is held, one after the other, as `made`, `reversed` or `shuffled` by a `seed`.

    Events from now on are delivered normally again.
    """
    order = str(given.get("order", "made"))
    if order not in _ORDERS:
        raise ValueError(f"unknown order {order!r}; there are {', '.join(_ORDERS)}")
    with api.state.lock:
        rows = outbox.waiting(api.state, "held")
        outbox.set_mode(api.state, "normal")
        api.state.commit()
    if order == "reversed":
        rows.reverse()
    if order == "shuffled":
        random.Random(int(given.get("seed", 0))).shuffle(rows)  # nosec B311
    return {"deliveries": api.postman.release(rows)}


def send(api: Api, event_id: str, given: dict[str, Any]) -> Resource:
    """Send one event again, now, `times` over, spoiled where asked; return what was answered."""
    times = int(given.get("times", 1))
    spoiled = Spoiled(**{name: value for name, value in given.items() if name != "times"})
    with api.state.lock:
        events.retrieve(api.state, event_id)
    return {"answers": api.postman.send(event_id, spoiled, times)}
