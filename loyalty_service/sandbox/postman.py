"""Delivers what lies in the outbox, in threads of its own, and tries again what was not taken.

Stripe promises no order, and neither does this: several letters are under way at once. It never
prints: a receiver that is not there yet is nothing to worry about.
"""

import threading
import time

from loyalty_service.sandbox import endpoints, events, letters, outbox
from loyalty_service.sandbox.letters import FLAWLESS, Spoiled
from loyalty_service.sandbox.messages import Resource
from loyalty_service.sandbox.state import State

_LANES = 4
# Stripe goes on for days; a developer wants to see it again soon, and then peace.
_BACK_OFF_SECONDS = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
# Nobody reads letters at that address.
_NOBODY_THERE = (404, 410)
_TRIES_WHERE_NOBODY_IS = 3
_LONGEST_CLOSE_SECONDS = 2.0


class Postman:
    """The deliveries of one sandbox. Never call it while holding the state's lock."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._changed = threading.Condition()
        self._lanes: list[threading.Thread] = []
        self._taken: set[str] = set()
        self._not_before: dict[str, float] = {}
        self._closing = False

    def look(self) -> None:
        """Look into the outbox: something may have become due."""
        with self._changed:
            if not self._lanes and self._due():
                self._lanes = [
                    threading.Thread(target=self._run, daemon=True) for _ in range(_LANES)
                ]
                for lane in self._lanes:
                    lane.start()
            self._changed.notify_all()

    def settled(self, seconds: float) -> int:
        """Wait up to `seconds` until nothing is due; return how many letters still are."""
        with self._changed:
            self._changed.wait_for(lambda: not self._due(), seconds)
            return len(self._due())

    def release(self, rows: list[Resource]) -> list[Resource]:
        """Send held letters now, one after the other in this order; return how each went.

        What is not taken is due from then on, like any other.
        """
        gone = [self._tried(row) for row in rows]
        self.look()
        return gone

    def send(self, event_id: str, spoiled: Spoiled, times: int) -> list[Resource]:
        """Send an event once more, now, to each endpoint that wants it; return the answers."""
        with self._state.lock:
            event = events.retrieve(self._state, event_id)
            wanting = endpoints.wanting(self._state, event["type"])
        return [
            {"endpoint": each["id"], "status": self._post(event, each, spoiled)}
            for _ in range(times)
            for each in wanting
        ]

    def close(self) -> None:
        """Stop; what is under way is left to itself after a moment."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        until = time.monotonic() + _LONGEST_CLOSE_SECONDS
        for lane in self._lanes:
            lane.join(max(until - time.monotonic(), 0))

    def _run(self) -> None:
        while (row := self._next()) is not None:
            try:
                self._tried(row)
            finally:
                with self._changed:
                    self._taken.discard(row["id"])
                    self._changed.notify_all()

    def _next(self) -> Resource | None:
        """Wait for a letter that may go and take it; None at the end."""
        with self._changed:
            while not self._closing:
                now = time.monotonic()
                free = [row for row in self._due() if row["id"] not in self._taken]
                waits = [self._not_before.get(row["id"], now) - now for row in free]
                if waits and min(waits) <= 0:
                    row = free[waits.index(min(waits))]
                    self._taken.add(row["id"])
                    return row
                self._changed.wait(min(waits, default=None))
        return None

    def _due(self) -> list[Resource]:
        with self._state.lock:
            return outbox.waiting(self._state, "due")

    def _tried(self, row: Resource) -> Resource:
        with self._state.lock:
            event = events.retrieve(self._state, row["event"])
            endpoint = self._state.get("webhook_endpoints", row["endpoint"])
        status = self._post(event, endpoint, FLAWLESS) if endpoint else None
        with self._state.lock:
            if self._closing:
                # The state is closed: it is due again after a restart.
                return row
            last = endpoint is None or _is_last(row["tries"] + 1, status)
            row = outbox.tried(self._state, row, status, last=last)
            self._state.commit()
        with self._changed:
            if row["status"] == "due":
                self._not_before[row["id"]] = time.monotonic() + _BACK_OFF_SECONDS[row["tries"] - 1]
            else:
                self._not_before.pop(row["id"], None)
            self._changed.notify_all()
        return row

    def _post(self, event: Resource, endpoint: Resource, spoiled: Spoiled) -> int | None:
        payload = letters.body(event, spoiled)
        # The signature lives by the machine's time, however far the sandbox's own was moved.
        at = self._state.wall() - spoiled.age_seconds
        with self._state.lock:
            secret = endpoints.secret_of(self._state, endpoint["id"])
        if spoiled.wrong_secret:
            secret = "whsec_of_somebody_else"  # nosec B105
        return letters.post(endpoint["url"], payload, letters.signature(payload, secret, at))


def _is_last(tries: int, status: int | None) -> bool:
    if status in _NOBODY_THERE:
        return tries >= _TRIES_WHERE_NOBODY_IS
    return tries > len(_BACK_OFF_SECONDS)
