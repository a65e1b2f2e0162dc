"""An endpoint that is deleted while something is promised to it: nothing is left waiting there."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from loyalty_service import db
from loyalty_service.domain.notices import types
from loyalty_service.domain.notices.table import MemberNotices
from loyalty_service.domain.webhooks import deliveries
from loyalty_service.domain.webhooks.tables import Delivery, Endpoint
from tests.shop import Shop
from tests.webhooks.receiving import Receiver

pytestmark = [pytest.mark.slow, pytest.mark.parametrize("kind", ["postgresql"])]


def delete(shop: Shop, endpoint: str) -> None:
    answer = shop.call("DELETE", f"/v1/webhook_endpoints/{endpoint}", who="admin")
    assert answer.status_code == 200


@contextmanager
def between(written: type[Any], act: Callable[[], None]) -> Iterator[None]:
    """Begin to act when the block's thread has read all and first writes such a row.

    The block goes on once that is done, or has waited for it a while.
    """
    acting = threading.Thread(target=act)
    mine = threading.current_thread()

    def before_flush(session: Any, *_: Any) -> None:
        is_it = any(isinstance(row, written) for row in [*session.dirty, *session.new])
        if is_it and threading.current_thread() is mine and not acting.ident:
            acting.start()
            acting.join(timeout=1)

    event.listen(Session, "before_flush", before_flush)
    try:
        yield
    finally:
        event.remove(Session, "before_flush", before_flush)
        assert acting.ident, "nothing of this kind was written"
        acting.join(timeout=30)
        assert not acting.is_alive()


def left(shop: Shop) -> list[tuple[str, str]]:
    """The status of every delivery and of its endpoint."""
    with shop.app.app_context():
        both = select(Delivery.status, Endpoint.status).join(
            Endpoint, Endpoint.id == Delivery.endpoint_id
        )
        return db.read(lambda session: [(row[0], row[1]) for row in session.execute(both)])


def test_what_is_replayed_meanwhile_does_not_wait(
    shop: Shop, receiver: Receiver, endpoint: str
) -> None:
    shop.a_member(points=5)
    shop.tell()
    shop.deliver()
    (row,) = shop.get("/v1/webhook_deliveries", who="admin")["data"]
    with between(Delivery, lambda: delete(shop, endpoint)):
        shop.call("POST", f"/v1/webhook_deliveries/{row['id']}/replay", {}, who="admin")
    assert left(shop) == [("failed", "deleted")]


def test_what_is_told_meanwhile_does_not_wait(
    shop: Shop, receiver: Receiver, endpoint: str
) -> None:
    shop.a_member(points=5)
    with between(MemberNotices, lambda: delete(shop, endpoint)):
        shop.tell()
    assert left(shop) == [("failed", "deleted")]


def test_an_example_that_is_sent_meanwhile_does_not_wait(
    shop: Shop, receiver: Receiver, endpoint: str
) -> None:
    one = next(iter(types.catalogue().values()))
    with shop.app.app_context(), between(Delivery, lambda: delete(shop, endpoint)):
        db.transaction(lambda session: deliveries.send_test(session, shop.program_id, one))
    assert left(shop) == [("failed", "deleted")]


def test_what_is_under_way_is_not_tried_again(
    shop: Shop, receiver: Receiver, endpoint: str
) -> None:
    def refusing(event: dict[str, Any]) -> int:
        delete(shop, endpoint)
        return 500

    receiver.answer = refusing
    shop.a_member(points=5)
    shop.tell()
    shop.deliver()
    assert left(shop) == [("failed", "deleted")]
