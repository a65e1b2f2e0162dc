"""A transaction's hash covers every field, and the hash before it."""

from dataclasses import replace
from datetime import timedelta, timezone
from typing import Any

import pytest

from loyalty_service.domain.ledger import chain
from loyalty_service.domain.ledger.moves import ISSUED, Move, Side, available, pending
from loyalty_service.domain.ledger.state import NewLot
from tests.domain.ledger.states import day

LOT = NewLot("lot_1", day(0), day(1), day(9))
MOVE = Move(ISSUED, pending("lot_1"), 100)
CONTENT: dict[str, Any] = {
    "program_id": "default",
    "member_id": "mem_1",
    "transaction_id": "ltx_1",
    "sequence": 1,
    "kind": "earn",
    "occurred_at": day(0),
    "recorded_at": day(1),
    "corrects_id": None,
    "context": '{"cause":"order"}',
    "moves": [MOVE],
    "previous_hash": chain.GENESIS,
    "lots": [LOT],
}
OTHER: dict[str, Any] = {
    "program_id": "another",
    "member_id": "mem_2",
    "transaction_id": "ltx_2",
    "sequence": 2,
    "kind": "credit",
    "occurred_at": day(0) + timedelta(microseconds=1),
    "recorded_at": day(1) - timedelta(microseconds=1),
    "corrects_id": "ltx_0",
    "context": '{"cause":"orders"}',
    "moves": [],
    "previous_hash": "f" * 64,
    "lots": [],
}


@pytest.mark.parametrize("name", CONTENT)
def test_the_hash_changes_with_every_field(name: str) -> None:
    assert chain.hash_of(**CONTENT) != chain.hash_of(**{**CONTENT, name: OTHER[name]})


@pytest.mark.parametrize(
    "moved",
    [
        Move(ISSUED, pending("lot_1"), 101),
        Move(ISSUED, pending("lot_2"), 100),
        Move(ISSUED, available("lot_1"), 100),
        Move(Side("adjusted"), pending("lot_1"), 100),
        Move(Side("held", "lot_1", "hold_1"), pending("lot_1"), 100),
    ],
    ids=["points", "lot", "place", "system account", "hold"],
)
def test_the_hash_changes_with_every_part_of_a_posting(moved: Move) -> None:
    assert chain.hash_of(**CONTENT) != chain.hash_of(**{**CONTENT, "moves": [moved]})


def test_the_hash_changes_with_the_order_of_postings() -> None:
    both = [MOVE, Move(ISSUED, pending("lot_2"), 7)]
    forward = chain.hash_of(**{**CONTENT, "moves": both})
    assert forward != chain.hash_of(**{**CONTENT, "moves": both[::-1]})


@pytest.mark.parametrize(
    "lot",
    [
        replace(LOT, id="lot_2"),
        replace(LOT, earned_at=day(-1)),
        replace(LOT, matures_at=day(2)),
        replace(LOT, expires_at=day(10)),
        replace(LOT, expires_at=None),
        replace(LOT, restores_lot_id="lot_0"),
    ],
    ids=["id", "earned_at", "matures_at", "expires_at", "never", "restores_lot_id"],
)
def test_the_hash_changes_with_every_date_of_a_lot(lot: NewLot) -> None:
    assert chain.hash_of(**CONTENT) != chain.hash_of(**{**CONTENT, "lots": [lot]})


def test_one_content_has_one_hash_in_any_zone_and_for_ever() -> None:
    east = timezone(timedelta(hours=9))
    elsewhere = {**CONTENT, "occurred_at": CONTENT["occurred_at"].astimezone(east)}
    # Kept hashes are compared for years: these figures never change.
    assert (
        chain.hash_of(**CONTENT)
        == "4ca4eb91d37a6c5fcecc332404eecc28d865ab937b019cb6b4e229294af4d5a4"
    )
    assert (
        chain.hash_of(**elsewhere)
        == "4ca4eb91d37a6c5fcecc332404eecc28d865ab937b019cb6b4e229294af4d5a4"
    )
    without_lots = {**CONTENT, "lots": []}
    assert (
        chain.hash_of(**without_lots)
        == "67051a03ed0a8652c54ab1b975e582cf3f802ca2658b80ad94095598874bc7b6"
    )
