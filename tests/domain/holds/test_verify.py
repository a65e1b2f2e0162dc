"""`ledger verify` rebuilds every hold from postings, and names what is not as they say."""

from dataclasses import dataclass

import pytest

from tests.conftest import differences
from tests.domain.ledger.conftest import Tamper, tamper
from tests.shop import Shop

__all__ = ["tamper"]
pytestmark = pytest.mark.tampered


@dataclass
class Held:
    """A member with four holds of 100 points: one of each status, the captured one with 60."""

    shop: Shop
    member: str
    ids: dict[str, str]

    def found(self) -> set[tuple[str, str]]:
        return {(one.subject, one.detail) for one in differences(self.shop.app)}


@pytest.fixture
def held(shop: Shop) -> Held:
    member = shop.a_member(points=500)
    ids = {"expired": shop.hold(member, 100, expires_in_seconds=60)["id"]}
    for status in ("captured", "released", "held"):
        ids[status] = shop.hold(member, 100, order_id=f"order-{status}")["id"]
    shop.capture(ids["captured"], 60)
    shop.release(ids["released"])
    shop.advance(seconds=60)
    shop.give(member, 1)
    made = Held(shop, member, ids)
    assert made.found() == set()
    statuses = {shop.get(f"/v1/holds/{id_}")["status"]: id_ for id_ in ids.values()}
    assert statuses == ids
    return made


@pytest.mark.parametrize(
    ("status", "change", "told"),
    [
        ("held", "points = 90", "points is 90, postings give 100"),
        ("held", "points = 90", "is held and reserves 100 of 90"),
        ("captured", "captured_points = 61", "captured_points is 61, postings give 60"),
        ("captured", "returned_points = 5", "returned_points is 5, postings give 0"),
    ],
)
def test_a_figure_that_no_posting_gives(
    held: Held, tamper: Tamper, status: str, change: str, told: str
) -> None:
    hold = held.ids[status]
    tamper(f"UPDATE holds SET {change} WHERE id = '{hold}'")
    assert (f"hold {hold}", told) in held.found()


def test_a_hold_that_is_said_to_stand_and_reserves_nothing(held: Held, tamper: Tamper) -> None:
    hold = held.ids["released"]
    tamper(f"UPDATE holds SET status = 'held', released_by = NULL WHERE id = '{hold}'")
    assert (f"hold {hold}", "is held and reserves 0 of 100") in held.found()


def test_a_hold_that_is_said_to_be_over_and_still_reserves(held: Held, tamper: Tamper) -> None:
    hold, other = held.ids["held"], held.ids["released"]
    tamper(
        "UPDATE holds SET status = 'expired', released_by = (SELECT released_by FROM holds "
        f"WHERE id = '{other}') WHERE id = '{hold}'"
    )
    assert (f"hold {hold}", "is expired and reserves 100 of 0") in held.found()


def test_a_hold_that_is_gone(held: Held, tamper: Tamper) -> None:
    hold = held.ids["captured"]
    tamper(f"DELETE FROM holds WHERE id = '{hold}'")
    details = {detail for _, detail in held.found()}
    assert f"is none of hold {hold}'s" in details
    assert "its hold is not there" in details


def test_a_hold_that_ends_before_its_account_looks(held: Held, tamper: Tamper) -> None:
    tamper(f"UPDATE accounts SET next_due_at = NULL WHERE member_id = '{held.member}'")
    details = {detail for _, detail in held.found()}
    assert any("a hold is due at" in detail for detail in details)


def test_another_members_hold(held: Held, tamper: Tamper) -> None:
    stranger, hold = held.shop.a_member(), held.ids["held"]
    tamper(f"UPDATE holds SET member_id = '{stranger}' WHERE id = '{hold}'")
    assert (f"hold {hold}", f"is of {stranger}, its points are not") in held.found()
