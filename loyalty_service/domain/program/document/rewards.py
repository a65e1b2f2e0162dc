"""What points buy."""

from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from loyalty_service.domain.program.document.words import RewardType, Settlement, Span


@dataclass(frozen=True, slots=True)
class Slab:
    """One price of a reward and the discount it buys; both None where it gives no discount."""

    points: int
    amount_off_minor: int | None
    percent_off: Fraction | None


@dataclass(frozen=True, slots=True)
class PayWithPoints:
    """Any number of points from `minimum` on, in steps: `points` are worth `amount_minor`."""

    points: int
    amount_minor: int
    minimum: int
    step: int
    maximum: int | None = None


@dataclass(frozen=True, slots=True)
class BirthdayWindow:
    """So many local days around a birthday, for members of a tier (None: of every other tier).

    The window is the birthday itself and the days after it: 7 days are it and the six that follow.
    """

    tier: str | None
    days: int


@dataclass(frozen=True, slots=True)
class Eligibility:
    """Who may have a reward: all that is given must hold. `when` is CEL over `member.*`."""

    tiers: tuple[str, ...] = ()
    birthday: tuple[BirthdayWindow, ...] = ()
    when: str | None = None


EVERYBODY = Eligibility()


@dataclass(frozen=True, slots=True)
class Reward:
    """A reward; `slabs` holds at least one price, cheapest first, unless it has `pay_with_points`.

    `stock` is over all members, ever; `per_member` in each `per_member_span`. `gives` says in words
    what a reward of type free_product or custom gives (a sku, or a name).
    """

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
    pay_with_points: PayWithPoints | None = None
    per_member_span: Span = Span.EVER
    eligibility: Eligibility = EVERYBODY
    gives: str | None = None
