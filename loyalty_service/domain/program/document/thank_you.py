"""Thank-you discounts: what costs a member no points, for what, and how much of it there may be."""

from dataclasses import dataclass
from fractions import Fraction

from loyalty_service.domain.program.document.words import RewardType, Settlement, TriggerKind


@dataclass(frozen=True, slots=True)
class Feedback:
    """An event whose whole number `field` is `at_most` so much: a customer who is not happy."""

    event: str
    field: str
    at_most: int


@dataclass(frozen=True, slots=True)
class Trigger:
    """What an offer is given for; beside `kind` only what belongs to it is there.

    `tier` of tier_reached, `order_number` of nth_order, `days` without an order of lapsed,
    `feedback` of low_feedback.
    """

    kind: TriggerKind
    tier: str | None = None
    order_number: int | None = None
    days: int | None = None
    feedback: Feedback | None = None


@dataclass(frozen=True, slots=True)
class Budget:
    """The most that all members together are given in a calendar month: money, number, or both."""

    month_minor: int | None = None
    month_count: int | None = None


NO_BUDGET = Budget()


@dataclass(frozen=True, slots=True)
class Offer:
    """A thank-you discount as the program offers it.

    Exactly one of `amount_off_minor` and `percent_off` is given for the type that it names, neither
    for the others. `counts_as_minor` is what one counts in a budget of money where that is not its
    amount. `cooldown_seconds` is the least time between two that one member gets.
    """

    id: str
    name: str
    type: RewardType
    trigger: Trigger
    amount_off_minor: int | None
    percent_off: Fraction | None
    gives: str | None
    minimum_order_minor: int | None
    code_lifetime_days: int | None
    settlement: Settlement
    budget: Budget = NO_BUDGET
    counts_as_minor: int | None = None
    cooldown_seconds: int | None = None

    @property
    def cost_minor(self) -> int:
        """What one counts in a budget of money; 0 where there is none."""
        if self.budget.month_minor is None:
            return 0
        return self.counts_as_minor or self.amount_off_minor or 0
