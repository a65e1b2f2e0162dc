"""What earns: rules, their conditions and limits, campaigns, and the events a program knows."""

from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from loyalty_service.domain.program.document.words import (
    Birthday,
    Counted,
    DataType,
    Rounding,
    Span,
    Weekday,
)


@dataclass(frozen=True, slots=True)
class Items:
    """Which lines of an order count; empty tuples and None leave them all in.

    `when` is a CEL expression over `item.*`, true for the lines that count.
    """

    categories: tuple[str, ...] = ()
    skus: tuple[str, ...] = ()
    except_categories: tuple[str, ...] = ()
    except_skus: tuple[str, ...] = ()
    when: str | None = None


ALL_ITEMS = Items()


@dataclass(frozen=True, slots=True)
class Conditions:
    """When a rule or a campaign applies: all that is given must hold.

    Dates are local and both included. `tiers` names the member's tier at the moment of the fact;
    `minimum_spend_minor` is compared with what of the order counts; `when` is a CEL expression over
    `order.*` or `event.*` and `member.*`.
    """

    from_day: date | None = None
    until_day: date | None = None
    weekdays: tuple[Weekday, ...] = ()
    tiers: tuple[str, ...] = ()
    birthday: Birthday | None = None
    minimum_spend_minor: int | None = None
    when: str | None = None


ALWAYS = Conditions()


@dataclass(frozen=True, slots=True)
class Limit:
    """At most so much in a span of local time."""

    span: Span
    at_most: int


@dataclass(frozen=True, slots=True)
class OtherSide:
    """The other member of a referral: named by a field of the event's data, given fixed points."""

    field: str
    points: int


@dataclass(frozen=True, slots=True)
class EarningRule:
    """`points_numerator / points_denominator` points, and for how much of what.

    Exactly one way to count:
    - `per_minor`: for each so much money of `counts` (an order) or of the money field `of` (an
      event);
    - `per_item`: for each item of the lines that count;
    - neither: fixed, once for the order or event.

    `tier_points` are the qualifying points in the place of `points`; None: the same as `points`;
    0: none. `caps` limit points, `times` how often the rule gives; `cooldown_seconds` is the least
    time between two facts that earn by it. `first_order_minimum_minor` makes an event wait for the
    member's first order of at least so much merchandise.
    """

    id: str
    on: str
    points_numerator: int
    points_denominator: int
    per_minor: int | None
    counts: tuple[Counted, ...]
    rounding: Rounding
    pending_days: int
    per_item: bool = False
    of: str | None = None
    items: Items = ALL_ITEMS
    conditions: Conditions = ALWAYS
    caps: tuple[Limit, ...] = ()
    times: tuple[Limit, ...] = ()
    cooldown_seconds: int | None = None
    carry: bool = False
    tier_multiplier: bool = True
    campaigns: bool = True
    tier_points: Fraction | None = None
    other_side: OtherSide | None = None
    first_order_minimum_minor: int | None = None


@dataclass(frozen=True, slots=True)
class Campaign:
    """More points for a while: a factor (for each tier its own, if wanted) or fixed points on top.

    Exactly one of `multiplier`, `multipliers` (by tier; another tier gets none) and
    `bonus_points` (once an order or event) is given. `on` names `order` and types of events;
    `rules` narrows it to some rules. `instead_of_tier`: where this campaign applies, the tier's own
    multiplier does not.
    """

    id: str
    name: str
    on: tuple[str, ...]
    rules: tuple[str, ...] = ()
    multiplier: Fraction | None = None
    multipliers: tuple[tuple[str, Fraction], ...] = ()
    bonus_points: int | None = None
    items: Items = ALL_ITEMS
    conditions: Conditions = ALWAYS
    instead_of_tier: bool = False
    times: tuple[Limit, ...] = ()


@dataclass(frozen=True, slots=True)
class EventType:
    """An event and the fields of its data; a field is required unless it is `optional`."""

    name: str
    fields: tuple[tuple[str, DataType], ...]
    optional: tuple[str, ...] = ()

    def type_of(self, field: str) -> DataType | None:
        """The type of a field, or None where there is none of that name."""
        return dict(self.fields).get(field)
