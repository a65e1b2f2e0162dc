"""The two further programs that ship with the service, figure by figure."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from loyalty_service.domain import calendar, earning, rewards
from loyalty_service.domain.program import parsing
from loyalty_service.domain.program.document import PastExpiry, Program, WhenSpent

PROGRAMS = Path(__file__).parents[3] / "programs"


@pytest.fixture(scope="module")
def tenths() -> Program:
    return parsing.parse((PROGRAMS / "tenths.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def cafe() -> Program:
    return parsing.parse((PROGRAMS / "simple-cafe.yaml").read_text(encoding="utf-8"))


def points_of(program: Program, amount_minor: int, tax_minor: int = 0) -> int:
    lines = (earning.Line("bun", None, 1, amount_minor),)
    facts = earning.OrderFacts(program.currency, lines, 0, tax_minor, 400)
    return earning.earn(program, facts).points


@pytest.mark.parametrize("file", sorted(PROGRAMS.glob("*.yaml")), ids=lambda file: file.stem)
def test_a_program_is_named_like_its_file(file: Path) -> None:
    assert parsing.parse(file.read_text(encoding="utf-8")).id == file.stem


@pytest.mark.parametrize(
    ("amount_minor", "points"),
    [(352, 35), (358, 36), (572, 57), (578, 58), (345, 35), (4, 0), (5, 1)],
)
def test_tenths_go_to_the_nearest_point(tenths: Program, amount_minor: int, points: int) -> None:
    assert points_of(tenths, amount_minor, tax_minor=99) == points


def test_tenths_can_be_spent_at_once_and_last_a_year(tenths: Program) -> None:
    assert (tenths.currency, tenths.timezone) == ("usd", "America/Los_Angeles")
    # 23:30 on 10 May in Los Angeles.
    at = datetime(2026, 5, 11, 6, 30, tzinfo=UTC)

    assert calendar.matures_at(at, tenths.pending_days, tenths.zone) == at
    # Midnight after 10 May of the next year.
    expires_at = calendar.expires_at(at, tenths.expiry, tenths.zone)
    assert expires_at == datetime(2027, 5, 11, 7, tzinfo=UTC)


def test_tenths_buy_three_fixed_amounts(tenths: Program) -> None:
    prices = [
        (slab.points, slab.amount_off_minor, rewards.minimum_order_minor(reward, slab))
        for reward in tenths.rewards
        for slab in reward.slabs
    ]

    assert prices == [(300, 200, None), (800, 600, 1000), (1800, 1500, 2000)]


@pytest.mark.parametrize(
    ("amount_minor", "tax_minor", "points"), [(345, 0, 34), (300, 60, 36), (9, 0, 0), (10, 0, 1)]
)
def test_the_cafe_gives_ten_points_a_pound_tax_included(
    cafe: Program, amount_minor: int, tax_minor: int, points: int
) -> None:
    assert points_of(cafe, amount_minor, tax_minor) == points


def test_the_cafes_points_wait_a_day_and_end_with_a_month(cafe: Program) -> None:
    monday = datetime(2027, 1, 11, 10, tzinfo=UTC)

    matures_at = calendar.matures_at(monday, cafe.pending_days, cafe.zone)
    assert matures_at == datetime(2027, 1, 13, tzinfo=UTC)
    assert cafe.expiry is not None
    assert calendar.last_good_day(date(2027, 1, 11), cafe.expiry) == date(2027, 7, 31)


def test_the_cafe_bears_its_losses_and_reissues_what_comes_back_late(cafe: Program) -> None:
    assert cafe.refunds.when_spent is WhenSpent.CLAMP
    assert cafe.restored_points.past_expiry is PastExpiry.REISSUE


def test_the_cafes_rewards_are_percentages_with_limits(cafe: Program) -> None:
    offered = [
        (reward.id, *(str(slab.percent_off) for slab in reward.slabs), reward.per_member)
        for reward in cafe.rewards
    ]

    assert offered == [("welcome", "10", 1), ("regular", "15", None), ("tasting", "25", 2)]
    assert [reward.stock for reward in cafe.rewards] == [None, None, 120]
    assert [reward.minimum_order_minor for reward in cafe.rewards] == [None, 800, None]


def test_the_tasting_is_on_sale_for_one_weekend(cafe: Program) -> None:
    tasting = cafe.reward("tasting")
    assert tasting is not None
    days = [datetime(2027, 5, day, 12, tzinfo=UTC) for day in range(7, 11)]

    on_sale = [rewards.on_sale(tasting, day, cafe.zone) for day in days]

    assert [day.strftime("%a") for day in days] == ["Fri", "Sat", "Sun", "Mon"]
    assert on_sale == [False, True, True, False]
