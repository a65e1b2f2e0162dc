"""One Stripe account over the Stripe library: each request within its budget, errors in our words.

Nothing here retries: asking again belongs to the caller, who knows the deadline and the key.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import requests
import stripe
from urllib3 import Timeout

from loyalty_service.gateways import stripe_failures
from loyalty_service.gateways.codes import GatewayError, GatewayUnclear

# The library would write an id into the home folder and send our latencies along.
stripe.enable_telemetry = False

Answered = TypeVar("Answered")


class Account:
    """A client of one account, safe to share between threads.

    `api_base` is the address of the Stripe sandbox; None is Stripe itself.
    """

    def __init__(self, api_key: str, api_base: str | None = None) -> None:
        self._session = _BudgetSession()
        # A local sandbox is never behind the proxy that the environment names for the internet.
        self._session.trust_env = api_base is None
        self.client = stripe.StripeClient(
            api_key,
            base_addresses={"api": api_base.rstrip("/")} if api_base else {},
            max_network_retries=0,
            http_client=stripe.RequestsClient(session=self._session),
        )

    def close(self) -> None:
        """Close the kept connections."""
        self._session.close()

    @contextmanager
    def budget(self, timeout_seconds: float) -> Iterator[None]:
        """Give this thread's requests so much time, all together."""
        with self._session.budget(timeout_seconds):
            yield

    def ask(self, call: Callable[[], Answered], *, reading: bool = False) -> Answered:
        """Return what the call returns; raise `GatewayError` for whatever goes wrong.

        `reading` says that the call could not create anything.
        """
        if self._session.left_seconds() <= 0:
            raise GatewayUnclear("deadline", finished=False)
        try:
            return call()
        except stripe.StripeError as error:
            # Without its cause: the library's exception carries the request, and so our key.
            raise _ours(error, reading=reading) from None


class _BudgetSession(requests.Session):
    """Gives each request what is left of the calling thread's budget, connecting included."""

    def __init__(self) -> None:
        super().__init__()
        self._thread = threading.local()

    @contextmanager
    def budget(self, timeout_seconds: float) -> Iterator[None]:
        self._thread.ends_at = time.monotonic() + timeout_seconds
        try:
            yield
        finally:
            del self._thread.ends_at

    def left_seconds(self) -> float:
        ends_at: float = self._thread.ends_at
        return ends_at - time.monotonic()

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        # urllib3 refuses a time-out of nothing; the caller has just seen that something is left.
        kwargs["timeout"] = Timeout(total=max(self.left_seconds(), 0.001))
        return super().send(request, **kwargs)


def _ours(error: stripe.StripeError, *, reading: bool) -> GatewayError:
    return stripe_failures.translated(
        status=error.http_status,
        body=error.json_body,
        headers=error.headers or {},
        timed_out=isinstance(error.__cause__, requests.Timeout),
        reading=reading,
    )
