"""What is sent: a request's bytes for each thing that is measured, with ids never used before."""

import itertools
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.load import Make

HEAD = (
    "%s %s HTTP/1.1\r\nHost: benchmark\r\nAuthorization: Bearer %s\r\n"
    "Content-Type: application/json\r\nIdempotency-Key: %s\r\nContent-Length: %d\r\n\r\n%s"
)
# Three lines: 98.50 of merchandise after the discount, so 98 points.
ORDER = (
    '{"id": "%s", "member": "%s", "placed_at": "%s", "currency": "eur", "discount": 500, '
    '"tax": 1650, "shipping": 490, "lines": ['
    '{"sku": "serum-30", "category": "skin care", "quantity": 1, "unit_amount": 5450}, '
    '{"sku": "cream-50", "category": "skin care", "quantity": 2, "unit_amount": 1900}, '
    '{"sku": "brush-07", "category": "tools", "quantity": 1, "unit_amount": 1100}]}'
)
REDEMPTION = '{"member": "%s", "reward": "money_off"}'
ADJUSTMENT = (
    '{"member": "%s", "points": 50, "reason": "late_delivery", '
    '"note": "Parcel came five days late.", "customer_note": "Sorry that it was late."}'
)
LEAST = '{"account": %d, "points": 50}'
_fresh = itertools.count(1)


@dataclass(frozen=True, slots=True)
class People:
    """Who is written to, who is read, and the keys of two callers."""

    written: Sequence[str]
    read: Sequence[str]
    checkout_key: str
    staff_key: str


def earn(people: People) -> Make:
    """POST /v1/orders."""
    # A phase is short: an order is placed a moment before it.
    placed_at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())

    def make() -> bytes:
        number = f"order-{placed_at}-{next(_fresh)}"
        body = ORDER % (number, random.choice(people.written), placed_at)
        return _post("/v1/orders", people.checkout_key, number, body)

    return make


def redeem(people: People) -> Make:
    """POST /v1/redemptions, the lowest price."""
    return lambda: _post(
        "/v1/redemptions",
        people.checkout_key,
        f"redeem-{next(_fresh)}",
        REDEMPTION % random.choice(people.written),
    )


def adjust(people: People) -> Make:
    """POST /v1/adjustments by staff without a monthly limit."""
    return lambda: _post(
        "/v1/adjustments",
        people.staff_key,
        f"adjust-{next(_fresh)}",
        ADJUSTMENT % random.choice(people.written),
    )


def balance(people: People) -> Make:
    """GET /v1/members/{id}/balance."""
    return lambda: _get(f"/v1/members/{random.choice(people.read)}/balance", people)


def history(people: People) -> Make:
    """GET /v1/members/{id}/transactions: the newest 20."""
    return lambda: _get(f"/v1/members/{random.choice(people.read)}/transactions", people)


def bare(people: People) -> Make:
    """The least that writes."""
    return lambda: _post("/", "none", "none", LEAST % random.randint(1, len(people.written)))


def hello(people: People) -> Make:
    """The least of all."""
    return lambda: _get("/", people)


def _post(path: str, key: str, idempotency_key: str, body: str) -> bytes:
    return (HEAD % ("POST", path, key, idempotency_key, len(body), body)).encode()


def _get(path: str, people: People) -> bytes:
    return (
        f"GET {path} HTTP/1.1\r\nHost: benchmark\r\nAuthorization: Bearer {people.checkout_key}\r\n"
        "\r\n"
    ).encode()
