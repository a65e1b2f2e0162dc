"""What reaching a tier gives, once a tier and period, and what a refund takes back of it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from loyalty_service.domain.ledger.moves import DEBT, ISSUED, Move, available, require_legal
from loyalty_service.domain.ledger.returning import Returned
from loyalty_service.domain.program.document import Expiry, Period, Tiers
from loyalty_service.domain.program.versions import InForce
from loyalty_service.domain.tiers import entry
from loyalty_service.domain.tiers.entry import Gift, Given
from tests.domain.tiers.rules import (
    ANNIVERSARY,
    BEAUTY,
    ENROLLED,
    LIFETIME,
    MARCH_YEAR,
    STARS,
    rules,
)

AT = datetime(2026, 2, 10, 12, tzinfo=UTC)
MEMBER, PLATINUM, DIAMOND = BEAUTY.levels
GIVING = replace(
    BEAUTY,
    levels=(MEMBER, replace(PLATINUM, entry_points=100), replace(DIAMOND, entry_points=300)),
)
RULES = rules(GIVING)
PROGRAM = InForce(7, AT, RULES)
GRANT = Given("tier:platinum:2026", "ltx_1", 100, 0)


def gifts(before: str | None, after: str, *grants: Given, at: datetime = AT) -> list[Gift]:
    return entry.planned(before, after, RULES, ENROLLED, at, {one.cause: one for one in grants})


def lost(after: str, *grants: Given, before: str = "platinum") -> list[tuple[str, int]]:
    found = entry.withdrawals(before, after, RULES, {one.cause: one for one in grants})
    return [(one.cause, one.points) for one in found]


def test_reaching_a_tier_gives_its_points() -> None:
    assert gifts("member", "platinum") == [Gift("platinum", "2026", 100)]
    assert gifts("member", "platinum")[0].cause == "tier:platinum:2026"


def test_tiers_that_are_passed_over_give_theirs_too() -> None:
    assert [gift.points for gift in gifts(None, "diamond")] == [100, 300]


@pytest.mark.parametrize(("before", "after"), [("platinum", "platinum"), ("diamond", "platinum")])
def test_a_tier_that_is_held_or_fallen_to_gives_nothing(before: str, after: str) -> None:
    assert gifts(before, after) == []


def test_down_and_up_again_in_one_period_gives_once() -> None:
    assert gifts("member", "platinum", GRANT) == []
    another_year = AT + timedelta(days=365)
    assert [gift.period for gift in gifts("member", "platinum", GRANT, at=another_year)] == ["2027"]


def test_what_was_withdrawn_is_given_again() -> None:
    withdrawn = GRANT._replace(withdrawn=40)
    assert gifts("member", "platinum", withdrawn) == [Gift("platinum", "2026", 40, again="ltx_1")]


def test_a_tier_without_entry_points_gives_nothing() -> None:
    assert entry.planned("member", "diamond", rules(BEAUTY), ENROLLED, AT, {}) == []


@pytest.mark.parametrize(
    ("tiers", "period"),
    [
        (replace(GIVING, window=MARCH_YEAR), "2025-03"),
        (replace(GIVING, window=ANNIVERSARY), "2025-05-05"),
        (replace(GIVING, window=STARS.window), "2026"),
        (replace(GIVING, window=LIFETIME), "ever"),
    ],
)
def test_a_period_is_named_by_its_window(tiers: Tiers, period: str) -> None:
    (gift,) = entry.planned("member", "platinum", rules(tiers), ENROLLED, AT, {})
    assert gift.cause == f"tier:platinum:{period}"


def test_a_refund_takes_back_the_points_of_a_lost_tier() -> None:
    assert lost("member", GRANT) == [(GRANT.cause, 100)]
    assert lost("member", GRANT._replace(withdrawn=80)) == [(GRANT.cause, 20)]
    assert lost("member", GRANT._replace(withdrawn=100)) == []


def test_a_tier_that_stays_keeps_its_points() -> None:
    assert lost("platinum", GRANT) == []


def test_only_the_last_of_a_tiers_grants_is_taken_back() -> None:
    earlier = Given("tier:platinum:2024", "ltx_0", 100, 0)
    assert lost("member", GRANT, earlier) == lost("member", earlier, GRANT) == [(GRANT.cause, 100)]


def test_tiers_reached_in_two_periods_and_lost_at_once_lose_both() -> None:
    diamond = Given("tier:diamond:2027", "ltx_2", 300, 0)
    assert lost("member", GRANT, diamond, before="diamond") == [
        (GRANT.cause, 100),
        (diamond.cause, 300),
    ]
    assert lost("platinum", GRANT, diamond, before="diamond") == [(diamond.cause, 300)]


def test_a_gift_is_an_earning_that_can_be_spent_at_once() -> None:
    (gift,) = gifts("member", "platinum")
    made = entry.gift_entry(gift, PROGRAM, "platinum", AT)
    (lot,) = made.new_lots
    require_legal(made.kind, made.moves)
    assert (made.kind, made.occurred_at, made.corrects_id) == ("earn", AT, None)
    assert made.moves == [Move(ISSUED, available(lot.id), 100)]
    assert made.context == {
        "cause": "tier_entry",
        "tier": "platinum",
        "period": "2026",
        "program_version": 7,
    }
    # A year later, through the end of that quarter.
    assert (lot.matures_at, lot.expires_at) == (AT, datetime(2027, 3, 31, 22, tzinfo=UTC))


def test_a_gift_ends_as_other_points_earned_in_the_new_tier() -> None:
    longer = replace(PLATINUM, entry_points=100, expiry=Expiry(24, None, Period.YEAR))
    program = InForce(7, AT, rules(replace(BEAUTY, levels=(MEMBER, longer))))
    made = entry.gift_entry(Gift("platinum", "2026", 100), program, "platinum", AT)
    assert made.new_lots[0].expires_at == datetime(2028, 12, 31, 23, tzinfo=UTC)


def test_what_is_given_again_and_what_is_withdrawn_name_the_first_giving() -> None:
    again = entry.gift_entry(Gift("platinum", "2026", 40, "ltx_1"), PROGRAM, "platinum", AT)
    assert again.corrects_id == "ltx_1"
    (found,) = entry.withdrawals("platinum", "member", RULES, {GRANT.cause: GRANT})
    moves = [Move(available("lot_1"), ISSUED, 60), Move(DEBT, ISSUED, 9)]
    made = entry.withdrawal_entry(found, Returned(moves, []), PROGRAM, AT)
    require_legal(made.kind, made.moves)
    assert (made.kind, made.corrects_id, made.moves) == ("claw_back", "ltx_1", moves)
    assert made.context == {
        "cause": "tier_entry_withdrawn",
        "tier": "platinum",
        "period": "2026",
        "program_version": 7,
    }
