"""What Stripe knows of codes and payments, read page by page: what a lost webhook would have said.

Every reader is an iterator, newest first. It asks for the next page when it gets there, so it may
raise `GatewayError` at any step, and `Unreadable` for an object that makes no sense.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any, cast

from loyalty_service.gateways import stripe_objects
from loyalty_service.gateways.payments import (
    Charge,
    Checkout,
    CodeState,
    Dispute,
    Event,
    PaidInvoice,
    Refund,
)
from loyalty_service.gateways.stripe_account import Account

_PAGE = 100
_Params = dict[str, Any]


class StripePayments:
    """A reader of one account, safe to share between threads.

    `api_base` is the address of the Stripe sandbox, None Stripe itself; `timeout_seconds` is the
    budget of a page. `since` is always the moment of an object's creation: reach back far enough
    to see what was made earlier and has changed since, or ask for the events.
    """

    def __init__(
        self, api_key: str, api_base: str | None = None, *, timeout_seconds: float = 20.0
    ) -> None:
        self._account = Account(api_key, api_base)
        self._v1 = self._account.client.v1
        self._timeout_seconds = timeout_seconds

    def close(self) -> None:
        """Close the kept connections."""
        self._account.close()

    def list_codes(self, program_id: str, since: datetime | None = None) -> Iterator[CodeState]:
        """Return the program's own promotion codes, used, withdrawn and past ones too."""
        for each in self._every(self._v1.promotion_codes.list, _since(since)):
            code = stripe_objects.code_state(each)
            if code is not None and code.program_id == program_id:
                yield code

    def list_paid_checkouts(self, since: datetime) -> Iterator[Checkout]:
        """Return the completed checkouts whose money is there, or that cost nothing."""
        asked = {"status": "complete", **_since(since)}
        for each in self._every(self._v1.checkout.sessions.list, asked):
            checkout = stripe_objects.checkout(each)
            if checkout.paid:
                yield checkout

    def list_paid_invoices(self, since: datetime) -> Iterator[PaidInvoice]:
        """Return the paid invoices with their codes and payments."""
        asked = {
            "status": "paid",
            "expand": ["data.discounts", "data.payments"],
            **_since(since),
        }
        for each in self._every(self._v1.invoices.list, asked):
            yield stripe_objects.paid_invoice(each)

    def list_refunded_charges(self, since: datetime) -> Iterator[Charge]:
        """Return each charge of which something was given back since then, once, as it is now.

        One whose refunds have all failed is among them, with nothing given back.
        """
        seen = set()
        asked = {"expand": ["data.charge"], **_since(since)}
        for each in self._every(self._v1.refunds.list, asked):
            if each["charge"] and each["charge"]["id"] not in seen:
                seen.add(each["charge"]["id"])
                yield stripe_objects.charge(each["charge"])

    def list_failed_refunds(self, since: datetime) -> Iterator[Refund]:
        """Return the refunds made since then that never reached the customer."""
        for each in self._every(self._v1.refunds.list, _since(since)):
            refund = stripe_objects.refund(each)
            if refund.failed:
                yield refund

    def list_disputes(self, since: datetime) -> Iterator[Dispute]:
        """Return the disputes, open and closed."""
        for each in self._every(self._v1.disputes.list, _since(since)):
            yield stripe_objects.dispute(each)

    def list_events(self, since: datetime, types: Sequence[str]) -> Iterator[Event]:
        """Return the events of these types (20 at most); Stripe keeps them for 30 days."""
        for each in self._every(self._v1.events.list, {"types": list(types), **_since(since)}):
            yield stripe_objects.event(each)

    def _every(self, pages: Callable[[Any], Any], asked: _Params) -> Iterator[_Params]:
        asked = {**asked, "limit": _PAGE}
        while True:
            found, has_more = self._page(pages, asked)
            yield from found
            if not has_more or not found:
                return
            asked = {**asked, "starting_after": found[-1]["id"]}

    def _page(self, pages: Callable[[Any], Any], asked: _Params) -> tuple[list[_Params], bool]:
        with self._account.budget(self._timeout_seconds):
            page = self._account.ask(lambda: pages(asked), reading=True)
        return [_plain(each) for each in page.data], page.has_more


def _plain(given: Any) -> _Params:
    """A library object as plain values, numbers with a decimal point as text."""
    text = json.dumps(given.to_dict(for_json=True))
    return cast(_Params, json.loads(text, parse_float=str))


def _since(since: datetime | None) -> _Params:
    return {} if since is None else {"created": {"gte": int(since.timestamp())}}
