from collections.abc import Iterator
from typing import Any

import pytest
import requests

from loyalty_service.sandbox import Server, serve
from tests.receiver import Receiver, receiving

SECONDS = 10.0


class Caller:
    """Calls a sandbox with plain forms, without the Stripe library in between."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.session = requests.Session()
        self.session.trust_env = False

    def __call__(
        self,
        method: str,
        path: str,
        form: dict[str, Any] | None = None,
        *,
        key: str | None = None,
        account_key: str | None = "sk_test_shop",
    ) -> requests.Response:
        headers = {"Authorization": f"Bearer {account_key}"} if account_key else {}
        if key:
            headers["Idempotency-Key"] = key
        sent = {"data" if method == "POST" else "params": form}
        return self.session.request(
            method, self.server.url + path, headers=headers, timeout=SECONDS, **sent
        )

    def control(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        url = f"{self.server.url}/_sandbox/{path}"
        return self.session.request(method, url, json=body, timeout=SECONDS).json()

    def coupon(self, **form: Any) -> str:
        usual = {"amount_off": 500, "currency": "usd"}
        answer = self("POST", "/v1/coupons", form or usual)
        return str(answer.json()["id"])

    def code(self, **form: Any) -> requests.Response:
        usual = {"promotion[type]": "coupon", "max_redemptions": 1}
        if "promotion[coupon]" not in form:
            usual["promotion[coupon]"] = self.coupon()
        return self("POST", "/v1/promotion_codes", usual | form)

    def checkout(self, amount: int = 3000, **form: Any) -> requests.Response:
        usual = {
            "mode": "payment",
            "success_url": "https://shop.example/thanks",
            "line_items[0][quantity]": 1,
            "line_items[0][price_data][currency]": "usd",
            "line_items[0][price_data][unit_amount]": amount,
            "line_items[0][price_data][product_data][name]": "Soap",
        }
        return self("POST", "/v1/checkout/sessions", usual | form)

    def buy(self, amount: int = 3000, **body: Any) -> Any:
        return self.control("POST", "purchases", {"amount": amount, "currency": "usd", **body})

    def events(self, **form: Any) -> list[dict[str, Any]]:
        """The events so far, oldest first."""
        page = self("GET", "/v1/events", {"limit": 100, **form}).json()
        return list(reversed(page["data"]))

    def types(self) -> list[str]:
        return [each["type"] for each in self.events()]

    def tell(self, url: str, *types: str) -> dict[str, Any]:
        """Register a webhook endpoint; returns it, with its secret."""
        form = {"url": url, **{f"enabled_events[{n}]": t for n, t in enumerate(types or ["*"])}}
        answer = self("POST", "/v1/webhook_endpoints", form)
        assert answer.status_code == 200, answer.text
        made: dict[str, Any] = answer.json()
        return made

    def pay(self, session_id: str, **body: Any) -> Any:
        return self.control("POST", f"checkout/sessions/{session_id}/pay", body)


@pytest.fixture
def stripe() -> Iterator[Caller]:
    with serve() as server:
        caller = Caller(server)
        yield caller
        caller.session.close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver
