"""What reaching a tier gives, once a tier and period, and what a refund takes back of it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from loyalty_service.domain.ledger.entries import Standing
from loyalty_service.domain.ledger.moves import ISSUED, Move, available, require_legal
from loyalty_service.domain.ledger.state import LotState
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


def a_lot(left: int, name: str = "lot_1") -> LotState:
    return LotState(name, 1, AT, AT, None, available=left)


def gifts(before: str | None, after: str, *grants: Given, at: datetime = AT) -> list[Gift]:
    return entry.planned(before, after, RULES, ENROLLED, at, {one.cause: one for one in grants})


def taken(after: str, left: int, grant: Given = GRANT, since: datetime = AT) -> list[int]:
    before = Standing("platinum", since)
    lots = {grant.cause: [a_lot(left)]}
    now = AT + timedelta(days=9)
    found = entry.withdrawals(before, after, RULES, ENROLLED, now, {grant.cause: grant}, lots)
    return [one.points for one in found]


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


def test_a_refund_takes_back_what_is_left_of_the_points_of_a_lost_tier() -> None:
    assert taken("member", left=100) == [100]
    assert taken("member", left=30) == [30]
    assert taken("member", left=0) == []


def test_points_of_others_in_the_grants_lot_are_not_taken() -> None:
    assert taken("member", left=100, grant=GRANT._replace(withdrawn=80)) == [20]


def test_a_tier_that_stays_keeps_its_points() -> None:
    assert taken("platinum", left=100) == []


def test_points_of_an_earlier_period_are_kept() -> None:
    assert taken("member", left=100, since=AT - timedelta(days=365)) == []


def test_a_tier_reached_before_new_year_and_taken_back_after_it_loses_its_points() -> None:
    since = datetime(2026, 12, 30, tzinfo=UTC)
    before, refunded = Standing("platinum", since), since + timedelta(days=9)
    grants, lots = {GRANT.cause: GRANT}, {GRANT.cause: [a_lot(100)]}
    found = entry.withdrawals(before, "member", RULES, ENROLLED, refunded, grants, lots)
    assert [(one.cause, one.points) for one in found] == [(GRANT.cause, 100)]


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
    before, grants = Standing("platinum", AT), {GRANT.cause: GRANT}
    (found,) = entry.withdrawals(
        before, "member", RULES, ENROLLED, AT, grants, {GRANT.cause: [a_lot(60), a_lot(9, "lot_2")]}
    )
    made = entry.withdrawal_entry(found, PROGRAM, AT)
    require_legal(made.kind, made.moves)
    assert (made.kind, made.corrects_id) == ("claw_back", "ltx_1")
    assert made.context["cause"] == "tier_entry_withdrawn"
    assert [(move.debit.lot_id, move.points) for move in made.moves] == [
        ("lot_1", 60),
        ("lot_2", 9),
    ]
