"""Tiers: what counts, in which stretch of time, and how long a tier is kept."""

from dataclasses import dataclass
from fractions import Fraction

from loyalty_service.domain.program.document.earning import ALL_ITEMS, Items
from loyalty_service.domain.program.document.policies import Expiry
from loyalty_service.domain.program.document.words import (
    Counted,
    Downgrade,
    Metric,
    Period,
    WindowKind,
)


@dataclass(frozen=True, slots=True)
class Window:
    """Whose credits count: `months` of a rolling window, `starts_in` (1 to 12) of a fiscal year."""

    kind: WindowKind
    months: int | None = None
    starts_in: int | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """How long a tier is kept once it is reached; all None and 0 is for ever.

    `months` from the day on which it was reached, then on to `until_end_of`; or through so many
    `windows` after the one in which it was reached, and so many months more (`plus_months`).
    """

    months: int | None = None
    until_end_of: Period | None = None
    windows: int | None = None
    plus_months: int = 0


@dataclass(frozen=True, slots=True)
class Tier:
    """One level: from so many credits (minor units, points or orders), what it multiplies.

    `expiry_never` holds back the expiry of all points while the tier lasts; `expiry` replaces the
    program's own for points earned in the tier. `entry_points` are given on reaching it, once a
    period.
    """

    id: str
    name: str
    from_credits: int
    multiplier: Fraction = Fraction(1)
    expiry_never: bool = False
    expiry: Expiry | None = None
    entry_points: int = 0


@dataclass(frozen=True, slots=True)
class Tiers:
    """All levels, lowest first; the lowest begins at 0.

    `counts` and `items` say what of an order is spend; `minimum_order_minor` which orders count by
    number. `include_multipliers`: qualifying points as they were given, not as the rule alone.
    """

    metric: Metric
    window: Window
    kept: Kept
    levels: tuple[Tier, ...]
    counts: tuple[Counted, ...] = (Counted.MERCHANDISE,)
    items: Items = ALL_ITEMS
    minimum_order_minor: int = 0
    include_multipliers: bool = False
    grace_days: int = 0
    downgrade: Downgrade = Downgrade.REQUALIFY

    def level(self, tier_id: str | None) -> Tier | None:
        """The level of this id, or None."""
        return next((tier for tier in self.levels if tier.id == tier_id), None)
