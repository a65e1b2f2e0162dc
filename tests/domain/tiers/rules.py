"""Programs with tiers, made by hand, and credits told in a few words."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from loyalty_service.domain import calendar
from loyalty_service.domain.program.document import (
    Downgrade,
    Expiry,
    Kept,
    Metric,
    Period,
    Program,
    Tier,
    Tiers,
    Window,
    WindowKind,
)
from loyalty_service.domain.tiers.counting import Credit
from loyalty_service.domain.tiers.holding import Held, hold
from tests.domain.program.documents import a_program

ENROLLED = datetime(2025, 5, 5, 12, tzinfo=UTC)
CALENDAR_YEAR = Window(WindowKind.CALENDAR_YEAR)
MARCH_YEAR = Window(WindowKind.FISCAL_YEAR, starts_in=3)
ANNIVERSARY = Window(WindowKind.ANNIVERSARY)
TWELVE_MONTHS = Window(WindowKind.ROLLING, months=12)
LIFETIME = Window(WindowKind.LIFETIME)
BEAUTY = Tiers(
    metric=Metric.SPEND,
    window=CALENDAR_YEAR,
    kept=Kept(windows=1),
    levels=(
        Tier("member", "Member", 0),
        Tier("platinum", "Platinum", 50000, expiry_never=True),
        Tier("diamond", "Diamond", 120000, expiry_never=True),
    ),
)
STARS = Tiers(
    metric=Metric.QUALIFYING_POINTS,
    window=TWELVE_MONTHS,
    kept=Kept(months=12),
    levels=(Tier("green", "Green", 0), Tier("gold", "Gold", 500), Tier("reserve", "Reserve", 2500)),
)
AIRLINE = replace(STARS, window=MARCH_YEAR, kept=Kept(windows=1, plus_months=1))
STEP_BY_STEP = replace(BEAUTY, downgrade=Downgrade.ONE_STEP)


def rules(tiers: Tiers | None, **changes: Any) -> Program:
    """A program in Berlin with these tiers; its points end with a quarter, after a loss too."""
    expiry = Expiry(12, None, Period.QUARTER, after_downgrade=Period.QUARTER)
    return replace(a_program(), tiers=tiers, **{"expiry": expiry, **changes})


def credit(day: str, amount: int, version: int = 1, **others: int) -> Credit:
    """A credit of this much by every metric, but for the others that are named."""
    figures = dict.fromkeys(("spend_minor", "base_points", "points", "orders"), amount)
    return Credit(date.fromisoformat(day), version, **{**figures, **others})


def held_on(
    day: str, tiers: Tiers, *credits: Credit, enrolled_at: datetime = ENROLLED, **changes: Any
) -> Held:
    """What is held at the first moment of a local day under one version of the rules."""
    program = rules(tiers, **changes)
    at = calendar.first_moment(date.fromisoformat(day), program.zone)
    return hold(credits, {1: program}, enrolled_at, at)


def tier_on(day: str, tiers: Tiers, *credits: Credit, **more: Any) -> str:
    """The tier held at the first moment of a local day."""
    return held_on(day, tiers, *credits, **more).tier
