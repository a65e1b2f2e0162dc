"""What was earned and why, as values: the explanation is plain JSON, kept with the points."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import NotRequired, TypedDict


class Part(TypedDict):
    """What of a share was multiplied, and by what; `multiplier` is exact, as text."""

    counted: int
    multiplier: str
    campaigns: NotRequired[list[str]]


class RuleShare(TypedDict):
    """What one rule gave; `points_per` and `exact` are exact numbers written as text.

    `counted_minor` and `per_minor` where it gives for each so much money; `items` where for each
    item; neither where it is fixed. `uncapped` is what it would have given without its caps.
    """

    rule: str
    points_per: str
    exact: str
    rounding: str
    points: int
    counted_minor: NotRequired[int]
    per_minor: NotRequired[int]
    items: NotRequired[int]
    parts: NotRequired[list[Part]]
    carried_in: NotRequired[str]
    uncapped: NotRequired[int]


class Bonus(TypedDict):
    """Fixed points of a campaign."""

    campaign: str
    points: int


class Explanation(TypedDict):
    """Why something earned what it did.

    `names` are those of the tier and the campaigns as they were; `uncapped` is what it would have
    earned without the balance cap.
    """

    rules: list[RuleShare]
    pending_days: int
    bonuses: NotRequired[list[Bonus]]
    tier: NotRequired[str]
    names: NotRequired[dict[str, str]]
    uncapped: NotRequired[int]


@dataclass(frozen=True, slots=True)
class TierCredit:
    """What counts towards a tier, by every metric there is."""

    spend_minor: int = 0
    base_points: int = 0
    points: int = 0
    orders: int = 0

    def less(self, other: "TierCredit") -> "TierCredit":
        """The change from another to this one."""
        return TierCredit(
            self.spend_minor - other.spend_minor,
            self.base_points - other.base_points,
            self.points - other.points,
            self.orders - other.orders,
        )


NO_CREDIT = TierCredit()


@dataclass(frozen=True, slots=True)
class Use:
    """What a rule or a campaign with limits gave.

    `carried` is by how much it changed what the rule carries on: the exact points less the whole
    ones.
    """

    points: int
    times: int
    carried: Fraction = Fraction(0)

    def less(self, other: "Use") -> "Use":
        """The difference."""
        return Use(
            self.points - other.points, self.times - other.times, self.carried - other.carried
        )

    def __bool__(self) -> bool:
        """Say whether there is anything to remember."""
        return bool(self.points or self.times or self.carried)


NO_USE = Use(0, 0)


@dataclass(frozen=True, slots=True)
class Earned:
    """The points of all rules together, why, and what they count for elsewhere.

    `uses` are those of rules and campaigns with limits, by id.
    """

    points: int
    explanation: Explanation
    tier_credit: TierCredit
    uses: Mapping[str, Use]


def exact(number: Fraction) -> str:
    """An exact number as text: "5/4", "3/1"."""
    return f"{number.numerator}/{number.denominator}"
