"""The typed form of a program document: what a shop decided, and nothing that happens.

Values are immutable and already checked: only `parsing.parse` makes a `Program`. Amounts are whole
minor units of the program's currency, points are whole numbers, rates are exact.
"""

from dataclasses import dataclass
from fractions import Fraction
from zoneinfo import ZoneInfo

from loyalty_service.domain.program.document.earning import (
    Campaign,
    Conditions,
    EarningRule,
    EventType,
    Items,
    Limit,
    OtherSide,
)
from loyalty_service.domain.program.document.policies import (
    Expiry,
    Goodwill,
    GoodwillLimit,
    Refunds,
    RestoredPoints,
    Stripe,
)
from loyalty_service.domain.program.document.rewards import (
    BirthdayWindow,
    Eligibility,
    PayWithPoints,
    Reward,
    Slab,
)
from loyalty_service.domain.program.document.thank_you import Budget, Feedback, Offer, Trigger
from loyalty_service.domain.program.document.tiers import Kept, Tier, Tiers, Window
from loyalty_service.domain.program.document.words import (
    BY_THE_CLOCK,
    ORDER,
    Activity,
    Birthday,
    Counted,
    DataType,
    Downgrade,
    EarnWhen,
    Metric,
    PastExpiry,
    Period,
    RewardType,
    Role,
    Rounding,
    Settlement,
    Span,
    Stacking,
    StripeFact,
    TriggerKind,
    UnusedCodes,
    Weekday,
    WhenSpent,
    WindowKind,
)

__all__ = [
    "BY_THE_CLOCK",
    "ORDER",
    "Activity",
    "Birthday",
    "BirthdayWindow",
    "Budget",
    "Campaign",
    "Conditions",
    "Counted",
    "DataType",
    "Downgrade",
    "EarnWhen",
    "EarningRule",
    "Eligibility",
    "EventType",
    "Expiry",
    "Feedback",
    "Goodwill",
    "GoodwillLimit",
    "Items",
    "Kept",
    "Limit",
    "Metric",
    "Offer",
    "OtherSide",
    "PastExpiry",
    "PayWithPoints",
    "Period",
    "PointValue",
    "Program",
    "Refunds",
    "RestoredPoints",
    "Reward",
    "RewardType",
    "Role",
    "Rounding",
    "Settlement",
    "Slab",
    "Span",
    "Stacking",
    "Stripe",
    "StripeFact",
    "Tier",
    "Tiers",
    "Trigger",
    "TriggerKind",
    "UnusedCodes",
    "Weekday",
    "WhenSpent",
    "Window",
    "WindowKind",
]


@dataclass(frozen=True, slots=True)
class PointValue:
    """What points are worth in the books: `points` cost the shop `amount_minor`."""

    points: int
    amount_minor: int


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
    earn_when: EarnWhen = EarnWhen.PLACED
    balance_cap: int | None = None
    events: tuple[EventType, ...] = ()
    campaigns: tuple[Campaign, ...] = ()
    stacking: Stacking = Stacking.BEST
    tiers: Tiers | None = None
    point_value: PointValue | None = None
    thank_you: tuple[Offer, ...] = ()

    @property
    def zone(self) -> ZoneInfo:
        """The time zone whose calendar days the program counts."""
        return ZoneInfo(self.timezone)

    @property
    def pending_days(self) -> int:
        """How many local days an order's points wait: the same for all its rules."""
        return self.pending_days_of(ORDER)

    def pending_days_of(self, on: str) -> int:
        """How many local days the points of an order, or of a type of event, wait."""
        return max((rule.pending_days for rule in self.rules_on(on)), default=0)

    def rules_on(self, on: str) -> tuple[EarningRule, ...]:
        """The rules for orders, or for a type of event, in the document's order."""
        return tuple(rule for rule in self.earning if rule.on == on)

    def event_type(self, name: str) -> EventType | None:
        """A declared or built-in type of event, or None."""
        return next((event for event in self.events if event.name == name), None)

    def reward(self, reward_id: str) -> Reward | None:
        """Return the reward with this id, or None."""
        return next((reward for reward in self.rewards if reward.id == reward_id), None)

    def offer(self, offer_id: str) -> Offer | None:
        """Return the thank-you discount with this id, or None."""
        return next((offer for offer in self.thank_you if offer.id == offer_id), None)

    def offers_for(self, *kinds: TriggerKind) -> tuple[Offer, ...]:
        """The thank-you discounts of some triggers, in the document's order."""
        return tuple(offer for offer in self.thank_you if offer.trigger.kind in kinds)

    def multiplier_of(self, tier_id: str | None) -> Fraction:
        """By what a tier multiplies; 1 for a tier that is not known here."""
        tier = self.tiers.level(tier_id) if self.tiers else None
        return tier.multiplier if tier else Fraction(1)
