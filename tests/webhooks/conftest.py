"""A receiver, and an endpoint of the shop that leads to it."""

from collections.abc import Iterator

import pytest

from tests.shop import Shop
from tests.webhooks.receiving import Receiver, receiving


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


@pytest.fixture
def endpoint(shop: Shop, receiver: Receiver) -> str:
    """An endpoint that wants everything; its id."""
    return listen(shop, receiver)


def listen(shop: Shop, receiver: Receiver, *types: str) -> str:
    """Make an endpoint for a receiver, which learns its secret; the endpoint's id."""
    body = {"url": receiver.url, "types": list(types) or ["*"]}
    made = shop.post("/v1/webhook_endpoints", body, who="admin")
    receiver.secrets.append(made["secret"])
    return str(made["id"])
