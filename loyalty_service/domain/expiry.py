"""When points end: a lot's own date, and how activity moves the date of all."""

from dataclasses import replace
from datetime import datetime

from loyalty_service.domain import calendar, program
from loyalty_service.domain.ledger.entries import Standing
from loyalty_service.domain.program.document import Activity, Expiry


def of_tier(rules: program.Program, tier_id: str | None) -> Expiry | None:
    """The expiry of points earned in a tier; a tier that holds it back has the program's own."""
    tier = rules.tiers.level(tier_id) if rules.tiers else None
    return (tier and tier.expiry) or rules.expiry


def lot_end(rules: program.Program, tier_id: str | None, earned_at: datetime) -> datetime | None:
    """The first instant at which points earned at `earned_at` are gone; None for never."""
    return calendar.expires_at(earned_at, of_tier(rules, tier_id), rules.zone)


def after_activity(
    standing: Standing, rules: program.Program, activity: Activity, at: datetime
) -> Standing:
    """The standing after something that the member did: where it counts, points live longer."""
    expiry = of_tier(rules, standing.tier)
    if expiry is None or activity not in expiry.activity:
        return standing
    end = calendar.expires_at(at, expiry, rules.zone)
    before = standing.expires_not_before
    if end is None or (before and before >= end):
        return standing
    return replace(standing, expires_not_before=end)


def moved_by(
    standing: Standing, rules: program.Program, activity: Activity, at: datetime
) -> Standing | None:
    """The standing after something that the member did; None where that moves no date."""
    after = after_activity(standing, rules, activity, at)
    return after if after != standing else None
