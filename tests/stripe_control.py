"""Orders faults at the Stripe sandbox and looks into it."""

import threading
import time
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

    def set_clock(self) -> None:
        """Undo what `loyalty clock advance` has moved."""
        ahead = int(self._ask("POST", "clock", {"advance_seconds": 0})["now"]) - int(time.time())
        if abs(ahead) > 1:
            self._ask("POST", "clock", {"advance_seconds": -ahead})

    def wait_for_held(self, count: int = 1) -> None:
        held = self._ask("GET", f"held?at_least={count}&seconds=240")["held"]
        assert held >= count, f"Stripe holds {held} calls, not {count}"

    def codes(self, redemption_id: str) -> list[dict[str, Any]]:
        """Every promotion code that names a redemption."""
        return self.codes_of(redemption_id, "loyalty_redemption")

    def codes_of(self, subject_id: str, key: str = "loyalty_discount") -> list[dict[str, Any]]:
        """Every promotion code that names a thank-you discount."""
        rows = self.every_code()
        return [row for row in rows if row["metadata"].get(key) == subject_id]

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

    def buy(self, amount: int, **more: Any) -> dict[str, Any]:
        """A whole visit to a checkout, amount in Stripe's units; returns the completed session.

        `code`, `currency`, `customer`, `email`, `client_reference_id`, `metadata`, `mode`.
        """
        return self._made("purchases", {"amount": amount, **more})

    def refund(self, payment_intent: str, amount: int | None = None) -> dict[str, Any]:
        """Give back an amount in Stripe's units, or all that is left."""
        form = {"payment_intent": payment_intent} | ({"amount": amount} if amount else {})
        return self.post("refunds", form)

    def fail_refund(self, refund_id: str) -> dict[str, Any]:
        """Let a refund fail at the customer's bank."""
        return self._made(f"refunds/{refund_id}/fail", {})

    def dispute(self, payment_intent: str, **more: Any) -> dict[str, Any]:
        """Let the customer's bank take the money back; `amount`, `reason`."""
        return self._made("disputes", {"payment_intent": payment_intent, **more})

    def close_dispute(self, dispute_id: str, outcome: str) -> dict[str, Any]:
        """End a dispute, `won` or `lost`."""
        return self._made(f"disputes/{dispute_id}/close", {"outcome": outcome})

    def invoice(self, **given: Any) -> dict[str, Any]:
        """Have an invoice paid: a renewal of `subscription`, or `amount` from `customer`."""
        return self._made("invoices", given)

    def tell(self, url: str, *types: str) -> dict[str, Any]:
        """Register a webhook endpoint; returns it, with its `secret`."""
        wanted = {f"enabled_events[{n}]": each for n, each in enumerate(types or ("*",))}
        return self.post("webhook_endpoints", {"url": url, **wanted})

    def deliver(self, mode: str) -> None:
        """How events from now on are delivered: `normal`, `held`, `lost` or `twice`."""
        self._ask("POST", "deliveries", {"mode": mode})

    def release_events(self, order: str = "made", seed: int = 0) -> list[dict[str, Any]]:
        """Send what is held, one after the other: `made`, `reversed` or `shuffled`."""
        given = {"order": order, "seed": seed}
        return list(self._made("deliver", given)["deliveries"])

    def send_event(self, event_id: str, **spoiled: Any) -> list[int | None]:
        """Send one event again, `times` over, spoiled or not; returns what was answered.

        `wrong_secret`, `age_seconds`, `account`, `thin`, `padding_bytes`.
        """
        answers = self._made(f"events/{event_id}/send", spoiled)["answers"]
        return [each["status"] for each in answers]

    def wait_for_deliveries(self, seconds: int = 30) -> None:
        due = self._ask("GET", f"settled?seconds={seconds}")["due"]
        assert due == 0, f"{due} events are not delivered"

    def events(self, *types: str) -> list[dict[str, Any]]:
        """The events of these types, or all, oldest first; a hundred at most."""
        asked = {f"types[{n}]": each for n, each in enumerate(types)} | {"limit": 100}
        return list(reversed(self.get("events", asked)["data"]))

    def get(self, path: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
        """Ask Stripe's own API."""
        return self._api("GET", path, params=params)

    def post(self, path: str, form: dict[str, Any]) -> dict[str, Any]:
        """Change something over Stripe's own API."""
        return self._api("POST", path, data=form)

    def _api(self, method: str, path: str, **sent: Any) -> dict[str, Any]:
        headers = {"Authorization": "Bearer sk_test_of_the_tests"}
        url = f"{self.url}/v1/{path}"
        answer = requests.request(method, url, headers=headers, timeout=10, **sent)
        assert answer.status_code == 200, answer.text
        made: dict[str, Any] = answer.json()
        return made

    def _made(self, path: str, given: dict[str, Any]) -> dict[str, Any]:
        made: dict[str, Any] = self._ask("POST", path, given)
        return made

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
