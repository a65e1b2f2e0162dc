"""Orders faults at the Stripe sandbox and looks into it."""

import threading
from typing import Any

import requests


class StripeControl:
    """The sandbox's own controls over HTTP."""

    def __init__(self, url: str) -> None:
        self.url = url

    def fault(self, kind: str, **more: Any) -> None:
        """Order a fault: `timeout_after_success`, `error_500_after`, `hold_before`, …"""
        self._ask("POST", "faults", {"kind": kind, "times": 1, **more})

    def clear(self) -> None:
        self._ask("DELETE", "faults")
        self._ask("POST", "release", {})

    def wait_for_held(self, count: int = 1) -> None:
        held = self._ask("GET", f"held?at_least={count}&seconds=240")["held"]
        assert held >= count, f"Stripe holds {held} calls, not {count}"

    def codes(self, redemption_id: str) -> list[dict[str, Any]]:
        """Every promotion code that names a redemption."""
        rows = self.every_code()
        return [row for row in rows if row["metadata"].get("loyalty_redemption") == redemption_id]

    def every_code(self) -> list[dict[str, Any]]:
        """All promotion codes of the account."""
        found: list[dict[str, Any]] = self._ask("GET", "state")["promotion_codes"]
        return found

    def pay(self, code: str, amount_minor: int, currency: str = "eur") -> dict[str, Any]:
        """Pay a checkout of the sandbox with a code; returns the completed session."""
        form = {
            "mode": "payment",
            "success_url": "https://shop.example/thanks",
            "allow_promotion_codes": "true",
            "line_items[0][quantity]": "1",
            "line_items[0][price_data][currency]": currency,
            "line_items[0][price_data][unit_amount]": str(amount_minor),
            "line_items[0][price_data][product_data][name]": "Face cream",
        }
        made = requests.post(
            f"{self.url}/v1/checkout/sessions",
            data=form,
            headers={"Authorization": "Bearer sk_test_of_the_tests"},
            timeout=10,
        )
        assert made.status_code == 200, made.text
        return self._ask("POST", f"checkout/sessions/{made.json()['id']}/pay", {"code": code})

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        answer = requests.request(method, f"{self.url}/_sandbox/{path}", json=body, timeout=270)
        assert answer.status_code < 300, answer.text
        return answer.json() if answer.content else None


def together(count: int, work: Any) -> list[Any]:
    """Run `work(index)` in `count` threads that start at the same moment; their results."""
    barrier = threading.Barrier(count)
    results: list[Any] = [None] * count

    def one(index: int) -> None:
        barrier.wait(timeout=30)
        results[index] = work(index)

    threads = [threading.Thread(target=one, args=(index,)) for index in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    return results
