"""What the sandbox tells and lists has the shape that Stripe's own has."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from loyalty_service.gateways import stripe_objects
from loyalty_service.sandbox import serve
from tests.gateways import fixtures
from tests.gateways.shapes import faults
from tests.stripe_control import StripeControl

Event = dict[str, Any]
READERS: dict[str, Callable[[Any], Any]] = {
    "promotion_code": stripe_objects.code_state,
    "checkout.session": stripe_objects.checkout,
    "invoice": stripe_objects.paid_invoice,
    "charge": stripe_objects.charge,
    "refund": stripe_objects.refund,
    "dispute": stripe_objects.dispute,
}
# Shown only where a list was asked to.
ONLY_EXPANDED = {"payments"}


@pytest.fixture(scope="module")
def control() -> Iterator[StripeControl]:
    with serve() as server:
        yield StripeControl(server.url)


@pytest.fixture(scope="module")
def told(control: StripeControl) -> dict[str, Event]:
    """One event of each type that the sandbox knows, by the name of its written-down twin."""
    coupon = control.post("coupons", {"amount_off": 500, "currency": "eur"})["id"]
    customer = control.post("customers", {"email": "ada@example.com"})["id"]
    control.post(f"customers/{customer}", {"name": "Ada"})
    for code in ("ONCE", "MONTHLY"):
        metadata = {"metadata[loyalty_program]": "beauty", "metadata[loyalty_redemption]": code}
        form = {"promotion[type]": "coupon", "promotion[coupon]": coupon, "max_redemptions": 1}
        control.post("promotion_codes", {**form, **metadata, "code": code})
    given = {"customer": customer, "metadata": {"order_id": "A-1"}, "client_reference_id": "A-1"}
    paid = control.buy(5000, code="ONCE", **given)
    control.refund(paid["payment_intent"], 1000)
    control.fail_refund(control.refund(paid["payment_intent"], 500)["id"])
    for outcome in ("won", "lost"):
        disputed = control.buy(4500)["payment_intent"]
        control.close_dispute(control.dispute(disputed)["id"], outcome)
    subscribed = control.buy(5000, mode="subscription", code="MONTHLY")
    control.invoice(subscription=subscribed["subscription"])
    found = {}
    for event in control.events():
        recurs = event["data"]["object"].get("mode") == "subscription"
        found[event["type"] + (".subscription" if recurs else "")] = event
    return found


def test_the_sandbox_tells_of_every_type_that_is_written_down(told: dict[str, Event]) -> None:
    assert sorted(told) == fixtures.NAMES


@pytest.mark.parametrize("name", fixtures.NAMES)
def test_what_it_tells_is_as_the_library_declares_it(told: dict[str, Event], name: str) -> None:
    assert faults(told[name]) == []
    assert faults(told[name]["data"]["object"]) == []


@pytest.mark.parametrize("name", fixtures.NAMES)
def test_it_tells_nothing_that_the_written_down_event_has_not(
    told: dict[str, Event], name: str
) -> None:
    twin = fixtures.event(name)
    assert set(told[name]) == set(twin)
    assert strange(told[name]["data"]["object"], twin["data"]["object"]) == []


@pytest.mark.parametrize(
    "name", [n for n in fixtures.NAMES if fixtures.event(n)["data"]["object"]["object"] in READERS]
)
def test_what_we_read_is_in_both(told: dict[str, Event], name: str) -> None:
    twin = fixtures.event(name)["data"]["object"]
    for given in (told[name]["data"]["object"], twin):
        seen: set[str] = set()
        READERS[given["object"]](Watched(given, seen))
        assert seen - ONLY_EXPANDED <= set(given)
        assert len(seen) > 5


@pytest.mark.parametrize(
    ("path", "expand"),
    [
        ("coupons", ()),
        ("promotion_codes", ("data.promotion.coupon",)),
        ("customers", ()),
        ("checkout/sessions", ("data.customer", "data.invoice", "data.payment_intent")),
        ("payment_intents", ("data.latest_charge",)),
        ("charges", ("data.payment_intent",)),
        ("refunds", ("data.charge",)),
        ("disputes", ("data.charge",)),
        ("invoices", ("data.payments", "data.discounts")),
        ("invoice_payments", ("data.invoice",)),
        ("events", ()),
    ],
)
def test_what_it_lists_is_as_the_library_declares_it(
    control: StripeControl, told: dict[str, Event], path: str, expand: tuple[str, ...]
) -> None:
    asked = {f"expand[{n}]": each for n, each in enumerate(expand)}
    listed = control.get(path, asked)
    assert listed["url"] == f"/v1/{path}"
    assert listed["data"]
    for each in listed["data"]:
        assert faults(each) == []


class Watched(Mapping[str, Any]):
    """An object that notes which of its fields were asked for."""

    def __init__(self, given: Mapping[str, Any], seen: set[str]) -> None:
        self._given = given
        self._seen = seen

    def __getitem__(self, name: str) -> Any:
        self._seen.add(name)
        return self._given[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._given)

    def __len__(self) -> int:
        return len(self._given)


def strange(given: Any, twin: Any, path: str = "") -> list[str]:
    """Where an object says something that its twin does not, or says it in another type."""
    if given is None or twin is None or path.endswith("metadata"):
        return []
    if isinstance(given, dict) and isinstance(twin, dict):
        new = [f"{path}.{name} is new" for name in given if name not in twin]
        both = [name for name in given if name in twin]
        deeper = [strange(given[name], twin[name], f"{path}.{name}") for name in both]
        return [*new, *(fault for faults_ in deeper for fault in faults_)]
    if isinstance(given, list) and isinstance(twin, list):
        return [fault for each in given for other in twin for fault in strange(each, other, path)]
    return [] if type(given) is type(twin) else [f"{path} is {given!r}, there {twin!r}"]
