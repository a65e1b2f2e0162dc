"""What the sandbox holds: objects in memory, written through to a SQLite file where one is named.

Whoever changes something holds `lock` and calls `commit` once, so that an object and the answer
kept under its idempotency key survive a crash together or not at all.
"""

import json
import secrets
import sqlite3
import threading
import time
from pathlib import Path

from loyalty_service.sandbox.messages import Resource

# In the order in which they are shown; events have a list of their own.
KINDS = (
    "coupons",
    "promotion_codes",
    "customers",
    "checkout_sessions",
    "payment_intents",
    "charges",
    "refunds",
    "disputes",
    "invoices",
    "webhook_endpoints",
)


class State:
    """The sandbox's one account."""

    def __init__(self, path: Path | None = None) -> None:
        self.lock = threading.RLock()
        # Which call is being executed: events name it.
        self.request: Resource = {"id": None, "idempotency_key": None}
        self._kept: dict[str, dict[str, Resource]] = {}
        self._ids_by_code: dict[str, list[str]] = {}
        self._file = _opened(path) if path else None
        if self._file:
            for kind, body in self._file.execute("SELECT kind, body FROM kept ORDER BY rowid"):
                self._remember(kind, json.loads(body))

    def now(self) -> int:
        """Return the sandbox's time in unix seconds; `advance` may have moved it."""
        clock = self.get("settings", "clock") or {"advanced_seconds": 0}
        return self.wall() + int(clock["advanced_seconds"])

    def wall(self) -> int:
        """Return the machine's time in unix seconds, which nothing moves."""
        return int(time.time())

    def advance(self, seconds: int) -> None:
        """Move the sandbox's time forward."""
        clock = self.get("settings", "clock") or {"id": "clock", "advanced_seconds": 0}
        self.put("settings", clock | {"advanced_seconds": clock["advanced_seconds"] + seconds})

    def get(self, kind: str, resource_id: str) -> Resource | None:
        """Return one object, or None."""
        return self._kept.get(kind, {}).get(resource_id)

    def every(self, kind: str) -> list[Resource]:
        """Return all objects of a kind, oldest first."""
        return list(self._kept.get(kind, {}).values())

    def codes_named(self, code: str) -> list[Resource]:
        """Return the promotion codes of that text in any case, oldest first."""
        codes = self._kept.get("promotion_codes", {})
        return [codes[each] for each in self._ids_by_code.get(code.upper(), [])]

    def put(self, kind: str, resource: Resource) -> Resource:
        """Keep a new or changed object under its id; return it."""
        self._remember(kind, resource)
        if self._file:
            self._file.execute(
                "INSERT INTO kept (kind, id, body) VALUES (?, ?, ?)"
                " ON CONFLICT (kind, id) DO UPDATE SET body = excluded.body",
                (kind, resource["id"], json.dumps(resource)),
            )
        return resource

    def remove(self, kind: str, resource_id: str) -> None:
        """Forget one object, if it is there."""
        self._kept.get(kind, {}).pop(resource_id, None)
        if self._file:
            self._file.execute("DELETE FROM kept WHERE kind = ? AND id = ?", (kind, resource_id))

    def drop(self, kind: str) -> None:
        """Forget all objects of a kind."""
        self._kept.pop(kind, None)
        if self._file:
            self._file.execute("DELETE FROM kept WHERE kind = ?", (kind,))

    def commit(self) -> None:
        """Make what was put durable against the end of the process."""
        if self._file:
            self._file.commit()

    def close(self) -> None:
        """Close the file."""
        if self._file:
            self._file.close()

    def _remember(self, kind: str, resource: Resource) -> None:
        kept = self._kept.setdefault(kind, {})
        if kind == "promotion_codes" and resource["id"] not in kept:
            self._ids_by_code.setdefault(resource["code"].upper(), []).append(resource["id"])
        kept[resource["id"]] = resource


def new_id(prefix: str) -> str:
    """Return an id as Stripe makes them."""
    return f"{prefix}_{secrets.token_hex(12)}"


def _opened(path: Path) -> sqlite3.Connection:
    file = sqlite3.connect(path, check_same_thread=False)
    file.execute("PRAGMA journal_mode = WAL")
    # It must outlive the process, not the machine.
    file.execute("PRAGMA synchronous = OFF")
    file.execute(
        "CREATE TABLE IF NOT EXISTS kept"
        " (kind TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL, UNIQUE (kind, id))"
    )
    return file
