"""What is shown of a member's tier: how far the next one is, and what it takes to keep it. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from loyalty_service.domain import calendar
from loyalty_service.domain.ledger.entries import Standing
from loyalty_service.domain.program.document import Metric, Program, Tier, Tiers, WindowKind
from loyalty_service.domain.tiers import counting, windows
from loyalty_service.domain.tiers.counting import Credit
from loyalty_service.domain.tiers.holding import Held, tier_of, tiers_of

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Next:
    """The tier above: what is missing, and the last local day on which all that counts now does.

    `by` is None where it counts for ever, or nothing counts yet.
    """

    id: str
    name: str
    missing: int
    by: date | None


@dataclass(frozen=True, slots=True)
class Keep:
    """What is missing to keep the tier for longer, and the last local day for it."""

    missing: int
    by: date


@dataclass(frozen=True, slots=True)
class Progress:
    """A member's tier as it is shown.

    `until` is the last local day on which it is kept as things stand, None for ever. `credits` and
    what is missing are minor units, points or orders, as the metric says; `keep` is None where the
    tier is never lost, and where enough counts for now. `words` says all that.
    """

    id: str
    name: str
    since: datetime
    until: date | None
    metric: Metric
    currency: str
    credits: int
    next: Next | None
    keep: Keep | None


def progress(
    standing: Standing,
    held: Held,
    credits: Iterable[Credit],
    rules: Program,
    enrolled_at: datetime,
    now: datetime,
) -> Progress:
    """What stands and what it takes from here; `held` is what the credits give at `now`.

    The program has tiers. Who has no standing yet is in the lowest tier since the enrolment.
    """
    tiers, tier = tiers_of(rules), tier_of(rules, standing.tier)
    enrolled = calendar.local_date(enrolled_at, rules.zone)
    today = calendar.latest_begun(now, rules.zone)
    seen = _Seen(
        tiers=tiers,
        tier=tier,
        credits=held.credits,
        until=_until(standing, rules),
        counts_by=_counts_by(tiers, credits, today, enrolled),
        kept_if_reached_today=windows.kept_through(tiers, today, enrolled),
    )
    return Progress(
        id=tier.id,
        name=tier.name,
        since=standing.since or enrolled_at,
        until=seen.until,
        metric=tiers.metric,
        currency=rules.currency,
        credits=max(0, held.credits),
        next=_next(seen),
        keep=_keep(seen),
    )


@dataclass(frozen=True, slots=True)
class _Seen:
    """What is known of a member's tier, in local days."""

    tiers: Tiers
    tier: Tier
    credits: int
    until: date | None
    counts_by: date | None
    kept_if_reached_today: date


def _until(standing: Standing, rules: Program) -> date | None:
    if not standing.steps:
        return None
    return calendar.local_date(standing.steps[0].at, rules.zone) - _DAY


def _counts_by(tiers: Tiers, credits: Iterable[Credit], today: date, enrolled: date) -> date | None:
    """The last day on which all that counts today still does."""
    span = windows.span(tiers.window, today, enrolled)
    if tiers.window.kind is WindowKind.LIFETIME:
        return None
    if tiers.window.kind is not WindowKind.ROLLING:
        return span.last
    amounts = counting.by_day(credits, tiers).items()
    first = min((day for day, amount in amounts if span.first <= day and amount > 0), default=None)
    return windows.counts_through(tiers.window, first, enrolled) if first else None


def _next(seen: _Seen) -> Next | None:
    levels = seen.tiers.levels
    above = levels[levels.index(seen.tier) + 1 :]
    if not above:
        return None
    missing = max(0, above[0].from_credits - seen.credits)
    return Next(above[0].id, above[0].name, missing, seen.counts_by)


def _keep(seen: _Seen) -> Keep | None:
    missing = seen.tier.from_credits - seen.credits
    # What counts already keeps it, or reaching it again would not keep it longer yet.
    if missing <= 0 or seen.until is None or seen.kept_if_reached_today <= seen.until:
        return None
    return Keep(missing, min(seen.until, seen.counts_by or seen.until))
