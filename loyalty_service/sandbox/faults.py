"""Faults to order: what can go wrong between a caller and Stripe, told beforehand.

A fault waits for the next calls that fit it and wears off after `times` of them. Every wait ends
when the sandbox closes.
"""

import threading
from dataclasses import dataclass

# What each kind does to a call; `forget_keys` is done at once and never waits for a call.
KINDS = {
    "timeout_after_success": "executes, then closes the connection unanswered after `seconds`",
    "error_500_before": "answers 500 without executing; the answer is kept under the key",
    "error_500_after": "executes, then answers 500; the answer is kept under the key",
    "conflict_409": "answers 409 without executing",
    "rate_limit_429": "answers 429 with Retry-After without executing",
    "slow": "waits `seconds`, then executes and answers",
    "hold_before": "waits until released, then executes and answers",
    "hold_after": "executes, waits until released, then answers",
    "forget_keys": "forgets all idempotency keys at once",
}
_DEFAULT_SECONDS = {"timeout_after_success": 0.0, "slow": 1.0, "rate_limit_429": 1.0}
_LONGEST_HOLD_SECONDS = 600.0


@dataclass(slots=True)
class Fault:
    """One order: `path` is exact, or a beginning that ends in `*`; None fits every path."""

    kind: str
    times: int = 1
    path: str | None = None
    method: str | None = None
    seconds: float | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"unknown fault kind {self.kind!r}; there are {', '.join(KINDS)}")

    @property
    def wait_seconds(self) -> float:
        """How long this fault waits where it waits for a time."""
        return _DEFAULT_SECONDS.get(self.kind, 0.0) if self.seconds is None else self.seconds

    def fits(self, method: str, path: str) -> bool:
        """Return whether this fault is meant for such a call."""
        if self.times < 1 or self.method not in (None, method):
            return False
        if self.path is not None and self.path.endswith("*"):
            return path.startswith(self.path[:-1])
        return self.path in (None, path)


class Faults:
    """The ordered faults and the calls held by them."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._ordered: list[Fault] = []
        self._held = 0
        self._releases = 0
        self._closing = False

    def order(self, fault: Fault) -> None:
        """Add a fault for calls to come."""
        with self._changed:
            self._ordered.append(fault)

    def take(self, method: str, path: str) -> Fault | None:
        """Return the fault that befalls this call, oldest order first, and count it down."""
        with self._changed:
            for fault in self._ordered:
                if fault.fits(method, path):
                    fault.times -= 1
                    return fault
        return None

    def clear(self) -> None:
        """Cancel the orders; what is held stays held."""
        with self._changed:
            self._ordered.clear()

    def hold(self) -> None:
        """Wait until released."""
        with self._changed:
            self._held += 1
            self._changed.notify_all()
            release = self._releases + 1
            self._changed.wait_for(
                lambda: self._releases >= release or self._closing, _LONGEST_HOLD_SECONDS
            )
            self._held -= 1
            self._changed.notify_all()

    def wait(self, seconds: float) -> None:
        """Wait for a time, or until the sandbox closes."""
        with self._changed:
            self._changed.wait_for(lambda: self._closing, seconds)

    def held(self, *, at_least: int = 0, seconds: float = 0.0) -> int:
        """Return how many calls are held, waiting up to `seconds` for `at_least` of them."""
        with self._changed:
            self._changed.wait_for(lambda: self._held >= at_least, seconds)
            return self._held

    def release(self) -> int:
        """Let all held calls go on; return how many they were."""
        with self._changed:
            self._releases += 1
            self._changed.notify_all()
            return self._held

    def close(self) -> None:
        """End every wait, now and from now on."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
