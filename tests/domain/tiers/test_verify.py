"""`ledger verify` names tier credits, grants and tiers that do not follow from what was posted."""

import pytest
from flask import Flask

from loyalty_service.domain import program
from tests.conftest import differences
from tests.domain.ledger.conftest import IMMUTABLE, Tamper, tamper
from tests.domain.tiers.tiered import TIERED, of, spend
from tests.shop import Shop

__all__ = ["tamper"]
assert "tier_credits" in IMMUTABLE


@pytest.fixture
def shop(app: Flask) -> Shop:
    return Shop.open(app, TIERED)


@pytest.fixture
def member(shop: Shop) -> str:
    """A member in Platinum, with the points of reaching it."""
    member = shop.a_member()
    spend(shop, member, 50000)
    assert found(shop) == []
    return member


def found(shop: Shop) -> list[tuple[str, str]]:
    return [(one.subject, one.detail) for one in differences(shop.app)]


@pytest.mark.tampered
@pytest.mark.parametrize("change", ["spend_minor = 60000", "day = '2020-01-01'", "orders = 2"])
def test_a_credit_that_its_context_does_not_tell(
    shop: Shop, member: str, tamper: Tamper, change: str
) -> None:
    tamper(f"UPDATE tier_credits SET {change}")
    assert any("tier credit is" in detail for _, detail in found(shop))


@pytest.mark.tampered
def test_a_credit_of_another_member(shop: Shop, member: str, tamper: Tamper) -> None:
    stranger = shop.a_member()
    tamper(f"UPDATE tier_credits SET member_id = '{stranger}'")
    details = [detail for subject, detail in found(shop) if subject.startswith("transaction ")]
    assert len(details) == 1 and stranger in details[0]


@pytest.mark.tampered
def test_a_credit_that_is_gone(shop: Shop, member: str, tamper: Tamper) -> None:
    transaction = spend(shop, member, 1)
    tamper(f"DELETE FROM tier_credits WHERE transaction_id = '{transaction}'")
    ((subject, detail),) = found(shop)
    assert subject == f"transaction {transaction}"
    assert detail.startswith("tier credit is None, not ")


@pytest.mark.tampered
def test_a_grants_points(shop: Shop, member: str, tamper: Tamper) -> None:
    tamper("UPDATE grants SET points = 90")
    cause = f"tier:platinum:{shop.now().year}"
    assert found(shop) == [
        (f"grant {cause} of {member}", "points is 90 and withdrawn 0, postings give 100 and 0")
    ]


@pytest.mark.tampered
def test_what_was_withdrawn_of_a_grant(shop: Shop, member: str, tamper: Tamper) -> None:
    spend(shop, member, -1)
    spend(shop, member, 1)
    spend(shop, member, -1)
    assert found(shop) == []
    tamper("UPDATE grants SET withdrawn = 20")
    ((_, detail),) = found(shop)
    assert detail == "points is 100 and withdrawn 20, postings give 100 and 100"


@pytest.mark.tampered
def test_a_grant_that_is_gone(shop: Shop, member: str, tamper: Tamper) -> None:
    tamper("DELETE FROM grants")
    ((subject, detail),) = found(shop)
    assert subject.startswith("transaction ltx_")
    assert detail == "its tier_entry is not there"


@pytest.mark.tampered
@pytest.mark.parametrize("change", ["tier = 'diamond'", "tier = NULL", "tier_steps = NULL"])
def test_a_tier_that_its_credits_do_not_give(
    shop: Shop, member: str, tamper: Tamper, change: str
) -> None:
    tamper(f"UPDATE accounts SET {change} WHERE member_id = '{member}'")
    details = [detail for _, detail in found(shop)]
    assert any("credits give platinum, member from " in detail for detail in details)


def test_a_tier_that_time_took_before_anybody_looked_is_right(shop: Shop, member: str) -> None:
    shop.advance(days=800)
    assert found(shop) == []
    spend(shop, member, 60000)
    assert found(shop) == []


def test_a_change_of_the_rules_touches_nobody_by_itself(shop: Shop, member: str) -> None:
    dearer = TIERED.replace("from: 500.00", "from: 800.00")
    of(shop, lambda session: program.apply(session, dearer))
    assert found(shop) == []
    spend(shop, member, 1)
    assert found(shop) == []
