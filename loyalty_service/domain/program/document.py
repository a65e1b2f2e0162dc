"""The typed form of a program document: what a shop decided, and nothing that happens.

Values are immutable and already checked: only `parsing.parse` makes a `Program`. Amounts are whole
minor units of the program's currency, points are whole numbers, rates are exact.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from fractions import Fraction
from zoneinfo import ZoneInfo


class Trigger(StrEnum):
    """The fact that earns."""

    ORDER = "order"


class Counted(StrEnum):
    """A part of an order that counts for earning."""

    MERCHANDISE = "merchandise"
    TAX = "tax"
    SHIPPING = "shipping"


class Rounding(StrEnum):
    """How a fraction of a point becomes whole; `nearest` rounds a half up."""

    FLOOR = "floor"
    NEAREST = "nearest"
    CEILING = "ceiling"


class Period(StrEnum):
    """A stretch of the calendar at whose end points may expire."""

    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


class WhenSpent(StrEnum):
    """What a claw-back does when the points are already spent."""

    ALLOW_DEBT = "allow_debt"
    CLAMP = "clamp"


class PastExpiry(StrEnum):
    """What becomes of points given back after the date of their lot."""

    ORIGINAL_EXPIRY = "original_expiry"
    GRACE_DAYS = "grace_days"
    REISSUE = "reissue"


class RewardType(StrEnum):
    """What a reward gives."""

    AMOUNT_OFF = "amount_off"
    PERCENT_OFF = "percent_off"
    FREE_PRODUCT = "free_product"
    FREE_SHIPPING = "free_shipping"
    CUSTOM = "custom"


class Settlement(StrEnum):
    """Who turns a redemption into a discount."""

    STRIPE_PROMOTION_CODE = "stripe_promotion_code"
    APP_APPLIED = "app_applied"


class Role(StrEnum):
    """A staff role that has goodwill limits of its own."""

    AGENT = "agent"
    MANAGER = "manager"


@dataclass(frozen=True, slots=True)
class EarningRule:
    """`points_numerator / points_denominator` points per `per_minor` of what counts."""

    id: str
    on: Trigger
    points_numerator: int
    points_denominator: int
    per_minor: int
    counts: tuple[Counted, ...]
    rounding: Rounding
    pending_days: int


@dataclass(frozen=True, slots=True)
class Expiry:
    """Exactly one of `months` and `days`, then on to the end of a period where one is named."""

    months: int | None
    days: int | None
    until_end_of: Period | None


@dataclass(frozen=True, slots=True)
class Refunds:
    """How refunds take points back."""

    when_spent: WhenSpent


@dataclass(frozen=True, slots=True)
class RestoredPoints:
    """How points come back; `grace_days` is 0 under any other policy than `grace_days`."""

    past_expiry: PastExpiry
    grace_days: int


@dataclass(frozen=True, slots=True)
class Slab:
    """One price of a reward and the discount it buys: exactly one of the two is given."""

    points: int
    amount_off_minor: int | None
    percent_off: Fraction | None


@dataclass(frozen=True, slots=True)
class Reward:
    """A reward; `slabs` holds at least one price, cheapest first."""

    id: str
    name: str
    type: RewardType
    slabs: tuple[Slab, ...]
    max_share_of_order: Fraction | None
    minimum_order_minor: int | None
    code_lifetime_days: int | None
    stock: int | None
    per_member: int | None
    available_from: date | None
    available_until: date | None
    settlement: Settlement


@dataclass(frozen=True, slots=True)
class GoodwillLimit:
    """The most points a person of this role may give at once and in a calendar month."""

    role: Role
    per_grant: int
    per_month: int


@dataclass(frozen=True, slots=True)
class Goodwill:
    """Why staff may give points, and how many; a role without a limit may give none."""

    reasons: tuple[str, ...]
    limits: tuple[GoodwillLimit, ...]

    def limit(self, role: str) -> GoodwillLimit | None:
        """Return the limit of a role, or None where the program names none."""
        return next((limit for limit in self.limits if limit.role == role), None)


@dataclass(frozen=True, slots=True)
class Stripe:
    """Where this program's Stripe key is found: the name of a variable, never the key."""

    api_key_env: str | None


@dataclass(frozen=True, slots=True)
class Program:
    """One version of a shop's rules."""

    id: str
    name: str
    timezone: str
    currency: str
    late_days: int
    earning: tuple[EarningRule, ...]
    expiry: Expiry | None
    refunds: Refunds
    restored_points: RestoredPoints
    rewards: tuple[Reward, ...]
    goodwill: Goodwill
    stripe: Stripe

    @property
    def zone(self) -> ZoneInfo:
        """The time zone whose calendar days the program counts."""
        return ZoneInfo(self.timezone)

    @property
    def pending_days(self) -> int:
        """How many local days an order's points wait: the same for all its rules."""
        return max((rule.pending_days for rule in self.earning), default=0)

    def reward(self, reward_id: str) -> Reward | None:
        """Return the reward with this id, or None."""
        return next((reward for reward in self.rewards if reward.id == reward_id), None)
